//! Quorums whose results are known in advance. With constant delays a write takes the W-th shortest round trip and a
//! read the R-th, to the nanosecond; messages are counted by hand; repair in the background has bounds.

#[path = "../support/answers.rs"]
#[allow(dead_code)] // it serves other tests as well
mod answers;
#[path = "../support/mod.rs"]
mod support;

mod background;
mod everywhere;
mod latency;
mod staleness;
