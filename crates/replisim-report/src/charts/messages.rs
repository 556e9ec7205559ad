//! Who sends what to whom, and when.

use replisim_experiment::Messages;

use crate::chart::{Arrow, Lifeline, SequenceChart};

/// The messages of a short run. A client stands beside the nodes, on the side of the one that it speaks to first;
/// who neither sends nor receives is left out.
pub fn messages(title: &str, subtitle: &str, run: &Messages) -> SequenceChart {
    let nodes = run.nodes.len();
    let names: Vec<&String> = run.nodes.iter().chain(&run.clients).collect();
    let takes_part = |place: &usize| run.carried.iter().any(|m| [m.from, m.to].contains(&(*place as u32)));
    let is_left = |client: &usize| {
        let first = run.carried.iter().find(|message| message.from as usize == *client);
        first.is_none_or(|message| 2 * (message.to as usize) + 1 < nodes)
    };
    let (left, right): (Vec<usize>, Vec<usize>) = (nodes..names.len()).partition(is_left);
    let order: Vec<usize> = left.into_iter().chain(0..nodes).chain(right).filter(takes_part).collect();
    let column = |place: u32| order.iter().position(|other| *other == place as usize).unwrap_or_default();
    let lifeline = |place: &usize| Lifeline { name: names[*place].clone(), is_client: *place >= nodes };
    let arrows = run.carried.iter().map(|message| Arrow {
        label: message.name.to_owned(),
        from: column(message.from),
        to: column(message.to),
        sent: message.sent.seconds() * 1e3,
        arrived: message.arrived.then(|| message.until.seconds() * 1e3),
    });
    SequenceChart {
        title: title.to_owned(),
        subtitle: subtitle.to_owned(),
        lifelines: order.iter().map(lifeline).collect(),
        arrows: arrows.collect(),
    }
}
