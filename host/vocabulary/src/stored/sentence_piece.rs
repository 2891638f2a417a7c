//! SentencePiece's own file, tokenizer.model or spiece.model: a protocol buffer, `ModelProto` of
//! <https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto>.

use std::path::Path;

use super::{StoredKind, StoredSpecial, StoredVocabulary, TokenType};
use crate::error::VocabularyError;

/// Reads the bytes of a tokenizer.model; `path` is for errors.
///
/// # Errors
/// They are none, or the model is neither BPE nor Unigram.
pub fn read(bytes: &[u8], path: &Path) -> Result<StoredVocabulary, VocabularyError> {
    let failed = |what: String| VocabularyError::Tokenizer { path: path.to_owned(), what };
    let mut file = File::default();
    fields(bytes, |number, value| file.field(number, value)).map_err(failed)?;
    let bpe = match file.model_type {
        1 => false,
        2 => true,
        other => {
            return Err(failed(format!(
                "a SentencePiece model of type {other}; expected Unigram (1) or BPE (2)"
            )));
        }
    };
    let id = |id: i64| u32::try_from(id).ok().filter(|id| (*id as usize) < file.tokens.len());
    Ok(StoredVocabulary {
        kind: if bpe { StoredKind::SentencePieceBpe { by_score: false } } else { StoredKind::Unigram },
        special: StoredSpecial {
            bos: id(file.bos),
            eos: id(file.eos),
            unknown: id(file.unknown),
            padding: id(file.padding),
            ..StoredSpecial::default()
        },
        tokens: file.tokens,
        scores: file.scores,
        types: file.types,
        add_bos: None,
        add_eos: None,
        add_space_prefix: file.add_dummy_prefix,
        // Llama's has none that does anything, and Transformers' Llama applies none.
        charsmap: if bpe { Vec::new() } else { file.charsmap },
    })
}

/// What is read of a model, with the format's defaults.
struct File {
    tokens: Vec<String>,
    scores: Vec<f32>,
    types: Vec<TokenType>,
    model_type: u64,
    unknown: i64,
    bos: i64,
    eos: i64,
    padding: i64,
    charsmap: Vec<u8>,
    add_dummy_prefix: bool,
}

impl Default for File {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            scores: Vec::new(),
            types: Vec::new(),
            model_type: 1,
            unknown: 0,
            bos: 1,
            eos: 2,
            padding: -1,
            charsmap: Vec::new(),
            add_dummy_prefix: true,
        }
    }
}

impl File {
    fn field(&mut self, number: u64, value: Field<'_>) -> Result<(), String> {
        match (number, value) {
            (1, Field::Bytes(piece)) => self.piece(piece),
            (2, Field::Bytes(trainer)) => fields(trainer, |number, value| {
                match (number, value) {
                    (3, Field::Number(kind)) => self.model_type = kind,
                    (40, Field::Number(id)) => self.unknown = signed(id),
                    (41, Field::Number(id)) => self.bos = signed(id),
                    (42, Field::Number(id)) => self.eos = signed(id),
                    (43, Field::Number(id)) => self.padding = signed(id),
                    _ => {}
                }
                Ok(())
            }),
            (3, Field::Bytes(normalizer)) => fields(normalizer, |number, value| {
                match (number, value) {
                    (2, Field::Bytes(charsmap)) => self.charsmap = charsmap.to_vec(),
                    (3, Field::Number(add)) => self.add_dummy_prefix = add != 0,
                    _ => {}
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (mut token, mut score, mut kind) = (String::new(), 0.0, TokenType::Normal);
        let place = self.tokens.len();
        fields(bytes, |number, value| {
            match (number, value) {
                (1, Field::Bytes(text)) => {
                    let text = std::str::from_utf8(text).map_err(|_| format!("piece {place} is no UTF-8"))?;
                    token = text.to_owned();
                }
                (2, Field::Four(bytes)) => score = f32::from_le_bytes(bytes),
                (3, Field::Number(number)) => kind = TokenType::of(signed(number)),
                _ => {}
            }
            Ok(())
        })?;
        if !score.is_finite() {
            return Err(format!("the score of piece {place} is {score}"));
        }
        self.tokens.push(token);
        self.scores.push(score);
        self.types.push(kind);
        Ok(())
    }
}

/// Negative numbers are written as large ones.
fn signed(number: u64) -> i64 {
    number as i64
}

enum Field<'b> {
    Number(u64),
    Four([u8; 4]),
    Bytes(&'b [u8]),
    Eight,
}

/// Goes through the fields of a message: <https://protobuf.dev/programming-guides/encoding/>.
fn fields<'b>(
    bytes: &'b [u8],
    mut see: impl FnMut(u64, Field<'b>) -> Result<(), String>,
) -> Result<(), String> {
    let short = || "it is no SentencePiece model, or not whole".to_owned();
    let mut rest = bytes;
    while !rest.is_empty() {
        let tag = varint(&mut rest).ok_or_else(short)?;
        let value = match tag & 7 {
            0 => varint(&mut rest).map(Field::Number),
            1 => take(&mut rest, 8).map(|_| Field::Eight),
            2 => varint(&mut rest)
                .and_then(|length| take(&mut rest, usize::try_from(length).ok()?))
                .map(Field::Bytes),
            5 => take(&mut rest, 4).and_then(|four| four.try_into().ok()).map(Field::Four),
            _ => None,
        };
        see(tag >> 3, value.ok_or_else(short)?)?;
    }
    Ok(())
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = *take(rest, 1)?.first()?;
        number |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_is_told() {
        for bytes in [
            &b"\x0a\xff\xff\xff\xff\x0f"[..],
            b"\x0b",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0a\x02\x0a\x05",
        ] {
            let error = read(bytes, Path::new("x/tokenizer.model")).unwrap_err().to_string();
            assert_eq!(error, "x/tokenizer.model: it is no SentencePiece model, or not whole");
        }
        let empty = read(b"", Path::new("m")).unwrap();
        assert!(
            empty.tokenizer(Path::new("m")).err().unwrap().to_string().contains("its vocabulary is empty")
        );
        let word = read(b"\x12\x02\x18\x03", Path::new("m")).unwrap_err().to_string();
        assert_eq!(word, "m: a SentencePiece model of type 3; expected Unigram (1) or BPE (2)");
    }
}
