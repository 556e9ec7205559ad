//! What a run leaves on the disk, what it leaves alone, and what the other commands print.

use super::*;

fn summary(scratch: &Scratch, folder: &str) -> serde_json::Value {
    let text = fs::read_to_string(scratch.path(folder).join("summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn what_fails_leaves_the_old_results_as_they_were() {
    let scratch = Scratch::new("untouched");
    assert_eq!(code(&scratch.run(&["run", "small.yaml"])), 0);
    let before = files(&scratch.path("results/small"));
    for (args, expected) in [
        (&["run", "small.yaml", "--set", "duration=2"][..], 65),
        (&["run", "small.yaml", "--set", "workload.reader.at=mars"], 65),
        (&["run", "small.yaml", "--seeds", "many"], 64),
        (&["run", "small.yaml", "--png", "--no-charts"], 64),
        (&["run", "smaller.yaml"], 74),
        (&["run", "small.yaml", "--seed", "2", "--out", "small.yaml/below"], 74),
        (&["run", "small.yaml", "--seed", "2", "--out", "."], 74),
        (&["run", "small.yaml", "--seed", "2", "--out", ".."], 74),
        (&["run", "small.yaml", "--seed", "2", "--out", "nowhere/.."], 74),
    ] {
        let output = scratch.run(args);
        assert_eq!(code(&output), expected, "{args:?}: {}", err(&output));
        assert!(err(&output).starts_with("error: ") || err(&output).contains("\nerror: "), "{args:?}");
        assert_eq!(files(&scratch.path("results/small")), before, "{args:?}");
        assert_eq!(fs::read_dir(scratch.path("results")).unwrap().count(), 1, "{args:?}");
    }
    assert_eq!(fs::read_to_string(scratch.path("small.yaml")).unwrap(), SMALL);
}

#[test]
fn only_an_empty_folder_or_one_of_ours_is_replaced() {
    let scratch = Scratch::new("replaced");
    fs::create_dir(scratch.path("empty")).unwrap();
    fs::create_dir(scratch.path("foreign")).unwrap();
    fs::write(scratch.path("foreign/summary.json"), "not ours").unwrap();
    for (folder, expected) in [("empty", 0), ("empty", 0), ("foreign", 74), ("new/below/new", 0)] {
        let output = scratch.run(&["run", "small.yaml", "--no-charts", "--out", folder]);
        assert_eq!(code(&output), expected, "{folder}: {}", err(&output));
        assert_eq!(scratch.path(folder).join("manifest.json").exists(), expected == 0, "{folder}");
    }
    let foreign = files(&scratch.path("foreign"));
    assert_eq!(foreign, [("summary.json".to_owned(), b"not ours".to_vec())]);
    assert!(!scratch.path("results").exists());
    let svg = files(&scratch.path("empty")).into_iter().find(|(name, _)| name.ends_with(".svg"));
    assert_eq!(svg, None, "--no-charts");
}

#[test]
fn results_that_would_have_nowhere_to_go_are_refused_before_the_run() {
    let scratch = Scratch::new("nowhere");
    fs::create_dir(scratch.path("foreign")).unwrap();
    fs::write(scratch.path("foreign/thesis.txt"), "…").unwrap();
    for (folder, says) in [
        ("foreign", "is not empty and has no manifest.json"),
        ("small.yaml", "cannot write small.yaml"),
        ("small.yaml/below", "cannot write small.yaml/below"),
        (".", "the folder you are in"),
        ("..", "the folder you are in"),
        ("nowhere/..", "names no folder"),
    ] {
        // The run would outlast the test.
        let run = ["run", "small.yaml", "--set", "duration=100000h", "--out", folder];
        let output = scratch.run(&run);
        assert_eq!((code(&output), out(&output)), (74, String::new()), "{folder}");
        assert!(err(&output).contains(says), "{folder}: {}", err(&output));
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 2, "{folder} left something behind");
    }
}

#[test]
fn a_share_of_one_in_every_seed_is_decided_by_all_operations_together() {
    let scratch = Scratch::new("pooled");
    for (expect, expected) in [
        ("availability{workload=writer} > 99%", 0),
        ("availability{workload=writer} < 99%", 1),
        ("availability{workload=writer} > 99.99%", 2),
        ("lost_writes == 0", 0),
    ] {
        let expect = format!("expect=['{expect}']");
        let args =
            ["run", "small.yaml", "--seeds", "4", "--no-charts", "--set", &expect, "--set", "faults=[]"];
        assert_eq!(code(&scratch.run(&args)), expected, "{args:?}");
    }
}

#[test]
fn one_expectation_that_is_not_met_outweighs_what_is_undecided() {
    let scratch = Scratch::new("verdicts");
    let (met, broken) = ("lost_writes == 0", "lost_writes >= 5");
    let undecided = "max(staleness{workload=writer}) < 1s"; // the writer reads nothing
    for (expect, expected) in [
        ("[]".to_owned(), 0),
        (format!("['{met}', '{met}']"), 0),
        (format!("['{met}', '{undecided}']"), 2),
        (format!("['{undecided}', '{broken}']"), 1),
        (format!("['{broken}', '{undecided}']"), 1),
    ] {
        for seeds in ["1", "3"] {
            let expect = format!("expect={expect}");
            let args = ["run", "small.yaml", "--seeds", seeds, "--no-charts", "--set", &expect];
            assert_eq!(code(&scratch.run(&args)), expected, "{args:?}");
        }
    }
}

#[test]
fn what_was_changed_and_what_more_seeds_would_decide_stand_in_the_table() {
    let scratch = Scratch::new("table");
    let expect = "expect=['mean(staleness{workload=reader}) < 7ms']";
    let args = ["run", "small.yaml", "--seeds", "3", "--no-charts", "--set", expect, "--set", "faults=[]"];
    let text = out(&scratch.run(&args));
    for part in [
        "changed      faults=[]\n",
        "undecided: mean(staleness{workload=reader}) < 7ms (it is",
        ": more seeds would decide)",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let text = out(&scratch.run(&["run", "small.yaml", "--no-charts"]));
    assert!(!text.contains("changed") && !text.contains("would decide"), "{text}");
}

#[test]
fn of_several_seeds_the_table_says_what_is_of_which() {
    let scratch = Scratch::new("of-which");
    let scenario = "\
duration: 10s
topology:
  rtts: [{ between: [us, eu], rtt: 80ms }]
  nodes: { p: us, r: eu, q: eu }
protocol: { primary-backup: { failover: { automatic: { after: 300ms } } } }
workload:
  - { name: writer, at: us, arrivals: { poisson: 100/s }, reads: 0%, timeout: 200ms }
faults:
  - { crash: { nodes: [p] }, mtbf: 10s, mttr: 3s }
expect:
  - lost_writes == 0
  - mean(staleness) < 2s
  - max(rto) < 2s
  - mean(convergence) < 41ms
";
    fs::write(scratch.path("bad-days.yaml"), scenario).unwrap();
    let several = out(&scratch.run(&["run", "bad-days.yaml", "--seeds", "6", "--no-charts"]));
    let rows: Vec<String> =
        several.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for part in [
        "rto all 4 in 4 of 6 runs",
        "unavailability write 4 in 4 of 6 runs",
        "4 times in 6 runs every write",
        "2 times (in the run of seed 1)",
        "q (in the run of seed 1)",
        "lost_writes == 0 (it is 0, the mean of 6 runs)",
        "mean(staleness) < 2s (there are no samples)",
        "ms, the largest of the 4 with samples of the 6 runs)",
        "the mean of 6 runs; 2 of them alone would meet it: more seeds would decide)",
    ] {
        assert!(rows.iter().any(|row| row.contains(part)), "{part} in\n{several}");
    }
    let one = out(&scratch.run(&["run", "bad-days.yaml", "--no-charts"]));
    assert!(!one.contains("runs") && !one.contains("the run of seed"), "{one}");
    assert!(one.contains("lost_writes == 0 (it is 0)"), "{one}");
}

#[test]
fn a_scenario_without_its_ending_is_asked_for_with_it() {
    let scratch = Scratch::new("ending");
    for (path, says) in
        [("small", "did you mean small.yaml?"), ("large.yaml", "`replisim new` writes a scenario")]
    {
        let output = scratch.run(&["run", path]);
        assert_eq!(code(&output), 74, "{path}");
        assert!(err(&output).contains(says), "{path}: {}", err(&output));
    }
}

#[test]
fn the_seed_decides_the_digest_and_so_do_several() {
    let scratch = Scratch::new("seed");
    let mut digests = Vec::new();
    for (name, args) in [
        ("default", &[][..]),
        ("one", &["--seed", "1"]),
        ("in-the-file", &["--set", "seed=1"]),
        ("two", &["--seed", "2"]),
        ("flag-wins", &["--seed", "2", "--set", "seed=7"]),
        ("both", &["--seed", "1", "--seeds", "2"]),
    ] {
        let run = ["run", "small.yaml", "-q", "--no-charts", "--out", name];
        assert_eq!(code(&scratch.run(&[&run, args].concat())), 0, "{name}");
        digests.push(summary(&scratch, name)["digest"].as_str().unwrap().to_owned());
    }
    let [default, one, in_the_file, two, flag_wins, both] = digests.try_into().unwrap();
    assert_eq!((&default, &default, &two), (&one, &in_the_file, &flag_wins));
    assert!(one != two && both != one && both != two);
    assert_eq!(summary(&scratch, "both")["seeds"], serde_json::json!([1, 2]));
}

#[test]
fn an_override_finds_an_item_by_its_name_or_its_index_and_the_last_one_wins() {
    let scratch = Scratch::new("items");
    let show = |overrides: &[&str]| {
        let sets = overrides.iter().flat_map(|argument| ["--set", argument]);
        let output = scratch.run(&["show", "small.yaml"].into_iter().chain(sets).collect::<Vec<_>>());
        assert_eq!(code(&output), 0, "{}", err(&output));
        out(&output)
    };
    let expected = show(&["workload.reader.reads=50%"]);
    assert!(expected.contains("reads: 50%") && expected != show(&[]));
    for overrides in [
        &["workload[1].reads=50%"][..],
        &["workload.1.reads=0.5"],
        &["workload.reader.reads=1%", "workload[1].reads=50%"],
    ] {
        assert_eq!(show(overrides), expected, "{overrides:?}");
    }
}

#[test]
fn a_manifest_needs_no_other_file_and_a_replay_that_differs_is_told() {
    let scratch = Scratch::new("manifest");
    fs::write(scratch.path("times.csv"), "from,to,rtt_ms\nus,eu,80\neu,us,82\n").unwrap();
    let given = "rtts: [{ between: [us, eu], rtt: 80ms }]";
    fs::write(scratch.path("file.yaml"), SMALL.replace(given, "rtt-file: times.csv")).unwrap();
    assert_eq!(code(&scratch.run(&["run", "file.yaml", "--seeds", "2", "--out", "first"])), 0);
    fs::remove_file(scratch.path("times.csv")).unwrap();
    fs::remove_file(scratch.path("file.yaml")).unwrap();

    let replay = scratch.run(&["run", "first", "--out", "again"]);
    assert_eq!(code(&replay), 0, "{}", err(&replay));
    assert_eq!(files(&scratch.path("first")), files(&scratch.path("again")));

    let manifest = fs::read_to_string(scratch.path("first/manifest.json")).unwrap();
    let digest = summary(&scratch, "first")["digest"].as_str().unwrap().to_owned();
    let forged = manifest.replace(&digest, &digest.chars().rev().collect::<String>());
    assert_ne!(manifest, forged);
    fs::write(scratch.path("again/manifest.json"), forged).unwrap();
    let replay = scratch.run(&["run", "again/manifest.json", "--out", "third"]);
    assert_eq!(code(&replay), 1);
    assert!(err(&replay).contains("the replay differs"), "{}", err(&replay));

    fs::write(scratch.path("again/manifest.json"), &manifest[..manifest.len() / 2]).unwrap();
    assert_eq!(code(&scratch.run(&["run", "again"])), 65);
}

#[test]
fn what_show_prints_shows_itself() {
    let scratch = Scratch::new("show");
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let folders = ["", "failover", "regions", "incidents"].map(|folder| scenarios.join(folder));
    let all = folders.iter().flat_map(|folder| files(folder));
    for (name, text) in all.filter(|(name, _)| name.ends_with(".yaml")) {
        fs::write(scratch.path(&name), text).unwrap();
        let first = scratch.run(&["show", &name]);
        assert_eq!(code(&first), 0, "{name}: {}", err(&first));
        fs::write(scratch.path(&name), &first.stdout).unwrap();
        assert_eq!(out(&scratch.run(&["show", &name])), out(&first), "{name}");
    }
}

#[test]
fn every_row_of_a_list_has_a_name_and_a_description() {
    let scratch = Scratch::new("list");
    fs::create_dir(scratch.path("scenarios")).unwrap();
    fs::write(scratch.path("scenarios/small.yaml"), SMALL).unwrap();
    fs::write(scratch.path("scenarios/broken.yaml"), "duration: 2").unwrap();
    for (topic, expected) in [
        ("protocols", "primary-backup"),
        ("presets", "ibm-cloud"),
        ("measures", "staleness_ms"),
        ("laws", "lognormal"),
        ("faults", "clock-step"),
        ("workloads", "arrivals: read-after-ack"),
        ("workloads", "writes: set-add"),
        ("scenarios", "scenarios/small.yaml"),
    ] {
        let text = out(&scratch.run(&["list", topic]));
        let rows: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        assert!(rows.iter().any(|row| row.starts_with(expected)), "{topic}:\n{text}");
        for row in rows {
            let (_, about) = row.split_once("  ").unwrap_or_else(|| panic!("{topic}: {row}"));
            assert!(about.trim().len() > 10, "{topic}: {row}");
        }
    }
    let scenarios = out(&scratch.run(&["list"]));
    assert!(scenarios.contains("A small one.") && scenarios.contains("does not load"), "{scenarios}");
}

#[test]
fn the_schema_knows_every_field() {
    let output = Scratch::new("schema").run(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let fields: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let all = "name about question answer seed duration warmup settle topology groups network disk clocks protocol workload clients \
               script faults expect";
    assert_eq!(fields, all.split(' ').collect::<Vec<_>>());
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let scratch = Scratch::new("gone");
    for args in [&["list", "measures"][..], &["schema"], &["show", "small.yaml"], &["run", "small.yaml"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = scratch.command(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(code(&output), 0, "{args:?}");
        assert!(!err(&output).contains("error"), "{args:?}: {}", err(&output));
    }
    assert!(scratch.path("results/small/manifest.json").exists(), "the files are written all the same");
}

/// Whatever loads also runs: the fuzz corpus, shortened, ends in a verdict or a refusal and never in a panic.
#[test]
fn every_scenario_of_the_fuzz_corpus_runs_or_is_refused() {
    let scratch = Scratch::new("corpus");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/scenario");
    let mut ran = 0;
    for (name, text) in files(&corpus) {
        fs::write(scratch.path("fuzz.yaml"), text).unwrap();
        let short = ["duration=20ms", "settle=20ms", "warmup=0s"].into_iter().flat_map(|set| ["--set", set]);
        for more in [&[][..], &["--set", "faults=[]", "--set", "script=[]", "--set", "clients={}"]] {
            let run = ["run", "fuzz.yaml", "--out", "out"].into_iter().chain(short.clone());
            let output = scratch.run(&run.chain(more.iter().copied()).collect::<Vec<_>>());
            assert!([0, 1, 2, 65].contains(&code(&output)), "{name}: {}", err(&output));
            ran += usize::from(code(&output) != 65);
        }
    }
    assert!(ran >= 30, "only {ran} ran");
}

/// Seeds that were finished before Ctrl-C are kept beside the old results.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_seeds_that_were_finished() {
    let scratch = Scratch::new("finished");
    let run = ["run", "small.yaml", "--no-charts"];
    assert_eq!(code(&scratch.run(&run)), 0);
    let before = files(&scratch.path("results/small"));
    // How soon the first seed is finished depends on the machine: ask later and later until one was.
    for attempt in 0..8 {
        let more = ["--seeds", "500", "--threads", "1"];
        let mut command = scratch.command(&[&run[..], &more].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50 << attempt));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(files(&scratch.path("results/small")), before);
        if scratch.path("results/small-interrupted").exists() {
            assert_eq!(status.code(), Some(130));
            let seeds = summary(&scratch, "results/small-interrupted")["seeds"].as_array().unwrap().len();
            assert!((1..500).contains(&seeds), "{seeds}");
            return;
        }
        assert!(matches!(status.code(), Some(130) | None), "{status}");
    }
    panic!("no seed was finished in seconds");
}
