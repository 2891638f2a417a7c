use crate::configuration::Repetition;

/// The longest piece that makes a run when repeated.
const PERIODS: usize = 4;

/// Whether `text` says the same over and over.
pub(crate) fn repeats(rule: &Repetition, text: &str, characters: usize, words: usize) -> bool {
    if in_runs(text, rule.run) as f64 > rule.run_share * characters as f64 {
        return true;
    }
    if words >= rule.words && one_word_repeats(text, words, rule.word_share) {
        return true;
    }
    if !rule.massive_text || words < rule.massive_text_words {
        return false;
    }
    let words: Vec<Word> = text.split_whitespace().map(Word::new).collect();
    (text.contains('\n') && lines_repeat(text)) || n_grams_repeat(&words)
}

/// How many characters but white space stand in runs of `shortest` characters or more, each the same as that one, two,
/// three or four places before: `aaaaaaaaaa`, `hahahahaha`, `asdfasdfasdf`.
fn in_runs(text: &str, shortest: usize) -> usize {
    if text.is_ascii() {
        let bytes: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        covered_by_runs(&bytes, shortest)
    } else {
        covered_by_runs(&text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>(), shortest)
    }
}

fn covered_by_runs<T: Copy + PartialEq>(characters: &[T], shortest: usize) -> usize {
    // A run has at least this many characters in a row that are as those before: whoever steps so far meets one.
    let step = shortest.saturating_sub(PERIODS).max(1);
    let repeated =
        |place: usize, period: usize| place >= period && characters[place] == characters[place - period];
    let mut covered = 0;
    let mut counted = 0;
    let mut place = step - 1;
    while place < characters.len() {
        let mut next = place + step;
        for period in (1..=PERIODS).filter(|period| repeated(place, *period)) {
            let before = (0..place).rev().take_while(|place| repeated(*place, period)).count();
            let after = (place + 1..characters.len()).take_while(|place| repeated(*place, period)).count();
            let (start, end) = (place - before - period, place + 1 + after);
            if end - start >= shortest {
                covered += end.max(counted) - start.max(counted);
                counted = counted.max(end);
                next = next.max(end);
            }
        }
        place = next;
    }
    covered
}

/// A word, in any letter case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Word {
    hash: u64,
    characters: usize,
}

impl Word {
    fn new(word: &str) -> Self {
        let hash = word.bytes().fold(0, |hash, byte| mix(hash, u64::from(byte.to_ascii_lowercase())));
        Self { hash, characters: word.chars().count() }
    }
}

/// One step of a hash: the same everywhere and always. Of 64 bits, so that chance makes no duplicates.
fn mix(hash: u64, value: u64) -> u64 {
    let mixed = (hash ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

/// Whether one of the words makes up more than a share of all.
fn one_word_repeats(text: &str, words: usize, share: f64) -> bool {
    let count = if share >= 0.5 { majority(text) } else { commonest(text) };
    count as f64 > share * words as f64
}

/// How often the word occurs that most words are; something less if there is none. R. S. Boyer and J S. Moore's vote.
fn majority(text: &str) -> usize {
    let (mut leader, mut lead) = ("", 0_usize);
    for word in text.split_whitespace() {
        if word.eq_ignore_ascii_case(leader) {
            lead += 1;
        } else if lead == 0 {
            (leader, lead) = (word, 1);
        } else {
            lead -= 1;
        }
    }
    // A word that more than half are is ahead at the end.
    if lead == 0 {
        0
    } else {
        text.split_whitespace().filter(|word| word.eq_ignore_ascii_case(leader)).count()
    }
}

/// How often the commonest word occurs.
fn commonest(text: &str) -> usize {
    let mut hashes: Vec<u64> = text.split_whitespace().map(|word| Word::new(word).hash).collect();
    hashes.sort_unstable();
    hashes.chunk_by(|one, other| one == other).map(<[u64]>::len).max().unwrap_or(0)
}

/// The greatest shares of duplicates in MassiveText: J. W. Rae et al., Scaling Language Models: Methods, Analysis &
/// Insights from Training Gopher, arXiv:2112.11446 (2021), table A1. Lines and paragraphs by number, and by characters;
/// the commonest n-gram for n = 2 to 4; all duplicate n-grams for n = 5 to 10.
const LINES: f64 = 0.30;
const CHARACTERS_OF_LINES: f64 = 0.20;
const COMMONEST: [(usize, f64); 3] = [(2, 0.20), (3, 0.18), (4, 0.16)];
const DUPLICATES: [(usize, f64); 6] = [(5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)];

fn lines_repeat(text: &str) -> bool {
    parts_repeat(text.split('\n')) || (text.contains("\n\n") && parts_repeat(text.split("\n\n")))
}

/// Parts that occurred before, against all that are not empty.
fn parts_repeat<'a>(parts: impl Iterator<Item = &'a str>) -> bool {
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    let mut parts: Vec<Word> = parts.map(Word::new).collect();
    let characters =
        |parts: &mut dyn Iterator<Item = &Word>| parts.map(|part| part.characters).sum::<usize>() as f64;
    let all = (parts.len() as f64, characters(&mut parts.iter()));
    parts.sort_unstable_by_key(|part| part.hash);
    parts.dedup_by_key(|part| part.hash);
    let kept = (parts.len() as f64, characters(&mut parts.iter()));
    all.0 - kept.0 > LINES * all.0 || all.1 - kept.1 > CHARACTERS_OF_LINES * all.1
}

fn n_grams_repeat(words: &[Word]) -> bool {
    let characters = words.iter().map(|word| word.characters).sum::<usize>() as f64;
    // Hashes of the n-grams that start at each word, one word longer each time.
    let mut hashes: Vec<u64> = words.iter().map(|word| word.hash).collect();
    for (n, share) in COMMONEST {
        lengthen(&mut hashes, words, n);
        let grams = repeated(&hashes);
        let groups = grams.chunk_by(|one, other| one.0 == other.0).map(|group| {
            let length: usize = words[group[0].1..group[0].1 + n].iter().map(|word| word.characters).sum();
            (group.len(), group.len() * length)
        });
        // The commonest; of those as common, the longest.
        match groups.max() {
            Some((count, covered)) if count > 1 => {
                if covered as f64 > share * characters {
                    return true;
                }
            }
            // Without a pair that occurs twice nothing longer does.
            _ => return false,
        }
    }
    for (n, share) in DUPLICATES {
        lengthen(&mut hashes, words, n);
        let grams = repeated(&hashes);
        let mut duplicate = vec![false; words.len()];
        let again = grams.chunk_by(|one, other| one.0 == other.0).flat_map(|group| &group[1..]);
        for (_, start) in again {
            duplicate[*start..*start + n].fill(true);
        }
        let covered: usize =
            words.iter().zip(&duplicate).filter(|(_, again)| **again).map(|(word, _)| word.characters).sum();
        if covered as f64 > share * characters {
            return true;
        }
        if covered == 0 {
            return false;
        }
    }
    false
}

/// Makes hashes of (n - 1)-grams those of n-grams.
fn lengthen(hashes: &mut Vec<u64>, words: &[Word], n: usize) {
    hashes.truncate((words.len() + 1).saturating_sub(n));
    for (hash, next) in hashes.iter_mut().zip(words.iter().skip(n - 1)) {
        *hash = mix(*hash, next.hash);
    }
}

/// The n-grams that may occur more than once, and where they start: equal ones stand together, the first one first.
fn repeated(hashes: &[u64]) -> Vec<(u64, usize)> {
    // Most occur once. A small table tells nearly all of them, and saves sorting them.
    let places = (8 * hashes.len()).next_power_of_two();
    let place = |hash: u64| hash as usize & (places - 1);
    let mut seen = vec![0_u8; places];
    for hash in hashes {
        let count = &mut seen[place(*hash)];
        *count = count.saturating_add(1);
    }
    let mut grams: Vec<_> =
        (0..).zip(hashes).filter(|(_, hash)| seen[place(**hash)] > 1).map(|(at, hash)| (*hash, at)).collect();
    grams.sort_unstable();
    grams
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;

    fn judged(text: &str) -> bool {
        let tally = Tally::of(text);
        repeats(&Repetition::default(), text, tally.characters, tally.words)
    }

    #[test]
    fn runs_are_counted_once() {
        assert_eq!(in_runs("aaaaaaaaaa", 10), 10);
        assert_eq!(in_runs("aaaaaaaaa", 10), 0);
        assert_eq!(in_runs("x hahahahahaha y", 10), 12);
        assert_eq!(in_runs("asdfasdfasdf", 10), 12);
        assert_eq!(in_runs("a a a a a a a a a a", 10), 10);
        assert_eq!(in_runs("aaaaaaaaaaabbbbbbbbbbb", 10), 22);
        assert_eq!(in_runs("哈哈哈哈哈哈哈哈哈哈哈", 10), 11);
        assert_eq!(in_runs("", 10), 0);
    }

    #[test]
    fn the_same_over_and_over() {
        let long = "buy cheap watches here now ".repeat(30);
        for text in [
            "aaaaaaaaaaaaaa",
            "hahahahahaha",
            "..............",
            "test test test test Test",
            "spam spam spam eggs spam",
            &long,
        ] {
            assert!(judged(text), "{text}");
        }
        let lines =
            format!("{}{}", "One line that stands here more than once\n".repeat(15), "Another\n".repeat(3));
        assert!(judged(&lines));
    }

    #[test]
    fn what_people_write() {
        for text in [
            "no no no, I said no",
            "I waited and waited and waited",
            "Sooooooo good!!!!!!! Where is my card",
            "How are you?",
            "I know that that that he wrote is wrong",
            "",
        ] {
            assert!(!judged(text), "{text}");
        }
        let speech = "We shall go on to the end, we shall fight in France, we shall fight on the seas and oceans, we \
            shall fight with growing confidence and growing strength in the air, we shall defend our island, whatever \
            the cost may be, we shall fight on the beaches, we shall fight on the landing grounds, we shall fight in \
            the fields and in the streets, we shall fight in the hills; we shall never surrender";
        assert!(!judged(speech));
    }

    #[test]
    fn time_is_nearly_linear_in_the_length() {
        // Would take minutes if it were quadratic.
        judged(&"ab cd ef gh ij kl\n".repeat(20_000));
        judged(&"a".repeat(500_000));
    }
}
