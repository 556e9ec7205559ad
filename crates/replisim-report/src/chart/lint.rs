//! Finds text that a reader of a picture could not read: cut off, overlapping, empty, tiny, or in signs that the vendored
//! font lacks, which a PNG shows as boxes.
//!
//! Works on any SVG whose text is in `<text>` elements without children, which is what the charts here contain. Text
//! is measured with the vendored font. Whether a line crosses a text is not examined.

use roxmltree::{Document, Node};

use super::text;

/// The smallest text that is accepted, in pixels of the image at its declared size.
pub const SMALLEST_TEXT: f64 = 11.0;

/// All faults of an SVG document, one sentence each; none if it is fine.
pub fn faults(svg: &str) -> Vec<String> {
    match Document::parse(svg) {
        Ok(document) => faults_of(&document),
        Err(error) => vec![format!("not an XML document: {error}")],
    }
}

fn faults_of(document: &Document<'_>) -> Vec<String> {
    let Some(sheet) = Sheet::of(document.root_element()) else {
        return vec!["no usable view box, width or height".to_owned()];
    };
    let mut faults = Vec::new();
    let mut labels: Vec<Label> = Vec::new();
    for node in document.descendants().filter(|node| node.has_tag_name("text")) {
        let Some(label) = Label::of(node) else {
            faults.push("empty text".to_owned());
            continue;
        };
        let shown_size = label.size * sheet.zoom;
        if shown_size < SMALLEST_TEXT - 0.01 {
            faults.push(format!("'{}' is tiny: {shown_size:.1} px", label.text));
        }
        if let Some(sign) = text::lacking(&label.text) {
            faults.push(format!("'{}' has a sign that the font lacks: {sign}", label.text));
        }
        if !sheet.bounds.contains(&label.bounds) {
            faults.push(format!("'{}' leaves the view box", label.text));
        }
        for other in labels.iter().filter(|other| other.bounds.overlaps(&label.bounds)) {
            faults.push(format!("'{}' and '{}' overlap", other.text, label.text));
        }
        labels.push(label);
    }
    faults
}

/// The view box, and how much larger than it the image is shown.
struct Sheet {
    bounds: Bounds,
    zoom: f64,
}

impl Sheet {
    fn of(svg: Node<'_, '_>) -> Option<Self> {
        let width = number(svg.attribute("width")?)?;
        let (x, y, box_width, box_height) = match svg.attribute("viewBox") {
            Some(view_box) => {
                let mut numbers = view_box.split([' ', ',']).filter(|part| !part.is_empty()).map(number);
                (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??)
            }
            None => (0.0, 0.0, width, number(svg.attribute("height")?)?),
        };
        let bounds = Bounds { left: x, top: y, right: x + box_width, bottom: y + box_height };
        (width > 0.0 && box_width > 0.0).then_some(Self { bounds, zoom: width / box_width })
    }
}

struct Label {
    text: String,
    size: f64,
    bounds: Bounds,
}

impl Label {
    /// The text of an element and where it stands, or `None` if there is nothing to read.
    fn of(node: Node<'_, '_>) -> Option<Self> {
        let text = node.text().unwrap_or_default().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            return None;
        }
        let attribute = |name: &str| inherited(node, name);
        let size = attribute("font-size").and_then(number).unwrap_or(16.0);
        let coordinate = |name| node.attribute(name).and_then(number).unwrap_or(0.0);
        let width = text::width(&text, size);
        let left = coordinate("x")
            - match attribute("text-anchor") {
                Some("middle") => width / 2.0,
                Some("end") => width,
                _ => 0.0,
            };
        let below = match attribute("dominant-baseline") {
            Some("middle" | "central") => text::MIDDLE * size,
            Some("hanging") => text::ASCENT * size,
            _ => 0.0,
        };
        let baseline = coordinate("y") + below + node.attribute("dy").map_or(0.0, |dy| length(dy, size));
        let flat = Bounds {
            left,
            top: baseline - text::ASCENT * size,
            right: left + width,
            bottom: baseline + text::DESCENT * size,
        };
        let bounds = match node.attribute("transform").and_then(rotation) {
            Some((degrees, center)) => flat.rotated(degrees, center),
            None => flat,
        };
        Some(Self { text, size, bounds })
    }
}

#[derive(Clone, Copy)]
struct Bounds {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Bounds {
    fn contains(&self, inner: &Bounds) -> bool {
        self.left <= inner.left
            && self.top <= inner.top
            && inner.right <= self.right
            && inner.bottom <= self.bottom
    }

    fn overlaps(&self, other: &Bounds) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// The upright box around this box turned clockwise about a point.
    fn rotated(&self, degrees: f64, center: (f64, f64)) -> Bounds {
        let (sin, cos) = (libm::sin(degrees.to_radians()), libm::cos(degrees.to_radians()));
        let turn = |x: f64, y: f64| {
            let (dx, dy) = (x - center.0, y - center.1);
            (center.0 + dx * cos - dy * sin, center.1 + dx * sin + dy * cos)
        };
        let corners = [
            turn(self.left, self.top),
            turn(self.right, self.top),
            turn(self.left, self.bottom),
            turn(self.right, self.bottom),
        ];
        let start = Bounds {
            left: f64::INFINITY,
            top: f64::INFINITY,
            right: f64::NEG_INFINITY,
            bottom: f64::NEG_INFINITY,
        };
        corners.iter().fold(start, |b, &(x, y)| Bounds {
            left: b.left.min(x),
            top: b.top.min(y),
            right: b.right.max(x),
            bottom: b.bottom.max(y),
        })
    }
}

fn inherited<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.ancestors().find_map(|node| node.attribute(name))
}

fn number(text: &str) -> Option<f64> {
    text.trim().trim_end_matches("px").parse().ok().filter(|number: &f64| number.is_finite())
}

/// A length that may be given in multiples of the font size.
fn length(text: &str, font_size: f64) -> f64 {
    let in_units_of = |suffix: &str| text.trim().strip_suffix(suffix).and_then(number);
    if let Some(em) = in_units_of("em") {
        em * font_size
    } else if let Some(ex) = in_units_of("ex") {
        ex * font_size / 2.0
    } else {
        number(text).unwrap_or(0.0)
    }
}

/// Reads `rotate(degrees)` or `rotate(degrees, x, y)`.
fn rotation(transform: &str) -> Option<(f64, (f64, f64))> {
    let inner = transform.trim().strip_prefix("rotate(")?.strip_suffix(')')?;
    let numbers: Vec<f64> =
        inner.split([' ', ',']).filter(|part| !part.is_empty()).map_while(number).collect();
    match numbers[..] {
        [degrees] => Some((degrees, (0.0, 0.0))),
        [degrees, x, y] => Some((degrees, (x, y))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50" viewBox="0 0 400 200">{body}</svg>"#
        );
        assert_eq!(faults(&svg), expected);
    }

    #[test]
    fn readable_text_has_no_faults() {
        check(
            r#"<text x="10" y="100" font-size="48">one</text><text x="110" y="100" font-size="48">two</text>"#,
            &[],
        );
    }

    #[test]
    fn text_that_is_cut_off_is_found_on_every_side_and_for_every_anchor() {
        check(r#"<text x="350" y="100" font-size="48">right</text>"#, &["'right' leaves the view box"]);
        check(r#"<text x="350" y="100" font-size="48" text-anchor="end">right</text>"#, &[]);
        check(
            r#"<text x="10" y="100" font-size="48" text-anchor="middle">left</text>"#,
            &["'left' leaves the view box"],
        );
        check(r#"<text x="10" y="10" font-size="48">top</text>"#, &["'top' leaves the view box"]);
        check(r#"<text x="10" y="10" dy="0.76em" font-size="48">top</text>"#, &[]);
        check(r#"<text x="10" y="199" font-size="48">bottom</text>"#, &["'bottom' leaves the view box"]);
    }

    #[test]
    fn signs_that_the_font_lacks_are_found() {
        check(r#"<text x="10" y="100" font-size="48">a – b · µ …</text>"#, &[]);
        let found = "'a → b' has a sign that the font lacks: →";
        check(r#"<text x="10" y="100" font-size="48">a → b</text>"#, &[found]);
    }

    #[test]
    fn rotation_is_honoured() {
        let long = "a long label";
        check(
            &format!(r#"<text x="60" y="20" font-size="48">{long}</text>"#),
            &["'a long label' leaves the view box"],
        );
        check(
            &format!(r#"<text x="60" y="190" font-size="48" transform="rotate(270, 60, 190)">{long}</text>"#),
            &["'a long label' leaves the view box"],
        );
        check(r#"<text x="60" y="190" font-size="48" transform="rotate(270, 60, 190)">short</text>"#, &[]);
        check(
            r#"<text x="60" y="190" font-size="48" transform="rotate(270, 60, 190)">up</text><text x="100" y="180" font-size="48">by</text>"#,
            &[],
        );
        check(
            r#"<text x="60" y="180" font-size="48">up</text><text x="100" y="180" font-size="48">by</text>"#,
            &["'up' and 'by' overlap"],
        );
    }

    #[test]
    fn overlapping_empty_and_tiny_text_is_found() {
        check(
            r#"<text x="10" y="100" font-size="48">one</text><text x="60" y="110" font-size="48">two</text>"#,
            &["'one' and 'two' overlap"],
        );
        check(r#"<text x="10" y="100" font-size="48"> </text>"#, &["empty text"]);
        check(r#"<text x="10" y="100" font-size="40">tiny</text>"#, &["'tiny' is tiny: 10.0 px"]);
        assert_eq!(faults("<svg>"), ["not an XML document: the root node was opened but never closed"]);
        assert_eq!(faults("<svg/>"), ["no usable view box, width or height"]);
    }
}
