//! Charts: line charts, network maps and sequences of messages, drawn as SVG and, from that, as PNG.
//!
//! The toolkit is neutral: it takes numbers, names and units and knows nothing of what they were measured on. A
//! chart is a plain value ([`LineChart`], [`NetworkMap`], [`SequenceChart`]); drawing it is a pure function, so that the same value
//! gives the same bytes on every call and every machine. It never fails: what cannot be drawn (a missing number, an
//! empty series) is left out, and what must be shortened says so in the picture.
//!
//! Map of the code:
//! - `lines`, `network` and `sequence`: the kinds of chart, each from its data to its layout;
//! - for the first, `scale` and `unit`: axes and ticks; `path`: from data points to pixels; `captions` and `legend`;
//! - for the second, `placement`: the search for a layout without collisions, also of the labels of the third;
//! - `canvas`: drawing primitives over `plotters`; `look`: colours and markers; `text`: measuring;
//! - `png`: SVG to PNG; [`lint`]: finds cut-off, overlapping and tiny text in any SVG, for tests.

mod canvas;
mod captions;
mod legend;
mod lines;
pub mod lint;
mod look;
mod network;
mod path;
mod placement;
mod png;
mod scale;
mod sequence;
mod text;
mod unit;

#[cfg(test)]
mod tests;

pub use lines::{Band, LineChart, Mark, Series, Stroke};
pub use network::{Link, NetworkMap, PlaceOnMap};
pub use png::png;
pub use scale::{Axis, Scale};
pub use sequence::{Arrow, Lifeline, SequenceChart};
pub use unit::Unit;

/// Any chart, for callers that keep several kinds in one list.
#[derive(Clone, Debug)]
pub enum Chart {
    /// Curves over two axes.
    Lines(LineChart),
    /// Places and the links between them.
    Network(NetworkMap),
}

/// Draws a chart as a complete SVG document.
pub fn svg(chart: &Chart) -> String {
    match chart {
        Chart::Lines(lines) => lines.svg(),
        Chart::Network(map) => map.svg(),
    }
}
