//! From prompts to answers.

use std::ops::ControlFlow;

use tokenizers::Tokenizer;

use crate::beam;
use crate::decoder::{Decoder, Logits};
use crate::error::{GenerationError, SettingsError};
use crate::processors::process;
use crate::sampler::{Random, argmax, sample};
use crate::settings::GenerationSettings;
use crate::stop::{Answer, Stops};

/// An answer to a prompt.
#[derive(Clone, PartialEq, Debug)]
pub struct Generated {
    /// Which prompt it answers.
    pub prompt: usize,
    /// Without the prompt's; with the end of sequence or the tokens of the stop string that ended it.
    pub tokens: Vec<u32>,
    /// Without special tokens, and without the stop string that ended it. Empty where no tokenizer was given.
    pub text: String,
    pub finish: Finish,
    /// Of a beam search: the log-probability divided by the length to the power of the length penalty.
    pub score: Option<f32>,
}

/// Why an answer ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finish {
    /// With this end-of-sequence token.
    EndOfSequence(u32),
    StopString(String),
    /// It is as long as the settings or the model allow.
    Length,
    /// The caller wanted no more.
    Stopped,
}

/// A token as it is chosen.
#[derive(Debug)]
pub struct NewToken<'a> {
    pub prompt: usize,
    /// Which of the prompt's answers.
    pub answer: usize,
    pub token: u32,
    /// Text that is certain now: no part of a character, nothing that may be the beginning of a stop string. The
    /// texts of an answer's tokens joined are its text. Empty where no tokenizer was given.
    pub text: &'a str,
    /// Whether it is the answer's last.
    pub last: bool,
}

/// Generates `num_return_sequences` answers to each prompt, in the prompts' order; of a beam search the best first.
///
/// All rows go through the model together; a row that has ended leaves it. `tokenizer` gives texts and is needed for
/// stop strings. They end an answer by what it says itself, wherever the tokens' borders are; the prompt's text does
/// not count.
///
/// `on_token` sees every token at once and may end the answer that it belongs to. A beam search knows its answers
/// at the end only, and then shows their tokens.
///
/// # Errors
/// Settings that mean nothing, a prompt without tokens or without room for an answer, and what the model says.
pub fn generate<D: Decoder>(
    decoder: &mut D,
    prompts: &[Vec<u32>],
    settings: &GenerationSettings,
    tokenizer: Option<&Tokenizer>,
    mut on_token: impl FnMut(&NewToken<'_>) -> ControlFlow<()>,
) -> Result<Vec<Generated>, GenerationError<D::Error>> {
    settings.validate()?;
    if tokenizer.is_none() && !settings.stop_strings.is_empty() {
        return Err(SettingsError::NoTokenizer.into());
    }
    let starts = starts(decoder, prompts, settings)?;
    if starts.is_empty() {
        return Ok(Vec::new());
    }
    let stops = Stops::new(settings, tokenizer);
    let logits = check::<D>(decoder.prefill(prompts).map_err(GenerationError::Model)?, prompts.len())?;
    let run = Run { settings, stops, tokenizer };
    if settings.num_beams > 1 {
        return beam::search(decoder, logits, starts, &run, &mut on_token);
    }
    one_by_one(decoder, logits, starts, &run, &mut on_token)
}

/// What all rows of a generation have in common.
pub(crate) struct Run<'r> {
    pub settings: &'r GenerationSettings,
    pub stops: Stops<'r>,
    pub tokenizer: Option<&'r Tokenizer>,
}

/// A prompt, before its answer.
#[derive(Clone)]
pub(crate) struct Start {
    pub prompt: usize,
    /// What the answer continues.
    pub history: Vec<u32>,
    /// Tokens that the answer may have.
    pub room: usize,
}

fn starts<D: Decoder>(
    decoder: &D,
    prompts: &[Vec<u32>],
    settings: &GenerationSettings,
) -> Result<Vec<Start>, GenerationError<D::Error>> {
    let start = |(place, tokens): (usize, &Vec<u32>)| {
        let prompt = settings.first_prompt + place;
        if tokens.is_empty() {
            return Err(GenerationError::EmptyPrompt { prompt });
        }
        let history = decoder.history(tokens);
        let room = settings.room(history.len(), decoder.context());
        if room == 0 {
            let length = history.len();
            let limit = settings.max_length.into_iter().chain(decoder.context()).min().unwrap_or(length);
            return Err(GenerationError::TooLong { prompt, length, limit });
        }
        Ok(Start { prompt: place, history, room })
    };
    prompts.iter().enumerate().map(start).collect()
}

/// That there is a score for every token of every row.
pub(crate) fn check<D: Decoder>(logits: Logits, rows: usize) -> Result<Logits, GenerationError<D::Error>> {
    let Logits { rows: got_rows, vocabulary, ref values } = logits;
    if got_rows == rows && vocabulary > 0 && Some(values.len()) == rows.checked_mul(vocabulary) {
        return Ok(logits);
    }
    Err(GenerationError::Shape { rows, vocabulary, got: values.len() })
}

/// Copies of rows, in a new order.
pub(crate) fn gather(logits: &Logits, parents: &[usize]) -> Logits {
    let rows = parents.iter().filter_map(|parent| logits.row(*parent));
    Logits { rows: parents.len(), vocabulary: logits.vocabulary, values: rows.flatten().copied().collect() }
}

/// A row of greedy or sampled generation.
struct Row<'t> {
    start: Start,
    answer: usize,
    tokens: Vec<u32>,
    text: Option<Answer<'t>>,
    finish: Option<Finish>,
}

/// Greedy generation and sampling: one token a row and step.
fn one_by_one<D: Decoder>(
    decoder: &mut D,
    mut logits: Logits,
    starts: Vec<Start>,
    run: &Run<'_>,
    on_token: &mut impl FnMut(&NewToken<'_>) -> ControlFlow<()>,
) -> Result<Vec<Generated>, GenerationError<D::Error>> {
    let copies = run.settings.num_return_sequences;
    if copies > 1 {
        let parents: Vec<usize> =
            (0..starts.len()).flat_map(|row| std::iter::repeat_n(row, copies)).collect();
        decoder.reorder(&parents).map_err(GenerationError::Model)?;
        logits = gather(&logits, &parents);
    }
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(starts.len() * copies);
    for start in starts {
        rows.extend((0..copies).map(|answer| Row::new(start.clone(), answer, run)));
    }
    // Rows that go on, in the decoder's order.
    let mut open: Vec<usize> = (0..rows.len()).collect();
    loop {
        let mut next = Vec::with_capacity(open.len());
        for (place, scores) in open.iter().zip(logits.values.chunks_exact_mut(logits.vocabulary)) {
            if let Some(row) = rows.get_mut(*place) {
                let token = row.choose::<D>(run.settings, scores)?;
                row.push(token, run, on_token)?;
                next.push(token);
            }
        }
        let is_open = |place: usize| rows.get(place).is_some_and(|row| row.finish.is_none());
        let stay: Vec<usize> =
            open.iter().enumerate().filter(|(_, place)| is_open(**place)).map(|(at, _)| at).collect();
        if stay.is_empty() {
            break;
        }
        if stay.len() < open.len() {
            decoder.reorder(&stay).map_err(GenerationError::Model)?;
            open = stay.iter().filter_map(|at| open.get(*at).copied()).collect();
            next = stay.iter().filter_map(|at| next.get(*at).copied()).collect();
        }
        logits = check::<D>(decoder.step(&next).map_err(GenerationError::Model)?, open.len())?;
    }
    Ok(rows.into_iter().map(Row::done).collect())
}

impl<'t> Row<'t> {
    fn new(start: Start, answer: usize, run: &Run<'t>) -> Self {
        Self { start, answer, tokens: Vec::new(), text: run.tokenizer.map(Answer::new), finish: None }
    }

    fn choose<D: Decoder>(
        &self,
        settings: &GenerationSettings,
        scores: &mut [f32],
    ) -> Result<u32, GenerationError<D::Error>> {
        let (prompt, tokens) = (settings.first_prompt + self.start.prompt, self.tokens.len());
        if scores.iter().any(|score| score.is_nan()) {
            return Err(GenerationError::NotANumber { prompt, tokens });
        }
        process(settings, &self.start.history, tokens, scores);
        let token = if settings.do_sample {
            sample(scores, Random::new(settings.seed, prompt, self.answer, tokens).uniform())
        } else {
            argmax(scores)
        };
        token.ok_or(GenerationError::NothingLeft { prompt, tokens })
    }

    fn push<E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        token: u32,
        run: &Run<'_>,
        on_token: &mut impl FnMut(&NewToken<'_>) -> ControlFlow<()>,
    ) -> Result<(), GenerationError<E>> {
        self.tokens.push(token);
        self.start.history.push(token);
        let mut text = String::new();
        if run.settings.eos_token_id.contains(&token) {
            self.finish = Some(Finish::EndOfSequence(token));
        } else if let Some(answer) = &mut self.text {
            let (new, stop) = answer.push(token, &run.stops)?;
            text = new;
            self.finish = stop.map(|stop| Finish::StopString(stop.to_owned()));
        }
        if self.finish.is_none() && self.tokens.len() >= self.start.room {
            self.finish = Some(Finish::Length);
        }
        if let (Some(Finish::Length | Finish::EndOfSequence(_)), Some(answer)) =
            (&self.finish, &mut self.text)
        {
            text.push_str(&answer.finish()?);
        }
        let last = self.finish.is_some();
        let seen = NewToken { prompt: self.start.prompt, answer: self.answer, token, text: &text, last };
        if on_token(&seen).is_break() && self.finish.is_none() {
            self.finish = Some(Finish::Stopped);
        }
        Ok(())
    }

    fn done(self) -> Generated {
        Generated {
            prompt: self.start.prompt,
            tokens: self.tokens,
            text: self.text.map(|answer| answer.text).unwrap_or_default(),
            finish: self.finish.unwrap_or(Finish::Length),
            score: None,
        }
    }
}
