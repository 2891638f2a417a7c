//! Rows that end, are drawn, are streamed, are stopped.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use pegbox_generation::{Finish, Generated, GenerationError, GenerationSettings, TextStream, generate};
use tokenizers::Tokenizer;

use crate::tables::Tables;

/// A tokenizer of the 40 tokens of the tables: two special ones, letters, and the bytes of characters that several
/// tokens make up.
fn tokenizer() -> Tokenizer {
    let mut tokens: Vec<String> = vec!["<pad>".to_owned(), "<eos>".to_owned()];
    tokens.extend(["F0", "9F", "98", "80", "E4", "BD", "A0", "FF"].map(|byte| format!("<0x{byte}>")));
    tokens.extend(('a'..='z').map(|letter| letter.to_string()));
    tokens.extend(["\u{2581}", "ab", "bc", "\u{2581}the"].map(str::to_owned));
    let vocab: serde_json::Map<String, serde_json::Value> =
        tokens.iter().zip(0..).map(|(token, id)| (token.clone(), serde_json::Value::from(id))).collect();
    let special = |id: u32| {
        let content = &tokens[id as usize];
        serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                           "normalized": false, "special": true})
    };
    let json = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [special(0), special(1)],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": true, "ignore_merges": false,
                  "vocab": vocab, "merges": []}
    });
    Tokenizer::from_bytes(json.to_string()).unwrap()
}

fn pieces(tokens: &[u32]) -> Vec<String> {
    let tokenizer = tokenizer();
    let mut stream = TextStream::new(&tokenizer, true);
    let mut pieces: Vec<String> = tokens.iter().map(|token| stream.push(*token).unwrap()).collect();
    pieces.push(stream.finish().unwrap());
    pieces
}

#[test]
fn a_character_of_several_tokens_comes_whole() {
    // An emoji of four bytes, then a letter, then a character of three.
    assert_eq!(pieces(&[10, 2, 3, 4, 5, 11, 6, 7, 8, 1]), ["a", "", "", "", "😀", "b", "", "", "你", "", ""]);
    // Spaces at the beginning are SentencePiece's own; later ones are the text's.
    assert_eq!(pieces(&[39, 39, 10]), ["the", " the", "a", ""]);
    // Bytes that never become a character are told once that is certain.
    assert_eq!(pieces(&[10, 2, 3]), ["a", "", "", "\u{fffd}\u{fffd}"]);
    let endless = pieces(&[9; 40]);
    assert_eq!(endless.concat(), "\u{fffd}".repeat(40));
    assert!(endless[..20].concat().chars().count() > 10, "bytes that are no character wait forever");
}

/// Whatever the tokens are: what is streamed is whole text, and nothing twice.
#[test]
fn what_is_streamed_is_what_is_decoded() {
    let tokenizer = tokenizer();
    let mut random = pegbox_random::SplitMix64::new(1);
    let characters: [&[u32]; 6] = [&[2, 3, 4, 5], &[6, 7, 8], &[10], &[36, 12], &[37, 39], &[38, 0]];
    for _ in 0..500 {
        let tokens: Vec<u32> =
            (0..random.below(12)).flat_map(|_| characters[random.below(6)]).copied().collect();
        assert_eq!(pieces(&tokens).concat(), tokenizer.decode(&tokens, true).unwrap(), "{tokens:?}");
    }
}

fn settings() -> GenerationSettings {
    GenerationSettings { max_new_tokens: Some(30), eos_token_id: vec![1], ..GenerationSettings::default() }
}

#[test]
fn stop_strings_end_an_answer_across_tokens() {
    let tokenizer = tokenizer();
    let prompts = [vec![13], vec![31, 38, 4, 21], vec![16, 26]];
    let mut model = Tables::open();
    let free =
        generate(&mut model, &prompts, &settings(), Some(&tokenizer), |_| ControlFlow::Continue(())).unwrap();
    for answer in &free {
        let letters: Vec<(usize, char)> = answer.text.char_indices().collect();
        let stop: String = letters[3..6].iter().map(|(_, letter)| *letter).collect();
        let first = answer.text.find(&stop).unwrap();
        let with_stop =
            GenerationSettings { stop_strings: vec!["zzzz".to_owned(), stop.clone()], ..settings() };
        let mut streamed = String::new();
        let got = generate(&mut model, &prompts, &with_stop, Some(&tokenizer), |token| {
            if token.prompt == answer.prompt {
                streamed.push_str(token.text);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        let got = &got[answer.prompt];
        assert_eq!(got.finish, Finish::StopString(stop.clone()));
        assert_eq!(got.text, answer.text[..first]);
        assert_eq!(streamed, got.text);
        assert!(answer.tokens.starts_with(&got.tokens) && got.tokens.len() < answer.tokens.len());
    }
    let error = generate(
        &mut model,
        &prompts,
        &GenerationSettings { stop_strings: vec!["a".to_owned()], ..settings() },
        None,
        |_| ControlFlow::Continue(()),
    );
    assert!(error.unwrap_err().to_string().contains("no tokenizer"));
}

/// A beginning of a stop string that turns out to be none is told after all.
#[test]
fn what_looks_like_a_stop_string_is_only_held_back() {
    let tokenizer = tokenizer();
    let mut model = Tables::open();
    let prompts = [vec![13]];
    let free =
        generate(&mut model, &prompts, &settings(), Some(&tokenizer), |_| ControlFlow::Continue(())).unwrap();
    let almost: String = free[0].text.chars().take(2).chain(['#']).collect();
    let held = GenerationSettings { stop_strings: vec![almost], ..settings() };
    let mut streamed = Vec::new();
    let got = generate(&mut model, &prompts, &held, Some(&tokenizer), |token| {
        streamed.push(token.text.to_owned());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(got, free);
    assert_eq!(streamed[0], "");
    assert_eq!(streamed.concat(), free[0].text);
}

#[test]
fn draws_depend_on_the_seed_and_not_on_the_batch() {
    let drawn = GenerationSettings {
        do_sample: true,
        temperature: 1.5,
        seed: 7,
        num_return_sequences: 4,
        ..settings()
    };
    let prompts = [vec![13], vec![31, 38, 4, 21], vec![16, 26]];
    let mut model = Tables::open();
    let mut run = |settings: &GenerationSettings, prompts: &[Vec<u32>]| -> Vec<Generated> {
        generate(&mut model, prompts, settings, None, |_| ControlFlow::Continue(())).unwrap()
    };
    let all = run(&drawn, &prompts);
    assert_eq!(all.len(), 12);
    assert_eq!(all, run(&drawn, &prompts));
    assert_eq!(all[..4], run(&drawn, &prompts[..1])[..]);
    assert_ne!(all, run(&GenerationSettings { seed: 8, ..drawn.clone() }, &prompts));
    let different: BTreeSet<&Vec<u32>> = all[..4].iter().map(|answer| &answer.tokens).collect();
    assert_eq!(different.len(), 4);
    // Of the likeliest token alone, a draw is greedy.
    let greedy = run(&settings(), &prompts);
    let top = GenerationSettings { top_k: 1, num_return_sequences: 1, ..drawn.clone() };
    assert_eq!(run(&top, &prompts), greedy);
    // Beams that are drawn are different hypotheses, the best first.
    let beams = GenerationSettings { num_beams: 4, ..drawn };
    let found = run(&beams, &prompts);
    assert_eq!(found, run(&beams, &prompts));
    for answers in found.chunks(4) {
        assert!(answers.is_sorted_by(|one, other| one.score >= other.score));
    }
}

#[test]
fn a_row_that_is_stopped_leaves_and_the_others_go_on() {
    let prompts = [vec![13], vec![31, 38, 4, 21], vec![16, 26]];
    let mut model = Tables::open();
    let free = generate(&mut model, &prompts, &settings(), None, |_| ControlFlow::Continue(())).unwrap();
    let mut seen = 0;
    let got = generate(&mut model, &prompts, &settings(), None, |token| {
        seen += usize::from(token.prompt == 1);
        if token.prompt == 1 && seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!((&got[0], &got[2]), (&free[0], &free[2]));
    assert_eq!(got[1].finish, Finish::Stopped);
    assert_eq!(got[1].tokens, free[1].tokens[..3]);
}

#[test]
fn what_cannot_be_generated_is_told() {
    let mut model = Tables::open();
    let mut run = |prompts: &[Vec<u32>], settings: &GenerationSettings| {
        generate(&mut model, prompts, settings, None, |_| ControlFlow::Continue(())).unwrap_err()
    };
    assert!(matches!(run(&[vec![3], vec![]], &settings()), GenerationError::EmptyPrompt { prompt: 1 }));
    let short = GenerationSettings { max_new_tokens: None, max_length: Some(2), ..settings() };
    let error = run(&[vec![3, 4, 5]], &short);
    assert!(matches!(error, GenerationError::TooLong { prompt: 0, length: 3, limit: 2 }));
    model.break_with(f32::NAN);
    let error =
        generate(&mut model, &[vec![3]], &settings(), None, |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, GenerationError::NotANumber { prompt: 0, tokens: 0 }));
    model.break_with(f32::NEG_INFINITY);
    for num_beams in [1, 3] {
        let settings = GenerationSettings { num_beams, ..settings() };
        let error =
            generate(&mut model, &[vec![3]], &settings, None, |_| ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(error, GenerationError::NothingLeft { .. }), "{error}");
    }
    assert!(generate(&mut model, &[], &settings(), None, |_| ControlFlow::Continue(())).unwrap().is_empty());
}
