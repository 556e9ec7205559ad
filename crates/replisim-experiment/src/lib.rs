//! Experiments: runs a scenario over one or many seeds, in parallel, and says what can be said of the setting.
//!
//! A map of the code: [`mod@run`] runs seeds; [`study`] is what comes of them, [`figures`] what each seed gave;
//! [`statistics`] are the intervals across seeds; [`verdict`] judges expectations; [`answer`] puts the result into a
//! sentence; [`warning`] lists what the reader must know before trusting it; [`places`] is the map of who is where,
//! [`messages`] are those of one run.
//!
//! One run gives point values. A statement about a *setting* needs many independent seeds, because samples within a
//! run are correlated: intervals are always over seeds.

pub mod answer;
pub mod figures;
mod in_order;
pub mod jitter;
pub mod messages;
pub mod places;
pub mod run;
pub mod statistics;
pub mod study;
pub mod verdict;
pub mod warning;

pub use figures::{Figures, STATISTICS};
pub use messages::Messages;
pub use places::{PlaceLink, PlaceView, Places};
pub use run::{Progress, RunError, RunResult, run};
pub use study::{Figure, Run, Study, figure, quantiles};
pub use verdict::{Alone, Judgement, OF_SEVERAL_SEEDS, Verdict};
pub use warning::Warning;

// What results are made of, for those that present them.
pub use replisim_measure as measure;
pub use replisim_scenario as scenario;
