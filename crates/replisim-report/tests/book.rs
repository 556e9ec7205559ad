//! The book's pictures of messages are those of the runs beside them. `UPDATE_GOLDENS=1` renews them.

use std::fs;
use std::path::Path;

use replisim_experiment::Messages;
use replisim_report::{chart::lint, charts};
use replisim_scenario::Loaded;

#[track_caller]
fn check(name: &str, title: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocols").join(name);
    let loaded =
        Loaded::from_file(&file.with_extension("yaml"), &[]).unwrap_or_else(|error| panic!("{error}"));
    let messages = Messages::of(&loaded, loaded.scenario.seed).unwrap();
    let lost = if messages.carried.iter().all(|message| message.arrived) { "" } else { " · × lost" };
    let source = format!("docs/protocols/{name}.yaml · time runs downward{lost}");
    let svg = charts::messages(title, &source, &messages).svg();
    let faults = lint::faults(&svg);
    assert!(faults.is_empty() && !svg.contains("no room"), "{name}: {}", faults.join("; "));
    let kept = file.with_extension("svg");
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        fs::write(&kept, &svg).unwrap();
    }
    assert!(fs::read_to_string(&kept).ok() == Some(svg), "{} has drifted", kept.display());
    if let Some(folder) = std::env::var_os("CHART_LOOK") {
        let svg = fs::read_to_string(&kept).unwrap();
        let picture = replisim_report::chart::png(&svg, 1.5).unwrap();
        fs::write(Path::new(&folder).join(name).with_extension("png"), picture).unwrap();
    }
}

#[test]
fn messages_of_a_write_that_waits_for_one_of_two_replicas() {
    check("primary-backup", "A write waits for the nearer replica; the other is behind");
}

#[test]
fn messages_of_a_write_and_a_read_that_repairs() {
    check("quorum", "Two of three write, two of three read; the read repairs the third");
}
