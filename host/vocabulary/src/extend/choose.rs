//! Candidates chosen one after another: each saves the most beside those that were chosen before.
//!
//! A compound and the words in it compete for the same places in the texts. So what a candidate saves is counted again
//! whenever a choice changed a unit that it occurs in; it can only have become less, so a count that is still the
//! highest after that is right (lazy greedy).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::candidates::{Candidate, Candidates, LONGEST_COMPOUND, Unit, Word};
use super::scheme::is_word_like;
use super::{Proposal, ProposeSettings};

/// What a candidate saves, how often it occurs, and its number: the order of the queue.
type Entry = (u64, u64, Reverse<usize>);

pub(super) fn choose(candidates: Candidates, settings: &ProposeSettings) -> Vec<Proposal> {
    let Candidates { words, units, list } = candidates;
    let mut texts = Texts::new(&words, &units);
    let entry = |texts: &Texts<'_>, number: usize, candidate: &Candidate| -> Option<Entry> {
        let (saved, frequency) = texts.gain(candidate);
        let wanted = saved >= settings.min_saved.max(1) && frequency >= settings.min_frequency;
        wanted.then_some((saved, frequency, Reverse(number)))
    };
    let mut queue: BinaryHeap<Entry> =
        list.iter().enumerate().filter_map(|(number, candidate)| entry(&texts, number, candidate)).collect();
    let mut counted: Vec<usize> = vec![0; list.len()];
    let mut chosen: Vec<Proposal> = Vec::new();
    while chosen.len() < settings.limit {
        let Some((saved, frequency, Reverse(number))) = queue.pop() else { break };
        let candidate = &list[number];
        if texts.changed_since(candidate, counted[number]) {
            counted[number] = chosen.len();
            queue.extend(entry(&texts, number, candidate));
            continue;
        }
        texts.take(candidate, chosen.len() + 1);
        chosen.push(Proposal {
            token: candidate.token.clone(),
            text: candidate.readable.clone(),
            frequency,
            pieces: candidate.pieces.clone(),
            saved,
        });
    }
    chosen
}

/// The texts as the chosen tokens leave them.
struct Texts<'c> {
    words: &'c [Word],
    units: &'c [Unit],
    /// Whether a word continues another that stands beside it, for `single_word`.
    word_like: Vec<bool>,
    chosen: HashSet<&'c str>,
    /// Tokens of each unit now.
    tokens: Vec<u64>,
    /// How many tokens were chosen when the unit last changed.
    changed: Vec<usize>,
}

impl<'c> Texts<'c> {
    fn new(words: &'c [Word], units: &'c [Unit]) -> Self {
        let word_like = words.iter().map(|word| is_word_like(&word.text)).collect();
        let tokens =
            |unit: &Unit| unit.words.iter().map(|word| words[*word as usize].pieces.len() as u64).sum();
        Self {
            words,
            units,
            word_like,
            chosen: HashSet::new(),
            tokens: units.iter().map(tokens).collect(),
            changed: vec![0; units.len()],
        }
    }

    fn changed_since(&self, candidate: &Candidate, choices: usize) -> bool {
        candidate.units.iter().any(|unit| self.changed[*unit as usize] > choices)
    }

    /// Tokens that all units are shorter by with `candidate`, and how often it is used.
    fn gain(&self, candidate: &Candidate) -> (u64, u64) {
        let (mut saved, mut frequency) = (0, 0);
        for number in &candidate.units {
            let (unit, before) = (&self.units[*number as usize], self.tokens[*number as usize]);
            let (tokens, uses) = self.tokenized(unit, Some(&candidate.token));
            saved += unit.count * before.saturating_sub(tokens);
            frequency += unit.count * uses;
        }
        (saved, frequency)
    }

    fn take(&mut self, candidate: &'c Candidate, choices: usize) {
        self.chosen.insert(&candidate.token);
        for number in &candidate.units {
            let unit = &self.units[*number as usize];
            let (tokens, _) = self.tokenized(unit, None);
            self.tokens[*number as usize] = tokens;
            self.changed[*number as usize] = choices;
        }
    }

    /// Tokens of a unit with what was chosen and `another`, and how often that one is used: from the left, the
    /// longest first, as the tokenizer will do it.
    fn tokenized(&self, unit: &Unit, another: Option<&str>) -> (u64, u64) {
        let (mut tokens, mut uses, mut at) = (0, 0, 0);
        while at < unit.words.len() {
            let last = unit.words.len().min(at + LONGEST_COMPOUND);
            let matched = (at + 1..=last).rev().find_map(|end| {
                let text = self.text(&unit.words[at..end]);
                let known = another == Some(text.as_str()) || self.chosen.contains(text.as_str());
                (known && self.stands_alone(unit, at, end)).then_some((text, end))
            });
            match matched {
                Some((text, end)) => {
                    uses += u64::from(another == Some(text.as_str()));
                    tokens += 1;
                    at = end;
                }
                None => {
                    tokens += self.words[unit.words[at] as usize].pieces.len() as u64;
                    at += 1;
                }
            }
        }
        (tokens, uses)
    }

    fn text(&self, span: &[u32]) -> String {
        span.iter().map(|word| self.words[*word as usize].text.as_str()).collect()
    }

    fn stands_alone(&self, unit: &Unit, start: usize, end: usize) -> bool {
        let continues = |place: Option<usize>| {
            place.and_then(|place| unit.words.get(place)).is_some_and(|word| self.word_like[*word as usize])
        };
        !continues(start.checked_sub(1)) && !continues(Some(end))
    }
}
