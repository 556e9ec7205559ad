//! `summary.json`: every measure with every scope. It holds no version, path or time of day, so that equal runs have
//! equal bytes and goldens survive releases.

use replisim_experiment::measure::{Leaf, Unit};
use replisim_experiment::{STATISTICS, Study, figure};
use replisim_scenario::Statistic;
use serde_json::{Map, Value, json};

use crate::number;

/// Of more nodes than this there is no single one in the summary; `distributions.csv` has them.
const MOST_NODES: usize = 64;

/// The summary of a study.
pub fn summary(study: &Study) -> Value {
    let mut measures = Map::new();
    for measure in &study.merged.measures {
        let slug = measure.info.slug;
        let mut scope = Map::new();
        let all = measure.all.as_ref().map(|all| leaf(study, slug, None, all, measure.info.unit));
        scope.insert("all".to_owned(), all.unwrap_or(Value::Null));
        let named = |(kind, values): &&(_, Vec<_>)| *kind != "node" || values.len() <= MOST_NODES;
        for (kind, values) in measure.scopes.iter().filter(named) {
            let values = values.iter().map(|(name, value)| {
                (name.clone(), leaf(study, slug, Some((kind, name)), value, measure.info.unit))
            });
            scope.insert((*kind).to_owned(), Value::Object(values.collect()));
        }
        let unit = number::unit_name(measure.info.unit);
        measures.insert(slug.to_owned(), json!({ "unit": unit, "scope": scope }));
    }
    let accounting: Map<String, Value> = study
        .merged
        .accounting
        .entries()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "schema": 1,
        "scenario": study.loaded.scenario.name,
        "seeds": study.runs.iter().map(|run| run.seed).collect::<Vec<_>>(),
        "digest": study.digest(),
        "accounting": accounting,
        "measures": measures,
    })
}

fn leaf(study: &Study, slug: &str, scope: Option<(&str, &str)>, value: &Leaf, unit: Unit) -> Value {
    let mut leaf = Map::new();
    let central = match value {
        Leaf::Distribution(samples) => {
            leaf.insert("n".to_owned(), json!(samples.count()));
            leaf.insert("censored".to_owned(), json!(samples.count_censored()));
            insert_statistics(&mut leaf, value, unit);
            Statistic::Mean
        }
        Leaf::TimeWeighted(_) => {
            insert_statistics(&mut leaf, value, unit);
            Statistic::Mean
        }
        Leaf::Count { count, of } => {
            leaf.insert("count".to_owned(), json!(count));
            leaf.insert("of".to_owned(), json!(of));
            if of.is_some() { Statistic::Share } else { Statistic::Count }
        }
        Leaf::Rate { .. } => {
            leaf.insert("value".to_owned(), number::figure(figure(value, Statistic::Count), unit));
            Statistic::Count
        }
    };
    if study.runs.len() > 1 {
        let interval = study.interval(slug, scope, central);
        let ends = interval.map(|i| [i.low, i.high].map(|end| number::json(number::in_unit(end, unit))));
        leaf.insert("ci95".to_owned(), json!(ends));
    }
    Value::Object(leaf)
}

fn insert_statistics(leaf: &mut Map<String, Value>, value: &Leaf, unit: Unit) {
    for (name, statistic) in STATISTICS {
        let shown = match figure(value, statistic) {
            // A mean with a censored sample in it would be no mean.
            Some(replisim_experiment::Figure::AtLeast(_)) if statistic == Statistic::Mean => None,
            shown => shown,
        };
        leaf.insert(name.to_owned(), number::figure(shown, unit));
    }
}
