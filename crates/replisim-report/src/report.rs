//! Which files a study becomes.

use replisim_experiment::Study;
use serde::Serialize;

use crate::charts::charts;
use crate::{chart, manifest, summary, tables};

/// A file of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name in the folder.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// What a report contains besides the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Charts as SVG.
    pub charts: bool,
    /// Charts as PNG as well.
    pub png: bool,
}

/// Resolution of PNG charts, relative to the size in the SVG.
const PNG_SCALE: f32 = 2.0;

/// The files of a study; the manifest comes last.
pub fn files(study: &Study, options: Options) -> Result<Vec<File>, String> {
    let mut files =
        vec![File { name: "summary.json".to_owned(), content: pretty(&summary::summary(study))? }];
    files.extend(tables::tables(study));
    if options.charts {
        for (name, chart) in charts(study) {
            let svg = chart::svg(&chart);
            if options.png {
                files.push(File { name: format!("{name}.png"), content: chart::png(&svg, PNG_SCALE)? });
            }
            files.push(File { name: format!("{name}.svg"), content: svg.into_bytes() });
        }
    }
    let manifest = pretty(&manifest::Manifest::of(study))?;
    files.push(File { name: manifest::NAME.to_owned(), content: manifest });
    Ok(files)
}

/// JSON for people and for `diff`: indented, with a newline at the end.
pub fn pretty(value: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(text)
}
