//! Bad days whose results are known in advance: waiting for replicas, cuts, deaths, fail-over. `docs/known-answers.md`
//! derives each answer, and `cargo test -p replisim-experiment known_answers_bad_days -- --nocapture` prints every figure beside it.
//!
//! As in `known_answers`: constant delays must come out to the nanosecond; where chance has a part, the error comes
//! from independent seeds. Besides, two tables of measurements of real databases, whose shape must come out too.

mod acknowledgements;
mod cuts;
mod deaths;
mod failover;
mod poisson;
mod reality;
mod recording;
mod split;
mod window;
