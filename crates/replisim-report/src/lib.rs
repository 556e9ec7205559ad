//! CSV, JSON and charts from the results of runs.

pub mod chart;
