//! What the reader must know before trusting the numbers: each warning names its cause and what to do about it.

use std::collections::BTreeSet;
use std::fmt;

use replisim_cluster::{Action, ReadFrom, Step, Workload};
use replisim_measure::{Findings, Leaf};
use replisim_network::Routing;
use replisim_protocols::Members;
use replisim_scenario::{Loaded, Scenario, build};

use crate::jitter::{OversizedJitter, oversized};
use crate::study::{Figure, Run};

/// A caveat that belongs beside the numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum Warning {
    /// Nothing but the primary serves reads.
    AllReadsAtPrimary,
    /// These clients read from the primary, and there is none.
    NoPrimary(Vec<String>),
    /// Quantiles of these measures are only bounded, because samples were cut short.
    Censored {
        /// Slug, how many, of how many.
        measures: Vec<(&'static str, u64, u64)>,
        /// Whether some would go on after the clients have stopped.
        settle_helps: bool,
    },
    /// Reads of a client take long because of where it is: client, typical latency in ms.
    DistantReads(String, f64),
    /// A p99 rests on few samples: slug, which clients have how many.
    FewSamples(&'static str, Vec<(String, u64)>),
    /// The jitter of some links is larger than their delay.
    Jitter(OversizedJitter),
    /// So many orders of operators came to nothing.
    IgnoredOrders(u32),
    /// What the protocol itself says of its settings.
    Protocol(String),
}

/// Fewer samples than this say little about a p99.
const FEW: u64 = 100;
/// What is cut short by the end of the clients' time, not by that of `settle`.
const OF_CLIENTS: [&str; 2] = ["unavailability_ms", "rto_ms"];
/// A read that takes longer than this, in milliseconds, has crossed an ocean or a continent.
const DISTANT_MS: f64 = 10.0;

pub(crate) fn warnings(loaded: &Loaded, runs: &[Run], merged: &Findings) -> Vec<Warning> {
    let protocol = &loaded.scenario.protocol;
    let blind = if writes_blindly(loaded) { protocol.caveats_of_blind_writes() } else { vec![] };
    let caveats = protocol.caveats().into_iter().chain(blind).chain(caveats_of_faults(loaded));
    let mut warnings: Vec<Warning> = caveats.map(Warning::Protocol).collect();
    if loaded.scenario.topology.nodes.len() > 1 && all_reads_at_primary(runs, merged) {
        warnings.push(Warning::AllReadsAtPrimary);
    }
    let sent_to_none =
        if runs.iter().any(|run| run.primary.is_none()) { read_from_primary(loaded) } else { vec![] };
    if !sent_to_none.is_empty() {
        warnings.push(Warning::NoPrimary(sent_to_none));
    }
    let ignored = runs.iter().map(|run| run.ignored_orders).sum();
    if ignored > 0 {
        warnings.push(Warning::IgnoredOrders(ignored));
    }
    let censored = merged.measures.iter().filter_map(|measure| match &measure.all {
        Some(Leaf::Distribution(samples)) if samples.count_censored() > 0 => {
            Some((measure.info.slug, samples.count_censored(), samples.count()))
        }
        _ => None,
    });
    let censored: Vec<_> = censored.collect();
    if !censored.is_empty() {
        let goes_on = censored.iter().any(|(slug, ..)| !OF_CLIENTS.contains(slug));
        let settle_helps = goes_on && protocol.repairs_unasked();
        warnings.push(Warning::Censored { measures: censored, settle_helps });
    }
    let of_client = |slug, client| match merged.leaf(slug, Some(("workload", client))) {
        Some(Leaf::Distribution(samples)) => Some(samples),
        _ => None,
    };
    let few = loaded.scenario.client_names().filter_map(|client| {
        let count = of_client("staleness_ms", client)?.count();
        (1..FEW).contains(&count).then(|| (client.to_owned(), count))
    });
    let few: Vec<(String, u64)> = few.collect();
    if !few.is_empty() {
        warnings.push(Warning::FewSamples("staleness_ms", few));
    }
    let has_primary = runs.first().is_some_and(|run| run.primary.is_some());
    for client in loaded.scenario.client_names() {
        let median = of_client("read_latency_ms", client).and_then(|samples| samples.quantile(0.5));
        let ms = median.map_or(0.0, |median| Figure::from(median).number() / 1e6);
        // Without a primary a read waits for several copies, wherever its coordinator is.
        if ms > DISTANT_MS && has_primary {
            warnings.push(Warning::DistantReads(client.to_owned(), ms));
        }
    }
    warnings.extend(oversized(loaded).into_iter().map(Warning::Jitter));
    warnings
}

/// What the protocol says of the nodes that faults take down together, each thing once, and of promotions.
fn caveats_of_faults(loaded: &Loaded) -> Vec<String> {
    let scenario = &loaded.scenario;
    if scenario.groups.is_some() {
        return Vec::new(); // each has members of its own
    }
    let (names, regions) = (scenario.node_names(), scenario.regions());
    let members = Members { names: &names, regions: &regions };
    let sets = build::taken_down(scenario).into_iter().map(|(_, down)| down).collect::<BTreeSet<_>>();
    let outages = sets.iter().flat_map(|down| scenario.protocol.caveats_without(down, members));
    // Where messages go around what is severed, who reaches whom is not so plain.
    let is_direct = scenario.network.routing == Routing::Direct;
    let cuts = if is_direct { build::cuts(scenario) } else { Vec::new() };
    let cuts = cuts.into_iter().filter_map(|(at, reached)| {
        let caveat = scenario.protocol.caveat_of_cut(reached, members)?;
        Some(format!("While the network is cut as at {at}, {caveat}"))
    });
    let cuts = cuts.take(1); // the others say nearly the same
    let promotions = build::promotions(scenario).into_iter().filter(|_| is_direct);
    let promotions = promotions.filter_map(|build::Promotion { at, member, reached }| {
        let caveat = scenario.protocol.caveat_of_promotion(reached, members)?;
        Some(format!("When `{}` is promoted, at {at}, {caveat}", names[member.index()]))
    });
    outages.chain(cuts).chain(promotions).collect()
}

/// Whether some clients write what rests on nothing that they have read.
fn writes_blindly(loaded: &Loaded) -> bool {
    let Scenario { workload, script, .. } = &loaded.scenario;
    let in_workload = |workload: &Workload| {
        let writes = workload.reads.is_some_and(|reads| reads.get() < 1.0);
        writes && workload.writes.shares().iter().any(|(way, _)| !way.reads_first())
    };
    let in_script = |step: &Step| matches!(step.action(), Some((Action::Put | Action::Delete, _)));
    workload.iter().any(in_workload) || script.iter().any(in_script)
}

/// The clients that ask for the primary by `read-from`.
fn read_from_primary(loaded: &Loaded) -> Vec<String> {
    let scenario = &loaded.scenario;
    let of_workloads = scenario.workload.iter().map(|workload| (&workload.name, &workload.read_from));
    let of_script = scenario.script.iter().map(|step| (&step.client, &step.read_from));
    let asks = |name: &str| {
        let mut all = of_workloads.clone().chain(of_script.clone());
        all.any(|(client, read_from)| client == name && *read_from == ReadFrom::Primary)
    };
    scenario.client_names().filter(|name| asks(name)).map(str::to_owned).collect()
}

fn all_reads_at_primary(runs: &[Run], merged: &Findings) -> bool {
    let Some(primary) = runs.first().and_then(|run| run.primary) else { return false };
    let at_primary = merged.reads_served.get(primary.index()).copied().unwrap_or(0);
    let same = runs.iter().all(|run| run.primary == Some(primary));
    same && at_primary > 0 && at_primary == merged.reads_served.iter().sum::<u64>()
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::AllReadsAtPrimary => f.write_str(
                "all reads were served by the primary: staleness is 0 by construction; to see replicas, set a workload's `read-from`",
            ),
            Warning::NoPrimary(clients) => write!(
                f,
                "`read-from: primary` of `{}`: this protocol has no primary, so the nearest node is asked",
                clients.join("`, `")
            ),
            Warning::Censored { measures, settle_helps } => {
                let counts = measures.iter().map(|(slug, censored, of)| format!("{slug} {censored} of {of}"));
                write!(
                    f,
                    "samples were cut short by the end of the run or another fault ({}): quantiles they could change are \
                     printed as `> x`, and there is no mean",
                    counts.collect::<Vec<_>>().join(", ")
                )?;
                f.write_str(if *settle_helps { "; a longer `settle` may help" } else { "" })
            }
            Warning::DistantReads(client, ms) => write!(
                f,
                "reads of `{client}` take {ms:.0} ms, nearly all of it the way to the node that serves them: staleness is judged \
                 as of the invocation",
            ),
            Warning::FewSamples(slug, clients) => {
                let counts: Vec<String> =
                    clients.iter().map(|(client, n)| format!("{n} samples for `{client}`")).collect();
                write!(
                    f,
                    "{slug} has {}: fewer than {FEW} say little about a p99; run longer or use `--seeds`",
                    counts.join(", ")
                )
            }
            Warning::Jitter(OversizedJitter { block, mean, shortest: (from, to, delay), pairs }) => {
                write!(
                    f,
                    "the jitter of `network.{block}` has a mean of {mean}, and the delay from `{from}` to `{to}` is {delay}: it \
                     is scaled down to the delay there"
                )?;
                match pairs - 1 {
                    0 => {}
                    others => write!(f, ", and between {others} more pairs of places")?,
                }
                f.write_str("; a `latency` instead of `jitter` takes the law as it is")
            }
            Warning::IgnoredOrders(orders) => write!(
                f,
                "{orders} of the operator's orders came to nothing: the node was down, or the protocol cannot obey",
            ),
            Warning::Protocol(caveat) => f.write_str(caveat),
        }
    }
}
