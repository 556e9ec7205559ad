//! Reads that follow the writes of others: which acknowledgements, and how long after each.
//!
//! For every acknowledgement both numbers are drawn, whether or not it is followed: another share leaves the moments of
//! the reads that stay as they were.

use replisim_engine::random::open_unit;
use replisim_engine::{Sampler, Stream, Streams, Time};
use replisim_observe::{Client, Key, Observer};
use replisim_protocols::Protocol;

use crate::arrivals::ReadAfterAck;
use crate::tasks::{Task, Work};
use crate::workload::Workload;
use crate::world::{Event, World};

/// When a client reads after acknowledgements.
#[derive(Debug)]
pub(crate) struct Follower {
    after: Sampler,
    share: f64,
    after_stream: Stream,
    share_stream: Stream,
}

impl Follower {
    /// The follower that the workload `name` is. Fails with a sentence where its law is none.
    pub(crate) fn new(name: &str, follows: &ReadAfterAck, streams: &Streams) -> Result<Follower, String> {
        Ok(Follower {
            after: follows.after.sampler().map_err(|error| error.to_string())?,
            share: follows.share.get(),
            after_stream: streams.named(&format!("client/{name}/after")),
            share_stream: streams.named(&format!("client/{name}/share")),
        })
    }

    /// When it reads after an acknowledgement that comes `now`, if it follows that one.
    fn read_after(&mut self, now: Time) -> Option<Time> {
        let at = now + self.after.sample(&mut self.after_stream);
        (open_unit(&mut self.share_stream) < self.share).then_some(at)
    }
}

/// The clients, by their workloads, that follow the writes of `name`.
pub(crate) fn followers_of(name: &str, workloads: &[Workload]) -> Vec<Client> {
    let follows = |workload: &Workload| workload.follows().is_some_and(|f| f.of.iter().any(|of| of == name));
    let clients = (0u32..).map(Client).zip(workloads);
    clients.filter(|(_, workload)| follows(workload)).map(|(client, _)| client).collect()
}

impl<P: Protocol, O: Observer> World<P, O> {
    /// A write of `client` is acknowledged: those who follow it will read the key.
    pub(crate) fn tell_followers(&mut self, client: Client, key: Key) {
        for i in 0..self.clients[client.index()].followers.len() {
            let follower = self.clients[client.index()].followers[i];
            let source = self.clients[follower.index()].source.as_mut();
            let Some(follows) = source.and_then(|source| source.follows.as_mut()) else { continue };
            let due = follows.read_after(self.stage.now).filter(|at| *at < self.setup.window.to);
            if let Some(at) = due {
                self.stage.queue.schedule(at, Event::Follow { client: follower.0, key: key.0 });
            }
        }
    }

    /// A read after an acknowledgement is due.
    pub(crate) fn follow(&mut self, client: Client, key: Key) {
        let Some(source) = &mut self.clients[client.index()].source else { return };
        let session = source.next_session();
        let work = Work::New { way: None, key, session };
        self.submit(client, Task { work, due: self.stage.now });
    }
}
