//! The scenario library: every scenario keeps its promise, breaks it when the setting it is about is flipped, and its
//! summary and charts are those of the gallery. `UPDATE_GOLDENS=1` (or `cargo xtask gallery`) renews the gallery.

use std::fs;
use std::path::{Path, PathBuf};

use replisim_experiment::{Study, Verdict, run, verdict::overall};
use replisim_report::{File, Options, chart::lint, files};
use replisim_scenario::Loaded;

/// The setting that each scenario is about, flipped.
const FLIPS: &[(&str, &[&str])] = &[
    ("brownout", &["faults=[]"]),
    ("by-hand", &["protocol.primary-backup.acknowledge=sync"]),
    ("cassandra-clock-skew", &["clocks={}"]),
    ("failover-fenced", &["protocol.primary-backup.acknowledge=async"]),
    ("flapping-link", &["faults=[]"]),
    ("github-2018", &["protocol.primary-backup.fencing=true"]),
    ("hundred-groups", &["protocol.primary-backup.failover=none"]),
    ("k-staleness", &["protocol.quorum.read=4"]),
    ("kill-or-machine-loss", &["faults[0].crash.scope=machine", "faults[0].crash.in-flight=drop"]),
    ("lossy-link", &["faults=[]"]),
    ("partial-write", &["faults=[]"]),
    ("one-primary-999-replicas", &["protocol.primary-backup.acknowledge=async"]),
    ("paused-primary", &["protocol.primary-backup.fencing=false"]),
    ("pbs-lnkd-disk", &["protocol.quorum.read=2", "protocol.quorum.write=2"]),
    ("pbs-lnkd-ssd", &["protocol.quorum.read=2", "protocol.quorum.write=2"]),
    ("pbs-wan", &["protocol.quorum.read=2", "protocol.quorum.write=2"]),
    ("pbs-ymmr", &["protocol.quorum.read=2", "protocol.quorum.write=2"]),
    ("quickstart", &["faults=[]"]),
    ("read-your-writes", &["protocol.primary-backup.ship-every=0s"]),
    ("redis-sentinel", &["protocol.primary-backup.fencing=true"]),
    ("region-outage", &["protocol.primary-backup.failover=none"]),
    ("riak-last-writer-wins", &["protocol.quorum.conflicts=siblings"]),
    ("riak-quorum-partition", &["protocol.quorum.hints=none"]),
    ("sloppy-stale", &["protocol.quorum.hints=coordinator"]),
    ("slow-link", &["network.links=[]"]),
    ("split-brain", &["protocol.primary-backup.fencing=true"]),
    ("sync-interval", &["protocol.primary-backup.ship-every=10ms"]),
    ("sync-modes", &["protocol.primary-backup.acknowledge=async"]),
    ("tombstone-resurrected", &["protocol.quorum.gc-grace=10m"]),
    ("zone-outage", &["protocol.primary-backup.failover=none"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every scenario of the library, by path.
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

fn study(path: &Path, overrides: &[String]) -> Study {
    let loaded = Loaded::from_file(path, overrides).unwrap_or_else(|error| panic!("{error}"));
    let seed = loaded.scenario.seed;
    run(&loaded, &[seed], 1, &()).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

fn findings(study: &Study) -> String {
    study.judgements.iter().map(|j| format!("{:?}: {} ({:?})\n", j.verdict, j.expectation, j.found)).collect()
}

#[test]
fn every_scenario_keeps_its_promise_and_breaks_it_when_flipped() {
    for path in scenarios(&root().join("scenarios")) {
        let study_as_written = study(&path, &[]);
        let scenario = &study_as_written.loaded.scenario;
        assert!(
            !scenario.about.is_empty() && !scenario.question.is_empty(),
            "{} needs words",
            path.display()
        );
        assert!(!scenario.expect.is_empty(), "{} promises nothing", path.display());
        let promises = findings(&study_as_written);
        assert_eq!(overall(&study_as_written.judgements), Verdict::Met, "{}:\n{promises}", scenario.name);

        let flip = FLIPS.iter().find(|(name, _)| *name == scenario.name);
        let (_, flip) =
            flip.unwrap_or_else(|| panic!("{}: FLIPS does not say what it is about", scenario.name));
        let overrides: Vec<String> = flip.iter().map(|setting| (*setting).to_owned()).collect();
        let flipped = study(&path, &overrides);
        let broken = findings(&flipped);
        assert_eq!(
            overall(&flipped.judgements),
            Verdict::NotMet,
            "{} with {flip:?}:\n{broken}",
            scenario.name
        );
    }
}

#[test]
fn the_gallery_is_what_the_scenarios_give() {
    let gallery = root().join("results/gallery");
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut drifted = Vec::new();
    for path in scenarios(&root().join("scenarios")) {
        let study = study(&path, &[]);
        let folder = gallery.join(&study.loaded.scenario.name);
        let golden = |file: &File| file.name == "summary.json" || file.name.ends_with(".svg");
        let files = files(&study, Options { charts: true, png: false }).unwrap();
        if update {
            fs::create_dir_all(&folder).unwrap();
        }
        for File { name, content } in files.into_iter().filter(golden) {
            if name.ends_with(".svg") {
                let faults = lint::faults(std::str::from_utf8(&content).unwrap());
                assert!(faults.is_empty(), "{}/{name}: {}", folder.display(), faults.join("; "));
            }
            let kept = folder.join(&name);
            if update {
                fs::write(&kept, &content).unwrap();
            } else if fs::read(&kept).ok().as_ref() != Some(&content) {
                drifted.push(format!("{}/{name}", study.loaded.scenario.name));
            }
        }
    }
    assert!(drifted.is_empty(), "differs from the gallery (`cargo xtask gallery` renews it): {drifted:#?}");
}
