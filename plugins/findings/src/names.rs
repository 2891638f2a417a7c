use std::collections::HashMap;

/// Unknown names whose nearest name is remembered: slips repeat.
const REMEMBERED: usize = 4096;

/// The names that a recipe allows: of labels, of types. Several may mean the same.
#[derive(Clone, Debug)]
pub struct Names {
    names: Vec<String>,
    /// What each means.
    meanings: Vec<usize>,
    places: HashMap<String, usize>,
    /// As `names`, for comparison.
    folded: Vec<Folded>,
    nearest: HashMap<String, Option<Near>>,
}

/// The name that an unknown one most likely means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Near {
    pub meaning: usize,
    /// Whether nothing differs but letter case, white space at the ends, and what joins the words.
    pub same: bool,
}

impl Names {
    /// Each means its own place.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::with_meanings(names.into_iter().enumerate().map(|(place, name)| (name, place)))
    }

    /// Names and what each means; of equals, the first counts.
    pub fn with_meanings<N: Into<String>>(names: impl IntoIterator<Item = (N, usize)>) -> Self {
        let (names, meanings): (Vec<String>, Vec<usize>) =
            names.into_iter().map(|(name, meaning)| (name.into(), meaning)).unzip();
        let mut places = HashMap::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            places.entry(name.clone()).or_insert(place);
        }
        let folded = names.iter().map(|name| Folded::new(name)).collect();
        Self { names, meanings, places, folded, nearest: HashMap::new() }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The name at `place`; empty if there is none.
    pub fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// The place of `name`, written exactly so.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// What the name at `place` means.
    pub fn meaning(&self, place: usize) -> usize {
        self.meanings.get(place).copied().unwrap_or(place)
    }

    /// What `unknown` most likely means: the name that differs least, if it differs by at most a quarter of its
    /// characters, and none that means something else is as near. Letter case, white space at the ends, and
    /// whether words are joined by `_`, `-` or a space do not count as differences.
    pub fn nearest(&mut self, unknown: &str) -> Option<Near> {
        if let Some(found) = self.nearest.get(unknown) {
            return *found;
        }
        let found = self.search(&Folded::new(unknown));
        if self.nearest.len() < REMEMBERED {
            self.nearest.insert(unknown.to_owned(), found);
        }
        found
    }

    fn search(&self, unknown: &Folded) -> Option<Near> {
        let mut best: Option<Near> = None;
        let mut ambiguous = false;
        let mut least = usize::MAX;
        for (place, name) in self.folded.iter().enumerate() {
            let allowed = name.characters.len() / 4;
            if name.least_distance(unknown) > allowed {
                continue;
            }
            let distance = strsim::generic_damerau_levenshtein(&name.characters, &unknown.characters);
            if distance > allowed || distance > least {
                continue;
            }
            let near = Near { meaning: self.meaning(place), same: distance == 0 };
            ambiguous =
                distance == least && (ambiguous || best.is_some_and(|best| best.meaning != near.meaning));
            best = Some(near);
            least = distance;
        }
        best.filter(|_| !ambiguous)
    }
}

/// A name as it is compared.
#[derive(Clone, Debug)]
struct Folded {
    characters: Vec<char>,
    /// Which characters it has: a bit for those with the same number modulo 64.
    has: u64,
}

impl Folded {
    fn new(name: &str) -> Self {
        let joined = |c| if matches!(c, '-' | ' ') { '_' } else { c };
        let characters: Vec<char> = name.trim().chars().flat_map(char::to_lowercase).map(joined).collect();
        let has = characters.iter().fold(0, |has, c| has | 1 << (u32::from(*c) % 64));
        Self { characters, has }
    }

    /// No two names are nearer. This bounds the work for long texts and for many different ones.
    fn least_distance(&self, other: &Self) -> usize {
        let lengths = self.characters.len().abs_diff(other.characters.len());
        // An edit takes away the last of a character, or brings the first of another, or both.
        let characters = (self.has ^ other.has).count_ones().div_ceil(2) as usize;
        lengths.max(characters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn nearest(names: &[&str], unknown: &str, expected: Option<&str>) {
        let mut known = Names::new(names.iter().copied());
        for time in ["once", "twice"] {
            let found = known.nearest(unknown).map(|near| known.name(near.meaning));
            assert_eq!(found, expected, "{unknown}, {time}");
        }
    }

    #[test]
    fn a_close_name_is_found() {
        let names = ["card_arrival", "card_linking", "age_limit", "Other"];
        nearest(&names, "card_arival", Some("card_arrival"));
        nearest(&names, "card_arrivla", Some("card_arrival"));
        nearest(&names, " Card Arrival ", Some("card_arrival"));
        nearest(&names, "age-limit", Some("age_limit"));
        nearest(&names, "other", Some("Other"));
        nearest(&names, "xard_arrizal", Some("card_arrival"));
    }

    #[test]
    fn a_far_or_an_ambiguous_one_is_not() {
        nearest(&["card_arrival"], "cash_withdrawal", None);
        nearest(&["yes", "no"], "y", None);
        nearest(&["class_a", "class_b"], "class_c", None);
        nearest(&["class_a", "class_b"], "class_A", Some("class_a"));
        nearest(&["may", "May"], "MAY", None);
        nearest(&["abcd"], "", None);
        nearest(&["abcd"], &"x".repeat(1 << 20), None);
    }

    #[test]
    fn a_slip_is_told_from_a_guess() {
        let mut names = Names::new(["card_arrival", "card_arrival", "login"]);
        assert_eq!(names.nearest("LOGIN "), Some(Near { meaning: 2, same: true }));
        assert_eq!(names.nearest("logn"), Some(Near { meaning: 2, same: false }));
        assert_eq!((names.place("card_arrival"), names.place("Login")), (Some(0), None));
        assert_eq!((names.name(2), names.name(3)), ("login", ""));
    }

    #[test]
    fn names_that_mean_the_same_are_not_ambiguous() {
        let mut names =
            Names::with_meanings([("card_arrival", 7), ("card arrival", 7), ("card_arrivals", 8)]);
        assert_eq!(names.nearest("Card Arrival"), Some(Near { meaning: 7, same: true }));
        assert_eq!(names.nearest("card arrivalx"), None);
        assert_eq!(names.place("card arrival").map(|place| names.meaning(place)), Some(7));
    }
}
