//! Histories and what the measures make of them. One binary: each would compile the measures anew.

mod availability_histories;
mod bad_days;
mod catch_up;
mod conflicts;
mod conflicts_twin;
mod histories;
mod leaderless_histories;
mod leaderless_twin;
mod retries;
mod small_histories;
mod twin;
