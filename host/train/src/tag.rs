//! Tags for the words of texts, and the entities that they make.

use burn::tensor::activation::softmax;
use pegbox_data::{OverLong, Side, TextTokenizer, collate_ids};
use pegbox_models::{Logits, Mode, Model};

use crate::error::{Fault, TrainError};
use crate::step;

/// What a model says of one text. Words are what spaces separate.
#[derive(Clone, PartialEq, Debug)]
pub struct Tagged {
    /// Of each word, in order; none for words behind the model's maximal length.
    pub words: Vec<Option<TaggedWord>>,
    pub entities: Vec<Entity>,
}

/// A word's tag: its first piece's.
#[derive(Clone, PartialEq, Debug)]
pub struct TaggedWord {
    pub tag: String,
    /// Softmax of the logits.
    pub probability: f64,
    /// Of each class, in the order of the classes.
    pub logits: Vec<f32>,
}

/// Words that name something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entity {
    /// `person` of `B-person`.
    pub kind: String,
    pub first: usize,
    /// The word behind the last.
    pub end: usize,
}

/// Tags `texts`, `batch` at a time.
///
/// # Errors
/// A text cannot be tokenized, or the model fails.
pub fn tag(
    model: &Model,
    tokenizer: &TextTokenizer,
    classes: &[String],
    texts: &[String],
    batch: usize,
) -> Result<Vec<Tagged>, TrainError> {
    let mut all = Vec::with_capacity(texts.len());
    for (number, texts) in texts.chunks(batch.max(1)).enumerate() {
        let mut rows = Vec::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let failed = |what| Fault::Tokenize { row: number * batch.max(1) + row + 1, what };
            rows.push(Words::of(tokenizer, text).map_err(failed)?);
        }
        let ids: Vec<&[u32]> = rows.iter().map(|row| &row.ids[..]).collect();
        let padded = collate_ids(&ids, model.pad_token_id());
        let Logits::Tokens(logits) = model.forward(&step::batch(&padded)?, Mode::default())?.logits else {
            return Err(Fault::Head { what: "gives numbers for a text, not for each token" }.into());
        };
        let [_, width, count] = logits.dims();
        let probabilities: Vec<f32> = softmax(logits.clone(), 2).into_data().iter::<f32>().collect();
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        for (row, words) in rows.iter().enumerate() {
            let of = |token: usize| (row * width + token) * count..(row * width + token + 1) * count;
            let word = |token: usize| {
                let (logits, probabilities) = (logits.get(of(token))?, probabilities.get(of(token))?);
                let best = (0..count).rev().max_by(|a, b| logits[*a].total_cmp(&logits[*b]))?;
                Some(TaggedWord {
                    tag: classes.get(best)?.clone(),
                    probability: f64::from(probabilities[best]),
                    logits: logits.to_vec(),
                })
            };
            let words: Vec<Option<TaggedWord>> = words.first.iter().map(|token| word((*token)?)).collect();
            let tags: Vec<&str> =
                words.iter().map(|word| word.as_ref().map_or("O", |word| word.tag.as_str())).collect();
            all.push(Tagged { entities: entities(&tags), words });
        }
    }
    Ok(all)
}

/// A text's tokens, and which of them is the first of each word.
struct Words {
    ids: Vec<u32>,
    first: Vec<Option<usize>>,
}

impl Words {
    fn of(tokenizer: &TextTokenizer, text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        // A word's label is its number, so that the labels say which token is its first.
        let numbers: Vec<i32> = (0..).take(words.len()).collect();
        let rows = tokenizer.tagged_rows(&words, &numbers, OverLong::Truncate(Side::Right))?;
        let row = rows.rows.into_iter().next().ok_or("it has no tokens")?;
        let mut first = vec![None; words.len()];
        for (token, number) in row.labels.iter().enumerate() {
            if let Some(slot) = usize::try_from(*number).ok().and_then(|number| first.get_mut(number)) {
                *slot = Some(token);
            }
        }
        Ok(Self { ids: row.ids, first })
    }
}

/// The entities of BIO tags: one begins with `B-`, or with an `I-` that does not go on with one of its type.
fn entities(tags: &[&str]) -> Vec<Entity> {
    let mut found: Vec<Entity> = Vec::new();
    for (place, tag) in tags.iter().enumerate() {
        let Some((position, kind)) = tag.split_once('-') else { continue };
        match found.last_mut() {
            Some(last) if position != "B" && last.end == place && last.kind == kind => last.end = place + 1,
            _ => found.push(Entity { kind: kind.to_owned(), first: place, end: place + 1 }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_begin_and_go_on() {
        let entity = |kind: &str, first, end| Entity { kind: kind.into(), first, end };
        let tags = ["B-person", "I-person", "B-person", "O", "I-place", "I-group", "I-group"];
        let expected =
            [entity("person", 0, 2), entity("person", 2, 3), entity("place", 4, 5), entity("group", 5, 7)];
        assert_eq!(entities(&tags), expected);
        assert!(entities(&["O", "O"]).is_empty());
    }
}
