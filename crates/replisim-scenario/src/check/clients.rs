//! What is wrong with workloads and the names of clients.

use replisim_cluster::{Keys, ReadAfterAck, Workload};
use replisim_engine::Share;

use super::Check;

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
            self.timeout(&path, workload.timeout);
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
        let Some(keys) = workload.keys else { return };
        if let Some((field, message)) = keys.problem() {
            self.report(format!("{path}.keys.{field}"), message);
        }
        if matches!(keys, Keys::Sequence(_)) && workload.reads == Some(Share::new(1.0)) {
            let message = "a sequence goes on with every write, and this workload writes nothing";
            self.report_with(format!("{path}.keys"), message, "give another law, or fewer `reads`");
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
        if let Some(error) = follows.after.sampler().err() {
            self.law_error(format!("{path}.after"), error);
        }
    }
}
