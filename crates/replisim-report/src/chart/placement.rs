//! Where the boxes and link labels of a network map go.
//!
//! The search is for the smallest sheet on which nothing collides: boxes are spread over an ellipse that grows with
//! the sheet until no two touch; every link label then looks for a free spot along its line, preferring one that no
//! other link crosses. If labels remain without a spot, the sheet grows further; on the largest sheet they are left
//! out. A little growth is also spent on keeping links from running behind the boxes of other places.

use super::canvas::{Anchor, Canvas, Point};
use super::look::{SMALL, WHITE};
use super::network::Link;
use super::text;

/// Where everything goes.
pub(super) struct Placement {
    pub(super) sheet: Point,
    pub(super) boxes: Vec<Rect>,
    pub(super) plates: Vec<Plate>,
    /// How many link labels found no free spot.
    pub(super) without_spot: usize,
}

/// The label of a line on its white ground.
pub(super) struct Plate {
    pub(super) area: Rect,
    pub(super) text: String,
}

/// The first sheet tried, and how far it grows at most: to keep links from running behind boxes of other places, and
/// to give every link label a spot.
const SMALLEST: Point = (960.0, 540.0);
const LARGEST_FOR_TIDINESS: f64 = 1.35;
const LARGEST_FOR_LABELS: f64 = 2.2;
const GROWTH: f64 = 1.05;

/// What the key to the symbols, at the lower left, takes of the sheet.
pub(super) const MARGIN: f64 = 28.0;
pub(super) const KEY_HEIGHT: f64 = 40.0;

const TOP: f64 = 80.0;
const SIDE: f64 = 44.0;
const BOX_DISTANCE: f64 = 28.0;

const LINK_LABEL_WIDTH_MAX: f64 = 180.0;

impl Placement {
    /// The smallest sheet on which everything fits.
    pub(super) fn search(sizes: &[Point], links: &[&Link]) -> Self {
        let mut scale = 1.0;
        loop {
            let sheet = (SMALLEST.0 * scale, SMALLEST.1 * scale);
            if let Some(boxes) = boxes_on(sheet, sizes) {
                let lines: Vec<_> = links.iter().map(|link| line_of(&boxes, link)).collect();
                let (plates, without_spot) = plates_along(&lines, &boxes);
                let tidy = scale >= LARGEST_FOR_TIDINESS || !any_link_behind_a_box(&boxes, links);
                if without_spot == 0 && tidy || scale >= LARGEST_FOR_LABELS {
                    return Self { sheet, boxes, plates, without_spot };
                }
            }
            scale *= GROWTH;
        }
    }
}

/// Spreads boxes over the ellipse that fills a sheet, or `None` if two would come too close.
fn boxes_on(sheet: Point, sizes: &[Point]) -> Option<Vec<Rect>> {
    let widest = sizes.iter().map(|size| size.0).fold(0.0, f64::max);
    let highest = sizes.iter().map(|size| size.1).fold(0.0, f64::max);
    let field = Rect { left: SIDE, top: TOP, right: sheet.0 - SIDE, bottom: sheet.1 - KEY_HEIGHT - 12.0 };
    let room = (field.right - field.left - widest, field.bottom - field.top - highest);
    if room.0 < 0.0 || room.1 < 0.0 {
        return None;
    }
    // One place on top if they are odd, two side by side if even: then both halves of the map mirror each other.
    let turn = std::f64::consts::TAU / sizes.len().max(1) as f64;
    let start = -std::f64::consts::FRAC_PI_2 - if sizes.len().is_multiple_of(2) { turn / 2.0 } else { 0.0 };
    let angles: Vec<f64> = (0..sizes.len()).map(|i| start + turn * i as f64).collect();
    let xs = stretched(angles.iter().map(|&angle| libm::cos(angle)).collect());
    let ys = stretched(angles.iter().map(|&angle| libm::sin(angle)).collect());
    let mut boxes: Vec<Rect> = Vec::new();
    for (&size, (x, y)) in sizes.iter().zip(xs.into_iter().zip(ys)) {
        let at = (field.left + widest / 2.0 + x * room.0, field.top + highest / 2.0 + y * room.1);
        let area = Rect::around(at, size);
        if boxes.iter().any(|other| area.grown(BOX_DISTANCE).overlaps(other)) {
            return None;
        }
        boxes.push(area);
    }
    Some(boxes)
}

/// Maps values to 0 (the smallest) to 1 (the largest), so that any number of places fills the sheet; equal ones to the
/// middle.
fn stretched(values: Vec<f64>) -> Vec<f64> {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let span = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - lowest;
    values.into_iter().map(|value| if span > 1e-9 { (value - lowest) / span } else { 0.5 }).collect()
}

fn any_link_behind_a_box(boxes: &[Rect], links: &[&Link]) -> bool {
    links.iter().any(|link| {
        let (segment, _) = line_of(boxes, link);
        let mut others = boxes.iter().enumerate().filter(|(i, _)| *i != link.a && *i != link.b);
        others.any(|(_, area)| area.grown(6.0).meets(&segment))
    })
}

fn line_of<'a>(boxes: &[Rect], link: &'a Link) -> (Line, &'a str) {
    ([boxes[link.a].center(), boxes[link.b].center()], &link.label)
}

/// From where to where.
pub(super) type Line = [Point; 2];

/// Finds for each line's label a spot on it that is clear of the boxes and of other labels; also counts those that
/// find none.
pub(super) fn plates_along(lines: &[(Line, &str)], boxes: &[Rect]) -> (Vec<Plate>, usize) {
    let mut plates: Vec<Plate> = Vec::new();
    let mut without_spot = 0;
    for (i, (line, label)) in lines.iter().enumerate() {
        let text = text::fit(label, SMALL.size, LINK_LABEL_WIDTH_MAX);
        if text.is_empty() {
            continue;
        }
        let size = (text::width(&text, SMALL.size) + 8.0, SMALL.size + 5.0);
        let free = |area: &Rect| {
            !boxes.iter().any(|other| other.grown(3.0).overlaps(area))
                && !plates.iter().any(|plate| plate.area.grown(3.0).overlaps(area))
        };
        let crossed_by = |area: &Rect| {
            let others = lines.iter().enumerate().filter(|(j, _)| *j != i);
            others.filter(|(_, (other, _))| area.meets(other)).count()
        };
        // The middle first, then ever further out to both sides; `min_by_key` keeps the first of equals.
        let spots = (0..=STEPS).flat_map(|k| [0.5 + 0.4 * share(k), 0.5 - 0.4 * share(k)]);
        let areas = spots.map(|share| Rect::around(along(*line, share), size)).filter(free);
        match areas.min_by_key(crossed_by) {
            Some(area) => plates.push(Plate { area, text }),
            None => without_spot += 1,
        }
    }
    (plates, without_spot)
}

const STEPS: u32 = 40;

fn share(step: u32) -> f64 {
    f64::from(step) / f64::from(STEPS)
}

pub(super) fn along([from, to]: Line, share: f64) -> Point {
    (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1))
}

impl Plate {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        canvas.rect((self.area.left, self.area.top), (self.area.right, self.area.bottom), WHITE);
        canvas.text(self.area.center(), Anchor::Middle, SMALL, &self.text);
    }
}

/// An upright rectangle.
#[derive(Clone, Copy)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    fn around(center: Point, size: Point) -> Self {
        let (half_width, half_height) = (size.0 / 2.0, size.1 / 2.0);
        Self {
            left: center.0 - half_width,
            top: center.1 - half_height,
            right: center.0 + half_width,
            bottom: center.1 + half_height,
        }
    }

    pub(super) fn center(&self) -> Point {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    fn grown(&self, by: f64) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    fn overlaps(&self, other: &Rect) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether a line passes through, judged by points along it closer together than any label is high.
    fn meets(&self, segment: &Line) -> bool {
        let length = libm::hypot(segment[1].0 - segment[0].0, segment[1].1 - segment[0].1);
        let count = (length / 6.0).ceil().max(1.0) as u32;
        (0..=count)
            .map(|k| along(*segment, f64::from(k) / f64::from(count)))
            .any(|(x, y)| self.left <= x && x <= self.right && self.top <= y && y <= self.bottom)
    }

    /// The closed outline with rounded corners.
    pub(super) fn rounded(&self, radius: f64) -> Vec<Point> {
        const ARC: u32 = 8;
        let corners = [
            (self.left + radius, self.top + radius, 180.0_f64),
            (self.right - radius, self.top + radius, 270.0),
            (self.right - radius, self.bottom - radius, 0.0),
            (self.left + radius, self.bottom - radius, 90.0),
        ];
        let mut outline: Vec<Point> = Vec::new();
        for (x, y, from) in corners {
            for k in 0..=ARC {
                let angle = (from + 90.0 * f64::from(k) / f64::from(ARC)).to_radians();
                outline.push((x + radius * libm::cos(angle), y + radius * libm::sin(angle)));
            }
        }
        outline.extend(outline.first().copied());
        outline
    }
}
