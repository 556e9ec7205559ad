//! The whole language as a page.

use super::{Entry, Language};

const HEAD: &str = "\
# The scenario language

Every field of a scenario: what it means, what may be written there, what holds if it is left out. This page is made out of the code by
`UPDATE_GOLDENS=1 cargo test -p replisim-scenario --test language` and kept in step by that test. The same is on your terminal
(`replisim explain workload.arrivals`), and in your editor (`replisim schema --help` says how); `replisim new` writes a scenario to start from.

Fields are named by their path, as `replisim explain` and `--set` take them: `workload.arrivals` is the field `arrivals` of each item of the list
`workload`; `<name>` is a name of your own. Of *choices* exactly one is taken: `arrivals: { poisson: 100/s }`; one whose settings all have defaults may stand
bare: `acknowledge: semi-sync`. What several places share is spelled out where it first stands.

";

impl Language {
    /// The reference as Markdown.
    pub fn reference(&self) -> String {
        let mut page = HEAD.to_owned();
        page += "## Values with a unit\n\n| type | what | such as |\n| --- | --- | --- |\n";
        for quantity in self.quantities() {
            let examples: Vec<String> =
                quantity.examples.iter().map(|example| format!("`{example}`")).collect();
            page += &row([quantity.name, quantity.about, examples.join(", ")]);
        }
        page += "\n## A scenario\n\n";
        page += &self.table("");
        for entry in self.entries() {
            if entry.parts_at.as_ref() == Some(&entry.path) {
                page += &self.chapter(entry);
            }
        }
        page
    }

    fn chapter(&self, entry: &Entry) -> String {
        let mut text = format!(
            "\n{} `{}`\n\n{}\n",
            "#".repeat(2 + entry.path.contains('.') as usize),
            entry.path,
            entry.about
        );
        let others: Vec<String> = self
            .places(&entry.path)
            .filter(|other| other.path != entry.path)
            .map(|other| format!("`{}`", other.path))
            .collect();
        if !others.is_empty() {
            text += &format!("\nThe same parts have {}.\n", others.join(", "));
        }
        text += &format!("\n```yaml\n{}```\n\n", self.example(entry));
        text + &self.table(&entry.path)
    }

    /// The parts of a place.
    fn table(&self, path: &str) -> String {
        let choices = self.parts(path).all(|part| part.choice);
        let mut text = if choices {
            "| choice | type | meaning |\n| --- | --- | --- |\n".to_owned()
        } else {
            "| field | type | default | meaning |\n| --- | --- | --- | --- |\n".to_owned()
        };
        for part in self.parts(path) {
            let name = format!("`{}`", part.name());
            let (kind, about) = (part.kind.clone(), part.about.clone());
            text += &if choices {
                row([name, kind, about])
            } else {
                row([name, kind, part.if_left_out(), about])
            };
        }
        text
    }
}

impl Entry {
    /// What its default is, in a table.
    fn if_left_out(&self) -> String {
        match &self.default {
            Some(default) => format!("`{default}`"),
            None if self.required => "required".to_owned(),
            None if self.choice => "one of these".to_owned(),
            None => String::new(),
        }
    }
}

fn row<const N: usize>(cells: [String; N]) -> String {
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    format!("| {} |\n", cells.join(" | "))
}
