//! What is wrong with workloads and the names of clients.

use replisim_cluster::{Arrivals, Bursts, CurvePoint, Keys, ReadAfterAck, Retries, Way, Workload, Writes};
use replisim_engine::{Law, Rate, Share};
use replisim_protocols::Operation;

use super::Check;

/// The most sessions, connections and clients of a closed loop of one workload.
const MOST_SESSIONS: u32 = 100_000;
/// The most attempts at one operation.
const MOST_ATTEMPTS: u32 = 100;
/// The shortest mean length of a burst, in nanoseconds: below it, a run would do little but begin bursts.
const SHORTEST_BURST: f64 = 1e3;

impl Check<'_> {
    pub(super) fn clients(&mut self) {
        let scenario = self.scenario;
        if scenario.workload.is_empty() && scenario.script.is_empty() {
            self.report_with(
                "workload",
                "nobody does anything",
                "give a `workload`, or a `script` with its `clients`",
            );
        }
        for (i, workload) in scenario.workload.iter().enumerate() {
            let path = format!("workload[{i}]");
            if scenario.workload[..i].iter().any(|other| other.name == workload.name) {
                self.report_with(
                    format!("{path}.name"),
                    format!("two workloads are called `{}`", workload.name),
                    "rename one",
                );
            }
            match workload.follows() {
                Some(follows) => self.follower(&path, workload, follows),
                None => self.mix(&path, workload),
            }
            self.arrivals(&format!("{path}.arrivals"), workload);
            self.sessions(&path, workload);
            self.timeout(&path, workload.timeout);
            workload
                .retries
                .into_iter()
                .for_each(|retries| self.retries(&format!("{path}.retries"), retries));
            self.read_from(format!("{path}.read-from"), &workload.read_from);
        }
        for name in scenario.clients.keys() {
            if scenario.workload.iter().any(|workload| workload.name == *name) {
                self.report_with(
                    format!("clients.{name}"),
                    format!("a workload is called `{name}` too"),
                    "rename one",
                );
            }
        }
    }

    /// What a workload does that acts by itself.
    fn mix(&mut self, path: &str, workload: &Workload) {
        if workload.reads.is_none() {
            self.report_with(
                path,
                "the field `reads` is missing",
                "the share of reads, such as `reads: 90%`",
            );
        }
        self.writes(&format!("{path}.writes"), workload);
        let keys = workload.keys.unwrap_or_default();
        if let Some((field, message)) = keys.problem() {
            self.report(format!("{path}.keys.{field}"), message);
        }
        let goes_on_with = match keys {
            Keys::Sequence(_) if workload.reads == Some(Share::new(1.0)) => "write",
            Keys::Latest(_) if workload.reads == Some(Share::new(1.0)) || !workload.writes.have(Way::Add) => {
                "`add`"
            }
            _ => return,
        };
        let (article, fix) = match keys {
            Keys::Sequence(_) => ("a sequence", "give another law, or fewer `reads`"),
            _ => ("`latest`", "give another law, or a share of `writes: { add: … }`"),
        };
        let nothing = if goes_on_with == "write" { "writes" } else { "adds" };
        let message =
            format!("{article} goes on with every {goes_on_with}, and this workload {nothing} nothing");
        self.report_with(format!("{path}.keys"), message, fix);
    }

    /// How a workload writes.
    fn writes(&mut self, path: &str, workload: &Workload) {
        let writes = workload.writes;
        let of = |way: &str| match writes {
            Writes::One(_) => path.to_owned(),
            Writes::Mix(_) => format!("{path}.{way}"),
        };
        let sum: f64 = writes.shares().iter().map(|(_, share)| share).fold(0.0, |sum, share| sum + share);
        if (sum - 1.0).abs() > 1e-9 {
            let message = format!("the shares sum to {}%, not to 100%", (sum * 1e8).round() / 1e6);
            self.report_with(path, message, "every write is made in one of these ways");
        }
        if writes.have(Way::CompareAndSet)
            && let Err(reason) = self.scenario.protocol.performs(Operation::CompareAndSet)
        {
            let message = format!("`{}` cannot compare and set", self.scenario.protocol.name());
            self.report_with(of("compare-and-set"), message, reason);
        }
        let keys = workload.keys.unwrap_or_default();
        if writes.have(Way::Add) && !matches!(keys, Keys::Sequence(_) | Keys::Latest(_)) {
            let message = format!("`add` puts fresh keys, and `{}` has none", keys.name());
            self.report_with(of("add"), message, "give `keys: { latest: … }` or `{ sequence: … }`");
        }
    }

    /// When the operations come, as far as it can be wrong; the followed are looked at elsewhere.
    fn arrivals(&mut self, path: &str, workload: &Workload) {
        for (field, law) in workload.arrivals.laws() {
            if let Some(error) = law.sampler().err() {
                self.law_error(format!("{path}.{field}"), error);
            }
        }
        match &workload.arrivals {
            Arrivals::Curve(points) => self.curve(&format!("{path}.curve"), points),
            Arrivals::Bursts(Bursts { rate, on, off, .. }) => {
                self.some(format!("{path}.bursts.rate"), *rate);
                self.phase(format!("{path}.bursts.on"), on, true);
                self.phase(format!("{path}.bursts.off"), off, false);
            }
            Arrivals::ClosedLoop(closed) => {
                self.many(format!("{path}.closed-loop.clients"), closed.clients, "client");
            }
            Arrivals::Poisson(rate) => self.some(format!("{path}.poisson"), *rate),
            Arrivals::Fixed(rate) => self.some(format!("{path}.fixed"), *rate),
            Arrivals::ReadAfterAck(_) => {}
        }
    }

    /// A rate at which something comes.
    fn some(&mut self, path: String, rate: Rate) {
        if rate.get() == 0.0 {
            self.report_with(path, "at this rate nothing ever comes", "must be more than 0/s");
        }
    }

    fn curve(&mut self, path: &str, points: &[CurvePoint]) {
        if points.is_empty() {
            self.report_with(path, "a curve without a point", "such as `[{ at: 0s, rate: 100/s }]`");
        } else if points.iter().all(|point| point.rate.get() == 0.0) {
            self.report_with(path, "on this curve nothing ever comes", "some rate must be more than 0/s");
        }
        for (i, pair) in points.windows(2).enumerate() {
            if pair[1].at < pair[0].at {
                let message = format!("{} comes before {}", pair[1].at, pair[0].at);
                let label = "the points of a curve stand in the order of time";
                self.report_with(format!("{path}[{}].at", i + 1), message, label);
            }
        }
    }

    /// How long bursts, or the times between them, last.
    fn phase(&mut self, path: String, law: &Law, is_on: bool) {
        let Ok(law) = law.sampler() else { return };
        match law.mean_nanos() {
            Some(mean) if is_on && mean < SHORTEST_BURST => {
                self.report_with(path, "bursts of no length", "must last 1us or more in the mean");
            }
            Some(mean) if mean.is_finite() => {}
            _ => {
                let message = "how much comes in the mean depends on it, and this law has no mean";
                self.report_with(path, message, "needs a finite mean");
            }
        }
    }

    /// Sessions and connections.
    fn sessions(&mut self, path: &str, workload: &Workload) {
        if workload.sessions.is_some() && matches!(workload.arrivals, Arrivals::ClosedLoop(_)) {
            let message = "each client of a closed loop is a session";
            self.report_with(format!("{path}.sessions"), message, "leave `sessions` out");
        }
        for (field, number, what) in
            [("sessions", workload.sessions, "session"), ("connections", workload.connections, "connection")]
        {
            if let Some(number) = number {
                self.many(format!("{path}.{field}"), number, what);
            }
        }
    }

    /// How clients try again.
    fn retries(&mut self, path: &str, retries: Retries) {
        match retries.attempts {
            0 => {
                let label = "the first one counts: `attempts: 1` never tries again";
                self.report_with(format!("{path}.attempts"), "no attempt, no operation", label);
            }
            attempts if attempts > MOST_ATTEMPTS => {
                let label = format!("there can be at most {MOST_ATTEMPTS}");
                self.report_with(format!("{path}.attempts"), format!("{attempts} attempts"), label);
            }
            _ => {}
        }
        if retries.tokens
            && let Err(reason) = self.scenario.protocol.tokens()
        {
            let message =
                format!("`{}`, so configured, cannot tell another attempt", self.scenario.protocol.name());
            self.report_with(format!("{path}.tokens"), message, reason);
        }
    }

    /// At least one of something, and not too many.
    fn many(&mut self, path: String, number: u32, what: &str) {
        if number == 0 {
            self.report_with(path, format!("no {what}, no operation"), "must be 1 or more");
        } else if number > MOST_SESSIONS {
            let label = format!("there can be at most {MOST_SESSIONS}");
            self.report_with(path, format!("{number} {what}s"), label);
        }
    }

    /// A workload that reads what others have written.
    fn follower(&mut self, path: &str, workload: &Workload, follows: &ReadAfterAck) {
        if workload.reads.is_some_and(|share| share != Share::new(1.0)) {
            let message = "`read-after-ack` does nothing but read";
            self.report_with(format!("{path}.reads"), message, "leave `reads` out");
        }
        if workload.keys.is_some() {
            let message = "`read-after-ack` reads the key that was written";
            self.report_with(format!("{path}.keys"), message, "leave `keys` out");
        }
        let path = format!("{path}.arrivals.read-after-ack");
        if follows.of.is_empty() {
            self.report_with(format!("{path}.of"), "nobody to follow", "name a workload that writes");
        }
        let others = self.scenario.workload.iter().filter(|other| other.follows().is_none());
        let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
        for (i, name) in follows.of.iter().enumerate() {
            let path = format!("{path}.of[{i}]");
            let followed = self.scenario.workload.iter().find(|other| other.name == *name);
            match followed {
                None => self.unknown(path, "workload", name, others.clone()),
                Some(other) if other.follows().is_some() => {
                    let message =
                        format!("`{name}` writes nothing that could be followed: it follows others");
                    self.report_with(path, message, "name a workload that writes");
                }
                Some(_) => {}
            }
        }
    }
}
