//! Special tokens, and where they are put.

use serde_json::{Map, Value, json};

use super::{StoredKind, StoredVocabulary, TokenType};

/// Tokens that are found in a text before anything else: those that are no text, and those that stay whole.
pub(super) fn added(stored: &StoredVocabulary) -> Vec<Value> {
    let named = stored.special;
    let named = [named.bos, named.eos, named.unknown, named.padding, named.class, named.separator];
    let is_named = |id: usize| named.iter().flatten().any(|named| usize::try_from(*named) == Ok(id));
    let added = |(id, token, kind): (usize, &str, TokenType)| {
        let special = match kind {
            TokenType::Control | TokenType::Unknown => true,
            TokenType::UserDefined => false,
            _ if is_named(id) || is_bracketed(stored, token) => true,
            _ => return None,
        };
        Some(json!({
            "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": special
        }))
    };
    stored.types().filter(|(_, token, _)| !token.is_empty()).filter_map(added).collect()
}

/// BERT's special tokens, which GGUF does not mark.
fn is_bracketed(stored: &StoredVocabulary, token: &str) -> bool {
    matches!(stored.kind, StoredKind::WordPiece(_))
        && ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].contains(&token)
}

/// What is put around a text.
pub(super) fn post_processor(stored: &StoredVocabulary) -> Value {
    if let StoredKind::WordPiece(_) = stored.kind {
        return around_bert(stored);
    }
    let (by_kind_bos, by_kind_eos) = match stored.kind {
        StoredKind::SentencePieceBpe { .. } => (true, false),
        StoredKind::Unigram => (false, true),
        _ => (false, false),
    };
    let chosen = |add: bool, id: Option<u32>| stored.token(id).filter(|_| add).zip(id);
    let bos = chosen(stored.add_bos.unwrap_or(by_kind_bos), stored.special.bos);
    let eos = chosen(stored.add_eos.unwrap_or(by_kind_eos), stored.special.eos);
    if bos.is_none() && eos.is_none() {
        return Value::Null;
    }
    let text = |name: &str, kind: u32| {
        let mut parts = Vec::new();
        parts.extend(bos.map(|(token, _)| special(token, kind)));
        parts.push(json!({"Sequence": {"id": name, "type_id": kind}}));
        parts.extend(eos.map(|(token, _)| special(token, kind)));
        parts
    };
    let (first, second) = (text("A", 0), text("B", 1));
    let pair: Vec<Value> = first.iter().chain(&second).cloned().collect();
    template(first, pair, &[bos, eos])
}

fn around_bert(stored: &StoredVocabulary) -> Value {
    let find = |named: Option<u32>, text: &str| {
        let by_text = || u32::try_from(stored.tokens.iter().position(|token| token == text)?).ok();
        let id = named.or_else(by_text);
        stored.token(id).zip(id)
    };
    let class = find(stored.special.class.or(stored.special.bos), "[CLS]");
    let separator = find(stored.special.separator.or(stored.special.eos), "[SEP]");
    let (Some((begin, _)), Some((end, _))) = (class, separator) else {
        return Value::Null;
    };
    let text = |name: &str, kind: u32| json!({"Sequence": {"id": name, "type_id": kind}});
    let single = vec![special(begin, 0), text("A", 0), special(end, 0)];
    let pair = single.iter().cloned().chain([text("B", 1), special(end, 1)]).collect();
    template(single, pair, &[class, separator])
}

fn special(token: &str, kind: u32) -> Value {
    json!({"SpecialToken": {"id": token, "type_id": kind}})
}

fn template(single: Vec<Value>, pair: Vec<Value>, tokens: &[Option<(&str, u32)>]) -> Value {
    let tokens: Map<String, Value> = tokens
        .iter()
        .flatten()
        .map(|(token, id)| ((*token).to_owned(), json!({"id": token, "ids": [id], "tokens": [token]})))
        .collect();
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens})
}
