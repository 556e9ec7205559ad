//! What the integration tests share.

pub(crate) mod answers;

use replisim_scenario::Loaded;

/// A scenario out of its YAML, which must be right.
#[track_caller]
pub(crate) fn load(yaml: &str) -> Loaded {
    let no_files = |_: &str| Err("there are no files here".to_owned());
    match Loaded::from_text("inline", "inline", yaml.to_owned(), &[], no_files) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error}\n{yaml}"),
    }
}
