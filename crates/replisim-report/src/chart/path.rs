//! From data points to pixels: gaps, staircases, clipping to the data area, and thinning.

use super::canvas::Point;
use super::scale::Ruler;
use super::unit::usable;

/// The data area: its x and its y axis as pixels.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) x: Ruler,
    pub(super) y: Ruler,
}

impl Area {
    pub(super) fn left(&self) -> f64 {
        self.x.pixels.0 - self.x.room.0
    }

    pub(super) fn right(&self) -> f64 {
        self.x.pixels.1 + self.x.room.1
    }

    pub(super) fn top(&self) -> f64 {
        self.y.pixels.1
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y.pixels.0
    }

    fn contains(&self, point: Point) -> bool {
        self.clip(point, point).is_some()
    }

    /// The part of a segment inside the area (Liang and Barsky), if any.
    fn clip(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        const EDGE: f64 = 0.01;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let sides = [
            (-dx, from.0 - self.left() + EDGE),
            (dx, self.right() - from.0 + EDGE),
            (-dy, from.1 - self.top() + EDGE),
            (dy, self.bottom() - from.1 + EDGE),
        ];
        for (outward, room) in sides {
            if outward == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if outward < 0.0 {
                enter = enter.max(room / outward);
            } else {
                leave = leave.min(room / outward);
            }
        }
        let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
        (enter <= leave).then(|| (at(enter), at(leave)))
    }

    /// The unbroken stretches of a curve, inside the area.
    pub(super) fn stretches(&self, points: &[(f64, f64)], staircase: bool) -> Vec<Vec<Point>> {
        let unbroken = self.unbroken(points, staircase);
        unbroken.iter().flat_map(|stretch| self.clipped(stretch)).map(|stretch| thinned(&stretch)).collect()
    }

    /// The data points themselves, inside the area.
    pub(super) fn dots(&self, points: &[(f64, f64)]) -> Vec<Point> {
        let inside = |point: &Point| self.contains(*point);
        self.unbroken(points, false).into_iter().flatten().filter(inside).collect()
    }

    /// Splits at missing values. A staircase keeps its level until the next x, even if the value there is missing.
    fn unbroken(&self, points: &[(f64, f64)], staircase: bool) -> Vec<Vec<Point>> {
        let mut done = Vec::new();
        let mut stretch: Vec<Point> = Vec::new();
        for &(x, y) in points {
            let level = stretch.last().map(|last| last.1);
            if let Some(level) = level
                && staircase
                && usable(x)
            {
                stretch.push((self.x.at(x), level));
            }
            if usable(x) && usable(y) {
                stretch.push((self.x.at(x), self.y.at(y)));
            } else if !stretch.is_empty() {
                done.push(std::mem::take(&mut stretch));
            }
        }
        if !stretch.is_empty() {
            done.push(stretch);
        }
        done
    }

    fn clipped(&self, stretch: &[Point]) -> Vec<Vec<Point>> {
        if let [point] = stretch {
            return if self.contains(*point) { vec![vec![*point]] } else { Vec::new() };
        }
        let mut done: Vec<Vec<Point>> = Vec::new();
        for pair in stretch.windows(2) {
            let Some((from, to)) = self.clip(pair[0], pair[1]) else { continue };
            match done.last_mut() {
                Some(open) if open.last() == Some(&from) => open.push(to),
                _ => done.push(vec![from, to]),
            }
        }
        done
    }
}

/// Points spread evenly over the width of the area where the curve can carry a marker: the `phase` (0 to 1) moves
/// them sideways, so that the markers of different curves do not cover each other.
pub(super) fn spots(area: &Area, stretches: &[Vec<Point>], phase: f64) -> Vec<Point> {
    const SPOTS: usize = 7;
    let distance = (area.right() - area.left()) / SPOTS as f64;
    let columns = (0..SPOTS).map(|k| area.left() + (k as f64 + phase) * distance);
    columns.filter_map(|x| stretches.iter().find_map(|stretch| crossing(stretch, x))).collect()
}

fn crossing(stretch: &[Point], x: f64) -> Option<Point> {
    let pair = stretch.windows(2).find(|pair| pair[0].0 <= x && x < pair[1].0)?;
    let share = (x - pair[0].0) / (pair[1].0 - pair[0].0);
    Some((x, pair[0].1 + share * (pair[1].1 - pair[0].1)))
}

/// Keeps at most four points of each run within one pixel column: its first, lowest, highest and last. The picture
/// stays the same and a million points stay a small file.
fn thinned(stretch: &[Point]) -> Vec<Point> {
    let mut kept = Vec::new();
    for run in stretch.chunk_by(|a, b| a.0.round() == b.0.round()) {
        if run.len() <= 4 {
            kept.extend_from_slice(run);
            continue;
        }
        let by_height = |&a: &usize, &b: &usize| run[a].1.total_cmp(&run[b].1);
        let mut indices = [0, run.len() - 1, 0, 0];
        indices[2] = (0..run.len()).min_by(by_height).unwrap_or(0);
        indices[3] = (0..run.len()).max_by(by_height).unwrap_or(0);
        indices.sort_unstable();
        kept.extend(indices.map(|i| run[i]));
    }
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::super::scale::Scale;
    use super::*;

    const AREA: Area = Area {
        x: Ruler { lo: 0.0, hi: 10.0, scale: Scale::Linear, pixels: (0.0, 10.0), room: (0.0, 0.0) },
        y: Ruler { lo: 0.0, hi: 10.0, scale: Scale::Linear, pixels: (10.0, 0.0), room: (0.0, 0.0) },
    };

    #[track_caller]
    fn check(points: &[(f64, f64)], staircase: bool, expected: &[&[Point]]) {
        let round = |p: &Point| ((p.0 * 10.0).round() / 10.0, (p.1 * 10.0).round() / 10.0);
        let stretches = AREA.stretches(points, staircase);
        let stretches: Vec<Vec<Point>> = stretches.iter().map(|s| s.iter().map(round).collect()).collect();
        assert_eq!(stretches, expected);
    }

    #[test]
    fn missing_values_break_the_line() {
        let points = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 4.0)];
        check(&points, false, &[&[(0.0, 9.0), (1.0, 8.0)], &[(3.0, 6.0)]]);
        check(&points, true, &[&[(0.0, 9.0), (1.0, 9.0), (1.0, 8.0), (2.0, 8.0)], &[(3.0, 6.0)]]);
    }

    #[test]
    fn lines_end_where_they_leave_the_area() {
        check(&[(0.0, 0.0), (20.0, 20.0)], false, &[&[(0.0, 10.0), (10.0, 0.0)]]);
        check(
            &[(1.0, 5.0), (2.0, 15.0), (3.0, 5.0)],
            false,
            &[&[(1.0, 5.0), (1.5, 0.0)], &[(2.5, 0.0), (3.0, 5.0)]],
        );
        check(&[(-1.0, 5.0)], false, &[]);
    }

    #[test]
    fn crowded_columns_keep_their_extremes() {
        let noise: Vec<Point> = (0..1000).map(|i| (5.0, f64::from(i * 7 % 1000))).collect();
        let thin = thinned(&noise);
        assert!(thin.len() <= 4);
        assert!(thin.contains(&(5.0, 0.0)) && thin.contains(&(5.0, 999.0)));
    }
}
