//! Measures by what people call them: by the slug, or by the word of another system.

use replisim_engine::Duration;
use replisim_measure::catalogue::{MeasureInfo, Unit, catalogue, find};

use crate::yaml::did_you_mean;

/// Words that others use, and the slugs that they may mean.
const WORDS: &[(&[&str], &[&str])] = &[
    (&["rpo", "exposure", "recovery_point"], &["rpo_writes", "rpo_bytes", "rpo_age_ms"]),
    (&["data_loss", "dataloss", "lost", "lost_data", "loss"], &["lost_writes"]),
    (&["replication_lag", "replica_lag", "slave_lag", "seconds_behind_master"], &["lag_ms"]),
    (&["downtime", "outage", "write_outage"], &["unavailability_ms"]),
    (&["failover_time", "recovery_time", "time_to_recover", "mttr"], &["rto_ms"]),
    (&["latency", "response_time"], &["read_latency_ms", "write_latency_ms"]),
    (&["uptime", "success_rate", "error_rate"], &["availability"]),
    (&["qps", "tps", "ops", "rate"], &["throughput_ops"]),
    (&["stale", "freshness", "age"], &["staleness_ms", "staleness_versions"]),
    (&["convergence_time", "time_to_converge"], &["convergence_ms"]),
    (&["divergence", "inconsistency"], &["divergence_keys", "inconsistency_window_ms"]),
    (&["conflicts"], &["conflict_loss"]),
    (&["duplicates"], &["duplicate_applies"]),
    (&["traffic", "bandwidth"], &["bytes", "messages"]),
];

/// The measure of a slug, with or without its `_ms`.
pub fn measure(slug: &str) -> Option<&'static MeasureInfo> {
    find(slug).or_else(|| find(&format!("{slug}_ms")))
}

/// The measures that a word of others may mean.
pub fn measures_called(word: &str) -> impl Iterator<Item = &'static MeasureInfo> {
    let word = word.to_lowercase().replace(['-', ' '], "_");
    let known = WORDS.iter().find(|(words, _)| words.contains(&word.as_str()));
    known.into_iter().flat_map(|(_, slugs)| slugs.iter().filter_map(|slug| find(slug)))
}

/// What to say of a word that is no measure; what it is compared with tells which one may be meant.
pub(crate) fn no_measure(word: &str, value: Option<&str>) -> String {
    let with_unit = value.map(|value| value.parse::<Duration>().is_ok());
    let fits = |info: &&MeasureInfo| with_unit.is_none_or(|with| with == (info.unit == Unit::Milliseconds));
    let short = |info: &MeasureInfo| match with_unit {
        Some(false) => info.slug,
        _ => info.slug.strip_suffix("_ms").unwrap_or(info.slug),
    };
    let meant: Vec<&MeasureInfo> = measures_called(word).collect();
    let fitting: Vec<&MeasureInfo> = meant.iter().copied().filter(fits).collect();
    let meant = if fitting.is_empty() { meant } else { fitting };
    let hint = if meant.is_empty() {
        let known = catalogue().iter().filter(|info| with_unit != Some(true) || fits(info)).map(short);
        did_you_mean(word, known).map(|close| format!("did you mean `{close}`?"))
    } else {
        let names: Vec<String> =
            meant.iter().map(|info| format!("`{}`", info.slug.trim_end_matches("_ms"))).collect();
        Some(format!("here it is {}", names.join(" or ")))
    };
    let hint = hint.unwrap_or_else(|| "`replisim list measures` shows all".to_owned());
    format!("`{word}` is not a measure; {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_answered_with_ours() {
        for (word, value, says) in [
            ("rpo", Some("10"), "here it is `rpo_writes` or `rpo_bytes`"),
            ("rpo", Some("10s"), "here it is `rpo_age`"),
            ("data-loss", Some("0"), "here it is `lost_writes`"),
            ("replication_lag", Some("5s"), "here it is `lag`"),
            ("replica lag", Some("5"), "here it is `lag`"),
            ("latency", None, "here it is `read_latency` or `write_latency`"),
            ("downtime", Some("5s"), "here it is `unavailability`"),
            ("stalenes", Some("5s"), "did you mean `staleness`?"),
            ("lost_writs", Some("0"), "did you mean `lost_writes`?"),
            ("gibberish", None, "`replisim list measures`"),
        ] {
            let said = no_measure(word, value);
            assert!(said.contains(says), "{word} {value:?}: {said}");
        }
    }

    #[test]
    fn no_word_of_others_is_a_measure_and_each_leads_to_measures() {
        for (words, slugs) in WORDS {
            assert!(words.iter().all(|word| measure(word).is_none()), "{words:?}");
            assert!(slugs.iter().all(|slug| find(slug).is_some()), "{slugs:?}");
        }
    }
}
