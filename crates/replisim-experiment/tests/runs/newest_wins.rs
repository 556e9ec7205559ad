//! Last-write-wins in its purest form: the primary sends every write by itself, and a replica shows the newest that
//! has arrived. No protocol of the simulator does that (all of them wait for what is missing), so it is made here, for
//! the one known answer that needs it.

use replisim_engine::{Label, Name};
use replisim_observe::{Key, Member, Op, PromotionRule, Stored, Write};
use replisim_protocols::primary_backup::Config;
use replisim_protocols::protocol::{self, version};
use replisim_protocols::{Command, Effects, Kept, Members, MessageKind, Protocol, Reply, Request, Route};

/// One member.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct NewestWins {
    me: Member,
    members: u32,
    writes: u64,
}

/// A write on its way to a replica.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Newest {
    key: Key,
    stored: Stored,
}

/// There are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum NoTimer {}

impl Protocol for NewestWins {
    type Config = Config; // none of it is used
    type Message = Newest;
    type Timer = NoTimer;

    fn new(me: Member, members: Members<'_>, _: &Config) -> NewestWins {
        NewestWins { me, members: members.count(), writes: 0 }
    }

    fn request(&mut self, op: Op, request: Request, out: &mut impl Effects<Self>) {
        match request {
            Request::Write { key, write, .. } => {
                self.writes += 1;
                let stored = Stored { version: version(1, self.writes), write };
                out.apply(key, stored, 100);
                out.committed(key, stored, 100);
                out.reply(op, Reply::Written(stored));
                for member in (0..self.members).map(Member).filter(|member| *member != self.me) {
                    out.send(member, Newest { key, stored });
                }
            }
            Request::Read { key, .. } => out.reply(op, Reply::Value(out.read(key))),
        }
    }

    fn message(&mut self, _: Member, Newest { key, stored }: Newest, out: &mut impl Effects<Self>) {
        if out.read(key).is_none_or(|shown| shown.version < stored.version) {
            out.apply(key, stored, 100);
        }
    }

    fn start(&mut self, _: &mut impl Effects<Self>) {}
    fn timer(&mut self, timer: NoTimer, _: &mut impl Effects<Self>) {
        match timer {}
    }
    fn persisted(&mut self, _: u64, _: &mut impl Effects<Self>) {}
    fn command(&mut self, _: Command, _: &mut impl Effects<Self>) {}

    fn crash(&mut self, _: Kept, _: &mut impl Effects<Self>) {}
    fn quiescent(&self) -> bool {
        true
    }

    fn route(request: &Request, _: &Config) -> Route {
        match request {
            Request::Write { .. } => Route::Primary,
            Request::Read { .. } => Route::Any,
        }
    }

    fn first_primary(_: Members<'_>, _: &Config) -> Option<Member> {
        Some(Member(0))
    }

    fn promotion(_: Members<'_>, _: &Config) -> PromotionRule {
        PromotionRule::default()
    }

    fn obeys(_: Command, _: &Config) -> Result<(), &'static str> {
        Err("nobody is ever promoted")
    }
}

impl protocol::Message for Newest {
    fn kind(&self) -> MessageKind {
        MessageKind::Replicate
    }
    fn name(&self) -> Name {
        const { Name::of("newest") }
    }
    fn bytes(&self) -> u64 {
        100
    }
    fn for_each_write(&self, mut each: impl FnMut(Write)) {
        each(self.stored.write);
    }
}

impl protocol::Timer for NoTimer {
    const ALL: &'static [NoTimer] = &[];
    fn index(self) -> usize {
        match self {}
    }
    fn label(self) -> Label {
        match self {}
    }
}
