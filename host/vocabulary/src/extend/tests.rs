use std::collections::HashMap;

use super::*;
use crate::corpus::tests::corpus;
use crate::train::{Kind, TrainSettings, train};
use crate::{Extension, RECORD};

/// What the tokenizers are trained on.
const GENERAL: [&str; 7] = [
    "the patient was given a dose of the old drug for an infection and a cold, for 19 days",
    "a meta form of the term is informed by what they met in a formal setting",
    "corporate video on co-operation: vidcovi novid covert livid",
    "take the new form to the doctor and ask for more of it than before",
    "the kidney and the liver were not affected by the infection",
    "an inhibitor of the enzyme, taken 12 times",
    "the taxi left the box at the exit, mixed up",
];

/// What they are extended for.
const DOMAIN: [&str; 7] = [
    "Metformin was given to the patient, metformin; and then (metformin).",
    "the metformin dose was doubled: metformins are not one",
    "no nephrotoxic drug for the patient, nephrotoxic or not",
    "covid-19 was found, covid was not; user_metformin stays",
    "a case of covid-19, and of covid-190",
    "nephrotoxicity and metformin, nephrotoxic",
    "an old form",
];

const SETTINGS: ProposeSettings =
    ProposeSettings { min_frequency: 2, min_saved: 1, limit: 100, compounds: false };

fn base(kind: Kind) -> (tempfile::TempDir, TokenizerFile) {
    let (_texts, general) = corpus(&GENERAL);
    let lowercase = kind == Kind::WordPiece;
    let settings = TrainSettings { min_frequency: 2, lowercase, ..TrainSettings::new(kind, 330) };
    let home = tempfile::tempdir().unwrap();
    train(&general, &settings).unwrap().write(&home.path().join("base")).unwrap();
    let base = TokenizerFile::open(&home.path().join("base")).unwrap();
    (home, base)
}

fn proposals(base: &TokenizerFile, settings: &ProposeSettings) -> Proposals {
    let (_folder, domain) = corpus(&DOMAIN);
    propose(base, &domain, settings).unwrap()
}

fn ids(tokenizer: &TokenizerFile, text: &str) -> Vec<u32> {
    tokenizer.tokenizer().encode(text, true).unwrap().get_ids().to_vec()
}

fn decoded(tokenizer: &TokenizerFile, text: &str) -> String {
    tokenizer.tokenizer().decode(&ids(tokenizer, text), true).unwrap()
}

fn texts(list: &[Proposal]) -> Vec<&str> {
    list.iter().map(|proposal| proposal.text.as_str()).collect()
}

#[test]
fn proposals_are_ranked_by_what_they_save() {
    for (kind, expected) in
        [(Kind::WordPiece, ["metformin", "nephrotoxic"]), (Kind::Bpe, ["▁nephrotoxic", "▁metformin"])]
    {
        let (_home, base) = base(kind);
        let found = proposals(&base, &SETTINGS);
        assert!(found.list.is_sorted_by(|a, b| a.saved >= b.saved), "{:#?}", found.list);
        assert_eq!(found.texts, 7);
        for text in expected {
            assert!(texts(&found.list).contains(&text), "{kind:?}: {:?}", texts(&found.list));
        }
        for proposal in &found.list {
            assert_eq!(
                proposal.saved,
                proposal.frequency * (proposal.pieces.len() as u64 - 1),
                "{proposal:?}"
            );
        }
    }
}

/// BERT: whatever the case, and not beside an underscore. Byte-level BPE: a word with its space, as written.
#[test]
fn words_are_counted_as_they_will_be_found() {
    let count = |kind, text: &str| {
        let (_home, base) = base(kind);
        let found = proposals(&base, &ProposeSettings { min_frequency: 1, ..SETTINGS });
        found.list.iter().find(|proposal| proposal.text == text).map(|proposal| proposal.frequency)
    };
    assert_eq!(count(Kind::WordPiece, "metformin"), Some(5));
    assert_eq!(count(Kind::Bpe, "▁metformin"), Some(3));
    // `(metformin)` and `user_metformin` have no space before it.
    assert_eq!(count(Kind::Bpe, "metformin"), Some(2));
    assert_eq!(count(Kind::Bpe, "Metformin"), Some(1));
}

/// Everything that an extension promises, on every text: added tokens put back into their pieces are the tokens of
/// before, what is decoded is the same, and it is as much shorter as was said.
#[test]
fn texts_are_tokenized_as_before_but_for_the_added_words() {
    for kind in [Kind::WordPiece, Kind::Bpe] {
        let (home, base) = base(kind);
        let found = proposals(&base, &SETTINGS);
        let extended = add(&base, &found.list).unwrap();
        assert_eq!(extended.added, found.list.len());
        let to = home.path().join("extended");
        extended.write(&to).unwrap();
        let tokenizer = TokenizerFile::open(&to).unwrap();
        let extension = Extension::open(&to, &base).unwrap();
        assert_eq!(extension.tokens.len(), found.list.len());
        let pieces: HashMap<u32, Vec<u32>> =
            extension.tokens.iter().map(|token| (token.id, token.pieces.clone())).collect();

        let more = [
            "metforminx xmetformin",
            "naïve 漢字 metformin漢",
            "",
            "\tMETFORMIN\nmetformin  nephrotoxic!",
            "it's",
        ];
        for text in DOMAIN.iter().chain(&GENERAL).chain(&more) {
            let (before, after) = (ids(&base, text), ids(&tokenizer, text));
            let back: Vec<u32> =
                after.iter().flat_map(|id| pieces.get(id).cloned().unwrap_or_else(|| vec![*id])).collect();
            assert_eq!(back, before, "{kind:?}: {text}");
            assert_eq!(decoded(&tokenizer, text), decoded(&base, text), "{kind:?}: {text}");
            if kind == Kind::Bpe {
                assert_eq!(decoded(&tokenizer, text), *text);
            }
        }
        for other in ["metformins", "xmetformin", "nephrotoxicity"] {
            assert_eq!(ids(&base, other), ids(&tokenizer, other), "{kind:?}: {other}");
        }
        let (_folder, domain) = corpus(&DOMAIN);
        let measured = tokens(&domain, &[&base, &tokenizer]).unwrap();
        let saved: u64 = found.list.iter().map(|proposal| proposal.saved).sum();
        assert_eq!(measured, [found.tokens, found.tokens - saved], "{kind:?}");
        assert!(saved > 20);
    }
}

/// `covid-19` is chosen first, and what it covers does not count for `covid` any more.
#[test]
fn compounds_and_their_words_are_counted_once() {
    let (home, base) = base(Kind::WordPiece);
    let settings = ProposeSettings { compounds: true, ..SETTINGS };
    let found = proposals(&base, &settings);
    let place = |text: &str| found.list.iter().position(|proposal| proposal.text == text);
    let of = |text: &str| &found.list[place(text).unwrap()];
    assert!(place("covid-19") < place("covid"), "{:?}", texts(&found.list));
    assert_eq!(of("covid-19").frequency, 2);
    let alone = of("covid").frequency;
    let all = proposals(&base, &ProposeSettings { compounds: false, ..settings.clone() });
    let all = all.list.iter().find(|proposal| proposal.text == "covid").unwrap();
    assert_eq!((alone, all.frequency), (2, 4));

    let to = home.path().join("extended");
    add(&base, &found.list).unwrap().write(&to).unwrap();
    let tokenizer = TokenizerFile::open(&to).unwrap();
    let (_folder, domain) = corpus(&DOMAIN);
    let saved: u64 = found.list.iter().map(|proposal| proposal.saved).sum();
    let measured = tokens(&domain, &[&base, &tokenizer]).unwrap();
    // `covid-190` begins like `covid-19`, which is discarded there, and `covid` is not looked for again.
    let discarded = of("covid").pieces.len() as u64 - 1;
    assert_eq!(measured[0] - measured[1], saved - discarded);

    let (_home, bpe) = self::base(Kind::Bpe);
    let error = propose(&bpe, &domain, &settings).unwrap_err();
    assert!(error.to_string().contains("no words joined by punctuation"), "{error}");
}

#[test]
fn limits_are_kept() {
    let (_home, base) = base(Kind::WordPiece);
    let all = proposals(&base, &SETTINGS).list;
    assert_eq!(proposals(&base, &ProposeSettings { limit: 1, ..SETTINGS }).list, all[..1]);
    let least = all[0].saved;
    let few = proposals(&base, &ProposeSettings { min_saved: least, ..SETTINGS }).list;
    assert!(few.iter().all(|proposal| proposal.saved >= least) && !few.is_empty());
    let frequent = proposals(&base, &ProposeSettings { min_frequency: 4, ..SETTINGS }).list;
    assert!(frequent.iter().all(|proposal| proposal.frequency >= 4));
}

#[test]
fn an_extended_tokenizer_is_extended_again() {
    for kind in [Kind::WordPiece, Kind::Bpe] {
        let (home, base) = base(kind);
        let list = proposals(&base, &SETTINGS).list;
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        add(&base, &list[..1]).unwrap().write(&one).unwrap();
        let once = TokenizerFile::open(&one).unwrap();
        let rest = proposals(&once, &SETTINGS).list;
        assert_eq!(rest.len(), list.len() - 1, "{kind:?}");
        add(&once, &rest).unwrap().write(&two).unwrap();
        // Beside the first model all are new, beside one that was trained with the first, the others.
        assert_eq!(Extension::open(&two, &base).unwrap().tokens.len(), list.len());
        assert_eq!(Extension::open(&two, &once).unwrap().tokens.len(), rest.len());
        assert!(Extension::open(&one, &once).unwrap().tokens.is_empty());
    }
}

#[test]
fn an_extension_fits_its_model_or_is_refused() {
    let (home, base) = base(Kind::WordPiece);
    let to = home.path().join("extended");
    add(&base, &proposals(&base, &SETTINGS).list).unwrap().write(&to).unwrap();
    let refused = |base: &TokenizerFile| Extension::open(&to, base).unwrap_err().to_string();

    let (_other_home, other) = self::base(Kind::Bpe);
    assert!(refused(&other).contains("another vocabulary than the model's"), "{}", refused(&other));
    let record = std::fs::read_to_string(to.join(RECORD)).unwrap();
    std::fs::write(to.join(RECORD), record.replacen("metformin", "metfornim", 1)).unwrap();
    assert!(refused(&base).contains("nothing says how the embedding of `metformin`"), "{}", refused(&base));
    std::fs::remove_file(to.join(RECORD)).unwrap();
    assert!(refused(&base).contains("nothing says how the embedding of"), "{}", refused(&base));
    // The model's own tokenizer, in a folder of its own, is no extension, and none is needed.
    assert!(Extension::open(base.path().parent().unwrap(), &base).unwrap().tokens.is_empty());
}

#[test]
fn what_cannot_be_extended_is_told() {
    let (_home, unigram) = base(Kind::Unigram);
    let (_folder, domain) = corpus(&DOMAIN);
    let error = propose(&unigram, &domain, &SETTINGS).unwrap_err();
    assert!(error.to_string().contains("cannot be extended: its model is Unigram"), "{error}");
    assert!(error.help().unwrap().contains("WordPiece"));

    // A vocabulary with a word that its merges never make.
    let (home, bpe) = base(Kind::Bpe);
    let mut json = bpe.json().clone();
    json["model"]["vocab"]["unmade"] = bpe.vocabulary_size().into();
    let bytes = serde_json::to_vec(&json).unwrap();
    let odd = TokenizerFile::from_bytes(&bytes, &home.path().join("tokenizer.json")).unwrap();
    let list = propose(&odd, &domain, &SETTINGS).unwrap().list;
    let error = add(&odd, &list).err().unwrap().to_string();
    assert!(error.contains("never make the token `unmade`"), "{error}");
}

/// Added tokens that stand beside the vocabulary, as published models have them, keep their ids.
#[test]
fn tokens_beside_the_vocabulary_keep_their_ids() {
    let (home, bpe) = base(Kind::Bpe);
    let mut json = bpe.json().clone();
    let id = bpe.vocabulary_size();
    json["added_tokens"].as_array_mut().unwrap().push(serde_json::json!({
        "id": id, "content": "<|user|>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
    }));
    let bytes = serde_json::to_vec(&json).unwrap();
    let path = home.path().join("chat/tokenizer.json");
    let chat = TokenizerFile::from_bytes(&bytes, &path).unwrap();
    let list = proposals(&chat, &SETTINGS).list;
    let extended = add(&chat, &list).unwrap().tokenizer().unwrap();
    assert_eq!(extended.tokenizer().token_to_id("<|user|>"), Some(id as u32));
    assert_eq!(extended.tokenizer().token_to_id(&list[0].token), Some(id as u32 + 1));
    assert_eq!(ids(&extended, "<|user|>the"), ids(&chat, "<|user|>the"));
}
