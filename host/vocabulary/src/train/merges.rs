//! Pairs of symbols merged, the most frequent first: Sennrich et al. 2016, as the trainers of Hugging Face
//! `tokenizers` do it. Those visit words in the order of a randomly keyed map, which numbers the continuing pieces
//! of WordPiece anew in every process; here an order is fixed.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::alphabet::Alphabet;

/// What was learned.
pub(super) struct Learned {
    /// The alphabet, then what each merge made, in the order of their ids.
    pub tokens: Vec<String>,
    /// Both sides of each merge.
    pub merges: Vec<(String, String)>,
}

type Pair = (u32, u32);

/// Where a pair stands.
#[derive(Default)]
struct Places {
    /// In all words, each as often as it occurs.
    count: u64,
    /// Numbers of words that hold it, or held it before a merge; a word may be there twice.
    words: Vec<u32>,
}

/// Merges the most frequent pair until `room` tokens are new or no pair occurs `min_frequency` times; of equally
/// frequent pairs the one with the lowest ids. Nothing is merged across a character that is not in the alphabet.
/// With `continues`, what does not begin a word has this prefix.
pub(super) fn learn(
    words: &[(String, u64)],
    alphabet: &Alphabet,
    continues: Option<&str>,
    room: usize,
    min_frequency: u64,
) -> Learned {
    let mut tokens: Vec<String> = alphabet.symbols().to_vec();
    let mut ids: HashMap<String, u32> = (0..).zip(&tokens).map(|(id, token)| (token.clone(), id)).collect();
    let mut words: Vec<Word> =
        words.iter().flat_map(|(word, count)| Word::parts(word, *count, alphabet, continues, &ids)).collect();
    let mut pairs: HashMap<Pair, Places> = HashMap::new();
    for (number, word) in (0..).zip(&words) {
        for pair in word.pairs() {
            let places = pairs.entry(pair).or_default();
            places.count += word.count;
            places.words.push(number);
        }
    }
    let mut queue: BinaryHeap<(u64, Reverse<Pair>)> =
        pairs.iter().map(|(pair, places)| (places.count, Reverse(*pair))).collect();

    let limit = tokens.len() + room;
    let mut merges: Vec<Pair> = Vec::new();
    while tokens.len() < limit {
        let Some((count, Reverse(pair))) = queue.pop() else { break };
        let Some(places) = pairs.get_mut(&pair) else { continue };
        if places.count != count {
            // It has become rarer since it was queued.
            if places.count > 0 && places.count < count {
                queue.push((places.count, Reverse(pair)));
            }
            continue;
        }
        if count < min_frequency.max(1) {
            break;
        }
        let mut holders = std::mem::take(&mut places.words);
        holders.sort_unstable();
        holders.dedup();
        let merged = joined(&tokens, pair, continues);
        let id = *ids.entry(merged).or_insert_with_key(|merged| {
            tokens.push(merged.clone());
            (tokens.len() - 1) as u32
        });
        merges.push(pair);

        let mut grown: HashSet<Pair> = HashSet::new();
        for number in holders {
            let Some(word) = words.get_mut(number as usize) else { continue };
            if !word.pairs().any(|other| other == pair) {
                continue;
            }
            for pair in word.pairs() {
                if let Some(places) = pairs.get_mut(&pair) {
                    places.count = places.count.saturating_sub(word.count);
                }
            }
            word.merge(pair, id);
            for pair in word.pairs() {
                let places = pairs.entry(pair).or_default();
                places.count += word.count;
                if pair.0 == id || pair.1 == id {
                    places.words.push(number);
                    grown.insert(pair);
                }
            }
        }
        queue.extend(grown.iter().filter_map(|pair| Some((pairs.get(pair)?.count, Reverse(*pair)))));
    }
    Learned { merges: spelled(&merges, &tokens), tokens }
}

/// A word, or what stands between two characters of it that are not in the alphabet.
struct Word {
    symbols: Vec<u32>,
    count: u64,
}

impl Word {
    fn parts(
        word: &str,
        count: u64,
        alphabet: &Alphabet,
        continues: Option<&str>,
        ids: &HashMap<String, u32>,
    ) -> Vec<Self> {
        let mut parts = vec![Self { symbols: Vec::new(), count }];
        for (place, character) in word.chars().enumerate() {
            if !alphabet.holds(character) {
                parts.push(Self { symbols: Vec::new(), count });
                continue;
            }
            let symbol = match continues {
                Some(prefix) if place > 0 => format!("{prefix}{character}"),
                _ => character.to_string(),
            };
            if let (Some(id), Some(part)) = (ids.get(&symbol), parts.last_mut()) {
                part.symbols.push(*id);
            }
        }
        parts.retain(|part| part.symbols.len() > 1);
        parts
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> {
        self.symbols.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// From left to right.
    fn merge(&mut self, pair: Pair, id: u32) {
        let mut kept = 0;
        let mut place = 0;
        while let Some(symbol) = self.symbols.get(place).copied() {
            let merges = symbol == pair.0 && self.symbols.get(place + 1) == Some(&pair.1);
            self.symbols[kept] = if merges { id } else { symbol };
            kept += 1;
            place += if merges { 2 } else { 1 };
        }
        self.symbols.truncate(kept);
    }
}

fn joined(tokens: &[String], (left, right): Pair, continues: Option<&str>) -> String {
    let (left, right) = (&tokens[left as usize], tokens[right as usize].as_str());
    let right = continues.and_then(|prefix| right.strip_prefix(prefix)).unwrap_or(right);
    format!("{left}{right}")
}

/// A pair that came back, as in a run of one character, counts where it was merged last.
fn spelled(merges: &[Pair], tokens: &[String]) -> Vec<(String, String)> {
    let last: HashMap<Pair, usize> = merges.iter().enumerate().map(|(at, pair)| (*pair, at)).collect();
    let kept = merges.iter().enumerate().filter(|(at, pair)| last.get(*pair) == Some(at));
    kept.map(|(_, (left, right))| (tokens[*left as usize].clone(), tokens[*right as usize].clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[(&str, u64)]) -> Vec<(String, u64)> {
        list.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
    }

    /// The example of Sennrich et al.
    #[test]
    fn the_most_frequent_pair_is_merged_first() {
        let words = words(&[("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)]);
        let alphabet = Alphabet::of_words(&words, 100);
        let learned = learn(&words, &alphabet, None, 4, 1);
        let merges: Vec<String> = learned.merges.iter().map(|(a, b)| format!("{a} {b}")).collect();
        assert_eq!(merges, ["e s", "es t", "l o", "lo w"]);
        assert_eq!(learned.tokens[alphabet.len()..], ["es", "est", "lo", "low"]);
    }

    #[test]
    fn pieces_that_continue_a_word_keep_their_prefix_and_rare_pairs_stay_apart() {
        let words = words(&[("aba", 3), ("ba", 1)]);
        let alphabet = Alphabet::of_words(&words, 100).with_continuing(&words, "##");
        let learned = learn(&words, &alphabet, Some("##"), 100, 2);
        assert_eq!(learned.tokens, ["a", "b", "##a", "##b", "ab", "aba"]);
        assert_eq!(learned.merges.len(), 2);
    }

    #[test]
    fn nothing_is_merged_across_an_unknown_character() {
        let words = words(&[("axb", 9), ("aab", 2)]);
        let alphabet = Alphabet::of_words(&words, 2);
        assert_eq!(alphabet.symbols(), ["a", "b"]);
        let learned = learn(&words, &alphabet, None, 100, 3);
        assert!(learned.merges.is_empty(), "{:?}", learned.merges);
    }

    #[test]
    fn runs_of_one_character_are_merged_from_the_left() {
        let words = words(&[("aaaaa", 4)]);
        let alphabet = Alphabet::of_words(&words, 100);
        let learned = learn(&words, &alphabet, None, 100, 1);
        assert_eq!(learned.tokens, ["a", "aa", "aaa", "aaaaa"]);
    }
}
