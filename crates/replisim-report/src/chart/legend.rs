//! The legend: entries in equal columns below the data area, where they cannot cover any data.

use super::canvas::{Anchor, Canvas, Pen, Point};
use super::look::{AXIS, Look, SHADE, SHADE_EDGE, SMALL};
use super::text;

/// One line of a legend.
pub(super) struct Entry {
    pub(super) swatch: Swatch,
    pub(super) name: String,
}

/// The sample drawn beside a name.
#[derive(Clone, Copy)]
pub(super) enum Swatch {
    Line(Look),
    Dashes(Look),
    Marker(Look),
    /// A reference line.
    Reference,
    /// A shaded interval.
    Shade,
    /// Nothing: the entry is a remark.
    None,
}

/// A legend laid out for a given width.
pub(super) struct Legend {
    entries: Vec<Entry>,
    columns: usize,
    column_width: f64,
}

const ROW: f64 = 22.0;
const SWATCH: f64 = 34.0;
const GAP: f64 = 26.0;

impl Legend {
    /// Lays the entries out in as many equal columns as fit. Names too long for three columns (two, if the entries are
    /// few) are shortened.
    pub(super) fn new(mut entries: Vec<Entry>, width: f64) -> Self {
        let fewest_columns = if entries.len() <= 6 { 2.0 } else { 3.0 };
        let longest_name = ((width + GAP) / fewest_columns - SWATCH - GAP).floor();
        for entry in &mut entries {
            entry.name = text::fit(&entry.name, SMALL.size, longest_name);
        }
        let widest = entries.iter().map(|entry| text::width(&entry.name, SMALL.size)).fold(0.0, f64::max);
        let column_width = SWATCH + widest + GAP;
        let possible = ((width + GAP) / column_width).floor().max(1.0) as usize;
        // As many rows as needed, then no more columns than these rows need: four entries make 2 + 2, not 3 + 1.
        let rows = entries.len().div_ceil(possible).max(1);
        Self { columns: entries.len().div_ceil(rows).max(1), entries, column_width }
    }

    /// The height that drawing takes.
    pub(super) fn height(&self) -> f64 {
        ROW * self.entries.len().div_ceil(self.columns) as f64
    }

    /// Draws the legend with its upper left corner at a point.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, corner: Point) {
        for (i, entry) in self.entries.iter().enumerate() {
            let x = corner.0 + self.column_width * (i % self.columns) as f64;
            let y = corner.1 + ROW * ((i / self.columns) as f64 + 0.5);
            entry.swatch.draw(canvas, (x, y));
            let indent = if matches!(entry.swatch, Swatch::None) { 0.0 } else { SWATCH };
            canvas.text((x + indent, y), Anchor::Start, SMALL, &entry.name);
        }
    }
}

impl Swatch {
    fn draw(self, canvas: &mut Canvas<'_>, (x, y): Point) {
        let (end, middle) = ((x + SWATCH - 8.0, y), (x + (SWATCH - 8.0) / 2.0, y));
        match self {
            Swatch::Line(look) => {
                canvas.line(&[(x, y), end], Pen(look.color, 2.5));
                look.marker(canvas, middle);
            }
            Swatch::Dashes(look) => canvas.dashed(&[(x, y), end], Pen(look.color, 2.5)),
            Swatch::Marker(look) => look.marker(canvas, middle),
            Swatch::Reference => canvas.dashed(&[(x, y), end], Pen(AXIS, 1.5)),
            Swatch::Shade => {
                let (from, to) = ((x, y - 7.0), (end.0, y + 7.0));
                canvas.rect(from, to, SHADE);
                for side in [from.0, to.0] {
                    canvas.line(&[(side, from.1), (side, to.1)], Pen(SHADE_EDGE, 1.0));
                }
            }
            Swatch::None => {}
        }
    }
}
