//! Records to clean and to validate: of real texts, or made up and called so.

use pegbox_runtime::{Row, RowBatch};

use crate::random::Random;

/// Bytes of a record's text, about.
pub const RECORD_BYTES: usize = 500;
/// Records of one round.
const RECORDS: usize = 4096;
/// Labels that made-up records have.
const LABELS: usize = 77;

/// Texts, and where they come from.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// For the report.
    pub origin: String,
    texts: Vec<String>,
}

/// The commonest words of English, and what cleaners are made for.
const WORDS: [&str; 48] = [
    "the",
    "of",
    "and",
    "a",
    "to",
    "in",
    "is",
    "you",
    "that",
    "it",
    "he",
    "was",
    "for",
    "on",
    "are",
    "as",
    "with",
    "his",
    "they",
    "I",
    "at",
    "be",
    "this",
    "have",
    "from",
    "or",
    "one",
    "had",
    "by",
    "word",
    "but",
    "not",
    "what",
    "all",
    "were",
    "we",
    "when",
    "your",
    "can",
    "said",
    "there",
    "use",
    "card",
    "caf\u{e9}",
    "&amp;",
    "\u{ff21}BC",
    "na\u{ef}ve",
    "\u{20ac}20",
];

impl Corpus {
    /// `texts` joined to records of some 500 bytes.
    pub fn of(texts: &[String], origin: String) -> Self {
        let mut texts = texts.iter().filter(|text| !text.trim().is_empty()).cycle();
        let mut record = || {
            let mut whole = String::new();
            while whole.len() < RECORD_BYTES {
                whole.push_str(texts.next()?);
                whole.push(' ');
            }
            whole.pop();
            Some(whole)
        };
        let joined: Vec<String> = (0..RECORDS).map_while(|_| record()).collect();
        if joined.is_empty() { Self::made_up() } else { Self { origin, texts: joined } }
    }

    /// Words in no sensible order, with a double space or a line break now and then.
    pub fn made_up() -> Self {
        let mut random = Random::new(1);
        let mut record = || {
            let mut whole = String::new();
            while whole.len() < RECORD_BYTES {
                whole.push_str(WORDS[random.below(WORDS.len())]);
                whole.push_str(match random.below(20) {
                    0 => "  ",
                    1 => "\n",
                    _ => " ",
                });
            }
            whole.pop();
            whole
        };
        let texts = (0..RECORDS).map(|_| record()).collect();
        Self {
            origin: "made-up text: common English words in no order (give --data for real text)".to_owned(),
            texts,
        }
    }

    /// All records in batches. The first field that is no label holds the text.
    pub fn batches(&self, fields: &[String], rows: usize) -> Vec<RowBatch> {
        let text_at = fields.iter().position(|field| field != "label");
        let mut random = Random::new(2);
        let mut row = |(index, text): (usize, &String)| {
            let value = |(place, field): (usize, &String)| {
                Some(match field.as_str() {
                    _ if Some(place) == text_at => text.clone(),
                    "label" => format!("label-{}", random.below(LABELS)),
                    _ => format!("value {}", random.below(1000)),
                })
            };
            Row { id: index as u64, values: fields.iter().enumerate().map(value).collect() }
        };
        let rows_of: Vec<Row> = self.texts.iter().enumerate().map(&mut row).collect();
        let batch = |rows: &[Row]| RowBatch { fields: fields.to_vec(), rows: rows.to_vec() };
        rows_of.chunks(rows.max(1)).map(batch).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_long_as_they_say_and_always_the_same() {
        let fields = ["label".to_owned(), "text".to_owned()];
        for corpus in [Corpus::made_up(), Corpus::of(&["short text".to_owned()], "here".to_owned())] {
            let batches = corpus.batches(&fields, 256);
            assert_eq!(batches.len(), RECORDS / 256);
            let text = |row: &Row| row.values[1].as_ref().unwrap().len();
            assert!(batches.iter().flat_map(|batch| &batch.rows).all(|row| (480..560).contains(&text(row))));
            assert_eq!(batches, corpus.batches(&fields, 256));
        }
    }
}
