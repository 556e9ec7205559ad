//! The import table of ARCHITECTURE.md: which crate of ours may import which. Read from the manifests.

use std::fs;
use std::path::Path;

/// A crate, and those of ours that it may import.
const TABLE: &[(&str, &[&str])] = &[
    ("replisim-engine", &[]),
    ("replisim-observe", &["engine"]),
    ("replisim-network", &["engine"]),
    ("replisim-protocols", &["engine", "observe"]),
    ("replisim-cluster", &["engine", "observe", "network", "protocols"]),
    ("replisim-measure", &["engine", "observe"]),
    ("replisim-scenario", &["engine", "observe", "network", "protocols", "cluster", "measure"]),
    ("replisim-experiment", &["engine", "observe", "network", "protocols", "cluster", "measure", "scenario"]),
    ("replisim-report", &["observe", "measure", "scenario", "experiment"]),
    (
        "replisim",
        &[
            "engine",
            "observe",
            "network",
            "protocols",
            "cluster",
            "measure",
            "scenario",
            "experiment",
            "report",
        ],
    ),
];

/// Crates that open files or speak to people; no other may touch `std::fs`.
const MAY_OPEN_FILES: &[&str] = &["replisim-scenario", "replisim-report", "replisim"];

fn crates() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

#[test]
fn crates_import_only_what_their_row_says() {
    for entry in fs::read_dir(crates()).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(&*name), "the folder is named as the package");
        let row = TABLE.iter().find(|(other, _)| *other == name);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{name} has no row in the table"));
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            if let Some(short) = dependency.strip_prefix("replisim-") {
                assert!(allowed.contains(&short), "{name} may not import {dependency}");
            }
        }
    }
}

#[test]
fn only_the_edge_opens_files() {
    for (name, _) in TABLE.iter().filter(|(name, _)| !MAY_OPEN_FILES.contains(name)) {
        for file in sources(&crates().join(name).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            assert!(
                !code.contains("std::fs") && !code.contains("File::open"),
                "{} opens files",
                file.display()
            );
        }
    }
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else {
            files.push(path);
        }
    }
    files
}
