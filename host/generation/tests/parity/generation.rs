//! What is generated, and the distributions that it is drawn from.

use std::ops::ControlFlow;

use pegbox_generation::{Generated, GenerationSettings, generate, process, softmax};
use serde::Deserialize;

use crate::fixture;
use crate::tables::Tables;

#[derive(Deserialize)]
struct Case {
    settings: serde_json::Value,
    prompts: Vec<Vec<u32>>,
    answers: Vec<Vec<u32>>,
    scores: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct Distribution {
    settings: serde_json::Value,
    history: Vec<u32>,
    new: usize,
    probabilities: Vec<f32>,
}

fn settings(json: &serde_json::Value) -> GenerationSettings {
    let (settings, ignored) = GenerationSettings::from_json(json.to_string().as_bytes()).unwrap();
    assert!(ignored.is_empty(), "{ignored:?}");
    settings
}

fn run(model: &mut Tables, prompts: &[Vec<u32>], settings: &GenerationSettings) -> Vec<Generated> {
    generate(model, prompts, settings, None, |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn greedy_and_beam_search_are_token_for_token() {
    let cases: Vec<Case> = serde_json::from_slice(&fixture("generation/cases.json")).unwrap();
    assert!(cases.len() > 70);
    let mut model = Tables::open();
    for Case { settings: json, prompts, answers, scores } in cases {
        let settings = settings(&json);
        let got = run(&mut model, &prompts, &settings);
        let tokens: Vec<&Vec<u32>> = got.iter().map(|answer| &answer.tokens).collect();
        assert_eq!(tokens, answers.iter().collect::<Vec<_>>(), "{json}");
        for (answer, expected) in got.iter().zip(scores.unwrap_or_default()) {
            let score = answer.score.unwrap();
            assert!((score - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{score} {expected} {json}");
        }
        // A row's answer does not depend on the rows beside it.
        let alone: Vec<Generated> = prompts
            .iter()
            .enumerate()
            .flat_map(|(prompt, row)| {
                let answers = run(&mut model, std::slice::from_ref(row), &settings);
                answers.into_iter().map(move |answer| Generated { prompt, ..answer })
            })
            .collect();
        assert_eq!(got, alone, "{json}");
    }
}

#[test]
fn distributions_after_each_processor_are_the_same() {
    let cases: Vec<Distribution> = serde_json::from_slice(&fixture("generation/distributions.json")).unwrap();
    assert!(cases.len() > 30);
    let model = Tables::open();
    for Distribution { settings: json, history, new, probabilities } in cases {
        let mut scores = model.scores(&history);
        process(&settings(&json), &history, new, &mut scores);
        for (token, (got, expected)) in softmax(&scores).iter().zip(&probabilities).enumerate() {
            assert!((got - expected).abs() < 1e-6, "token {token}: {got} {expected}, {json} {history:?}");
        }
    }
}
