//! Drawing primitives in pixels, over the SVG backend of `plotters`.
//!
//! `plotters` rounds every coordinate to a whole pixel, which kinks flat curves. The canvas therefore draws at four
//! times the size (coordinates, strokes and fonts) and then declares that drawing as the view box of an image of the
//! intended size: a viewer scales it down and the rounding falls to a quarter of a pixel. Everything outside this
//! file counts in pixels of the intended size.
//!
//! Only the backend is used, none of the ready-made axes, legends and layouts of `plotters`: they cannot keep labels
//! from colliding.

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, TextStyle};

use super::look::Face;
use super::text;

/// A position in pixels, counted from the top left.
pub(super) type Point = (f64, f64);

/// A sheet to draw on.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Which end of a text stands at its position.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The colour and width of a line.
#[derive(Clone, Copy)]
pub(super) struct Pen(pub(super) RGBColor, pub(super) f64);

const ZOOM: f64 = 4.0;

/// `plotters` writes its font size divided by this number.
const PLOTTERS_FONT_FACTOR: f64 = 1.24;

/// How far below the upper edge of a text `plotters` puts its baseline, as a share of the font size.
const PLOTTERS_TOP: f64 = 0.76;

const INFALLIBLE: &str = "drawing into a string cannot fail";

/// Draws a picture of this size on white and returns it as an SVG document.
pub(super) fn draw(width: f64, height: f64, paint: impl FnOnce(&mut Canvas<'_>)) -> String {
    let (width, height) = (width.round(), height.round());
    let mut document = String::new();
    let size = (zoomed(width) as u32, zoomed(height) as u32);
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut document, size) };
    canvas.rect((0.0, 0.0), (width, height), super::look::WHITE);
    paint(&mut canvas);
    canvas.backend.present().expect(INFALLIBLE);
    drop(canvas);

    let (_, body) = document.split_once('\n').expect("the first line is the <svg> tag");
    let (zoomed_width, zoomed_height) = size;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {zoomed_width} {zoomed_height}\" stroke-linejoin=\"round\">\n{body}"
    )
}

impl Canvas<'_> {
    /// A line through the points.
    pub(super) fn line(&mut self, points: &[Point], pen: Pen) {
        let style = pen.0.stroke_width(zoomed(pen.1) as u32);
        self.backend.draw_path(points.iter().map(|&point| place(point)), &style).expect(INFALLIBLE);
    }

    /// A broken line through the points.
    pub(super) fn dashed(&mut self, points: &[Point], pen: Pen) {
        for dash in dashes(points) {
            self.line(&dash, pen);
        }
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, points: &[Point], fill: RGBColor) {
        self.backend
            .fill_polygon(points.iter().map(|&point| place(point)), &fill.filled())
            .expect(INFALLIBLE);
    }

    /// A filled rectangle between two opposite corners.
    pub(super) fn rect(&mut self, from: Point, to: Point, fill: RGBColor) {
        self.backend.draw_rect(place(from), place(to), &fill.filled(), true).expect(INFALLIBLE);
    }

    /// A filled disc.
    pub(super) fn disc(&mut self, center: Point, radius: f64, fill: RGBColor) {
        self.backend
            .draw_circle(place(center), zoomed(radius) as u32, &fill.filled(), true)
            .expect(INFALLIBLE);
    }

    /// One line of text whose visual middle is at the height of `at`. Empty text is left out.
    pub(super) fn text(&mut self, at: Point, anchor: Anchor, face: Face, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let upper_edge = at.1 + (text::MIDDLE - PLOTTERS_TOP) * face.size;
        let size = face.size * ZOOM * PLOTTERS_FONT_FACTOR;
        let font = FontDesc::new(FontFamily::Name(text::FAMILIES), size, FontStyle::Normal);
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let style = TextStyle::from(font).color(&face.color).pos(Pos::new(horizontal, VPos::Top));
        self.backend.draw_text(text, &style, place((at.0, upper_edge))).expect(INFALLIBLE);
    }
}

fn zoomed(length: f64) -> f64 {
    (length * ZOOM).round()
}

fn place(point: Point) -> (i32, i32) {
    (zoomed(point.0) as i32, zoomed(point.1) as i32)
}

/// Cuts a line into dashes by its length. (`plotters` knows no `stroke-dasharray`.)
fn dashes(points: &[Point]) -> Vec<Vec<Point>> {
    const DASH: f64 = 7.0;
    const GAP: f64 = 5.0;
    let mut done = Vec::new();
    let Some(&first) = points.first() else { return done };
    let mut dash = vec![first];
    let (mut inked, mut left) = (true, DASH);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = libm::hypot(to.0 - from.0, to.1 - from.1);
            if length < left {
                left -= length;
                break;
            }
            let share = left / length;
            from = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            if inked {
                dash.push(from);
                done.push(std::mem::take(&mut dash));
            } else {
                dash = vec![from];
            }
            inked = !inked;
            left = if inked { DASH } else { GAP };
        }
        if inked {
            dash.push(to);
        }
    }
    if inked && dash.len() > 1 {
        done.push(dash);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_the_line_by_length_across_its_corners() {
        let dashes = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 15.0)]);
        assert_eq!(dashes, [vec![(0.0, 0.0), (5.0, 0.0), (5.0, 2.0)], vec![(5.0, 7.0), (5.0, 14.0)]]);
    }
}
