//! The sentences that the corpus recombines.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;

use super::shingles::Shingles;

/// In characters, of a sentence in a pool. The longest is little more than twice as long as the shortest, so that
/// two texts which share one sentence differ in much.
const LENGTHS: std::ops::RangeInclusive<usize> = 40..=90;
/// No two sentences of a pool are nearer to each other.
const NEAREST: f64 = 0.4;

/// What a customer asks, and what follows.
#[derive(Debug)]
pub struct Pools {
    pub questions: Vec<Question>,
    pub passages: Vec<String>,
    /// Sorted.
    pub intents: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    pub text: String,
    /// Its place in `intents`.
    pub intent: usize,
}

impl Pools {
    /// Questions from gzipped JSON Lines with `text` and `label`, passages from gzipped lines.
    pub fn load(questions: &[PathBuf], passages: &Path) -> Result<Self> {
        let mut labelled = Vec::new();
        for path in questions {
            for line in lines(path)? {
                let line: Labelled =
                    serde_json::from_str(&line?).with_context(|| path.display().to_string())?;
                labelled.push(line);
            }
        }
        let passages = lines(passages)?.collect::<std::io::Result<Vec<_>>>()?;
        Self::of(labelled, passages)
    }

    fn of(labelled: Vec<Labelled>, passages: Vec<String>) -> Result<Self> {
        let intents: Vec<String> =
            labelled.iter().map(|line| line.label.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let texts = labelled.iter().map(|line| line.text.as_str());
        let questions = apart(texts)
            .into_iter()
            .map(|(place, text)| {
                let intent = intents.binary_search(&labelled[place].label).unwrap_or_default();
                Question { text, intent }
            })
            .collect::<Vec<_>>();
        let passages: Vec<String> =
            apart(passages.iter().map(String::as_str)).into_iter().map(|(_, passage)| passage).collect();
        ensure!(!questions.is_empty() && !passages.is_empty(), "no sentence is fit for the corpus");
        ensure!(intents.len() > 1, "there is only one label");
        Ok(Self { questions, passages, intents })
    }
}

#[derive(Debug, Deserialize)]
struct Labelled {
    text: String,
    label: String,
}

fn lines(path: &Path) -> Result<impl Iterator<Item = std::io::Result<String>>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(BufReader::new(GzDecoder::new(file)).lines())
}

/// The fit sentences, each unless it is near one before it, and their places.
fn apart<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<(usize, String)> {
    let mut kept: Vec<(usize, String)> = Vec::new();
    let mut sizes: Vec<usize> = Vec::new();
    // Which of the kept ones have a shingle.
    let mut holders: HashMap<u128, Vec<u32>> = HashMap::new();
    let mut shared: Vec<usize> = Vec::new();
    for (place, text) in texts.enumerate() {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !LENGTHS.contains(&text.chars().count()) || !text.chars().all(is_plain) {
            continue;
        }
        let shingles = Shingles::of(&text);
        shared.clear();
        shared.resize(kept.len(), 0);
        let others = shingles.iter().filter_map(|shingle| holders.get(&shingle)).flatten();
        others.for_each(|other| shared[*other as usize] += 1);
        let near = shared.iter().zip(&sizes).any(|(shared, size)| {
            let union = shingles.len() + size - shared;
            *shared as f64 > NEAREST * union as f64
        });
        if near {
            continue;
        }
        for shingle in shingles.iter() {
            holders.entry(shingle).or_default().push(kept.len() as u32);
        }
        sizes.push(shingles.len());
        kept.push((place, text));
    }
    kept
}

/// Signs that could be taken for markup or for a part of personal data, and characters that a normal form changes,
/// are left to the corruption.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || " .,;:!?'\"()£$€%/’-éèáíóúüöäñçå".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_unfit_and_short_sentences_are_left_out() {
        let question = |text: &str, label: &str| Labelled { text: text.to_owned(), label: label.to_owned() };
        let labelled = vec![
            question("Where is the card that I ordered two weeks ago?", "b"),
            question("Where is the card that I ordered three weeks ago?", "b"),
            question("Too short", "a"),
            question("The exchange rate of my last payment abroad is wrong.", "a"),
            question("Write to me at somebody@example.com about my new card", "a"),
        ];
        let passages = vec!["He  was born in a village near the river in the north.".to_owned()];
        let pools = Pools::of(labelled, passages).unwrap();
        assert_eq!(pools.intents, ["a", "b"]);
        let found: Vec<_> =
            pools.questions.iter().map(|question| (&*question.text, question.intent)).collect();
        assert_eq!(
            found,
            [
                ("Where is the card that I ordered two weeks ago?", 1),
                ("The exchange rate of my last payment abroad is wrong.", 0),
            ]
        );
        assert_eq!(pools.passages, ["He was born in a village near the river in the north."]);
    }
}
