//! The two ends of the links that a fault is about.

use replisim_network::Site;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Named, Scene};

/// Links: `between` for both directions, `from` and `to` for one. A name is that of a node, or of a zone or region for
/// everybody there.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Ends {
    /// Two ends; both directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<[String; 2]>,
    /// Who sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who receives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Ends {
    /// Every name, with its path.
    pub(super) fn names(&self) -> Vec<(String, Named<'_>)> {
        let between =
            self.between.iter().flatten().enumerate().map(|(i, name)| (format!("between[{i}]"), name));
        let one_way = [("from", &self.from), ("to", &self.to)];
        let one_way =
            one_way.into_iter().filter_map(|(field, name)| Some((field.to_owned(), name.as_ref()?)));
        between.chain(one_way).map(|(path, name)| (path, Named::Sites(name))).collect()
    }

    /// What is wrong, if something is.
    pub(super) fn problem(&self, scene: &Scene<'_>) -> Option<(String, String)> {
        let Some((a, b, _)) = self.names_of_ends() else {
            return Some((
                String::new(),
                "unclear which link: give `between`, or `from` and `to`".to_owned(),
            ));
        };
        let (a, b) = (scene.sites_at(a), scene.sites_at(b));
        let both = a.iter().find(|site| b.contains(site));
        both.map(|_| (String::new(), "the two ends overlap: a link leads from one to another".to_owned()))
    }

    /// In a few words.
    pub(super) fn label(&self) -> String {
        match self.names_of_ends() {
            Some((a, b, true)) => format!("{a} – {b}"),
            Some((a, b, false)) => format!("{a} → {b}"),
            None => String::new(),
        }
    }

    /// The sites at the two ends, and whether both directions are meant.
    pub(super) fn sites(&self, scene: &Scene<'_>) -> (Vec<Site>, Vec<Site>, bool) {
        let (a, b, both) = self.names_of_ends().unwrap_or_default();
        (scene.sites_at(a), scene.sites_at(b), both)
    }

    fn names_of_ends(&self) -> Option<(&str, &str, bool)> {
        match (&self.between, &self.from, &self.to) {
            (Some([a, b]), None, None) => Some((a, b, true)),
            (None, Some(from), Some(to)) => Some((from, to, false)),
            _ => None,
        }
    }
}
