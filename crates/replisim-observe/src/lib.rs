//! The vocabulary of a run: ids, operations as clients saw them, observations.
