//! What is wrong with the clocks that are wrong.

use replisim_cluster::clocks::MOST_OFF;

use super::Check;

impl Check<'_> {
    pub(super) fn clocks(&mut self) {
        let scenario = self.scenario;
        for (name, clock) in &scenario.clocks {
            let path = format!("clocks.{name}");
            let nodes = || scenario.topology.nodes.keys().map(String::as_str);
            match (nodes().any(|node| node == name), scenario.client_names().any(|client| client == name)) {
                (false, false) => {
                    let known = nodes().chain(scenario.client_names()).collect();
                    self.unknown(&path, "node, workload or client", name, known);
                }
                (true, true) => {
                    let message = format!("a node and a client are called `{name}`: whose clock?");
                    self.report_with(&path, message, "rename one");
                }
                _ => {}
            }
            if clock.offset.length() > MOST_OFF {
                let path = format!("{path}.offset");
                self.report_with(path, "a clock that is years off", "at most a year, 8784h");
            }
        }
    }
}
