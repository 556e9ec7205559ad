//! A run as a person sees it: a progress bar on a terminal, and Ctrl-C.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use replisim_experiment::Progress;

/// Watches the runs of a command.
pub(crate) struct Watch {
    bar: ProgressBar,
    seeds: usize,
    shares: Mutex<BTreeMap<u64, f64>>,
    stop: Arc<AtomicBool>,
}

/// Steps of the bar for each seed.
const STEPS: f64 = 1_000.0;

impl Watch {
    /// Watches `seeds` runs; draws a bar unless `quiet` or nobody looks.
    pub(crate) fn new(name: &str, seeds: usize, quiet: bool) -> Watch {
        let bar = ProgressBar::new((STEPS * seeds as f64) as u64);
        let visible = !quiet && std::io::stderr().is_terminal();
        bar.set_draw_target(if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:40} {percent:>3} %  {msg}  {eta} left")
        {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        let stop = Arc::new(AtomicBool::new(false));
        let flag = stop.clone();
        // The second Ctrl-C does not wait. Without a handler Ctrl-C just ends the process, which loses nothing old.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        Watch { bar, seeds, shares: Mutex::new(BTreeMap::new()), stop }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Watch {
    fn advance(&self, seed: u64, share: f64) -> bool {
        if let Ok(mut shares) = self.shares.lock() {
            shares.insert(seed, share);
            let done = shares.values().filter(|share| **share >= 1.0).count();
            self.bar.set_position((shares.values().sum::<f64>() * STEPS) as u64);
            if self.seeds > 1 {
                self.bar.set_message(format!("{done} of {} seeds", self.seeds));
            }
        }
        !self.stop.load(Ordering::Relaxed)
    }
}
