//! The exact words: `docs/definitions.md` itself, so that who has only the program can read them.
//!
//! A definition is a row of one of its tables, or an item of its list of words. Each measure of the catalogue names those
//! that define it. Emphasis is left out of the text; it says what else the definition explains.

const PAGE: &str = include_str!("../../../docs/definitions.md");

/// What a word means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// What is defined: the first cell of the row, or how the item begins.
    pub name: String,
    /// What it means, on one line, with the source in brackets where there is one.
    pub text: String,
    /// Other words that it explains on the way.
    pub words: Vec<String>,
}

/// All definitions, in the order of the page.
pub fn definitions() -> Vec<Definition> {
    let mut found: Vec<Definition> = Vec::new();
    for line in PAGE.lines() {
        match (line.strip_prefix("- "), line.strip_prefix("| "), line.strip_prefix("  ")) {
            (Some(item), ..) => found.push(item_of(item)),
            (_, Some(row), _) => found.extend(row_of(row)),
            (.., Some(more)) => {
                if let Some(last) = found.last_mut() {
                    last.words.extend(emphasised(more));
                    last.text += &format!(" {}", plain(more));
                }
            }
            _ => {}
        }
    }
    found
}

/// The definition of this name, or else the first that explains the word.
pub fn definition(word: &str) -> Option<Definition> {
    let mut all = definitions();
    let same = |name: &String| name.eq_ignore_ascii_case(word);
    let named = all.iter().position(|definition| same(&definition.name));
    let at = named.or_else(|| all.iter().position(|definition| definition.words.iter().any(same)));
    at.map(|at| all.swap_remove(at))
}

/// `**owner** (member): a node …`, or without emphasis `Commit rules: …`.
fn item_of(item: &str) -> Definition {
    let mut words = emphasised(item);
    let (before, after) = item.split_once(": ").unwrap_or((item, ""));
    let name = if item.starts_with("**") { words.remove(0) } else { before.to_owned() };
    let also = plain(before).strip_prefix(&name).unwrap_or_default().to_owned();
    let text = if also.is_empty() { plain(after) } else { plain(item) };
    Definition { name, text, words }
}

/// `| name | definition |`, perhaps with a source; none of the rows that head a table.
fn row_of(row: &str) -> Option<Definition> {
    const ESCAPED: &str = "\u{1}";
    let row = row.replace("\\|", ESCAPED);
    let mut cells = row.split('|').map(|cell| cell.trim().replace(ESCAPED, "|"));
    let (name, text) = (cells.next()?, cells.next()?);
    let source = cells.next().filter(|source| !source.is_empty());
    let source = source.map_or(String::new(), |source| format!(" ({source})"));
    let heads = name == "name" || name.starts_with("---");
    (!heads).then(|| Definition { words: emphasised(&text), text: plain(&text) + &source, name })
}

fn emphasised(text: &str) -> Vec<String> {
    text.split("**").skip(1).step_by(2).map(str::to_owned).collect()
}

fn plain(text: &str) -> String {
    text.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_measure_has_its_definition() {
        let names: Vec<String> = definitions().into_iter().map(|definition| definition.name).collect();
        for info in catalogue() {
            assert!(!info.defined.is_empty(), "{} names no definition", info.slug);
            for name in info.defined {
                assert!(names.iter().any(|known| known == name), "{}: `{name}` is no definition", info.slug);
            }
        }
    }

    #[test]
    fn a_definition_is_found_by_its_name_and_by_what_it_explains() {
        for (word, name, begins) in [
            ("lost write", "lost write", "acked `ok`, and abandoned at the end of settle"),
            ("stranded", "lost write", "acked `ok`"),
            ("Owner", "owner", "owner (member): a node"),
            ("acked", "write", "write `w`: one client mutation"),
            ("line", "settled", "settled, retired, line: w is settled"),
            ("lane", "lane", "under version vectors"),
            ("commit rules", "Commit rules", "async primary = applied"),
            ("staleness (versions)", "staleness (versions)", "size of `M(r)`. (PBS: `p_sk = P(|M| ≥ k)`"),
        ] {
            let found = definition(word).unwrap_or_else(|| panic!("{word} is not defined"));
            assert_eq!(found.name, name, "{word}");
            assert!(found.text.starts_with(begins), "{word}: {}", found.text);
        }
        assert!(definition("stale read").unwrap().text.ends_with("is not empty"));
        assert!(definition("staleness (versions)").unwrap().text.ends_with("(Bailis et al. 2012)"));
        assert!(definition("write").unwrap().text.contains("What is applied is logged."));
        assert_eq!(definition("gibberish"), None);
    }
}
