use std::collections::{HashMap, HashSet};

/// Unknown labels whose nearest label is remembered: typing errors repeat.
const REMEMBERED: usize = 4096;

/// The labels that a recipe allows.
pub(crate) struct KnownLabels {
    labels: Vec<String>,
    set: HashSet<String>,
    /// As `labels`, for comparison.
    folded: Vec<Vec<char>>,
    nearest: HashMap<String, Option<usize>>,
}

impl KnownLabels {
    pub fn new(labels: &[String]) -> Self {
        Self {
            labels: labels.to_vec(),
            set: labels.iter().cloned().collect(),
            folded: labels.iter().map(|label| folded(label)).collect(),
            nearest: HashMap::new(),
        }
    }

    pub fn contains(&self, label: &str) -> bool {
        self.set.contains(label)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// The label that `unknown` most likely means: the one that differs least, if it differs by at most a
    /// quarter of its characters, and no other is as near. Letter case, white space at the ends, and
    /// whether words are joined by `_`, `-` or a space do not count as differences.
    pub fn nearest(&mut self, unknown: &str) -> Option<&str> {
        let found = match self.nearest.get(unknown) {
            Some(found) => *found,
            None => {
                let found = self.search(&folded(unknown));
                if self.nearest.len() < REMEMBERED {
                    self.nearest.insert(unknown.to_owned(), found);
                }
                found
            }
        };
        found.and_then(|index| self.labels.get(index)).map(String::as_str)
    }

    fn search(&self, unknown: &[char]) -> Option<usize> {
        let mut best = None;
        let mut least = usize::MAX;
        for (index, label) in self.folded.iter().enumerate() {
            let allowed = label.len() / 4;
            // At least so many insertions are needed; this also bounds the work for a very long text.
            if label.len().abs_diff(unknown.len()) > allowed {
                continue;
            }
            let distance = strsim::generic_damerau_levenshtein(label, unknown);
            if distance <= allowed && distance <= least {
                best = if distance < least { Some(index) } else { None };
                least = distance;
            }
        }
        best
    }
}

fn folded(label: &str) -> Vec<char> {
    let joined = |c| if matches!(c, '-' | ' ') { '_' } else { c };
    label.trim().chars().flat_map(char::to_lowercase).map(joined).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn nearest(labels: &[&str], unknown: &str, expected: Option<&str>) {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let mut known = KnownLabels::new(&labels);
        assert_eq!(known.nearest(unknown), expected);
        assert_eq!(known.nearest(unknown), expected, "the second time");
    }

    #[test]
    fn a_close_label_is_found() {
        let labels = ["card_arrival", "card_linking", "age_limit", "Other"];
        nearest(&labels, "card_arival", Some("card_arrival"));
        nearest(&labels, "card_arrivla", Some("card_arrival"));
        nearest(&labels, " Card Arrival ", Some("card_arrival"));
        nearest(&labels, "age-limit", Some("age_limit"));
        nearest(&labels, "other", Some("Other"));
    }

    #[test]
    fn a_far_or_an_ambiguous_one_is_not() {
        nearest(&["card_arrival"], "cash_withdrawal", None);
        nearest(&["yes", "no"], "y", None);
        nearest(&["class_a", "class_b"], "class_c", None);
        nearest(&["class_a", "class_b"], "class_A", Some("class_a"));
        nearest(&["abcd"], "", None);
        nearest(&["abcd"], &"x".repeat(1 << 20), None);
    }
}
