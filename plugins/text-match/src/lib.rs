//! How near the texts that a model writes are to what it should have written: the share of texts that are equal, and
//! the word and character error rates, that is edits (insertions, deletions, substitutions) for each word or character
//! of the references (Levenshtein 1966, as `jiwer` computes them over a whole set).
//!
//! A row's text is the tokens with the largest logits up to the one that ends it; its reference is the labels where the
//! mask holds, likewise. The class names are the vocabulary.

/// Edits between two sequences.
mod edits;
/// Tokens as text.
mod pieces;

use edits::edits;
use pegbox_plugin::{Error, Metric, Plugin, Report, Score, Step, parse_configuration};
use pieces::Pieces;
use serde::{Deserialize, Serialize};

struct TextMatch {
    configuration: Configuration,
    counts: Counts,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Configuration {
    /// How tokens become text.
    pieces: Pieces,
    /// Tokens that end a text.
    ends: Vec<String>,
    /// Tokens that are no text.
    skip: Vec<String>,
}

impl Default for Configuration {
    fn default() -> Self {
        let ends = ["</s>", "<eos>", "<|endoftext|>", "[SEP]"];
        let skip = ["<pad>", "<s>", "<bos>", "[PAD]", "[CLS]"];
        Self {
            pieces: Pieces::default(),
            ends: ends.map(str::to_owned).to_vec(),
            skip: skip.map(str::to_owned).to_vec(),
        }
    }
}

/// What was gathered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Counts {
    texts: u64,
    equal: u64,
    words: u64,
    word_edits: u64,
    characters: u64,
    character_edits: u64,
}

impl Counts {
    fn count(&mut self, written: &str, reference: &str) {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        self.texts += 1;
        self.equal += u64::from(written == reference);
        self.words += words(reference).len() as u64;
        self.word_edits += edits(&words(written), &words(reference));
        self.characters += characters(reference).len() as u64;
        self.character_edits += edits(&characters(written), &characters(reference));
    }

    fn add(&mut self, other: Self) {
        self.texts += other.texts;
        self.equal += other.equal;
        self.words += other.words;
        self.word_edits += other.word_edits;
        self.characters += other.characters;
        self.character_edits += other.character_edits;
    }
}

impl Plugin for TextMatch {
    const NAME: &'static str = "pegbox/text-match";
    const CONFIGURATION_SCHEMA: &'static str = r#"{
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "pieces": {
                "description": "How tokens become text: `words` puts a space between them, `sentencepiece` where a token begins with U+2581, `wordpiece` where it does not begin with ##.",
                "enum": ["sentencepiece", "wordpiece", "words"],
                "default": "sentencepiece"
            },
            "ends": {
                "description": "Tokens that end a text.",
                "type": "array", "items": { "type": "string" },
                "default": ["</s>", "<eos>", "<|endoftext|>", "[SEP]"]
            },
            "skip": {
                "description": "Tokens that are no text.",
                "type": "array", "items": { "type": "string" },
                "default": ["<pad>", "<s>", "<bos>", "[PAD]", "[CLS]"]
            }
        }
    }"#;

    fn configure(json: &str) -> Result<Self, Error> {
        Ok(Self { configuration: parse_configuration(json)?, counts: Counts::default() })
    }
}

impl Metric for TextMatch {
    fn update(&mut self, step: &Step) -> Result<(), Error> {
        let logits = step.logits();
        let [rows, tokens, _] = logits.shape()[..] else {
            return Err(Error::new("there are no texts: the logits are not those of a sequence"));
        };
        let names = step.classes();
        if names.is_empty() {
            return Err(Error::new("the step does not name its tokens, so there is no text to compare"));
        }
        // Three short lists of numbers are all that leaves the device.
        let written = logits.argmax(-1).read_ints();
        let labels = step.labels().read_ints();
        let mask = step.mask().read_ints();
        let places = rows as usize * tokens as usize;
        if [written.len(), labels.len(), mask.len()] != [places; 3] {
            return Err(Error::new(format!("the step has not {rows} rows of {tokens} labels")));
        }
        let width = (tokens as usize).max(1);
        let rows = written.chunks(width).zip(labels.chunks(width)).zip(mask.chunks(width));
        for ((written, labels), mask) in rows {
            let learned: Vec<i64> =
                labels.iter().zip(mask).filter(|(_, held)| **held != 0).map(|(label, _)| *label).collect();
            let written = self.text(&names, written)?;
            let reference = self.text(&names, &learned)?;
            self.counts.count(&written, &reference);
        }
        Ok(())
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        postcard::to_stdvec(&self.counts)
            .map_err(|error| Error::new(format!("the state cannot be encoded: {error}")))
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let other: Counts = postcard::from_bytes(state)
            .map_err(|error| Error::new(format!("the state cannot be read: {error}")))?;
        self.counts.add(other);
        Ok(())
    }

    fn compute(&self) -> Result<Report, Error> {
        let counts = &self.counts;
        if counts.texts == 0 {
            return Err(Error::new("there is no text to compare"));
        }
        let score = |name: &str, part: u64, whole: u64, higher_is_better| Score {
            name: name.to_owned(),
            // References without words: every word that was written is one too many.
            value: part as f64 / whole.max(1) as f64,
            higher_is_better,
        };
        Ok(Report {
            scores: vec![
                score("exact-match", counts.equal, counts.texts, true),
                score("word-error-rate", counts.word_edits, counts.words, false),
                score("character-error-rate", counts.character_edits, counts.characters, false),
            ],
            details: Vec::new(),
        })
    }

    fn reset(&mut self) {
        self.counts = Counts::default();
    }
}

impl TextMatch {
    /// The text of tokens up to the one that ends it.
    fn text(&self, names: &[String], ids: &[i64]) -> Result<String, Error> {
        let mut tokens = Vec::new();
        for id in ids {
            let name = usize::try_from(*id).ok().and_then(|id| names.get(id));
            let name =
                name.ok_or_else(|| Error::new(format!("there is no token {id}; there are {}", names.len())))?;
            if self.configuration.ends.contains(name) {
                break;
            }
            if !self.configuration.skip.contains(name) {
                tokens.push(name.as_str());
            }
        }
        Ok(self.configuration.pieces.text(&tokens))
    }
}

pegbox_plugin::export!(TextMatch: Metric);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::{TestStep, assert_schema_describes};

    use super::*;

    const NAMES: [&str; 6] = ["<pad>", "</s>", "a", "b", "c", "d"];

    /// Rows of as many tokens each; what is padding in the labels is masked.
    fn step(written: &[&[usize]], labels: &[&[i64]]) -> TestStep {
        let rows: Vec<[f32; 6]> = written
            .concat()
            .iter()
            .map(|token| std::array::from_fn(|other| f32::from(u8::from(other == *token))))
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(|row| row.as_slice()).collect();
        let labels = labels.concat();
        let mut step = TestStep::classification(&rows, &labels).tagging(written[0].len() as u32);
        step.classes = NAMES.map(str::to_owned).to_vec();
        step.mask = labels.iter().map(|label| *label != 0).collect();
        step
    }

    fn metric() -> TextMatch {
        TextMatch::configure(r#"{ "pieces": "words" }"#).unwrap()
    }

    fn values(metric: &TextMatch) -> Vec<f64> {
        metric.compute().unwrap().scores.iter().map(|score| score.value).collect()
    }

    #[test]
    fn texts_words_and_characters() {
        let mut metric = metric();
        // The second is a word too long, and one of its words is another; what follows the end does not count.
        let step = step(&[&[2, 3, 1, 5, 5], &[2, 4, 5, 1, 0]], &[&[2, 3, 1, 0, 0], &[2, 3, 1, 0, 0]]);
        step.run(|step| metric.update(step)).unwrap();
        assert_eq!(values(&metric), [0.5, 0.5, 3.0 / 6.0]);
        metric.reset();
        assert!(metric.compute().is_err());
    }

    #[test]
    fn merged_instances_give_what_one_gives() {
        let steps = [step(&[&[2, 1]], &[&[2, 1]]), step(&[&[3, 1]], &[&[2, 1]])];
        let (mut whole, mut merged) = (metric(), metric());
        for step in &steps {
            let mut part = metric();
            step.run(|step| part.update(step)).unwrap();
            step.run(|step| whole.update(step)).unwrap();
            merged.merge(&part.state().unwrap()).unwrap();
        }
        assert_eq!(values(&whole), values(&merged));
        assert_eq!(values(&whole), [0.5, 0.5, 0.5]);
        assert!(merged.merge(&[1]).is_err());
    }

    #[test]
    fn what_is_no_sequence_of_named_tokens_is_refused() {
        let mut metric = metric();
        let classes = TestStep::classification(&[&[1.0, 0.0]], &[0]);
        let error = classes.run(|step| metric.update(step)).unwrap_err();
        assert!(error.to_string().contains("not those of a sequence"), "{error}");
        let nameless = TestStep { classes: Vec::new(), ..step(&[&[2]], &[&[2]]) };
        assert!(nameless.run(|step| metric.update(step)).is_err());
        let few = TestStep { classes: vec!["<pad>".into()], ..step(&[&[2]], &[&[2]]) };
        let error = few.run(|step| metric.update(step)).unwrap_err();
        assert!(error.to_string().contains("no token 2"), "{error}");
    }

    #[test]
    fn the_schema_describes_the_configuration() {
        assert_schema_describes::<Configuration>(TextMatch::CONFIGURATION_SCHEMA, "{}");
    }
}
