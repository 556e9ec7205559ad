//! The strip above the data area: what the shaded intervals and the vertical lines mean.
//!
//! A label stands above the middle of what it names. Where labels would run into each other, or over a neighbour's
//! interval in a second row, or that of a line across the edge of an interval, they are replaced by numbers that the
//! legend explains; equal labels share a number.

use super::legend::Swatch;
use super::lines::{LineChart, Mark, shows};
use super::look::CAPTION;
use super::scale::Ruler;
use super::text;

/// What is written above the data area.
pub(super) struct Captions {
    pub(super) placed: Vec<Caption>,
    pub(super) rows: usize,
    /// What the numbers stand for, from one upwards, for the legend to explain; empty if labels are written in full.
    pub(super) meanings: Vec<(Swatch, String)>,
}

/// A text in the strip above the data area, in one of its rows counted upwards.
pub(super) struct Caption {
    pub(super) x: f64,
    pub(super) row: usize,
    pub(super) text: String,
}

impl Captions {
    /// The labels of bands and vertical marks if one row is enough for them, otherwise their numbers. If even these
    /// need many rows, nothing is written.
    pub(super) fn of(chart: &LineChart, x: &Ruler) -> Self {
        let bands = chart.visible_bands(x).map(|(left, right, label)| {
            let middle = (left + right) / 2.0;
            (middle, Swatch::Shade, label)
        });
        let marks = chart.marks.iter().filter_map(|mark| match mark {
            Mark::X(at, label) if shows(x, *at) => Some((x.at(*at), Swatch::Reference, label.as_str())),
            _ => None,
        });
        let mut wanted: Vec<(f64, Swatch, &str)> =
            bands.chain(marks).filter(|(_, _, label)| !label.trim().is_empty()).collect();
        wanted.sort_by(|a, b| a.0.total_cmp(&b.0));

        let mut meanings: Vec<(Swatch, String)> = Vec::new();
        let (mut full, mut numbers) = (Vec::new(), Vec::new());
        let edges: Vec<f64> = chart.visible_bands(x).flat_map(|(left, right, _)| [left, right]).collect();
        let mut crosses_an_edge = false;
        for (at, swatch, label) in wanted {
            let index = meanings.iter().position(|(_, other)| other == label).unwrap_or(meanings.len());
            if index == meanings.len() {
                meanings.push((swatch, label.to_owned()));
            }
            let text = text::fit(label, CAPTION.size, 320.0);
            let half = text::width(&text, CAPTION.size) / 2.0;
            crosses_an_edge |=
                matches!(swatch, Swatch::Reference) && edges.iter().any(|edge| (edge - at).abs() < half);
            full.push((at, text));
            numbers.push((at, (index + 1).to_string()));
        }
        for (texts, rows_max, meanings) in [(full, 1, Vec::new()), (numbers, 3, meanings.clone())] {
            let (placed, rows) = in_rows(texts, x.pixels);
            let confusing = meanings.is_empty() && crosses_an_edge;
            if rows <= rows_max && !confusing {
                return Self { placed, rows, meanings };
            }
        }
        Self { placed: Vec::new(), rows: 0, meanings }
    }
}

/// Places texts, ordered by where they want to be centred, in rows so that none touches another.
fn in_rows(texts: Vec<(f64, String)>, (left, right): (f64, f64)) -> (Vec<Caption>, usize) {
    const SPACE: f64 = 10.0;
    let mut row_ends: Vec<f64> = Vec::new();
    let place = |(center, text): (f64, String)| {
        let half = text::width(&text, CAPTION.size) / 2.0;
        let x = center.clamp(left + half, right - half);
        let row = row_ends.iter().position(|&end| end + SPACE <= x - half).unwrap_or(row_ends.len());
        row_ends.resize(row_ends.len().max(row + 1), 0.0);
        row_ends[row] = x + half;
        Caption { x, row, text }
    };
    let placed = texts.into_iter().map(place).collect();
    (placed, row_ends.len())
}

#[cfg(test)]
mod tests {
    use super::super::lines::Band;
    use super::super::scale::{Axis, Scale};
    use super::super::unit::Unit;
    use super::*;

    #[test]
    fn a_line_is_named_by_a_number_where_its_label_would_cross_the_edge_of_an_interval() {
        for (line, expected) in [
            (50.0, &["1", "2"][..]), // the interval begins there
            (51.0, &["1", "2"]),
            (62.0, &["promoted", "cut off"]),
            (30.0, &["promoted", "cut off"]),
        ] {
            let chart = LineChart {
                title: String::new(),
                subtitle: String::new(),
                x: Axis::linear("", Unit::Seconds),
                y: Axis::linear("", Unit::Count),
                series: Vec::new(),
                bands: vec![Band { from: 50.0, to: 100.0, label: "cut off".to_owned() }],
                marks: vec![Mark::X(line, "promoted".to_owned())],
            };
            let ruler =
                Ruler { lo: 0.0, hi: 100.0, scale: Scale::Linear, pixels: (0.0, 1000.0), room: (0.0, 0.0) };
            let captions = Captions::of(&chart, &ruler);
            let texts: Vec<&str> = captions.placed.iter().map(|caption| caption.text.as_str()).collect();
            assert_eq!(texts, expected, "a line at {line}");
        }
    }
}
