//! Ping-pong as the parts of a run would do it that no run can do without: events of the cluster's own type, and each
//! delay drawn when it is needed, by the samplers and streams that a run draws with.
//!
//! What a whole run costs beyond it is replication, its network, and measuring.

use replisim_cluster::world::Event;
use replisim_engine::{
    Duration, Label, Law, LinkStream, Model, Queue, Sampler, Stream, Streams, Time, run_for,
};

use crate::measure::{Size, processor_nanos};

struct PingPong {
    queue: Queue<Event>,
    delay: Sampler,
    pause: Sampler,
    arrivals: Stream,
    /// To each replica, and back.
    links: [Link; 2 * REPLICAS],
    acks: Vec<u8>,
    written: u32,
    answered: u64,
}

struct Link {
    stream: LinkStream,
    sent: u64,
}

const REPLICAS: usize = 4;
const KIND: Label = Label::of("message");

/// Million events per second of processor time.
pub fn run(size: Size) -> f64 {
    let mean = |micros| Law::Exponential { mean: Duration::from_micros(micros) }.sampler().expect("a law");
    let streams = Streams::new(1);
    let link = |i: usize| Link { stream: streams.link(Label::of(&format!("link {i}"))), sent: 0 };
    let mut world = PingPong {
        queue: Queue::new(),
        delay: mean(1_000),
        pause: mean(100),
        arrivals: streams.named("arrivals"),
        links: std::array::from_fn(link),
        acks: vec![0; 1 << 12],
        written: 0,
        answered: 0,
    };
    world.queue.schedule(Time::ZERO, Event::Arrive { client: 0 });
    run_for(&mut world, Time::MAX, size.warm);
    let begun = processor_nanos();
    run_for(&mut world, Time::MAX, size.timed);
    std::hint::black_box(world.answered);
    size.timed as f64 * 1e3 / (processor_nanos() - begun).max(1) as f64
}

impl PingPong {
    #[inline]
    fn send(&mut self, now: Time, link: usize, event: Event) {
        let Link { stream, sent } = &mut self.links[link];
        let delay = self.delay.sample(&mut stream.draw(KIND, *sent));
        *sent += 1;
        self.queue.schedule(now + delay, event);
    }
}

impl Model for PingPong {
    type Event = Event;

    #[inline]
    fn queue(&mut self) -> &mut Queue<Event> {
        &mut self.queue
    }

    #[inline]
    fn handle(&mut self, now: Time, event: Event) {
        match event {
            // A write: the cluster's events stand for others here, only their size matters.
            Event::Arrive { client } => {
                let write = self.written;
                self.written += 1;
                self.acks[write as usize & 0xfff] = 0;
                for replica in 0..REPLICAS {
                    let instance = replica as u32;
                    self.send(now, replica, Event::Timer { instance, timer: write });
                }
                let pause = self.pause.sample(&mut self.arrivals);
                self.queue.schedule(now + pause, Event::Arrive { client });
            }
            // It comes to a replica.
            Event::Timer { instance, timer: write } => {
                self.send(now, REPLICAS + instance as usize, Event::Step { step: write });
            }
            // An acknowledgement; the second is the client's answer.
            Event::Step { step: write } => {
                let acks = &mut self.acks[write as usize & 0xfff];
                *acks += 1;
                if *acks == 2 {
                    self.answered = self.answered.wrapping_mul(31).wrapping_add(u64::from(write));
                }
            }
            _ => unreachable!("nothing of the kind is scheduled"),
        }
    }
}
