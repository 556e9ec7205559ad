//! Members that a driver leaves alone for a while, because they gave it no answer in time.
//!
//! Drivers of databases without a primary mark such a host as down and take the next. One that refuses is there, and is
//! asked again; and so is whoever a workload names.

use replisim_engine::Duration;
use replisim_observe::{Member, Time};

/// For how long a member is left alone.
const AVOIDED_FOR: Duration = Duration::from_secs(1);

/// Whom a driver leaves alone, and until when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Avoided(Vec<(Member, Time)>);

impl Avoided {
    /// `member` gave no answer in time.
    pub(crate) fn add(&mut self, member: Member, now: Time) {
        self.0.retain(|(other, until)| *other != member && *until > now);
        self.0.push((member, now + AVOIDED_FOR));
    }

    /// Whether nobody is left alone.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `member` is left alone at the moment.
    #[inline]
    pub(crate) fn has(&self, member: Member, now: Time) -> bool {
        self.0.iter().any(|(other, until)| *other == member && now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_left_alone_for_a_second_after_the_last_time_that_it_gave_no_answer() {
        let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
        let mut avoided = Avoided::default();
        avoided.add(Member(1), at(100));
        avoided.add(Member(2), at(500));
        avoided.add(Member(1), at(600));
        for (member, ms, left_alone) in [
            (0, 600, false),
            (1, 600, true),
            (1, 1_599, true),
            (1, 1_600, false),
            (2, 1_499, true),
            (2, 1_500, false),
        ] {
            assert_eq!(avoided.has(Member(member), at(ms)), left_alone, "{member} at {ms} ms");
        }
    }
}
