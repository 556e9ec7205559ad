//! What faults do to the world, and how it is undone.

use replisim_engine::{Duration, Sampler, Shift, Time};
use replisim_network::{ImpairmentId, Loss, PartitionId, Site};
use replisim_observe::{Fault as FaultId, Group, Member, Observation, Observer};
use replisim_protocols::{Command, Kept, Protocol, Timer};

use crate::faults::{Breakdowns, Change, Crash, CrashScope, Scene};
use crate::node::Waiting;
use crate::stage::{AtMember, Presence, Reign};
use crate::world::{Event, World};

/// A change that the end of its fault undoes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Undo {
    Heal(PartitionId),
    Relieve(ImpairmentId),
    Start(Member, Loss),
    Resume(Member),
    SetBack(Member, Shift),
}

/// A fault that is going on.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActiveFault {
    began: bool,
    undo: Vec<Undo>,
    beats: u64,
    /// When it takes its next turn; an event from before its end comes to nothing.
    next_beat: Time,
}

impl<P: Protocol, O: Observer> World<P, O> {
    pub(crate) fn fault_begins(&mut self, fault: u32) {
        if self.stage.now >= self.setup.window.to {
            return;
        }
        self.stage.observe(Observation::FaultBegan(FaultId(fault)));
        self.active_faults[fault as usize].began = true;
        self.change_for(fault);
        if self.active_faults[fault as usize].undo.is_empty() {
            self.fault_ends(fault); // an order is done as soon as it is given, a clock as soon as it is set
        }
        self.schedule_beat(fault);
        self.schedule_repair(fault);
        self.watch_primaries();
    }

    /// What comes at random ends at random.
    fn schedule_repair(&mut self, fault: u32) {
        if let Some(Breakdowns { mttr, .. }) = self.setup.faults[fault as usize].breakdowns {
            let repaired = self.stage.now + self.draw_exponential(fault, mttr);
            self.stage.queue.schedule(repaired, Event::FaultEnds { fault });
        }
    }

    /// The next failure of what comes at random.
    pub(crate) fn schedule_failure(&mut self, fault: u32, from: Time) {
        if let Some(Breakdowns { mtbf, .. }) = self.setup.faults[fault as usize].breakdowns
            && from < self.setup.window.to
        {
            let fails = from + self.draw_exponential(fault, mtbf);
            self.stage.queue.schedule(fails, Event::FaultBegins { fault });
        }
    }

    /// Failures and repairs of an entry come from a stream of its own, so that they do not depend on any other.
    fn draw_exponential(&mut self, fault: u32, mean: Duration) -> Duration {
        let law = Sampler::Exponential { mean: mean.nanos() as f64 };
        law.sample(&mut self.fault_streams[fault as usize])
    }

    /// A fault that comes and goes takes its next turn.
    pub(crate) fn fault_beats(&mut self, fault: u32) {
        let active = &mut self.active_faults[fault as usize];
        if !active.began || active.next_beat != self.stage.now {
            return; // it has ended
        }
        active.beats += 1;
        match active.undo.is_empty() {
            true => self.change_for(fault),
            false => self.undo_all(fault, false),
        }
        self.schedule_beat(fault);
        self.watch_primaries();
    }

    pub(crate) fn fault_ends(&mut self, fault: u32) {
        if !std::mem::take(&mut self.active_faults[fault as usize].began) {
            return; // it had not begun, or the end of the clients' time ended it
        }
        // A node that goes down for no stated time is left down, and its fault never ends.
        let takes_down = |undo: &Undo| matches!(undo, Undo::Start(..));
        let stays_down = !self.setup.faults[fault as usize].ends()
            && self.active_faults[fault as usize].undo.iter().any(takes_down);
        self.undo_all(fault, stays_down);
        if !stays_down {
            self.stage.observe(Observation::FaultEnded(FaultId(fault)));
        }
        self.schedule_failure(fault, self.stage.now);
        self.watch_primaries();
    }

    fn change_for(&mut self, fault: u32) {
        let scene = Scene { nodes: &self.setup.nodes, clients: &self.setup.clients };
        let entry = &self.setup.faults[fault as usize];
        let stays = !entry.ends() && entry.kind.fault().stays();
        for change in entry.kind.fault().begin(&scene) {
            let undo = self.change(change).filter(|_| !stays);
            self.active_faults[fault as usize].undo.extend(undo);
        }
    }

    fn schedule_beat(&mut self, fault: u32) {
        if !self.active_faults[fault as usize].began {
            return;
        }
        let beats = self.active_faults[fault as usize].beats;
        if let Some(wait) = self.setup.faults[fault as usize].kind.fault().beat(beats) {
            let next = self.stage.now + wait;
            self.active_faults[fault as usize].next_beat = next;
            self.stage.queue.schedule(next, Event::FaultBeats { fault });
        }
    }

    fn change(&mut self, change: Change) -> Option<Undo> {
        let stage = &mut self.stage;
        match change {
            Change::Cut(partition) => {
                Some(Undo::Heal(stage.network.cut(stage.now, partition, &mut stage.queue)))
            }
            Change::Impair(impairment) => Some(Undo::Relieve(stage.network.impair(impairment))),
            Change::Crash(crash) => {
                let loss = self.crash(crash);
                Some(Undo::Start(crash.member, loss))
            }
            Change::Pause(member) => {
                stage.nodes[member.index()].pause();
                Some(Undo::Resume(member))
            }
            Change::Step(member, by) => {
                stage.clocks[member.index()].step(by);
                Some(Undo::SetBack(member, by))
            }
            Change::Order(member, command) => {
                // What the protocol cannot obey is only here if the scenario says that it may be left out.
                let node = &mut self.stage.nodes[member.index()];
                if P::obeys(command, &self.config).is_err() || !node.is_up() {
                    self.ignored_orders += 1;
                } else if node.runs() {
                    self.order(member, command);
                } else {
                    node.inbox.push_back(Waiting::Order(command));
                }
                None
            }
        }
    }

    /// The clients stop: every fault ends. The network is whole again before any node speaks into it.
    pub(crate) fn end_all_faults(&mut self) {
        let faults = 0..self.active_faults.len() as u32;
        faults.clone().for_each(|fault| self.mend_network(fault));
        faults.for_each(|fault| self.fault_ends(fault));
    }

    fn undo_all(&mut self, fault: u32, stays_down: bool) {
        self.mend_network(fault);
        for undo in std::mem::take(&mut self.active_faults[fault as usize].undo) {
            match undo {
                Undo::Start(_, _) if stays_down => {}
                Undo::Start(member, loss) => self.start_again(member, loss),
                Undo::Resume(member) => self.resume(member),
                Undo::SetBack(member, by) => self.stage.clocks[member.index()].step_back(by),
                Undo::Heal(_) | Undo::Relieve(_) => {} // mended
            }
        }
    }

    /// Undoes what a fault did to the network.
    fn mend_network(&mut self, fault: u32) {
        let stage = &mut self.stage;
        self.active_faults[fault as usize].undo.retain(|undo| {
            match *undo {
                Undo::Heal(partition) => stage.network.heal(stage.now, partition, &mut stage.queue),
                Undo::Relieve(impairment) => stage.network.relieve(impairment),
                Undo::Start(..) | Undo::Resume(_) | Undo::SetBack(..) => return true,
            }
            false
        });
    }

    /// A node goes down, or loses more of what it has while it is.
    fn crash(&mut self, Crash { member, scope, kept, in_flight }: Crash) -> Loss {
        let stage = &mut self.stage;
        let loss = match scope {
            CrashScope::Process => Loss::Process,
            CrashScope::Machine => Loss::Machine,
        };
        stage.network.site_down(stage.now, Site(member.0), loss, in_flight, &mut stage.queue);
        let node = &mut stage.nodes[member.index()];
        let goes_down = node.take_down();
        let unread = node.inbox.iter().filter(|waiting| matches!(waiting, Waiting::Message(_))).count();
        node.inbox.clear();
        node.overdue.clear();
        node.unstarted = false;
        (0..unread).for_each(|_| stage.observe(Observation::Lost));
        if goes_down {
            stage.observe(Observation::MemberDown { member });
        }
        let instances = stage.layout.at(member);
        for instance in instances {
            for timer in P::Timer::ALL {
                let slot = stage.timer(instance, *timer);
                stage.queue.disarm(slot);
            }
            let disk = &mut stage.disks[instance as usize];
            disk.stop();
            stage.queue.disarm(disk.done);
            if kept == Kept::Nothing {
                stage.empty_store(instance);
            }
        }
        if kept == Kept::Nothing {
            stage.observe(Observation::DiskLost { member });
        }
        self.at_all(member, |protocol, out| protocol.crash(kept, out));
        loss
    }

    fn start_again(&mut self, member: Member, loss: Loss) {
        let stage = &mut self.stage;
        stage.network.site_up(stage.now, Site(member.0), loss, &mut stage.queue);
        let node = &mut stage.nodes[member.index()];
        if !node.let_up() {
            return;
        }
        node.unstarted = !node.runs();
        let starts = node.runs();
        stage.observe(Observation::MemberUp { member });
        if starts {
            self.at_all(member, |protocol, out| protocol.start(out));
        }
    }

    /// A paused process goes on, or starts if it was to start meanwhile: first what it had received, then the timers
    /// that ran out.
    fn resume(&mut self, member: Member) {
        let node = &mut self.stage.nodes[member.index()];
        if !node.resume() {
            return;
        }
        if std::mem::take(&mut node.unstarted) {
            self.at_all(member, |protocol, out| protocol.start(out));
        }
        let node = &mut self.stage.nodes[member.index()];
        let inbox = std::mem::take(&mut node.inbox);
        let overdue = std::mem::take(&mut node.overdue);
        overdue.into_iter().for_each(|slot| self.stage.queue.arm(slot, self.stage.now));
        for waiting in inbox {
            match waiting {
                Waiting::Message(envelope) => self.open(envelope),
                Waiting::Order(command) => {
                    self.order(member, command);
                }
            }
        }
    }

    /// An operator's order to a node: in all its groups.
    fn order(&mut self, node: Member, command: Command) {
        self.at_all(node, |protocol, out| protocol.command(command, out));
    }

    /// Runs a handler of every instance at a node.
    fn at_all(&mut self, node: Member, act: impl Fn(&mut P, &mut AtMember<'_, P, O>)) {
        let instances = self.stage.layout.at(node);
        instances.for_each(|instance| self.at_instance(instance, &act));
    }

    /// Tells when the primary of any group is lost to its clients, and when it is back.
    fn watch_primaries(&mut self) {
        (0..self.stage.layout.groups()).for_each(|group| self.watch_primary(Group(group)));
    }

    /// The same of one group.
    pub(crate) fn watch_primary(&mut self, group: Group) {
        let reign = self.stage.reigns[group.index()];
        let Some(member) = reign.rightful else { return };
        let (now, is_up) = (self.stage.now, self.stage.nodes[member.index()].runs());
        let is_there = is_up && !self.is_cut_off_from_writers(member);
        let presence = match reign.presence {
            Presence::Lost if is_there => {
                self.stage.observe_in(group, Observation::PrimaryBack { member });
                Presence::There
            }
            Presence::Lost => Presence::Lost,
            _ if is_there => Presence::There,
            Presence::New | Presence::NeverThere if is_up => Presence::NeverThere,
            _ => {
                self.stage.observe_in(group, Observation::PrimaryLost { member, since: now });
                Presence::Lost
            }
        };
        // What it was lost for before is over.
        let is_back = reign.presence == Presence::Lost && presence == Presence::There;
        let outvoted = self
            .is_cut_off_from_most_of(group, member)
            .then(|| reign.outvoted.filter(|_| !is_back).unwrap_or(now));
        self.stage.reigns[group.index()] = Reign { presence, outvoted, ..reign };
    }

    /// Whether a cut leaves a member no majority of its group: half of it, or more, is down or on the other side.
    fn is_cut_off_from_most_of(&mut self, group: Group, member: Member) -> bool {
        let (layout, nodes) = (self.stage.layout, &self.stage.nodes);
        let network = &mut self.stage.network;
        let up = (0..layout.group_size()).map(|other| layout.site(group, Member(other)));
        let up: Vec<Site> = up.filter(|other| nodes[other.index()].is_up()).collect();
        let me = Site(member.0);
        let mut reaches = |other: &Site| network.reaches(*other, me) && network.reaches(me, *other);
        let reached = up.iter().filter(|other| **other == me || reaches(other)).count();
        reached < up.len() && reached * 2 <= layout.group_size() as usize
    }

    /// Whether the clients that offer most of the writes cannot reach `member`, or not be reached by it.
    fn is_cut_off_from_writers(&mut self, member: Member) -> bool {
        let node = Site(member.0);
        let network = &mut self.stage.network;
        let (mut cut, mut all) = (0.0, 0.0);
        for client in &self.clients {
            let offered = client.write_rate();
            all += offered;
            if !network.reaches(client.site, node) || !network.reaches(node, client.site) {
                cut += offered;
            }
        }
        cut * 2.0 > all
    }
}
