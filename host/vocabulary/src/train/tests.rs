use std::collections::BTreeSet;

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl,
};

use super::*;
use crate::corpus::tests::corpus;

const KINDS: [Kind; 3] = [Kind::Bpe, Kind::WordPiece, Kind::Unigram];

/// Sentences of a few hundred words that share stems and endings, with some that are no English.
fn texts() -> Vec<String> {
    let stems = ["walk", "talk", "order", "deliver", "refund", "track", "größ", "naïv", "παρά", "ship"];
    let ends = ["", "s", "ed", "ing", "er", "ers", "ment", "e", "12"];
    let word = |n: usize| format!("{}{}", stems[n * 7 % stems.len()], ends[n * 5 % ends.len()]);
    (0..400)
        .map(|n| format!("{} the {} of them, then {}, {}!", word(n), word(n / 3 + 1), word(n / 5), n % 50))
        .collect()
}

fn trained(settings: &TrainSettings) -> Result<(Trained, Tokenizer), VocabularyError> {
    let (_folder, corpus) = corpus(&texts());
    let trained = train(&corpus, settings)?;
    let tokenizer = Tokenizer::from_bytes(trained.tokenizer.as_bytes()).unwrap();
    Ok((trained, tokenizer))
}

fn small(kind: Kind) -> TrainSettings {
    TrainSettings::new(kind, 400)
}

fn error(settings: &TrainSettings) -> String {
    trained(settings).err().unwrap().to_string()
}

#[test]
fn the_same_texts_give_the_same_bytes_on_any_number_of_cores() {
    for kind in KINDS {
        // Rare words, so that Unigram loses some of their characters.
        let settings = TrainSettings { min_frequency: 1, ..small(kind) };
        let (first, _) = trained(&settings).unwrap();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let again = pool.install(|| trained(&settings).unwrap().0);
            assert!(first.tokenizer == again.tokenizer, "{kind:?} with {threads} threads");
        }
    }
}

#[test]
fn sizes_are_kept_and_nothing_is_truncated_or_padded() {
    for kind in KINDS {
        let (trained, tokenizer) = trained(&small(kind)).unwrap();
        assert!(trained.size <= 400 && trained.size > 100, "{kind:?}: {}", trained.size);
        assert_eq!((trained.texts, trained.too_long), (400, 0));
        assert!(tokenizer.get_truncation().is_none() && tokenizer.get_padding().is_none());
        let ids: BTreeSet<u32> = tokenizer.get_vocab(true).into_values().collect();
        assert_eq!(ids, (0..trained.size as u32).collect(), "{kind:?}");
    }
}

#[test]
fn byte_level_bpe_knows_everything_and_decodes_to_the_text() {
    let (_, tokenizer) = trained(&small(Kind::Bpe)).unwrap();
    for text in ["walking the delivery", "  two\n spaces\t", "never seen: 漢字 🦀 \u{301}x", "ORDERS12", ""]
    {
        let ids = tokenizer.encode(text, true).unwrap().get_ids().to_vec();
        assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
    }
    // What is frequent is one token.
    assert_eq!(tokenizer.encode(" the", false).unwrap().len(), 1);
}

/// Hugging Face's own trainer, which visits pairs in another order, learns the same merges.
#[test]
fn the_merges_are_those_of_hugging_face() {
    let (_, ours) = trained(&small(Kind::Bpe)).unwrap();
    let special = ["<|endoftext|>", "<|pad|>"].map(|token| AddedToken::from(token, true)).to_vec();
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(400)
        .min_frequency(2)
        .special_tokens(special)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut theirs: TokenizerImpl<
        BPE,
        NormalizerWrapper,
        PreTokenizerWrapper,
        PostProcessorWrapper,
        DecoderWrapper,
    > = TokenizerImpl::new(BPE::default());
    theirs.with_pre_tokenizer(Some(PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, true))));
    theirs.train(&mut trainer, texts().into_iter()).unwrap();
    let theirs: Value = serde_json::from_str(&theirs.to_string(false).unwrap()).unwrap();
    let ours: Value = serde_json::from_str(&ours.to_string(false).unwrap()).unwrap();
    assert!(ours["model"]["merges"].as_array().unwrap().len() > 100);
    assert_eq!(ours["model"]["merges"], theirs["model"]["merges"]);
    assert_eq!(ours["model"]["vocab"], theirs["model"]["vocab"]);
}

#[test]
fn word_piece_has_the_shape_of_bert() {
    let settings =
        TrainSettings { lowercase: true, special: vec!["[USER]".into()], ..small(Kind::WordPiece) };
    let (trained, tokenizer) = trained(&settings).unwrap();
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[USER]"];
    assert_eq!(special.map(|token| tokenizer.token_to_id(token)), [0, 1, 2, 3, 4, 5].map(Some));
    let tokens = |text: &str| tokenizer.encode(text, true).unwrap().get_tokens().to_vec();
    assert_eq!(tokens("The WALKING [USER]"), ["[CLS]", "the", "walking", "[USER]", "[SEP]"]);
    assert_eq!(tokens("漢"), ["[CLS]", "[UNK]", "[SEP]"]);
    let spread = tokens("walkships");
    assert!(spread.len() > 3 && spread[2].starts_with("##"), "{spread:?}");
    assert_eq!(tokenizer.decode(&[2, 3], true).unwrap(), "");
    assert_eq!(trained.config["unk_token"], "[UNK]");
    assert_eq!(trained.special["additional_special_tokens"], json!(["[USER]"]));
}

#[test]
fn unigram_begins_words_with_a_mark_and_decodes_to_the_words() {
    let (_, tokenizer) = trained(&small(Kind::Unigram)).unwrap();
    let encoding = tokenizer.encode("the  order\nof größe", true).unwrap();
    assert_eq!(encoding.get_tokens().first().map(String::as_str), Some("▁the"));
    assert_eq!(encoding.get_tokens().last().map(String::as_str), Some("</s>"));
    assert_eq!(tokenizer.decode(encoding.get_ids(), true).unwrap(), "the order of größe");
    let unknown = tokenizer.token_to_id("<unk>").unwrap();
    assert!(tokenizer.encode("漢", false).unwrap().get_ids().contains(&unknown));
    // The characters of words that are too rare to learn from are known.
    let (_folder, rare) = corpus(&[texts(), vec!["ж".into()]].concat());
    let rare = train(&rare, &small(Kind::Unigram)).unwrap();
    let rare = Tokenizer::from_bytes(rare.tokenizer.as_bytes()).unwrap();
    assert!(!rare.encode("ж", false).unwrap().get_ids().contains(&unknown));
    // An alphabet that is cut leaves the rest unknown.
    let cut = trained(&TrainSettings { alphabet: 20, ..small(Kind::Unigram) }).unwrap().1;
    assert!(cut.encode("παρά", false).unwrap().get_ids().contains(&unknown));
}

#[test]
fn what_cannot_be_trained_is_told() {
    for (settings, told) in [
        (TrainSettings::new(Kind::Bpe, 258), "a vocabulary of 258 tokens is too small: 259 are needed"),
        (TrainSettings::new(Kind::WordPiece, 20), "a vocabulary of 20 tokens is too small"),
        (TrainSettings::new(Kind::Unigram, 20), "a vocabulary of 20 tokens is too small"),
        (
            TrainSettings { special: vec!["[PAD]".into()], ..small(Kind::WordPiece) },
            "`[PAD]` is there already",
        ),
        (TrainSettings { special: vec![" ".into()], ..small(Kind::Bpe) }, "` ` is empty"),
        (TrainSettings { min_frequency: 9999, ..small(Kind::Unigram) }, "the texts hold no words"),
    ] {
        let error = error(&settings);
        assert!(error.contains(told), "{error}");
    }
    let (_folder, empty) = corpus(&["  ", "\n"]);
    let error = train(&empty, &small(Kind::WordPiece)).err().unwrap();
    assert_eq!(error.to_string(), "the texts hold no words");
}

#[test]
fn words_without_end_are_left_out() {
    let long = "ab".repeat(200);
    let (_folder, corpus) = corpus(&["a few words", "a few more", &long]);
    for kind in KINDS {
        let trained = train(&corpus, &TrainSettings { min_frequency: 1, ..small(kind) }).unwrap();
        assert_eq!(trained.too_long, 1, "{kind:?}");
        assert!(!trained.tokenizer.contains("abab"), "{kind:?}");
    }
}

#[test]
fn a_folder_is_written_that_opens_again() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("tokenizer");
    let (trained, tokenizer) = trained(&small(Kind::Bpe)).unwrap();
    trained.write(&to).unwrap();
    let read = crate::TokenizerFile::open(&to).unwrap();
    assert_eq!(read.vocabulary_size(), trained.size);
    assert_eq!(read.vocabulary(), tokenizer.get_vocab(true));
    let config: Value = serde_json::from_slice(&std::fs::read(to.join(CONFIG)).unwrap()).unwrap();
    assert_eq!(config["eos_token"], "<|endoftext|>");
}
