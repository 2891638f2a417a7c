//! What changes the scores before a token is chosen. Each is what Transformers' processor of the same name in
//! `generation/logits_process.py` computes, in float32, and their order is its `_get_logits_processor`'s.

use crate::sampler::softmax;
use crate::settings::GenerationSettings;

/// Changes the scores of one row's next token. `history` is all that the row has read or generated, and its last
/// `new` tokens are the answer so far. Tokens that may not follow get minus infinity.
pub fn process(settings: &GenerationSettings, history: &[u32], new: usize, scores: &mut [f32]) {
    if settings.repetition_penalty != 1.0 {
        penalise_repetition(settings.repetition_penalty, history, scores);
    }
    if settings.no_repeat_ngram_size > 0 {
        forbid_repeated_ngrams(settings.no_repeat_ngram_size, history, scores);
    }
    if history.len() < settings.min_length || new < settings.min_new_tokens {
        forbid(&settings.eos_token_id, scores);
    }
    if settings.do_sample {
        warp(settings, scores);
    }
}

/// What only sampling applies.
fn warp(settings: &GenerationSettings, scores: &mut [f32]) {
    // A beam needs something to go on with besides the ends.
    let keep = if settings.num_beams > 1 { settings.eos_token_id.len().max(1) + 1 } else { 1 };
    if settings.temperature != 1.0 {
        let temperature = settings.temperature as f32;
        scores.iter_mut().for_each(|score| *score /= temperature);
    }
    if settings.top_k > 0 {
        keep_top_k(settings.top_k.max(keep), scores);
    }
    if settings.top_p < 1.0 {
        keep_top_p(settings.top_p, keep, scores);
    }
    if let Some(min_p) = settings.min_p {
        keep_min_p(min_p, keep, scores);
    }
}

/// Keskar et al. 2019, "CTRL: A Conditional Transformer Language Model for Controllable Generation", section 4.1; a
/// negative score is multiplied, so that it too becomes less likely.
fn penalise_repetition(penalty: f64, history: &[u32], scores: &mut [f32]) {
    let penalty = penalty as f32;
    let mut seen = history.to_vec();
    seen.sort_unstable();
    seen.dedup();
    for token in seen {
        if let Some(score) = scores.get_mut(token as usize) {
            *score = if *score < 0.0 { *score * penalty } else { *score / penalty };
        }
    }
}

/// A token that would end a run of `size` tokens which has occurred is forbidden.
fn forbid_repeated_ngrams(size: usize, history: &[u32], scores: &mut [f32]) {
    let Some(start) = (history.len() + 1).checked_sub(size) else {
        return;
    };
    let prefix = history.get(start..).unwrap_or_default();
    for window in history.windows(size) {
        if let Some((last, before)) = window.split_last()
            && before == prefix
        {
            forbid(&[*last], scores);
        }
    }
}

fn forbid(tokens: &[u32], scores: &mut [f32]) {
    for token in tokens {
        if let Some(score) = scores.get_mut(*token as usize) {
            *score = f32::NEG_INFINITY;
        }
    }
}

/// Of scores as high as the k-th highest, all stay.
fn keep_top_k(k: usize, scores: &mut [f32]) {
    if k >= scores.len() {
        return;
    }
    let mut sorted = scores.to_vec();
    let (_, threshold, _) = sorted.select_nth_unstable_by(k - 1, |one, other| other.total_cmp(one));
    let threshold = *threshold;
    for score in scores {
        if *score < threshold {
            *score = f32::NEG_INFINITY;
        }
    }
}

/// Holtzman et al. 2019, "The Curious Case of Neural Text Degeneration": from the least likely on, tokens go while
/// together they have no more than `1 - top_p`.
fn keep_top_p(top_p: f64, keep: usize, scores: &mut [f32]) {
    let probabilities = softmax(scores);
    let tail = 1.0 - top_p;
    // What is no more likely than an even share of the tail lies in the tail wherever it is sorted to.
    let small = (tail / scores.len() as f64) as f32;
    let (mut candidates, mut gone): (Vec<usize>, f64) = (Vec::new(), 0.0);
    for (token, probability) in probabilities.iter().enumerate() {
        if *probability > small {
            candidates.push(token);
        } else {
            gone += f64::from(*probability);
        }
    }
    let likelihood = |token: &usize| probabilities.get(*token).copied().unwrap_or(0.0);
    candidates.sort_by(|one, other| likelihood(one).total_cmp(&likelihood(other)).then(one.cmp(other)));
    let last = candidates.len().saturating_sub(keep);
    let stay = candidates.iter().take(last).position(|token| {
        gone += f64::from(likelihood(token));
        gone > tail
    });
    let mut staying = candidates.split_off(stay.unwrap_or(last));
    if staying.len() < keep {
        staying = likeliest(&probabilities, keep);
    }
    keep_only(&staying, scores);
}

/// Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs".
fn keep_min_p(min_p: f64, keep: usize, scores: &mut [f32]) {
    let probabilities = softmax(scores);
    let top = probabilities.iter().copied().fold(0.0, f32::max);
    let threshold = min_p as f32 * top;
    let mut staying = likeliest(&probabilities, keep);
    staying
        .extend((0..scores.len()).filter(|token| probabilities.get(*token).is_some_and(|p| *p >= threshold)));
    keep_only(&staying, scores);
}

/// The `count` likeliest tokens.
fn likeliest(probabilities: &[f32], count: usize) -> Vec<usize> {
    let mut tokens: Vec<usize> = (0..probabilities.len()).collect();
    let likelihood = |token: &usize| probabilities.get(*token).copied().unwrap_or(0.0);
    let order =
        |one: &usize, other: &usize| likelihood(other).total_cmp(&likelihood(one)).then(one.cmp(other));
    if count < tokens.len() {
        tokens.select_nth_unstable_by(count, order);
        tokens.truncate(count);
    }
    tokens
}

fn keep_only(tokens: &[usize], scores: &mut [f32]) {
    let mut kept = vec![f32::NEG_INFINITY; scores.len()];
    for token in tokens {
        if let (Some(to), Some(from)) = (kept.get_mut(*token), scores.get(*token)) {
            *to = *from;
        }
    }
    scores.copy_from_slice(&kept);
}
