//! `replisim list`.

use std::path::{Path, PathBuf};

use replisim_cluster::FaultKind;
use replisim_measure::catalogue;
use replisim_report::number::unit_name;
use replisim_scenario::presets::PRESETS;
use replisim_scenario::{Loaded, ProtocolSettings, Scenario};
use serde_json::Value;

use crate::args::{ListArgs, Topic};
use crate::exit::Exit;
use crate::output::print;

/// Lists what there is of a kind.
pub(crate) fn list(args: &ListArgs) -> Exit {
    let rows = match args.topic {
        Topic::Scenarios => scenarios(Path::new("scenarios")),
        Topic::Protocols => described(ProtocolSettings::NAMES, "ProtocolSettings"),
        Topic::Faults => described(FaultKind::NAMES, "FaultEntry"),
        Topic::Presets => {
            PRESETS.iter().map(|preset| (preset.name.to_owned(), preset.source.to_owned())).collect()
        }
        Topic::Measures => catalogue()
            .iter()
            .map(|info| (info.slug.to_owned(), format!("[{}] {}", unit_name(info.unit), info.about)))
            .collect(),
        Topic::Laws => variants("Law"),
        Topic::Workloads => [("arrivals", "Arrivals"), ("keys", "Keys"), ("writes", "Way")]
            .into_iter()
            .flat_map(|(field, of)| choices(field, of))
            .collect(),
    };
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines =
        rows.iter().map(|(name, about)| format!("{name:width$}  {about}").trim_end().to_owned() + "\n");
    let mut text: String = lines.collect();
    if args.topic == Topic::Scenarios {
        if rows.is_empty() {
            text += "no scenarios: there is no folder `scenarios` here\n";
        }
        text += "\nMore lists: protocols, presets, measures, laws, faults, workloads.\n";
    }
    print(&text).err().unwrap_or(Exit::Done)
}

/// The scenarios in a folder and below, with what they are about.
fn scenarios(folder: &Path) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    paths.sort();
    let about = |path: &PathBuf| match Loaded::from_file(path, &[]) {
        Ok(loaded) => loaded.scenario.about.trim().replace('\n', " "),
        Err(_) => "(does not load: `replisim show` says why)".to_owned(),
    };
    paths.iter().map(|path| (path.display().to_string(), about(path))).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
}

/// Names with what the schema says about the property of that name.
fn described(names: &[&str], of: &str) -> Vec<(String, String)> {
    let variants = variants(of);
    let about = |name: &str| variants.iter().find(|(other, _)| other == name).map(|(_, about)| about.clone());
    names.iter().map(|name| ((*name).to_owned(), about(name).unwrap_or_default())).collect()
}

/// The choices that a field of a workload has, with or without settings.
fn choices(field: &str, of: &str) -> Vec<(String, String)> {
    let mut rows = variants(of);
    let schema = Scenario::json_schema();
    for alternative in schema["$defs"][of]["oneOf"].as_array().into_iter().flatten() {
        if let (Some(name), Some(about)) =
            (alternative["const"].as_str(), alternative["description"].as_str())
            && rows.iter().all(|(other, _)| other != name)
        {
            rows.push((name.to_owned(), about.replace('\n', " ")));
        }
    }
    rows.into_iter().map(|(name, about)| (format!("{field}: {name}"), about)).collect()
}

/// The tags of an enum of the language and what each means, out of the JSON Schema: it is written once, in the code.
fn variants(of: &str) -> Vec<(String, String)> {
    let schema = Scenario::json_schema();
    let definitions = &schema["$defs"];
    let mut rows = Vec::new();
    let definition = &definitions[of];
    let alternatives = definition["oneOf"].as_array().into_iter().flatten().chain([definition]);
    for alternative in alternatives {
        for (name, property) in alternative["properties"].as_object().into_iter().flatten() {
            let reference = property["$ref"].as_str().unwrap_or_default();
            let target = &definitions[reference.trim_start_matches("#/$defs/")];
            let of_variant = if alternative["properties"] == definition["properties"] {
                &Value::Null
            } else {
                &alternative["description"]
            };
            let about = [of_variant, &target["description"], &property["description"]];
            let about = about.into_iter().find_map(Value::as_str).unwrap_or_default();
            rows.push((name.clone(), about.replace('\n', " ")));
        }
    }
    rows
}
