//! Would the tests notice? Each scene here is played twice: as the protocol is, and with one mistake taken from the
//! shelf (`src/bug_shelf.rs`). What is seen in the end must be right the first time, and wrong, in the way of that
//! mistake, the second time; so whoever claims the right end catches the mistake.

mod primary_backup;
mod quorum;
mod stage;

use std::fmt::Debug;

use replisim_protocols::bug_shelf::Bug;

/// Plays a scene without and with the mistake.
#[track_caller]
fn check<T: PartialEq<U> + Debug, U: Debug>(bug: Bug, scene: impl Fn() -> T, right: U, wrong: U) {
    assert_eq!(scene(), right, "without {bug:?}");
    assert_eq!(bug.during(scene), wrong, "with {bug:?}");
}
