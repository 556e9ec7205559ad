//! Jobs on several threads whose results are taken in the order of the jobs, each as soon as its turn comes.
//!
//! So what becomes of the results does not depend on the number of threads, and only results that overtook a slower
//! job wait in memory. After a failure no further job starts; what the others finish is still taken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Does the jobs `0..jobs` on up to `threads` threads, in order of their numbers, and gives `take` their results in
/// the same order. Returns the failure of the first job that failed.
pub(crate) fn in_order<T: Send, E: Send>(
    jobs: usize,
    threads: usize,
    job: impl Fn(usize) -> Result<T, E> + Sync,
    take: impl FnMut(T) + Send,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let line = Mutex::new(Line { turn: 0, early: BTreeMap::new(), failed: None, take });
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= jobs || lock(&line).failed.is_some() {
                return;
            }
            let result = job(number);
            lock(&line).join(number, result);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(jobs) {
            // Where no more threads can be had, those there are do the work.
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let Line { early, failed, mut take, .. } = line.into_inner().unwrap_or_else(PoisonError::into_inner);
    early.into_values().for_each(&mut take); // those behind a job that failed
    failed.map_or(Ok(()), |(_, failure)| Err(failure))
}

/// Results that wait for their turn.
struct Line<T, E, F> {
    turn: usize,
    early: BTreeMap<usize, T>,
    failed: Option<(usize, E)>,
    take: F,
}

impl<T, E, F: FnMut(T)> Line<T, E, F> {
    fn join(&mut self, number: usize, result: Result<T, E>) {
        match result {
            Ok(result) => {
                self.early.insert(number, result);
            }
            Err(failure) => {
                if self.failed.as_ref().is_none_or(|(first, _)| number < *first) {
                    self.failed = Some((number, failure));
                }
            }
        }
        while let Some(result) = self.early.remove(&self.turn) {
            (self.take)(result);
            self.turn += 1;
        }
    }
}

/// A job that panicked ends everything when its thread is joined; until then the others may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs_and_none_starts_after_a_failure() {
        for (threads, fails_at, taken, failure) in [
            (1, None, (0..20).collect::<Vec<_>>(), Ok(())),
            (4, None, (0..20).collect(), Ok(())),
            (100, None, (0..20).collect(), Ok(())),
            (1, Some(3), vec![0, 1, 2], Err("job 3".to_owned())),
            (1, Some(0), vec![], Err("job 0".to_owned())),
        ] {
            let mut seen = Vec::new();
            let job = |i| if Some(i) == fails_at { Err(format!("job {i}")) } else { Ok(i) };
            assert_eq!(in_order(20, threads, job, |i| seen.push(i)), failure, "{threads} threads");
            assert_eq!(seen, taken, "{threads} threads, job {fails_at:?} fails");
        }
    }

    #[test]
    fn what_others_finish_after_a_failure_is_still_taken() {
        let mut seen = Vec::new();
        // Two threads meet: job 0 fails when job 1 has begun.
        let meeting = std::sync::Barrier::new(2);
        let job = |i| {
            if i < 2 {
                meeting.wait();
            }
            if i == 0 { Err("job 0") } else { Ok(i) }
        };
        assert_eq!(in_order(2, 2, job, |i| seen.push(i)), Err("job 0"));
        assert_eq!(seen, [1]);
    }
}
