//! Whole runs, from the YAML to the figures. One binary: each would compile the simulator anew.

mod answers;
mod breakdowns;
mod clocks;
mod determinism;
mod faults;
mod groups;
mod interruption;
mod known_answers;
mod known_answers_bad_days;
mod known_answers_quorum;
mod mixes;
mod newest_wins;
mod pacing;
mod pitfalls;
mod random_quorum;
mod retries;
mod support;
mod twins;
mod warnings;
mod workloads;
