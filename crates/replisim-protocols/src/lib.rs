//! Replication protocols as sans-IO state machines.
