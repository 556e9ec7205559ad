//! Line charts: curves over two axes, with shaded intervals and reference lines.
//!
//! From top to bottom: title, subtitle, the label of the y axis, a strip of captions for what is marked on the x axis,
//! the data area, the ticks and label of the x axis, and the legend. Nothing but data is ever drawn in the data area,
//! so that no text can cover a curve.

use super::canvas::{self, Anchor, Canvas, Pen};
use super::captions::Captions;
use super::legend::{Entry, Legend, Swatch};
use super::look::{AXIS, CAPTION, GRID, LABEL, Look, SHADE, SHADE_EDGE, SMALL, SUBTITLE, TITLE};
use super::path::{self, Area};
use super::scale::{Axis, Ruler, Scale, Tick};
use super::text;
use super::unit::usable;

/// Curves over two axes.
#[derive(Clone, Debug)]
pub struct LineChart {
    /// What the chart shows.
    pub title: String,
    /// Where the data comes from, in smaller print; may be empty.
    pub subtitle: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The curves. All are drawn; the legend names the first twelve.
    pub series: Vec<Series>,
    /// Shaded intervals of the x axis.
    pub bands: Vec<Band>,
    /// Reference lines.
    pub marks: Vec<Mark>,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its points in order of x. A value that is not finite breaks the line.
    pub points: Vec<(f64, f64)>,
    /// Whether a value holds until the next point (a staircase) instead of changing evenly towards it.
    pub step: bool,
    /// How the points are joined.
    pub style: Stroke,
}

/// How the points of a series are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// A solid line with a few markers.
    #[default]
    Solid,
    /// A dashed line without markers, for what was predicted rather than measured.
    Dashed,
    /// Markers only, one at each point.
    Points,
}

/// A shaded interval of the x axis.
#[derive(Clone, Debug)]
pub struct Band {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// What happened in it; may be empty.
    pub label: String,
}

/// A dashed reference line with its label.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A vertical line at this x.
    X(f64, String),
    /// A horizontal line at this y.
    Y(f64, String),
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 540.0;
const MARGIN: f64 = 24.0;
/// Between the frame and a curve that runs along it.
const ROOM: f64 = 24.0;
const CAPTION_ROW: f64 = 22.0;
const NAMED_SERIES_MAX: usize = 12;
const NAMED_OTHERS_MAX: usize = 8;

/// Up to this many points each carry a marker, because each is a result of its own.
const MARKED_POINTS_MAX: usize = 30;

impl Series {
    /// A solid line.
    pub fn line(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, step: false, style: Stroke::Solid }
    }

    /// A solid staircase.
    pub fn staircase(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { step: true, ..Self::line(name, points) }
    }

    /// The x of all points, if it is the same of several.
    fn single_x(&self) -> Option<f64> {
        let mut xs = self.points.iter().filter(|&&(x, y)| usable(x) && usable(y)).map(|point| point.0);
        let first = xs.next()?;
        let others = xs.clone().count();
        (others > 0 && xs.all(|x| x == first)).then_some(first)
    }

    fn is_dotted_at_each_point(&self) -> bool {
        self.style == Stroke::Points
            || self.style == Stroke::Solid && !self.step && self.points.len() <= MARKED_POINTS_MAX
    }
}

impl LineChart {
    /// Draws the chart as a complete SVG document of 960 × 540 pixels.
    pub fn svg(&self) -> String {
        let plan = Plan::of(self);
        canvas::draw(WIDTH, HEIGHT, |canvas| {
            self.draw_heads(canvas, &plan);
            self.draw_bands(canvas, &plan.area);
            self.draw_axes(canvas, &plan);
            self.draw_marks(canvas, &plan.area);
            self.draw_series(canvas, &plan.area);
            for caption in &plan.captions.placed {
                let y = plan.area.top() - CAPTION_ROW * (caption.row as f64 + 0.5);
                canvas.text((caption.x, y), Anchor::Middle, CAPTION, &caption.text);
            }
            plan.legend.draw(canvas, plan.legend_corner);
            if plan.area.is_empty_of(&self.series) {
                let middle = |ruler: &Ruler| (ruler.pixels.0 + ruler.pixels.1) / 2.0;
                canvas.text(
                    (middle(&plan.area.x), middle(&plan.area.y)),
                    Anchor::Middle,
                    SUBTITLE,
                    "no data",
                );
            }
        })
    }

    fn draw_heads(&self, canvas: &mut Canvas<'_>, plan: &Plan) {
        heading(canvas, WIDTH, &self.title, &self.subtitle);
        let label = axis_label(&self.y, plan.y_has_zeros);
        let label = text::fit(&label, LABEL.size, WIDTH - 2.0 * MARGIN);
        canvas.text((MARGIN, Plan::Y_LABEL), Anchor::Start, LABEL, &label);
        let label = axis_label(&self.x, plan.x_has_zeros);
        let label = text::fit(&label, LABEL.size, plan.area.right() - plan.area.left());
        let middle = (plan.area.left() + plan.area.right()) / 2.0;
        canvas.text((middle, plan.area.bottom() + 44.0), Anchor::Middle, LABEL, &label);
    }

    fn draw_bands(&self, canvas: &mut Canvas<'_>, area: &Area) {
        for (left, right, _) in self.visible_bands(&area.x) {
            canvas.rect((left, Plan::STRIP_TOP), (right, area.bottom()), SHADE);
            for side in [left, right] {
                canvas.line(&[(side, Plan::STRIP_TOP), (side, area.bottom())], Pen(SHADE_EDGE, 1.0));
            }
        }
    }

    fn draw_axes(&self, canvas: &mut Canvas<'_>, plan: &Plan) {
        let area = &plan.area;
        for tick in &plan.y_ticks {
            let y = area.y.at(tick.value);
            canvas.line(&[(area.left(), y), (area.right(), y)], Pen(GRID, 1.0));
            canvas.text((area.left() - 10.0, y), Anchor::End, SMALL, &tick.label);
        }
        for tick in &plan.x_ticks {
            let x = area.x.at(tick.value);
            canvas.line(&[(x, area.top()), (x, area.bottom())], Pen(GRID, 1.0));
            canvas.line(&[(x, area.bottom()), (x, area.bottom() + 7.0)], Pen(AXIS, 1.25));
            canvas.text((x, area.bottom() + 19.0), Anchor::Middle, SMALL, &tick.label);
        }
        for x in self.x.minor_ticks(area.x.lo, area.x.hi) {
            let x = area.x.at(x);
            canvas.line(&[(x, area.bottom()), (x, area.bottom() + 4.0)], Pen(AXIS, 0.75));
        }
        for y in self.y.minor_ticks(area.y.lo, area.y.hi) {
            let y = area.y.at(y);
            canvas.line(&[(area.left() - 4.0, y), (area.left(), y)], Pen(AXIS, 0.75));
        }
        canvas.line(&[(area.left(), area.bottom()), (area.right(), area.bottom())], Pen(AXIS, 1.25));
        canvas.line(&[(area.left(), area.top()), (area.left(), area.bottom())], Pen(AXIS, 1.25));
    }

    fn draw_marks(&self, canvas: &mut Canvas<'_>, area: &Area) {
        for mark in &self.marks {
            match mark {
                Mark::X(x, _) if shows(&area.x, *x) => {
                    let x = area.x.at(*x);
                    canvas.dashed(&[(x, area.top()), (x, area.bottom())], Pen(AXIS, 1.5));
                }
                Mark::Y(y, _) if shows(&area.y, *y) => {
                    let y = area.y.at(*y);
                    canvas.dashed(&[(area.left(), y), (area.right(), y)], Pen(AXIS, 1.5));
                }
                _ => {}
            }
        }
    }

    fn draw_series(&self, canvas: &mut Canvas<'_>, area: &Area) {
        let mut markers = Vec::new();
        for (i, series) in self.series.iter().enumerate() {
            let look = Look::of(i);
            let stretches = area.stretches(&series.points, series.step);
            let pen = Pen(look.color, 2.5);
            for stretch in stretches.iter().filter(|stretch| stretch.len() > 1) {
                match series.style {
                    Stroke::Solid => canvas.line(stretch, pen),
                    Stroke::Dashed => canvas.dashed(stretch, pen),
                    Stroke::Points => {}
                }
            }
            let spots = if series.is_dotted_at_each_point() {
                area.dots(&series.points)
            } else {
                let alone = stretches.iter().filter(|stretch| stretch.len() == 1).map(|stretch| stretch[0]);
                let phase = (i as f64 + 0.5) / self.series.len() as f64;
                let needed = series.style == Stroke::Solid && self.series.len() > 1;
                let spread = if needed { path::spots(area, &stretches, phase) } else { Vec::new() };
                alone.chain(spread).collect()
            };
            markers.push((look, spots));
        }
        // After all lines, so that no line hides a marker.
        for (look, spots) in markers {
            for spot in spots {
                look.marker(canvas, spot);
            }
        }
    }

    /// The bands inside the x axis as pixels, left to right in each, wide enough to be seen.
    pub(super) fn visible_bands<'a>(&'a self, x: &'a Ruler) -> impl Iterator<Item = (f64, f64, &'a str)> {
        self.bands.iter().filter_map(|band| {
            let (from, to) = (band.from.min(band.to), band.from.max(band.to));
            if !usable(band.from) || !usable(band.to) || to < x.lo || from > x.hi {
                return None;
            }
            let (left, right) = (x.at(from.max(x.lo)), x.at(to.min(x.hi)));
            let right = right.max(left + 2.0).min(x.pixels.1);
            Some((left.min(right - 2.0), right, band.label.as_str()))
        })
    }

    /// Points whose coordinates can both be drawn.
    fn points(&self) -> impl Iterator<Item = (f64, f64)> + Clone {
        let points = self.series.iter().flat_map(|series| series.points.iter().copied());
        points.filter(|&(x, y)| usable(x) && usable(y))
    }

    pub(super) fn x_interval(&self) -> (f64, f64) {
        let marks = self.marks.iter().filter_map(|mark| match mark {
            Mark::X(x, _) => Some(*x),
            Mark::Y(..) => None,
        });
        let points = self.points().map(|point| point.0);
        if points.clone().next().is_none() {
            let edges = self.bands.iter().flat_map(|band| [band.from, band.to]);
            return self.x.interval(edges.chain(marks), false);
        }
        self.x.interval(points.chain(marks), false)
    }

    /// A curve of a single value is a line from below to above, which would hide in the frame.
    pub(super) fn make_room(&self, x: &mut Ruler) {
        let upright = self.series.iter().filter_map(Series::single_x).map(|value| x.at(value));
        let is_at = |edge: f64| upright.clone().any(|at| (at - edge).abs() < ROOM / 2.0);
        let room = [x.pixels.0, x.pixels.1].map(|edge| if is_at(edge) { ROOM } else { 0.0 });
        x.room = (room[0], room[1]);
        x.pixels = (x.pixels.0 + room[0], x.pixels.1 - room[1]);
    }

    fn y_interval(&self, x: (f64, f64)) -> (f64, f64) {
        let marks = self.marks.iter().filter_map(|mark| match mark {
            Mark::Y(y, _) => Some(*y),
            Mark::X(..) => None,
        });
        let points = self.points().filter(|point| self.x.range.is_none() || x.0 <= point.0 && point.0 <= x.1);
        self.y.interval(points.map(|point| point.1).chain(marks), true)
    }
}

/// Draws title and subtitle at the top left of a picture.
pub(super) fn heading(canvas: &mut Canvas<'_>, width: f64, title: &str, subtitle: &str) {
    let fit = |line: &str, size: f64| text::fit(line, size, width - 2.0 * MARGIN);
    canvas.text((MARGIN, 30.0), Anchor::Start, TITLE, &fit(title, TITLE.size));
    canvas.text((MARGIN, 56.0), Anchor::Start, SUBTITLE, &fit(subtitle, SUBTITLE.size));
}

/// Where everything goes, decided before anything is drawn.
struct Plan {
    area: Area,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    x_has_zeros: bool,
    y_has_zeros: bool,
    captions: Captions,
    legend: Legend,
    legend_corner: (f64, f64),
}

impl Plan {
    /// The height of the y axis label's middle.
    const Y_LABEL: f64 = 84.0;
    const STRIP_TOP: f64 = 110.0;

    fn of(chart: &LineChart) -> Self {
        let x = chart.x_interval();
        let y = chart.y_interval(x);

        // The width of the y ticks decides the left edge, and hardly depends on the height, so a usual height will do.
        let y_ruler = |top, bottom| Ruler {
            lo: y.0,
            hi: y.1,
            scale: chart.y.scale,
            pixels: (bottom, top),
            room: (0.0, 0.0),
        };
        let usual_height = 270.0;
        let y_ticks = y_ticks(&chart.y, &y_ruler(0.0, usual_height));
        let widest = y_ticks.iter().map(|tick| text::width(&tick.label, SMALL.size)).fold(0.0, f64::max);
        let left = (MARGIN + widest + 10.0).max(56.0);
        let right = WIDTH - MARGIN - 20.0;
        let mut x_ruler =
            Ruler { lo: x.0, hi: x.1, scale: chart.x.scale, pixels: (left, right), room: (0.0, 0.0) };
        chart.make_room(&mut x_ruler);
        let x_ticks = chart.x.ticks(x.0, x.1, |ticks| x_ruler.labels_keep_apart(ticks, SMALL.size));
        let label_end = |tick: &Tick| x_ruler.at(tick.value) + text::width(&tick.label, SMALL.size) / 2.0;
        let too_far = x_ticks.iter().map(label_end).fold(0.0, f64::max) - (WIDTH - 6.0);
        x_ruler.pixels.1 -= too_far.max(0.0);

        let captions = Captions::of(chart, &x_ruler);
        let legend = Legend::new(legend_entries(chart, &captions), WIDTH - MARGIN - left);
        let top = Self::STRIP_TOP + CAPTION_ROW * captions.rows as f64;
        let legend_top = HEIGHT - 14.0 - legend.height();
        let bottom = legend_top - 64.0;
        let area = Area { x: x_ruler, y: y_ruler(top, bottom) };
        let y_ticks = if bottom - top < usual_height { self::y_ticks(&chart.y, &area.y) } else { y_ticks };

        let off_scale = |value: f64, scale| scale == Scale::Log && value <= 0.0;
        Self {
            x_has_zeros: chart.points().any(|point| off_scale(point.0, chart.x.scale)),
            y_has_zeros: chart.points().any(|point| off_scale(point.1, chart.y.scale)),
            area,
            x_ticks,
            y_ticks,
            captions,
            legend,
            legend_corner: (left, legend_top),
        }
    }
}

impl Area {
    fn is_empty_of(&self, series: &[Series]) -> bool {
        series.iter().all(|series| self.stretches(&series.points, series.step).is_empty())
    }
}

fn y_ticks(axis: &Axis, ruler: &Ruler) -> Vec<Tick> {
    let far = |pair: &[Tick]| ruler.at(pair[0].value) - ruler.at(pair[1].value) >= 1.6 * SMALL.size;
    axis.ticks(ruler.lo, ruler.hi, |ticks| ticks.windows(2).all(far))
}

fn legend_entries(chart: &LineChart, captions: &Captions) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (i, series) in chart.series.iter().take(NAMED_SERIES_MAX).enumerate() {
        let look = Look::of(i);
        let swatch = match series.style {
            Stroke::Solid => Swatch::Line(look),
            Stroke::Dashed => Swatch::Dashes(look),
            Stroke::Points => Swatch::Marker(look),
        };
        entries.push(Entry { swatch, name: series.name.clone() });
    }
    let unnamed = chart.series.len().saturating_sub(NAMED_SERIES_MAX);
    if unnamed > 0 {
        entries.push(Entry { swatch: Swatch::None, name: format!("+ {unnamed} more") });
    }

    let mut others: Vec<Entry> = Vec::new();
    for mark in &chart.marks {
        if let Mark::Y(_, label) = mark {
            others.push(Entry { swatch: Swatch::Reference, name: label.clone() });
        }
    }
    let numbered = captions.meanings.iter().enumerate();
    others.extend(
        numbered.map(|(i, (swatch, label))| Entry { swatch: *swatch, name: format!("{}: {label}", i + 1) }),
    );
    if others.len() > NAMED_OTHERS_MAX {
        let unnamed = others.len() - (NAMED_OTHERS_MAX - 1);
        others.truncate(NAMED_OTHERS_MAX - 1);
        others.push(Entry { swatch: Swatch::None, name: format!("+ {unnamed} more labels") });
    }
    entries.extend(others);
    entries
}

fn axis_label(axis: &Axis, has_zeros: bool) -> String {
    let remark = match axis.scale {
        Scale::Linear => return axis.label.clone(),
        Scale::Log if has_zeros => "log scale, zeros at the edge",
        Scale::Log => "log scale",
    };
    format!("{} ({remark})", axis.label).trim_start().to_owned()
}

pub(super) fn shows(ruler: &Ruler, value: f64) -> bool {
    usable(value) && ruler.lo <= value && value <= ruler.hi
}
