//! Text as the layout sees it: how wide it is, and how much of it fits.
//!
//! Widths come from the vendored font, so that no layout depends on the fonts of the machine that draws. A viewer
//! without Roboto falls back to Helvetica or Arial, which run slightly wider; every width includes slack for that.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef};

/// The one font that is shipped, as the bytes of a TrueType file.
pub(super) const ROBOTO: &[u8] = include_bytes!("../../fonts/Roboto-Regular.ttf");

/// What an SVG asks its viewer for; the first name is the vendored font.
pub(super) const FAMILIES: &str = "Roboto, Helvetica, Arial, sans-serif";

/// How far text reaches above and below its baseline, as shares of the font size.
pub(super) const ASCENT: f64 = 0.76;
pub(super) const DESCENT: f64 = 0.21;

/// Half the height of a capital letter: the distance from the baseline up to the visual middle of a line.
pub(super) const MIDDLE: f64 = 0.356;

/// A fallback font may be this much wider than the vendored one.
const SLACK: f64 = 1.04;

/// The width of `text` in pixels at a font size in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let font = font();
    let units_per_em = f64::from(font.units_per_em().unwrap_or(1000.0));
    let advance: f64 = text.chars().map(|c| f64::from(font.h_advance_unscaled(font.glyph_id(c)))).sum();
    advance / units_per_em * size * SLACK
}

/// `text` if it fits into `max_width`, otherwise its longest beginning that does, ended by "…".
///
/// Control characters, which XML forbids, are removed on the way, and arrows, which the font lacks, are put in words.
pub(super) fn fit(text: &str, size: f64, max_width: f64) -> String {
    let text: String = text.trim().replace('→', "to").chars().filter(|c| !c.is_control()).collect();
    if width(&text, size) <= max_width {
        return text;
    }
    let ends = text.char_indices().map(|(end, _)| end).rev();
    ends.map(|end| format!("{}…", text[..end].trim_end()))
        .find(|shortened| width(shortened, size) <= max_width)
        .unwrap_or_else(|| "…".to_owned())
}

/// The first sign of a text that the vendored font does not have.
pub(super) fn lacking(text: &str) -> Option<char> {
    text.chars().find(|sign| font().glyph_id(*sign).0 == 0)
}

fn font() -> &'static FontRef<'static> {
    static FONT: OnceLock<FontRef<'static>> = OnceLock::new();
    FONT.get_or_init(|| FontRef::try_from_slice(ROBOTO).expect("the vendored font is a valid TrueType file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_shortened_to_the_width() {
        let name = "a-rather-long-name-of-exactly-forty-char";
        let short = fit(name, 14.0, 120.0);
        assert!(short.ends_with('…') && width(&short, 14.0) <= 120.0, "{short}");
        assert_eq!(fit(name, 14.0, 1000.0), name);
        assert_eq!(fit("tab\there\u{0}", 14.0, 1000.0), "tabhere");
        assert_eq!(fit("anything", 14.0, 0.0), "…");
        assert_eq!(fit("a → b lossy", 14.0, 1000.0), "a to b lossy");
    }
}
