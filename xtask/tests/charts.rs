//! Mistakes that charts of other simulators make, looked for in every picture of the gallery.

use std::fs;
use std::path::{Path, PathBuf};

/// Charts over time; a scenario has all or some of them.
const OVER_TIME: &[&str] = &["lag", "staleness", "exposure", "divergence", "availability", "throughput"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The charts over time of each scenario of the gallery, as SVG, with the name.
fn gallery() -> Vec<(String, Vec<String>)> {
    let folders = fs::read_dir(root().join("results/gallery")).unwrap();
    let charts = |folder: PathBuf| {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let svgs = OVER_TIME.iter().map(|chart| folder.join(chart).with_extension("svg"));
        (name, svgs.filter_map(|path| fs::read_to_string(path).ok()).collect())
    };
    let folders = folders.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir());
    folders.map(charts).collect()
}

/// The texts of a chart whose tags have these attributes.
fn texts<'a>(svg: &'a str, attributes: &[&str]) -> Vec<&'a str> {
    let lines: Vec<&str> = svg.lines().collect();
    let is_wanted =
        |tag: &str| tag.starts_with("<text") && attributes.iter().all(|attribute| tag.contains(attribute));
    lines.windows(2).filter(|pair| is_wanted(pair[0])).map(|pair| pair[1]).collect()
}

#[test]
fn charts_without_a_time_axis_or_with_different_ones() {
    for (name, charts) in gallery() {
        let axes: Vec<Vec<&str>> =
            charts.iter().map(|svg| texts(svg, &["text-anchor=\"middle\"", "fill=\"#1A1A1A\""])).collect();
        assert!(axes.len() >= 2 && axes.iter().all(|axis| axis.len() >= 3), "{name}: {axes:?}");
        assert!(axes.iter().all(|axis| axis[0] == "simulated time" && axis == &axes[0]), "{name}: {axes:?}");
    }
}

#[test]
fn a_partition_that_is_invisible_in_the_chart() {
    const BAND: &str = "fill=\"#FAE2D4\"";
    let mut faulty = 0;
    for (name, charts) in gallery() {
        let scenario = scenario(&root().join("scenarios"), &format!("{name}.yaml")).expect("its scenario");
        let faults = scenario.lines().skip_while(|line| *line != "faults:").skip(1);
        let faults =
            faults.take_while(|line| line.starts_with("  ")).filter(|line| line.contains("at: ")).count();
        faulty += faults.min(1);
        // How often those that come at random came, only the run knows.
        let at_random = scenario.contains("mtbf: ");
        for svg in charts {
            let shown = svg.matches(BAND).count();
            assert!(shown == faults || at_random && shown > 5, "{name} shows {shown} faults of {faults}");
        }
    }
    assert!(faulty > 10);
}

/// The text of a scenario of the library.
fn scenario(folder: &Path, name: &str) -> Option<String> {
    fs::read_dir(folder).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scenario(&path, name)
        } else {
            path.ends_with(name).then(|| fs::read_to_string(path).unwrap())
        }
    })
}
