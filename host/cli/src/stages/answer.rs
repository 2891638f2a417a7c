//! Answers of language models: how they are chosen, how they are told, and how fast they came.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use pegbox_generation::{Decoder, Finish, Generated, GenerationSettings, generate};
use pegbox_models::ModelError;
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use crate::arguments::Choice;
use crate::console::harmless;
use crate::report::Report;

/// The model's settings with what the user chose; `tokens` is the most that an answer has where nobody says it.
pub fn settings(
    of_model: GenerationSettings,
    choice: &Choice,
    tokens: usize,
) -> Result<GenerationSettings, Box<Report>> {
    let mut settings = of_model;
    settings.seed = choice.seed;
    if let Some(tokens) = choice.max_tokens {
        settings.max_new_tokens = Some(tokens as usize);
    } else if settings.max_new_tokens.is_none() && settings.max_length.is_none() {
        settings.max_new_tokens = Some(tokens);
    }
    let draws = choice.top_k.is_some() || choice.top_p.is_some() || choice.min_p.is_some();
    match choice.temperature {
        Some(0.0) if draws => {
            return Err(Report::usage("--temperature 0 takes the likeliest token, and draws none")
                .help("leave out --top-k, --top-p and --min-p, or give another temperature"));
        }
        Some(0.0) => settings.do_sample = false,
        Some(temperature) => (settings.do_sample, settings.temperature) = (true, temperature),
        None => settings.do_sample |= draws,
    }
    settings.top_k = choice.top_k.unwrap_or(settings.top_k);
    settings.top_p = choice.top_p.unwrap_or(settings.top_p);
    settings.min_p = choice.min_p.or(settings.min_p);
    settings.repetition_penalty = choice.repetition_penalty.unwrap_or(settings.repetition_penalty);
    settings.stop_strings.extend(choice.stop.iter().cloned());
    settings.validate()?;
    Ok(settings)
}

/// Token ids of a text.
pub fn encode(tokenizer: &Tokenizer, text: &str, special: bool) -> Result<Vec<u32>, Box<Report>> {
    let encoding = tokenizer.encode_fast(text, special);
    let encoding = encoding.map_err(|error| Report::new(format!("the tokenizer failed: {error}")))?;
    Ok(encoding.get_ids().to_vec())
}

/// How much was written, and how long it took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace {
    /// Tokens of the answers.
    pub tokens: usize,
    /// Those that were chosen after the first of their batch.
    pub later: usize,
    /// Until the first token of each batch: the prompts were read.
    pub reading: Duration,
    /// After it.
    pub writing: Duration,
}

impl Pace {
    pub fn add(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.later += other.later;
        self.reading += other.reading;
        self.writing += other.writing;
    }

    /// `37 tokens, 25.3 tokens/s after 0.8 s for the prompts`
    pub fn told(&self) -> String {
        let rate = match self.writing.as_secs_f64() {
            seconds if seconds > 0.0 && self.later > 0 => {
                format!(", {:.1} tokens/s", self.later as f64 / seconds)
            }
            _ => String::new(),
        };
        format!("{} tokens{rate} after {:.2} s for the prompts", self.tokens, self.reading.as_secs_f64())
    }

    pub fn as_json(&self) -> Value {
        json!({
            "tokens": self.tokens,
            "tokens-per-second": self.later as f64 / self.writing.as_secs_f64().max(1e-9),
            "prompt-seconds": self.reading.as_secs_f64(),
            "seconds": (self.reading + self.writing).as_secs_f64(),
        })
    }
}

/// Answers to prompts. `on_text` is given text as it becomes certain, and may end the answer.
pub fn answer<D: Decoder<Error = ModelError>>(
    decoder: &mut D,
    prompts: &[Vec<u32>],
    settings: &GenerationSettings,
    tokenizer: &Tokenizer,
    mut on_text: impl FnMut(&str) -> ControlFlow<()>,
) -> Result<(Vec<Generated>, Pace), Box<Report>> {
    let started = Instant::now();
    let mut first = None;
    let (mut at_first, mut is_first) = (0, true);
    let mut last_row = None;
    let answers = generate(decoder, prompts, settings, Some(tokenizer), |token| {
        first.get_or_insert_with(Instant::now);
        // The first token of every answer comes at once.
        let row = (token.prompt, token.answer);
        is_first &= last_row.is_none_or(|last| row > last);
        last_row = Some(row);
        at_first += usize::from(is_first);
        on_text(token.text)
    })?;
    let ended = Instant::now();
    // A beam search tells its tokens at the end only.
    let first = if settings.num_beams > 1 { started } else { first.unwrap_or(ended) };
    let tokens: usize = answers.iter().map(|answer| answer.tokens.len()).sum();
    let pace = Pace {
        tokens,
        later: tokens.saturating_sub(at_first),
        reading: first - started,
        writing: ended - first,
    };
    Ok((answers, pace))
}

/// Writes text as it comes, so that it is seen at once.
pub fn stream(text: &str) {
    let mut out = std::io::stdout().lock();
    let shown = if out.is_terminal() { harmless(text) } else { text.into() };
    // A reader that has gone away is no error.
    let _ = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
}

/// An answer as a JSON object.
pub fn as_json(answer: &Generated) -> Value {
    let mut object = json!({
        "text": answer.text,
        "finish": match answer.finish {
            Finish::EndOfSequence(_) => "end",
            Finish::StopString(_) => "stop",
            Finish::Length => "length",
            Finish::Stopped => "interrupted",
        },
        "tokens": answer.tokens.len(),
        "token-ids": answer.tokens,
    });
    if let Finish::StopString(stop) = &answer.finish {
        object["stop"] = json!(stop);
    }
    if let Some(score) = answer.score {
        object["score"] = json!(score);
    }
    object
}
