//! "Did you mean …?", shared by everything that looks up a name that a person typed.

/// The candidate that `word` was most likely meant to be: a slip or two away, or what it abbreviates.
pub fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    const LONGEST: usize = 100; // the distance takes the product of the lengths
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let distance = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let abbreviated = length >= 3 && candidate.starts_with(&word);
        if abbreviated { 1 } else { strsim::osa_distance(&word, &candidate) }
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= (length / 3).max(1) && *distance < length)
        .min_by_key(|(distance, candidate)| (*distance, candidate.len())) // of equals the shortest, then the first
        .map(|(_, candidate)| candidate.to_owned())
}

/// Names in backticks, separated by commas; a long list is cut.
pub(crate) fn listed<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    const MOST: usize = 40;
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(MOST).map(|name| format!("`{name}`")).collect();
    let rest = names.count();
    if rest > 0 {
        shown.push(format!("and {rest} more"));
    }
    shown.join(", ")
}
