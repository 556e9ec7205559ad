//! Quorums whose results are known in advance. With constant delays a write takes the W-th shortest round trip and a
//! read the R-th, to the nanosecond; messages are counted by hand; repair in the background has bounds.

mod background;
mod everywhere;
mod latency;
mod staleness;
