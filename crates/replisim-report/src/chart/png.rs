//! SVG to PNG, with the vendored font and nothing else from the machine.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::text;

/// Renders an SVG document as a PNG file, `scale` times as large as the size that the document declares.
///
/// # Errors
/// If the text is not an SVG document, or if the picture would be empty or too large.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, String> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(text::ROBOTO.to_vec());
    let options = Options { fontdb: Arc::new(fonts), font_family: "Roboto".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| format!("not an SVG document: {error}"))?;

    let pixels = |length: f32| (length * scale).round() as u32;
    let (width, height) = (pixels(tree.size().width()), pixels(tree.size().height()));
    let mut picture = Pixmap::new(width, height)
        .ok_or_else(|| format!("a picture of {width} × {height} pixels cannot be drawn"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    picture.encode_png().map_err(|error| format!("PNG encoding failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_follows_the_scale_and_nonsense_is_an_error() {
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>"#;
        let file = png(svg, 2.0).unwrap();
        let size_in_header = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((size_in_header(16), size_in_header(20)), (60, 40));
        assert!(png("no svg", 1.0).is_err());
        assert!(png(svg, 0.0).is_err());
    }
}
