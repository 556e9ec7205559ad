//! From a [`Study`](replisim_experiment::Study) to files: `summary.json`, `manifest.json`, CSV tables and charts.
//!
//! A map of the code:
//! - [`report`]: which files a study becomes; [`folder`]: how they reach the disk, all or nothing.
//! - [`summary`], [`manifest`], [`tables`]: the JSON and CSV files, byte-identical for equal runs.
//! - [`charts`]: which charts there are and what they show; [`chart`]: how a chart is drawn, whatever it shows.
//! - [`number`]: six significant digits, everywhere.
//!
//! What it never knows: how results came about.

pub mod chart;
pub mod charts;
pub mod folder;
pub mod manifest;
pub mod number;
pub mod report;
pub mod summary;
pub mod tables;

pub use folder::{FolderError, check_folder, write_folder};
pub use report::{File, Options, files};
