//! Runs scenarios over seeds, in parallel, and does the statistics across seeds.
