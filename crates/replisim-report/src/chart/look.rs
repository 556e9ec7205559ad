//! How things look: the colours, and the marks that tell series apart without colour.
//!
//! The colours are those of Okabe and Ito, made to be told apart with any common colour blindness; their yellow is
//! left out because it vanishes on white. Colour and marker repeat with different periods, so that the first 42
//! series look different, and the first 12 do so in greyscale too.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Point};

pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
pub(super) const INK: RGBColor = RGBColor(26, 26, 26);
pub(super) const SOFT_INK: RGBColor = RGBColor(85, 85, 85);
pub(super) const AXIS: RGBColor = RGBColor(110, 110, 110);
pub(super) const GRID: RGBColor = RGBColor(226, 226, 226);
pub(super) const SHADE: RGBColor = RGBColor(250, 226, 212);
pub(super) const SHADE_EDGE: RGBColor = RGBColor(232, 178, 148);
pub(super) const SHADE_INK: RGBColor = RGBColor(140, 58, 10);
pub(super) const BOX: RGBColor = RGBColor(243, 247, 251);
pub(super) const BOX_EDGE: RGBColor = RGBColor(120, 140, 160);
pub(super) const LINK: RGBColor = RGBColor(168, 178, 190);
pub(super) const NODE: RGBColor = COLORS[0];
pub(super) const CLIENT: RGBColor = COLORS[1];

/// The size and colour of a kind of text. Sizes are chosen to be readable on a slide.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) size: f64,
    pub(super) color: RGBColor,
}

pub(super) const TITLE: Face = Face { size: 21.0, color: INK };
pub(super) const SUBTITLE: Face = Face { size: 14.0, color: SOFT_INK };
pub(super) const LABEL: Face = Face { size: 16.0, color: INK };
pub(super) const SMALL: Face = Face { size: 14.0, color: INK };
pub(super) const CAPTION: Face = Face { size: 14.0, color: SHADE_INK };

const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),   // blue
    RGBColor(213, 94, 0),    // vermillion
    RGBColor(0, 158, 115),   // bluish green
    RGBColor(204, 121, 167), // reddish purple
    RGBColor(26, 26, 26),    // black
    RGBColor(230, 159, 0),   // orange
    RGBColor(86, 180, 233),  // sky blue
];

/// Marker outlines around the origin with radius one, sized to look equally heavy.
const SHAPES: [&[Point]; 6] = [
    &[
        (0.0, -1.0),
        (0.5, -0.87),
        (0.87, -0.5),
        (1.0, 0.0),
        (0.87, 0.5),
        (0.5, 0.87),
        (0.0, 1.0),
        (-0.5, 0.87),
        (-0.87, 0.5),
        (-1.0, 0.0),
        (-0.87, -0.5),
        (-0.5, -0.87),
    ],
    &[(-0.87, -0.87), (0.87, -0.87), (0.87, 0.87), (-0.87, 0.87)],
    &[(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
    &[(0.0, -1.3), (1.2, 0.0), (0.0, 1.3), (-1.2, 0.0)],
    &[(0.0, 1.2), (1.1, -0.8), (-1.1, -0.8)],
    &[
        (-1.2, -0.5),
        (-0.5, -0.5),
        (-0.5, -1.2),
        (0.5, -1.2),
        (0.5, -0.5),
        (1.2, -0.5),
        (1.2, 0.5),
        (0.5, 0.5),
        (0.5, 1.2),
        (-0.5, 1.2),
        (-0.5, 0.5),
        (-1.2, 0.5),
    ],
];

/// The colour and marker of one series.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) color: RGBColor,
    shape: &'static [Point],
    hollow: bool,
}

impl Look {
    /// The look of the series with this index.
    pub(super) fn of(index: usize) -> Self {
        let hollow = (index / SHAPES.len()) % 2 == 1;
        Self { color: COLORS[index % COLORS.len()], shape: SHAPES[index % SHAPES.len()], hollow }
    }

    /// Draws the marker, with a thin white rim so that it stands out from lines that pass behind it.
    pub(super) fn marker(&self, canvas: &mut Canvas<'_>, at: Point) {
        let mut fill = |radius: f64, color| {
            let outline: Vec<Point> =
                self.shape.iter().map(|p| (at.0 + radius * p.0, at.1 + radius * p.1)).collect();
            canvas.polygon(&outline, color);
        };
        fill(6.5, WHITE);
        fill(5.0, self.color);
        if self.hollow {
            fill(2.8, WHITE);
        }
    }
}
