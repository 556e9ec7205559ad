//! Sequences: who sends what to whom, and when. Each place is a line downward in time, each message an arrow from the
//! moment it was sent to the moment it arrived. Made for a dozen or two of messages, each with its name on it.

use super::canvas::{self, Anchor, Canvas, Pen, Point};
use super::lines::heading;
use super::look::{AXIS, CLIENT, Face, GRID, INK, LABEL, NODE, SHADE_INK, SUBTITLE};
use super::placement::{Line, Rect, along, plates_along};
use super::scale::Axis;
use super::text;
use super::unit::Unit;

/// Places and the messages between them.
#[derive(Clone, Debug)]
pub struct SequenceChart {
    /// What the picture shows.
    pub title: String,
    /// Where it comes from, in smaller print.
    pub subtitle: String,
    /// The places, from left to right.
    pub lifelines: Vec<Lifeline>,
    /// The messages.
    pub arrows: Vec<Arrow>,
}

/// A place.
#[derive(Clone, Debug)]
pub struct Lifeline {
    /// Its name.
    pub name: String,
    /// Whether it is a client, which looks different.
    pub is_client: bool,
}

/// A message from one place to another. A lost one ends in a cross on its way.
#[derive(Clone, Debug)]
pub struct Arrow {
    /// What to write on it.
    pub label: String,
    /// The index of the sender.
    pub from: usize,
    /// The index of the receiver.
    pub to: usize,
    /// When it was sent, in milliseconds.
    pub sent: f64,
    /// When it arrived; nothing if it was lost.
    pub arrived: Option<f64>,
}

const LEFT: f64 = 130.0;
const COLUMN: f64 = 180.0;
const RIGHT: f64 = 80.0;
const NAMES: f64 = 96.0;
const TOP: f64 = 122.0;
const BOTTOM: f64 = 24.0;
const SPAN: f64 = 560.0;

/// How far a lost message is drawn: this share of its way, and this much downward.
const LOST_AFTER: f64 = 0.6;
const LOST_FALL: f64 = 60.0;

impl SequenceChart {
    /// Draws the chart as a complete SVG document.
    pub fn svg(&self) -> String {
        let axis = Axis::linear("", Unit::Milliseconds);
        let times = self.arrows.iter().flat_map(|arrow| [Some(arrow.sent), arrow.arrived]).flatten();
        let (first, last) = axis.interval(times, true);
        let x = |place: usize| LEFT + COLUMN * place as f64;
        let y = |time: f64| TOP + SPAN * (time - first) / (last - first);
        let line = |arrow: &Arrow| match arrow.arrived {
            Some(arrived) => [(x(arrow.from), y(arrow.sent)), (x(arrow.to), y(arrived))],
            None => {
                let start = (x(arrow.from), y(arrow.sent));
                [start, (start.0 + LOST_AFTER * (x(arrow.to) - start.0), start.1 + LOST_FALL)]
            }
        };
        let width = x(self.lifelines.len().saturating_sub(1)) + RIGHT;
        let (top, bottom) = (TOP - 8.0, TOP + SPAN + 8.0);
        let lifeline = |place| Rect { left: x(place) - 5.0, top, right: x(place) + 5.0, bottom };
        let lifelines: Vec<Rect> = (0..self.lifelines.len()).map(lifeline).collect();
        let arrows: Vec<_> = self.arrows.iter().map(|arrow| (line(arrow), &*arrow.label)).collect();
        let (plates, left_out) = plates_along(&arrows, &lifelines);
        let subtitle = match left_out {
            0 => self.subtitle.clone(),
            n => format!("{n} names have no room · {}", self.subtitle),
        };

        canvas::draw(width, bottom + BOTTOM, |canvas| {
            heading(canvas, width, &self.title, &subtitle);
            for tick in axis.ticks(first, last, |_| true) {
                let y = y(tick.value);
                canvas.line(&[(x(0), y), (width - RIGHT, y)], Pen(GRID, 1.0));
                canvas.text((x(0) - 40.0, y), Anchor::End, SUBTITLE, &tick.label);
            }
            for (place, Lifeline { name, is_client }) in self.lifelines.iter().enumerate() {
                let color = if *is_client { CLIENT } else { NODE };
                let name = text::fit(name, LABEL.size, COLUMN - 16.0);
                canvas.text((x(place), NAMES), Anchor::Middle, Face { color, ..LABEL }, &name);
                canvas.line(&[(x(place), top), (x(place), bottom)], Pen(color, 2.0));
            }
            for arrow in &self.arrows {
                draw_arrow(canvas, line(arrow), arrow.arrived.is_some());
            }
            plates.iter().for_each(|plate| plate.draw(canvas));
        })
    }
}

fn draw_arrow(canvas: &mut Canvas<'_>, [from, to]: Line, arrives: bool) {
    let length = libm::hypot(to.0 - from.0, to.1 - from.1).max(1.0);
    let (dx, dy) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
    // A place so far back along the arrow and so far to its side.
    let beside =
        |back: f64, side: f64| -> Point { (to.0 - back * dx - side * dy, to.1 - back * dy + side * dx) };
    if arrives {
        canvas.line(&[from, along([from, to], 1.0 - 6.0 / length)], Pen(INK, 1.5));
        canvas.polygon(&[to, beside(11.0, 4.5), beside(11.0, -4.5)], INK);
    } else {
        canvas.line(&[from, to], Pen(AXIS, 1.5));
        canvas.line(&[beside(-6.0, -6.0), beside(6.0, 6.0)], Pen(SHADE_INK, 2.5));
        canvas.line(&[beside(-6.0, 6.0), beside(6.0, -6.0)], Pen(SHADE_INK, 2.5));
    }
}
