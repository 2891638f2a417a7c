//! Beam search: several hypotheses of each answer go on together, and those that end are ranked by their
//! log-probability, normalised by length (Wu et al. 2016, "Google's Neural Machine Translation System", section 7).
//! The order of events and the rules for stopping are those of Transformers' `_beam_search`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use crate::decoder::{Decoder, Logits};
use crate::error::GenerationError;
use crate::generate::{Finish, Generated, NewToken, Run, Start, check, gather};
use crate::processors::process;
use crate::sampler::{Random, log_softmax, sample_several};
use crate::settings::{EarlyStopping, GenerationSettings};
use crate::stop::Answer;
use crate::stream::StreamError;

/// Taken from a hypothesis that must not be chosen while there are others, as in Transformers.
const LAST_RESORT: f32 = -1.0e9;

/// Goes on from the logits after the prompts, one row each.
pub(crate) fn search<D: Decoder>(
    decoder: &mut D,
    logits: Logits,
    starts: Vec<Start>,
    run: &Run<'_>,
    on_token: &mut impl FnMut(&NewToken<'_>) -> ControlFlow<()>,
) -> Result<Vec<Generated>, GenerationError<D::Error>> {
    let beams = run.settings.num_beams;
    // Every beam of a prompt begins alike, so that the first step is one like any other.
    let parents: Vec<usize> = (0..starts.len()).flat_map(|row| std::iter::repeat_n(row, beams)).collect();
    decoder.reorder(&parents).map_err(GenerationError::Model)?;
    let mut logits = gather(&logits, &parents);
    let mut searches: Vec<Search<'_>> = starts.into_iter().map(|start| Search::new(start, run)).collect();
    // Searches that go on, in the decoder's order, `beams` rows each.
    let mut open: Vec<usize> = (0..searches.len()).collect();
    loop {
        let (mut parents, mut tokens, mut stay) = (Vec::new(), Vec::new(), Vec::new());
        let rows = logits.values.chunks_exact_mut(logits.vocabulary * beams);
        for (at, (place, scores)) in open.iter().zip(rows).enumerate() {
            let Some(search) = searches.get_mut(*place) else { continue };
            search.step::<D>(scores, logits.vocabulary, run)?;
            if search.open {
                stay.push(*place);
                parents.extend(search.running.iter().map(|beam| at * beams + beam.parent));
                tokens.extend(search.running.iter().filter_map(|beam| beam.tokens.last().copied()));
            }
        }
        open = stay;
        if open.is_empty() {
            break;
        }
        decoder.reorder(&parents).map_err(GenerationError::Model)?;
        logits = check::<D>(decoder.step(&tokens).map_err(GenerationError::Model)?, tokens.len())?;
    }
    let mut answers = Vec::new();
    for search in searches {
        for (answer, generated) in search.answers(run.settings.num_return_sequences).into_iter().enumerate() {
            show(&generated, answer, on_token);
            answers.push(generated);
        }
    }
    Ok(answers)
}

/// All of an answer's text goes with its last token.
fn show(generated: &Generated, answer: usize, on_token: &mut impl FnMut(&NewToken<'_>) -> ControlFlow<()>) {
    for (place, token) in generated.tokens.iter().enumerate() {
        let last = place + 1 == generated.tokens.len();
        let text = if last { generated.text.as_str() } else { "" };
        let seen = NewToken { prompt: generated.prompt, answer, token: *token, text, last };
        if on_token(&seen).is_break() {
            return;
        }
    }
}

/// The search for the answers to one prompt.
struct Search<'t> {
    start: Start,
    /// `num_beams` of them, the best first.
    running: Vec<Beam<'t>>,
    /// At most `num_beams`, the best first.
    finished: Vec<Beam<'t>>,
    open: bool,
}

/// A hypothesis.
#[derive(Clone)]
struct Beam<'t> {
    tokens: Vec<u32>,
    /// The log-probability; of a finished one, normalised by length.
    score: f32,
    text: Option<Answer<'t>>,
    /// The row that it goes on from.
    parent: usize,
    finish: Option<Finish>,
}

/// A hypothesis and a token that may follow.
#[derive(Clone, Copy)]
struct Candidate {
    score: f32,
    /// `row * vocabulary + token`.
    index: usize,
}

impl<'t> Search<'t> {
    fn new(start: Start, run: &Run<'t>) -> Self {
        let text = run.tokenizer.map(Answer::new);
        let beam = |parent| Beam {
            tokens: Vec::new(),
            // They are alike: without this, each would be continued by the same token.
            score: if parent == 0 { 0.0 } else { LAST_RESORT },
            text: text.clone(),
            parent,
            finish: None,
        };
        Self {
            start,
            running: (0..run.settings.num_beams).map(beam).collect(),
            finished: Vec::new(),
            open: true,
        }
    }

    /// One more token; `scores` are the logits of its rows and become what is added up.
    fn step<D: Decoder>(
        &mut self,
        scores: &mut [f32],
        vocabulary: usize,
        run: &Run<'_>,
    ) -> Result<(), GenerationError<D::Error>> {
        let settings = run.settings;
        self.add_up::<D>(settings, scores, vocabulary)?;
        let continued = self.continued(self.best(settings, scores), vocabulary, run)?;
        let (length, beams) = (self.length() + 1, settings.num_beams);

        let mut finished: Vec<Beam<'t>> = Vec::new();
        if !self.is_full(settings) {
            // Candidates behind the first `beams` are there only so that enough of them go on.
            finished.extend(continued.iter().take(beams).filter(|beam| beam.finish.is_some()).cloned());
        }
        let norm = normaliser(length, settings.length_penalty);
        finished.iter_mut().for_each(|beam| beam.score /= norm);
        self.finished.append(&mut finished);
        rank(&mut self.finished, beams);

        let all_end = continued.iter().all(|beam| beam.finish.is_some());
        let mut running = continued;
        running.iter_mut().filter(|beam| beam.finish.is_some()).for_each(|beam| beam.score += LAST_RESORT);
        rank(&mut running, beams);
        self.running = running;
        self.open = !all_end && !self.is_full(settings) && self.may_improve(settings);
        Ok(())
    }

    /// Logits become log-probabilities of whole hypotheses.
    fn add_up<D: Decoder>(
        &self,
        settings: &GenerationSettings,
        scores: &mut [f32],
        vocabulary: usize,
    ) -> Result<(), GenerationError<D::Error>> {
        let (prompt, tokens) = (self.start.prompt, self.length());
        for (beam, row) in self.running.iter().zip(scores.chunks_exact_mut(vocabulary)) {
            if row.iter().any(|score| score.is_nan()) {
                return Err(GenerationError::NotANumber { prompt, tokens });
            }
            log_softmax(row);
            let history: Vec<u32> = self.start.history.iter().chain(&beam.tokens).copied().collect();
            process(settings, &history, tokens, row);
            row.iter_mut().for_each(|score| *score += beam.score);
        }
        if scores.iter().all(|score| *score == f32::NEG_INFINITY) {
            return Err(GenerationError::NothingLeft { prompt, tokens });
        }
        Ok(())
    }

    /// The best candidates, or some that are drawn, the best first: so many that `num_beams` go on even if every
    /// other ends.
    fn best(&self, settings: &GenerationSettings, scores: &[f32]) -> Vec<Candidate> {
        let count = (1 + settings.eos_token_id.len()).max(2) * settings.num_beams;
        if !settings.do_sample {
            return highest(scores, count);
        }
        let prompt = settings.first_prompt + self.start.prompt;
        let mut random = Random::new(settings.seed, prompt, 0, self.length());
        let drawn = sample_several(scores, count, &mut random);
        drawn.into_iter().filter_map(|index| Some(Candidate { score: *scores.get(index)?, index })).collect()
    }

    fn continued(
        &self,
        candidates: Vec<Candidate>,
        vocabulary: usize,
        run: &Run<'_>,
    ) -> Result<Vec<Beam<'t>>, StreamError> {
        let mut continued = Vec::with_capacity(candidates.len());
        for Candidate { score, index } in candidates {
            let (parent, token) = (index / vocabulary, index % vocabulary);
            let (Some(before), Ok(token)) = (self.running.get(parent), u32::try_from(token)) else {
                continue;
            };
            let mut beam = Beam { score, parent, finish: None, ..before.clone() };
            beam.tokens.push(token);
            if run.settings.eos_token_id.contains(&token) {
                beam.finish = Some(Finish::EndOfSequence(token));
            } else if let Some(text) = &mut beam.text {
                let (_, stop) = text.push(token, &run.stops)?;
                beam.finish = stop.map(|stop| Finish::StopString(stop.to_owned()));
            }
            if beam.finish.is_none() && beam.tokens.len() >= self.start.room {
                beam.finish = Some(Finish::Length);
            }
            if let (Some(Finish::Length | Finish::EndOfSequence(_)), Some(text)) =
                (&beam.finish, &mut beam.text)
            {
                text.finish()?;
            }
            continued.push(beam);
        }
        Ok(continued)
    }

    /// Whether no better one is waited for.
    fn is_full(&self, settings: &GenerationSettings) -> bool {
        settings.early_stopping == EarlyStopping::AsSoonAsFull && self.finished.len() == settings.num_beams
    }

    /// Whether the best that runs could still come before the worst that is finished.
    fn may_improve(&self, settings: &GenerationSettings) -> bool {
        let Some(best) = self.running.first() else {
            return false;
        };
        let length = match settings.early_stopping {
            EarlyStopping::Never if settings.length_penalty > 0.0 => self.start.room,
            _ => self.length(),
        };
        let possible = best.score / normaliser(length, settings.length_penalty);
        let worst = self.finished.last().filter(|_| self.finished.len() == settings.num_beams);
        possible > worst.map_or(LAST_RESORT, |worst| worst.score)
    }

    /// Tokens of every running hypothesis.
    fn length(&self) -> usize {
        self.running.first().map_or(0, |beam| beam.tokens.len())
    }

    fn answers(self, count: usize) -> Vec<Generated> {
        let prompt = self.start.prompt;
        let answer = |beam: Beam<'_>| Generated {
            prompt,
            tokens: beam.tokens,
            text: beam.text.map(|answer| answer.text).unwrap_or_default(),
            finish: beam.finish.unwrap_or(Finish::Length),
            score: Some(beam.score),
        };
        // Hypotheses that run are there only if too few could end.
        self.finished.into_iter().chain(self.running).take(count).map(answer).collect()
    }
}

fn normaliser(length: usize, penalty: f64) -> f32 {
    (length as f64).powf(penalty) as f32
}

/// The best `count`, the first of equal ones first.
fn rank(beams: &mut Vec<Beam<'_>>, count: usize) {
    beams.sort_by(|one, other| other.score.total_cmp(&one.score));
    beams.truncate(count);
}

/// The `count` highest scores, the highest first.
fn highest(scores: &[f32], count: usize) -> Vec<Candidate> {
    // The worst of those kept is on top.
    let mut kept: BinaryHeap<Candidate> = BinaryHeap::with_capacity(count + 1);
    for (index, score) in scores.iter().enumerate() {
        if kept.len() < count || kept.peek().is_some_and(|worst| *score > worst.score) {
            kept.push(Candidate { score: *score, index });
            if kept.len() > count {
                kept.pop();
            }
        }
    }
    kept.into_sorted_vec()
}

impl Ord for Candidate {
    /// The better one first, which is the one with the lower index if they are equal.
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}
