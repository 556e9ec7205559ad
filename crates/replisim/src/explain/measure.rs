//! A screen about a measure: what it is in a line, what may be asked of it, and its definition to the letter.

use replisim_measure::{Definition, MeasureInfo, definition};
use replisim_report::number::unit_name;
use replisim_scenario::statistic::{example, functions, stands_bare};

use super::{WIDTH, wrapped_at};
use crate::table::lines;

/// All that is known of a measure.
pub(super) fn of_measure(info: &MeasureInfo) -> String {
    let mut text = wrapped_at(info.slug, info.about);
    text += &wrapped_at("unit", unit_name(info.unit));
    let scopes: Vec<String> = info.scopes.iter().map(|kind| format!("`{{{kind}=name}}`")).collect();
    let scopes = match &scopes[..] {
        [] => "the run as a whole".to_owned(),
        scopes => format!("the run as a whole, or a part: {}", scopes.join(", or ")),
    };
    text += &wrapped_at("given for", &scopes);
    text += &wrapped_at("asked", &asked(info));
    text += &wrapped_at("in expect", &example(info));
    text += "\nDefinition:\n";
    let definitions: Vec<String> =
        info.defined.iter().filter_map(|name| definition(name).as_ref().map(of_definition)).collect();
    text += &definitions.join("\n");
    text + "\nWords of a definition have screens, too: replisim explain acked\nSee also: replisim explain expect, replisim list measures\n"
}

/// `mean, min, max or any quantile, p0 to p100`.
fn asked(info: &MeasureInfo) -> String {
    let bare = stands_bare(info).then_some("as it stands");
    let function = |name| match name {
        "p99" => "any quantile (p0 to p100)",
        other => other,
    };
    bare.into_iter().chain(functions(info).map(function)).collect::<Vec<_>>().join(", ")
}

/// A definition, its name before it.
pub(super) fn of_definition(of: &Definition) -> String {
    let text = match of.text.starts_with(&of.name) {
        true => of.text.clone(),
        false => format!("{}: {}", of.name, of.text),
    };
    lines(&text, WIDTH - 2).into_iter().map(|line| format!("  {line}\n")).collect()
}
