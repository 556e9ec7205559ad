//! A [`Problem`] shown in its text, in the manner of rustc.
//!
//! ```text
//! error: unknown field `warmpu`
//!   --> scenarios/quickstart.yaml:7:1
//!    |
//!  7 | warmpu: 5s
//!    | ^^^^^^ did you mean `warmup`?
//!    |
//!    = help: allowed here: `name`, `seed`, `warmup`
//! ```
//!
//! Columns count characters. Tabs are shown as one space, so that the caret stays in its place; characters that a
//! terminal shows two columns wide still move it.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::node::Origin;
use super::problem::Problem;

/// The texts that an input consists of.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Source {
    /// The name of the file, as it is shown.
    pub name: String,
    /// The text of the file.
    pub text: String,
    /// The arguments of `--set`, in order.
    pub overrides: Vec<String>,
}

/// A problem together with the text that has it. `Display` shows it without colour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What is wrong.
    pub problem: Problem,
    /// In which texts.
    pub source: Arc<Source>,
}

/// The widest line shown in full; of a longer one the part around the caret is shown.
const WIDEST: usize = 120;
/// What is kept before the caret of a long line.
const CONTEXT: usize = 40;

impl Diagnostic {
    /// The diagnostic as lines of text, optionally with ANSI colours. It ends in a line break.
    pub fn render(&self, colour: bool) -> String {
        let paint = Paint { colour };
        let (location, number, line, column, length) = self.place();
        let gutter = " ".repeat(number.len().max(1));
        let bar = paint.frame("|");
        let mut out = String::new();
        let mut line_out = |text: fmt::Arguments<'_>| {
            let _ = writeln!(out, "{}", text.to_string().trim_end()); // writing to a string cannot fail
        };
        line_out(format_args!(
            "{}{}",
            paint.error("error"),
            paint.strong(&format!(": {}", self.problem.message))
        ));
        line_out(format_args!("{gutter} {} {location}", paint.frame("-->")));
        if let Some(line) = line {
            let (shown, column, length) = window(&line, column, length);
            let label = self.problem.label.as_deref().unwrap_or_default();
            let carets = format!("{} {label}", "^".repeat(length));
            let number = format!("{number:>width$}", width = gutter.len());
            line_out(format_args!(" {gutter} {bar}"));
            line_out(format_args!(" {} {bar} {shown}", paint.frame(&number)));
            line_out(format_args!(
                " {gutter} {bar} {}{}",
                " ".repeat(column),
                paint.error(carets.trim_end())
            ));
            if self.problem.help.is_some() {
                line_out(format_args!(" {gutter} {bar}"));
            }
        }
        if let Some(help) = &self.problem.help {
            line_out(format_args!(" {gutter} {} {}: {help}", paint.frame("="), paint.strong("help")));
        }
        out
    }

    /// The place in words, the number in the margin, the line, and the caret's column (from 0) and length.
    fn place(&self) -> (String, String, Option<String>, usize, usize) {
        let source = &self.source;
        match self.problem.origin {
            Some(Origin::File { line, column, length }) => {
                let text = nth_line(&source.text, (line as usize).saturating_sub(1));
                let location = format!("{}:{line}:{column}", source.name);
                (location, line.to_string(), Some(text), (column as usize).saturating_sub(1), length as usize)
            }
            Some(Origin::Override { index, offset, length }) => {
                let argument = source.overrides.get(index as usize).map_or("", String::as_str);
                let location = match argument.split_once('=') {
                    Some((path, _)) => format!("--set {path}=…"),
                    None => "--set".to_owned(),
                };
                (location, String::new(), Some(argument.to_owned()), offset as usize, length as usize)
            }
            None => (source.name.clone(), String::new(), None, 0, 0),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostic {}

/// A line by its number from 0, where lines end as in YAML. A byte-order mark is not part of the first.
fn nth_line(text: &str, number: usize) -> String {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    text.split(['\n', '\r']).nth(number).unwrap_or_default().to_owned()
}

/// The part of a line to show, and the caret's column and length within it.
fn window(line: &str, column: usize, length: usize) -> (String, usize, usize) {
    let line: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column = column.min(line.len());
    let (start, end) = if line.len() <= WIDEST {
        (0, line.len())
    } else {
        let start = column.saturating_sub(CONTEXT);
        (start, (start + WIDEST).min(line.len()))
    };
    let mut shown = String::from(if start > 0 { "…" } else { "" });
    shown.extend(&line[start..end]);
    shown.push_str(if end < line.len() { "…" } else { "" });
    let length = length.min(end - column).max(1);
    (shown, column - start + usize::from(start > 0), length)
}

struct Paint {
    colour: bool,
}

impl Paint {
    fn error(&self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    fn frame(&self, text: &str) -> String {
        self.wrap("1;34", text)
    }

    fn strong(&self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn wrap(&self, code: &str, text: &str) -> String {
        if self.colour && !text.trim().is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
