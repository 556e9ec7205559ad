//! Files of round-trip times: CSV with the columns from, to, milliseconds; each direction has its own row.
//!
//! The header is required, since without it the first row would silently be taken for one. What is refused is pointed
//! at in the file itself.

use replisim_engine::Duration;

use crate::yaml::{Origin, Problem};

/// The header of such a file, as messages show it.
const HEADER: &str = "from,to,rtt_ms";

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Where the measurement was made from.
    pub from: String,
    /// Where to.
    pub to: String,
    /// There and back.
    pub rtt: Duration,
}

/// Reads all rows. The problem of a file that is not such a table stands at a place of it.
pub fn read(text: &str) -> Result<Vec<Row>, Problem> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut header = true;
    for record in reader.records() {
        let record = record.map_err(|error| Problem::new(error.to_string()).at(at(text, 0, 1)))?;
        let start = record.position().map_or(0, csv::Position::byte) as usize;
        let place = Place { text, start, record: &record };
        if std::mem::take(&mut header) {
            place.check_header()?;
        } else {
            rows.push(place.row()?);
        }
    }
    if rows.is_empty() {
        let problem = Problem::new("no rows of round-trip times").at(at(text, 0, 1));
        return Err(problem.help(format!("write the header `{HEADER}`, and below it rows like `us,eu,80`")));
    }
    Ok(rows)
}

/// One record, and where it stands.
struct Place<'t> {
    text: &'t str,
    /// Bytes of the text before it; the reader counts blank lines before a record to it.
    start: usize,
    record: &'t csv::StringRecord,
}

impl Place<'_> {
    fn check_header(&self) -> Result<(), Problem> {
        let cell = |i: usize| self.record.get(i).unwrap_or_default().trim();
        if self.record.len() > 1 && cell(0).is_empty() {
            let problem = Problem::new("a square matrix is not what is read").at(self.whole());
            return Err(
                problem.help(format!("write the header `{HEADER}`, and a row for each pair: `us,eu,80`"))
            );
        }
        if cell(2).parse::<f64>().is_ok() {
            let problem = Problem::new("the header is missing").at(self.whole());
            return Err(problem.label(format!("put the line `{HEADER}` above this one")));
        }
        Ok(())
    }

    fn row(&self) -> Result<Row, Problem> {
        let cell = |i: usize| self.record.get(i).map(str::trim);
        let (Some(from), Some(to), Some(rtt)) = (cell(0), cell(1), cell(2)) else {
            let problem = Problem::new("three columns are needed: from, to, round-trip time in milliseconds");
            let foreign =
                [';', '\t'].into_iter().find(|mark| self.record.iter().any(|cell| cell.contains(*mark)));
            let label = match foreign {
                Some(_) => "separate them with commas, like `us,eu,80`",
                None => "write a row like `us,eu,80`",
            };
            return Err(problem.label(label).at(self.whole()));
        };
        if let Some(empty) = [from, to].iter().position(|place| place.is_empty()) {
            let problem = Problem::new("a place has no name").at(self.cell(empty));
            return Err(problem.label("name a region, or a zone as `region/zone`"));
        }
        match rtt.parse::<f64>() {
            Ok(ms) if (0.0..=1e9).contains(&ms) => {
                Ok(Row { from: from.to_owned(), to: to.to_owned(), rtt: Duration::from_nanos_f64(ms * 1e6) })
            }
            _ => {
                let shown = crate::yaml::shortened(rtt);
                let problem = Problem::new(format!("`{shown}` is not a round-trip time")).at(self.cell(2));
                Err(problem.label("write a number of milliseconds, 0 or more, like `80` or `0.4`"))
            }
        }
    }

    /// The line that the record begins in.
    fn whole(&self) -> Origin {
        let line = self.line();
        at(self.text, self.text.len() - line.len(), first_line(line).trim_end().chars().count())
    }

    /// The cell `index`; of one in quotes, where it would be without.
    fn cell(&self, index: usize) -> Origin {
        let line = self.line();
        let before: usize = line.split(',').take(index).map(|cell| cell.len() + 1).sum();
        let rest = line.get(before..).unwrap_or_default();
        let cell = first_line(rest).split(',').next().unwrap_or_default();
        let indent = cell.len() - cell.trim_start().len();
        at(self.text, self.text.len() - rest.len() + indent, cell.trim().chars().count())
    }

    /// The text from the record on.
    fn line(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default().trim_start_matches(['\n', '\r'])
    }
}

fn first_line(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// The place after so many bytes of a text.
fn at(text: &str, bytes: usize, length: usize) -> Origin {
    let before = text.get(..bytes).unwrap_or_default().replace("\r\n", "\n");
    let line = before.matches(['\n', '\r']).count() + 1;
    let column = before.rsplit(['\n', '\r']).next().unwrap_or_default().chars().count() + 1;
    let [line, column, length] = [line, column, length.max(1)].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    Origin::File { line, column, length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_table_is_pointed_at() {
        for (text, line, column, says) in [
            ("from,to,rtt_ms\na,b,12\na,c\n", 3, 1, "three columns are needed"),
            ("from,to,rtt_ms\na,b,NaN\n", 2, 5, "`NaN` is not a round-trip time"),
            ("from,to,rtt_ms\r\na,b,1\r\n\r\na,b, -1\r\n", 4, 6, "`-1` is not"),
            ("from,to,rtt_ms\na,,1\n", 2, 3, "a place has no name"),
            ("from,to,rtt_ms\n", 1, 1, "no rows"),
            ("", 1, 1, "no rows"),
            ("us,eu,80\neu,us,80\n", 1, 1, "the header is missing"),
            (",us,eu\nus,1,80\neu,80,1\n", 1, 1, "a square matrix"),
            ("from;to;rtt_ms\nus;eu;80\n", 2, 1, "three columns are needed"),
            ("from,to,rtt_ms\n\"a\",\"b\",inf", 2, 9, "`inf`"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.message.contains(says), "{text:?}: {problem}");
            let Some(Origin::File { line: l, column: c, .. }) = problem.origin else {
                panic!("{text:?}: no place")
            };
            assert_eq!((l, c), (line, column), "{text:?}");
            assert!(problem.label.is_some() || problem.help.is_some(), "{text:?} comes without a way out");
        }
    }

    #[test]
    fn rows_are_read_with_blanks_around_their_cells() {
        let rows = read("from,to,ms,note\n us , eu/a ,0.5\n\neu/a,us,80,old\n").unwrap();
        let row = |from: &str, to: &str, us| Row {
            from: from.to_owned(),
            to: to.to_owned(),
            rtt: Duration::from_micros(us),
        };
        assert_eq!(rows, [row("us", "eu/a", 500), row("eu/a", "us", 80_000)]);
    }
}
