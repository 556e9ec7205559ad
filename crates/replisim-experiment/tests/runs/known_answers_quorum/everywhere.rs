//! Every scenario of the library runs under quorums with nothing but the protocol changed.

use std::fs;
use std::path::{Path, PathBuf};

use replisim_experiment::run::run_seed;
use replisim_scenario::Loaded;

fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(scenarios(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
}

#[test]
fn every_scenario_runs_under_quorums_and_adds_up() {
    let mut ran = 0;
    for path in scenarios(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")) {
        let text = fs::read_to_string(&path).unwrap();
        let loaded = match Loaded::from_file(&path, &["protocol=quorum".to_owned()]) {
            Ok(loaded) => loaded,
            Err(error) => {
                let error = error.to_string();
                let orders = text.contains("promote: { node") && error.contains("has no primary");
                // Its ring does what groups do.
                let groups = text.contains("\ngroups:") && error.contains("a ring of its own");
                // By default every node has a copy, and of a thousand not all votes are counted.
                let many =
                    text.contains("count: 999") && error.contains("more copies of a key than are counted");
                assert!(orders || groups || many, "{}:\n{error}", path.display());
                continue;
            }
        };
        let run = run_seed(&loaded, loaded.scenario.seed, &()).expect("a scenario that runs");
        let accounting = &run.findings.accounting;
        assert!(accounting.holds(), "{}: {accounting:?}", path.display());
        assert!(accounting.committed > 0, "{}", path.display());
        ran += 1;
    }
    assert!(ran >= 15, "{ran} scenarios");
}
