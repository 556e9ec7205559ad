//! From YAML text to a [`Node`] tree, by way of the event parser that `serde-saphyr` is built on.
//!
//! Not by `serde-saphyr` itself, which deserialises straight into types: an override needs a tree that can be changed
//! before it is read, and the tree needs the place of every key and the types of YAML 1.2, which the events give.
//! Anchors and aliases work; each use of an alias is a copy and counts against the limits, so that a small file cannot
//! unfold into a large tree ("billion laughs"). All limits are far above any scenario and far below what hurts.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::node::{Key, Node, Origin, Value, shortened};
use super::problem::Problem;
use super::scalar::resolve;

/// The longest text, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// The most nodes of a tree, aliases unfolded.
const MAX_NODES: usize = 1_000_000;
/// The deepest nesting of lists and maps.
pub(crate) const MAX_DEPTH: usize = 64;

/// Parses the text of a file, which must hold exactly one document.
pub fn parse(text: &str) -> Result<Node, Problem> {
    let start = Origin::File { line: 1, column: 1, length: 1 };
    if text.len() > MAX_BYTES {
        let problem = Problem::new(format!("the file is larger than {} MiB", MAX_BYTES >> 20)).at(start);
        return Err(problem.help("a scenario is a few kilobytes: is this the right file?"));
    }
    match Builder::new(text, Place::File).document()? {
        Some(root) => Ok(root),
        None => Err(Problem::new("the file is empty")
            .at(start)
            .help("a scenario has at least `duration`, `topology`, `protocol` and `workload`")),
    }
}

/// Parses the value of the override `index`, which starts after `offset` characters of the argument.
pub(crate) fn parse_fragment(text: &str, index: u32, offset: u32) -> Result<Node, Problem> {
    let start = Origin::Override { index, offset, length: 1 };
    if text.len() > MAX_BYTES {
        return Err(Problem::new(format!("the value is larger than {} MiB", MAX_BYTES >> 20)).at(start));
    }
    let root = Builder::new(text, Place::Override { index, offset }).document()?;
    Ok(root.unwrap_or(Node { origin: start, value: Value::Null }))
}

/// What the text is, which decides how positions are told.
#[derive(Clone, Copy)]
enum Place {
    File,
    Override { index: u32, offset: u32 },
}

struct Builder<'t> {
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    place: Place,
    /// Finished nodes that have an anchor, by the number that the parser gives to it.
    anchors: BTreeMap<usize, Node>,
    /// Nodes made so far, copies for anchors and aliases included.
    nodes: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, place: Place) -> Builder<'t> {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        let parser = Parser::new_from_str_with_options(text, options);
        Builder { text, parser, place, anchors: BTreeMap::new(), nodes: 0 }
    }

    fn document(mut self) -> Result<Option<Node>, Problem> {
        self.refuse_control_characters()?;
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    let problem = Problem::new("a second document starts here");
                    return Err(problem
                        .at(self.origin(span))
                        .help("a file holds one document: remove the `---`"));
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                _ => return Err(Problem::new("unexpected text").at(self.origin(span))),
            }
        }
    }

    /// The parser takes a NUL for the end of the text and would silently drop what follows.
    fn refuse_control_characters(&self) -> Result<(), Problem> {
        let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
        let Some((at, character)) = self.text.char_indices().find(|&(_, c)| forbidden(c)) else {
            return Ok(());
        };
        let before = self.text[..at].replace("\r\n", "\n");
        let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = before.matches(['\n', '\r']).count() + 1;
        let (column, index) = (before[line_start..].chars().count(), self.text[..at].chars().count());
        let code = u32::from(character);
        let problem = Problem::new(format!("the character U+{code:04X} cannot stand in YAML text"));
        Err(problem.at(self.place.origin(line, column, index, 1)))
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.explain(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Problem> {
        let origin = self.origin(span);
        self.count(1, depth, origin)?;
        if event.tag().is_some() {
            let problem = Problem::new("tags such as `!!str` are not supported").at(origin);
            return Err(problem.help("remove the tag; quotes make a string of anything"));
        }
        let (anchor, node) = match event {
            Event::Alias(id) => return self.alias(id, depth, origin),
            Event::Scalar(text, style, anchor, _) => {
                let plain = matches!(style, ScalarStyle::Plain);
                let value = if plain { resolve(&text) } else { Value::String(text.into_owned()) };
                (anchor, Node { origin, value })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(origin, depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(origin, depth)?),
            _ => return Err(Problem::new("expected a value").at(origin)),
        };
        if anchor != 0 {
            self.count(size(&node).nodes, depth, origin)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, start: Origin, depth: usize) -> Result<Node, Problem> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let last =
                    if is_flow(span) { Some(self.origin(span)) } else { items.first().map(|n| n.origin) };
                let origin = last.map_or(start, |last| start.until(last));
                return Ok(Node { origin, value: Value::List(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: Origin, depth: usize) -> Result<Node, Problem> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let end = loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break span;
            }
            let key = self.key(event, span)?;
            let (event, span) = self.next()?;
            entries.push((key, self.node(event, span, depth + 1)?));
        };
        let mut seen = BTreeMap::new();
        for (key, _) in &entries {
            if let Some(first) = seen.insert(key.text.as_str(), key.origin) {
                let problem =
                    Problem::new(format!("the key `{}` is given twice", shortened(&key.text))).at(key.origin);
                return Err(match first {
                    Origin::File { line, column, .. } => problem
                        .label(format!("first given in line {line}"))
                        .help(format!("remove this one or the one in line {line}, column {column}")),
                    Origin::Override { .. } => problem,
                });
            }
        }
        let origin = match entries.first() {
            _ if is_flow(end) => start.until(self.origin(end)),
            Some((key, node)) => start.until(key.origin).until(node.origin),
            None => start,
        };
        Ok(Node { origin, value: Value::Map(entries) })
    }

    fn key(&mut self, event: Event<'t>, span: Span) -> Result<Key, Problem> {
        let origin = self.origin(span);
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => {
                let problem = Problem::new("merge keys (`<<`) are not supported").at(origin);
                Err(problem.help("repeat the entries, or use an alias for the whole value"))
            }
            Event::Scalar(..) if span.start.index() == span.end.index() => {
                Err(Problem::new("a key is missing before the `:`").at(origin))
            }
            Event::Scalar(text, ..) => Ok(Key { text: text.into_owned(), origin }),
            _ => Err(Problem::new("a key must be text, not a list, a map or an alias").at(origin)),
        }
    }

    fn alias(&mut self, id: usize, depth: usize, origin: Origin) -> Result<Node, Problem> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(Problem::new("this alias stands inside of what it refers to").at(origin));
        };
        let size = size(&node);
        self.count(size.nodes, depth + size.depth, origin)?;
        Ok(node)
    }

    fn count(&mut self, nodes: usize, depth: usize, origin: Origin) -> Result<(), Problem> {
        self.nodes += nodes;
        if depth > MAX_DEPTH {
            return Err(too_deep().at(origin));
        }
        if self.nodes > MAX_NODES {
            let problem = Problem::new(format!("more than {MAX_NODES} values")).at(origin);
            return Err(problem.help("values repeated by aliases count each time"));
        }
        Ok(())
    }

    fn origin(&self, span: Span) -> Origin {
        let length = span.end.index().saturating_sub(span.start.index());
        self.place.origin(span.start.line(), span.start.col(), span.start.index(), length)
    }

    /// The parser's errors, the frequent ones in words for those who do not know the grammar of YAML.
    fn explain(&self, error: &ScanError) -> Problem {
        let problem = match error.kind() {
            ErrorKind::RecursionLimitExceeded => too_deep(),
            ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
                Problem::new("a tab cannot indent a line").help("use spaces")
            }
            ErrorKind::MappingValueNotAllowed => Problem::new("a `:` is not allowed here").help(
                "check the indentation of this line and the one above; quote a text that contains `: `",
            ),
            ErrorKind::SimpleKeyExpected => {
                Problem::new("expected `key: value`").help("put a `:` and a space after the key")
            }
            ErrorKind::ExpectedBlockMappingKey => {
                Problem::new("expected `key: value`, as in the lines before")
                    .help("check the indentation of this line and the one above")
            }
            ErrorKind::ExpectedBlockSequenceEntry => {
                Problem::new("expected the next item of the list, `- …`")
                    .help("check the indentation; quote a text that starts with `{`, `[` or a quote")
            }
            ErrorKind::ExpectedFlowMappingSeparator => {
                Problem::new("expected `,` or `}`").help("separate entries by `,` and end the map with `}`")
            }
            ErrorKind::ExpectedFlowSequenceSeparator => {
                Problem::new("expected `,` or `]`").help("separate items by `,` and end the list with `]`")
            }
            ErrorKind::ExpectedDocumentStart => Problem::new("expected the end of the text"),
            ErrorKind::UnknownAnchor => Problem::new("no anchor (`&name`) above has the name of this alias")
                .help("put a text that begins with `*` in quotes"),
            ErrorKind::UnclosedFlowCollection { open } => {
                let close = if *open == '[' { ']' } else { '}' };
                Problem::new(format!("this `{open}` is never closed")).help(format!("end it with `{close}`"))
            }
            ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
                let right = if *open == '[' { ']' } else { '}' };
                Problem::new(format!("this `{open}` is closed by `{close}`"))
                    .help(format!("end it with `{right}`"))
            }
            ErrorKind::UnclosedQuotedScalar => {
                Problem::new("this quote is never closed").help("end the text with the same quote")
            }
            ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidLowSurrogateHexEscape
            | ErrorKind::InvalidUnicodeEscape => Problem::new(
                "in double quotes a `\\` begins an escape, and after one in this text stands none",
            )
            .help("write a path with `/`, or in single quotes: 'C:\\data\\rtts.csv'"),
            ErrorKind::UnexpectedCharacter { character } => {
                Problem::new(format!("a value cannot start with `{}`", character.escape_debug()))
                    .help("put the value in quotes")
            }
            kind => Problem::new(kind.to_string()),
        };
        let mark = error.marker();
        problem.at(self.place.origin(mark.line(), mark.col(), mark.index(), 1))
    }
}

impl Place {
    /// From what the parser counts: lines from 1, the rest from 0.
    fn origin(self, line: usize, column: usize, index: usize, length: usize) -> Origin {
        let [line, column, at, length] =
            [line, column + 1, index, length].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        match self {
            Place::File => Origin::File { line, column, length },
            Place::Override { index, offset } => {
                Origin::Override { index, offset: offset.saturating_add(at), length }
            }
        }
    }
}

fn too_deep() -> Problem {
    let problem = Problem::new(format!("lists and maps are nested more than {MAX_DEPTH} deep"));
    problem.help("no scenario needs that: is a bracket never closed?")
}

/// Only a closing bracket takes room in the text.
fn is_flow(end: Span) -> bool {
    end.end.index() > end.start.index()
}

struct Size {
    nodes: usize,
    depth: usize,
}

fn size(node: &Node) -> Size {
    let children: &mut dyn Iterator<Item = &Node> = match &node.value {
        Value::List(items) => &mut items.iter(),
        Value::Map(entries) => &mut entries.iter().map(|(_, node)| node),
        _ => return Size { nodes: 1, depth: 0 },
    };
    let mut whole = Size { nodes: 1, depth: 0 };
    for child in children {
        let child = size(child);
        whole.nodes += child.nodes;
        whole.depth = whole.depth.max(child.depth + 1);
    }
    whole
}
