//! The scenario library: every scenario keeps its promise, breaks it when the setting it is about is flipped, and its
//! summary and charts are those of the gallery. `UPDATE_GOLDENS=1` (or `cargo xtask gallery`) renews the gallery.

use std::fs;
use std::path::{Path, PathBuf};

use replisim_experiment::answer::own_answer;
use replisim_experiment::{Study, Verdict, run, verdict::overall};
use replisim_report::{File, Options, chart::lint, files};
use replisim_scenario::{Loaded, Scenario};

/// Every scenario, the setting that it is about, flipped, and the chart that shows the most of it.
const SHOWN: &[(&str, &[&str], &str)] = &[
    ("an-hour-of-faults", &["protocol.primary-backup.acknowledge=async"], "availability"),
    ("brownout", &["faults=[]"], "lag"),
    ("by-hand", &["protocol.primary-backup.acknowledge=sync"], "topology"),
    ("cassandra-clock-skew", &["clocks={}"], "staleness"),
    ("failover-fenced", &["protocol.primary-backup.acknowledge=async"], "availability"),
    ("flapping-link", &["faults=[]"], "lag"),
    ("github-2018", &["protocol.primary-backup.fencing=true"], "exposure"),
    ("hundred-groups", &["protocol.primary-backup.failover=none"], "availability"),
    ("k-staleness", &["protocol.quorum.read=4"], "staleness_ccdf"),
    (
        "kill-or-machine-loss",
        &["faults[0].crash.scope=machine", "faults[0].crash.in-flight=drop"],
        "exposure",
    ),
    ("lossy-link", &["faults=[]"], "lag"),
    ("one-primary-999-replicas", &["protocol.primary-backup.acknowledge=async"], "convergence_cdf"),
    ("partial-write", &["faults=[]"], "divergence"),
    ("paused-primary", &["protocol.primary-backup.fencing=false"], "availability"),
    ("pbs-lnkd-disk", &["protocol.quorum.read=2", "protocol.quorum.write=2"], "t_visibility"),
    ("pbs-lnkd-ssd", &["protocol.quorum.read=2", "protocol.quorum.write=2"], "t_visibility"),
    ("pbs-wan", &["protocol.quorum.read=2", "protocol.quorum.write=2"], "t_visibility"),
    ("pbs-ymmr", &["protocol.quorum.read=2", "protocol.quorum.write=2"], "t_visibility"),
    ("quickstart", &["faults=[]"], "lag"),
    ("read-your-writes", &["protocol.primary-backup.ship-every=0s"], "lag"),
    ("redis-sentinel", &["protocol.primary-backup.fencing=true"], "exposure"),
    ("region-outage", &["protocol.primary-backup.failover=none"], "availability"),
    ("retries", &["workload.payments.retries.tokens=false"], "availability"),
    ("riak-last-writer-wins", &["protocol.quorum.conflicts=siblings"], "divergence"),
    ("riak-quorum-partition", &["protocol.quorum.hints=none"], "divergence"),
    ("sloppy-stale", &["protocol.quorum.hints=coordinator"], "divergence"),
    ("slow-link", &["network.links=[]"], "staleness_ccdf"),
    ("split-brain", &["protocol.primary-backup.fencing=true"], "exposure"),
    ("sync-interval", &["protocol.primary-backup.ship-every=10ms"], "t_visibility"),
    ("sync-modes", &["protocol.primary-backup.acknowledge=async"], "throughput"),
    ("tombstone-resurrected", &["protocol.quorum.gc-grace=10m"], "divergence"),
    ("zone-outage", &["protocol.primary-backup.failover=none"], "throughput"),
];

/// The folders of the library, in the order in which one would read them, and what they teach.
const CHAPTERS: &[(&str, &str)] = &[
    ("", "Begin here."),
    ("basics", "What replication costs on a good day: delay, intervals, slow links, what a client sees."),
    (
        "failover",
        "The primary is lost: what is kept, what is thrown away, and for how long nobody can write.",
    ),
    ("regions", "Links and places that fail: loss, flapping, too little bandwidth, a zone or a region gone."),
    ("quorum", "Without a primary: what R + W > N promises, and what it does not."),
    ("papers", "Answers that were published, to hold ours against."),
    ("incidents", "What happened to others."),
    ("scale", "A thousand nodes, in one group and in a hundred."),
    ("random", "Nobody planned it: faults drawn from laws, as in operation."),
];

const HEAD: &str = "# Gallery\n\nEvery scenario of the library: what it asks, what comes out, and the chart that shows the most of it. \
    Made by `cargo xtask gallery`; the figures are those of the seed in each file.\n\n";

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

fn shown(name: &str) -> &'static (&'static str, &'static [&'static str], &'static str) {
    let found = SHOWN.iter().find(|(other, ..)| *other == name);
    found.unwrap_or_else(|| panic!("{name}: SHOWN does not say what it is about"))
}

/// What the gallery's page says of a scenario.
fn entry(path: &Path, study: &Study) -> String {
    let Scenario { name, question, .. } = &study.loaded.scenario;
    let file = path.strip_prefix(root()).unwrap().display();
    let answer = own_answer(study).unwrap();
    let (_, _, chart) = shown(name);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!(
        "### [{name}](../../{file})\n\n**{}**\n\n{}\n\n![{name}: {}]({name}/{chart}.svg)\n\n",
        words(question),
        words(&answer),
        chart.replace('_', " ")
    )
}

#[test]
fn every_scenario_keeps_its_promise_and_breaks_it_when_flipped() {
    for path in scenarios(&root().join("scenarios")) {
        let study_as_written = study(&path, &[]);
        let scenario = &study_as_written.loaded.scenario;
        assert!(
            !scenario.about.is_empty() && !scenario.question.is_empty() && !scenario.answer.is_empty(),
            "{} needs words",
            path.display()
        );
        assert!(!scenario.expect.is_empty(), "{} promises nothing", path.display());
        let promises = findings(&study_as_written);
        assert_eq!(overall(&study_as_written.judgements), Verdict::Met, "{}:\n{promises}", scenario.name);

        let (_, flip, _) = shown(&scenario.name);
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
    let mut chapters = vec![String::new(); CHAPTERS.len()];
    for path in scenarios(&root().join("scenarios")) {
        let study = study(&path, &[]);
        let chapter = path.parent().unwrap().strip_prefix(root().join("scenarios")).unwrap();
        let chapter = CHAPTERS.iter().position(|(folder, _)| Path::new(folder) == chapter);
        chapters[chapter.expect("a folder of the library")] += &entry(&path, &study);
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
    let page = CHAPTERS.iter().zip(chapters).map(|((folder, words), entries)| {
        let heading = if folder.is_empty() { "quickstart" } else { folder };
        format!("## {heading}\n\n{words}\n\n{entries}")
    });
    let page = format!("{HEAD}{}", page.collect::<String>().trim_end()) + "\n";
    let kept = gallery.join("README.md");
    if update {
        fs::write(&kept, &page).unwrap();
    } else if fs::read_to_string(&kept).ok().as_ref() != Some(&page) {
        drifted.push("README.md".to_owned());
    }
    assert!(drifted.is_empty(), "differs from the gallery (`cargo xtask gallery` renews it): {drifted:#?}");
}
