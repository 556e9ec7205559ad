//! Network maps: places on an ellipse, what stands in each, and the links between them.
//!
//! A place is a card as large as its text. Where the cards and the labels of the links go is decided in `placement`.

use super::canvas::{self, Anchor, Canvas, Pen, Point};
use super::lines::heading;
use super::look::{BOX, BOX_EDGE, CLIENT, LABEL, LINK, NODE, SMALL, SUBTITLE, WHITE};
use super::placement::{KEY_HEIGHT, MARGIN, Placement, Rect};
use super::text;

/// Places and the links between them.
#[derive(Clone, Debug)]
pub struct NetworkMap {
    /// What the map shows.
    pub title: String,
    /// Where it comes from, in smaller print; may be empty.
    pub subtitle: String,
    /// The places, in order around the map.
    pub places: Vec<PlaceOnMap>,
    /// The links. A link from a place to itself or to a place that does not exist is left out.
    pub links: Vec<Link>,
}

/// A place, such as a region or a data centre.
#[derive(Clone, Debug, Default)]
pub struct PlaceOnMap {
    /// Its name.
    pub name: String,
    /// The nodes in it, drawn as discs.
    pub nodes: Vec<String>,
    /// The clients in it, drawn as hollow squares.
    pub clients: Vec<String>,
}

/// A link between two places.
#[derive(Clone, Debug)]
pub struct Link {
    /// The index of one place.
    pub a: usize,
    /// The index of the other.
    pub b: usize,
    /// What to write on it, such as "12 / 13 ms"; may be empty.
    pub label: String,
}

const PADDING: f64 = 12.0;
const ROW: f64 = 20.0;
const SYMBOL: f64 = 18.0;
const COLUMN_GAP: f64 = 14.0;
const ITEMS_MAX: usize = 12;
const ITEM_WIDTH_MAX: f64 = 130.0;
const NAME_WIDTH_MAX: f64 = 240.0;

impl NetworkMap {
    /// Draws the map as a complete SVG document of at least 960 × 540 pixels.
    pub fn svg(&self) -> String {
        let cards: Vec<Card> = self.places.iter().map(Card::of).collect();
        let links: Vec<&Link> = self.links.iter().filter(|link| self.is_drawn(link)).collect();
        let sizes: Vec<Point> = cards.iter().map(|card| card.size).collect();
        let placement = Placement::search(&sizes, &links);
        canvas::draw(placement.sheet.0, placement.sheet.1, |canvas| {
            heading(canvas, placement.sheet.0, &self.title, &self.subtitle_for(&placement));
            for link in &links {
                let ends = [placement.boxes[link.a].center(), placement.boxes[link.b].center()];
                canvas.line(&ends, Pen(LINK, 1.75));
            }
            for plate in &placement.plates {
                plate.draw(canvas);
            }
            for (card, area) in cards.iter().zip(&placement.boxes) {
                card.draw(canvas, area);
            }
            self.draw_key(canvas, placement.sheet);
        })
    }

    fn is_drawn(&self, link: &Link) -> bool {
        link.a != link.b && link.a.max(link.b) < self.places.len()
    }

    fn subtitle_for(&self, placement: &Placement) -> String {
        let missing = match placement.without_spot {
            0 => return self.subtitle.clone(),
            1 => "1 link label has no room".to_owned(),
            n => format!("{n} link labels have no room"),
        };
        if self.subtitle.trim().is_empty() { missing } else { format!("{missing} · {}", self.subtitle) }
    }

    /// Explains the symbols in use, at the lower left.
    fn draw_key(&self, canvas: &mut Canvas<'_>, sheet: Point) {
        let y = sheet.1 - KEY_HEIGHT / 2.0;
        let mut x = MARGIN;
        let any_node = self.places.iter().any(|place| !place.nodes.is_empty());
        let any_client = self.places.iter().any(|place| !place.clients.is_empty());
        for (symbol, name) in [(Symbol::Node, "node"), (Symbol::Client, "client")] {
            if if symbol == Symbol::Node { any_node } else { any_client } {
                symbol.draw(canvas, (x + 5.0, y));
                canvas.text((x + SYMBOL, y), Anchor::Start, SUBTITLE, name);
                x += SYMBOL + text::width(name, SUBTITLE.size) + 2.0 * COLUMN_GAP;
            }
        }
        if self.places.is_empty() {
            canvas.text((sheet.0 / 2.0, sheet.1 / 2.0), Anchor::Middle, SUBTITLE, "no places");
        }
    }
}

/// The text of a place, laid out: its name above its nodes and clients in columns.
struct Card {
    name: String,
    items: Vec<(Symbol, String)>,
    columns: usize,
    column_width: f64,
    size: Point,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Node,
    Client,
    None,
}

impl Card {
    fn of(place: &PlaceOnMap) -> Self {
        let fit = |(symbol, name): (Symbol, &String)| (symbol, text::fit(name, SMALL.size, ITEM_WIDTH_MAX));
        let nodes = place.nodes.iter().map(|name| (Symbol::Node, name));
        let clients = place.clients.iter().map(|name| (Symbol::Client, name));
        let mut items: Vec<(Symbol, String)> = nodes.chain(clients).map(fit).collect();
        if items.len() > ITEMS_MAX {
            // Of many nodes some stand for all, but each client does something of its own.
            let room = ITEMS_MAX - 1;
            let nodes = place.nodes.len().min(room - place.clients.len().min(room / 2));
            let unnamed = items.len() - room;
            items.drain(nodes..place.nodes.len());
            items.truncate(room);
            let at = if nodes < place.nodes.len() { nodes } else { room };
            items.insert(at, (Symbol::None, format!("+ {unnamed} more")));
        }
        let columns = items.len().div_ceil(3).max(1);
        let width = |(symbol, name): &(Symbol, String)| symbol.indent() + text::width(name, SMALL.size);
        let column_width = items.iter().map(width).fold(0.0, f64::max);
        let rows = items.len().div_ceil(columns);
        let name = text::fit(&place.name, LABEL.size, NAME_WIDTH_MAX);
        let content = column_width * columns as f64 + COLUMN_GAP * (columns - 1) as f64;
        let size = (
            2.0 * PADDING + content.max(text::width(&name, LABEL.size)).max(40.0),
            2.0 * PADDING + ROW * (rows + 1) as f64 - 4.0,
        );
        Self { name, items, columns, column_width, size }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, area: &Rect) {
        let outline = area.rounded(9.0);
        canvas.polygon(&outline, BOX);
        canvas.line(&outline, Pen(BOX_EDGE, 1.25));
        let first_row = area.top + PADDING + ROW / 2.0 - 2.0;
        canvas.text((area.left + PADDING, first_row), Anchor::Start, LABEL, &self.name);
        let rows = self.items.len().div_ceil(self.columns).max(1);
        for (i, (symbol, name)) in self.items.iter().enumerate() {
            let x = area.left + PADDING + (self.column_width + COLUMN_GAP) * (i / rows) as f64;
            let y = first_row + ROW * (i % rows + 1) as f64;
            symbol.draw(canvas, (x + 5.0, y));
            canvas.text((x + symbol.indent(), y), Anchor::Start, SMALL, name);
        }
    }
}

impl Symbol {
    fn indent(self) -> f64 {
        if self == Symbol::None { 0.0 } else { SYMBOL }
    }

    fn draw(self, canvas: &mut Canvas<'_>, (x, y): Point) {
        match self {
            Symbol::Node => canvas.disc((x, y), 5.0, NODE),
            Symbol::Client => {
                canvas.rect((x - 5.0, y - 5.0), (x + 5.0, y + 5.0), CLIENT);
                canvas.rect((x - 3.25, y - 3.25), (x + 3.25, y + 3.25), WHITE);
            }
            Symbol::None => {}
        }
    }
}
