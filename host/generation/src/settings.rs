//! How to generate: `generation_config.json`, and what overrides it.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::SettingsError;

/// The fields of Transformers' `GenerationConfig` that are known here, with its names, meanings and defaults.
#[derive(Clone, PartialEq, Debug)]
pub struct GenerationSettings {
    /// Tokens of an answer at most. It wins over `max_length`; 20 where neither is given.
    pub max_new_tokens: Option<usize>,
    /// Tokens of prompt and answer together at most.
    pub max_length: Option<usize>,
    /// No end of sequence before so many tokens of prompt and answer.
    pub min_length: usize,
    /// No end of sequence before so many tokens of the answer.
    pub min_new_tokens: usize,
    /// Whether tokens are drawn; else the likeliest is taken.
    pub do_sample: bool,
    pub seed: u64,
    /// The number of the first prompt, for draws and errors: prompts in several batches are then drawn as in one.
    pub first_prompt: usize,
    /// Above 0; scores are divided by it. Of sampling only, as `top_k`, `top_p` and `min_p` are.
    pub temperature: f64,
    /// Only so many of the likeliest tokens are drawn from; 0: from all.
    pub top_k: usize,
    /// Only the likeliest tokens that together have this probability are drawn from; 1: from all.
    pub top_p: f64,
    /// Only tokens at least so likely as this share of the likeliest one's probability are drawn from.
    pub min_p: Option<f64>,
    /// Scores of tokens that have occurred are divided by it, or multiplied where they are negative; 1: no effect.
    pub repetition_penalty: f64,
    /// No run of so many tokens occurs twice; 0: they may.
    pub no_repeat_ngram_size: usize,
    /// Beam search above 1.
    pub num_beams: usize,
    /// A finished hypothesis' score is its log-probability divided by its length to this power.
    pub length_penalty: f64,
    pub early_stopping: EarlyStopping,
    /// Answers to each prompt.
    pub num_return_sequences: usize,
    /// An answer ends with any of them.
    pub eos_token_id: Vec<u32>,
    /// An answer ends before any of them, of its text alone.
    pub stop_strings: Vec<String>,
}

/// When a beam search has enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EarlyStopping {
    /// Once no hypothesis, at its present length, could be better than the worst finished one.
    #[default]
    Heuristic,
    /// Once there are as many finished hypotheses as beams.
    AsSoonAsFull,
    /// Only once none could be better at any length.
    Never,
}

impl Default for GenerationSettings {
    fn default() -> Self {
        Self {
            max_new_tokens: None,
            max_length: None,
            min_length: 0,
            min_new_tokens: 0,
            do_sample: false,
            seed: 0,
            first_prompt: 0,
            temperature: 1.0,
            top_k: 50,
            top_p: 1.0,
            min_p: None,
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            num_beams: 1,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::default(),
            num_return_sequences: 1,
            eos_token_id: Vec::new(),
            stop_strings: Vec::new(),
        }
    }
}

/// Of an answer where nothing else is said, as in Transformers.
const NEW_TOKENS: usize = 20;

/// Fields that would change what is generated and are not known here, with the value that changes nothing.
const UNSUPPORTED: [(&str, f64); 20] = [
    ("bad_words_ids", 0.0),
    ("begin_suppress_tokens", 0.0),
    ("constraints", 0.0),
    ("diversity_penalty", 0.0),
    ("dola_layers", 0.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("encoder_repetition_penalty", 1.0),
    ("epsilon_cutoff", 0.0),
    ("eta_cutoff", 0.0),
    ("exponential_decay_length_penalty", 0.0),
    ("force_words_ids", 0.0),
    ("forced_bos_token_id", -1.0),
    ("forced_eos_token_id", -1.0),
    ("guidance_scale", 1.0),
    ("penalty_alpha", 0.0),
    ("sequence_bias", 0.0),
    ("suppress_tokens", 0.0),
    ("top_h", -1.0),
    ("typical_p", 1.0),
    ("watermarking_config", 0.0),
];

impl GenerationSettings {
    /// Reads a `generation_config.json`; what it does not say is Transformers' default. The second value names the
    /// fields that it sets and that have no effect here though they would in Transformers.
    ///
    /// # Errors
    /// It is not JSON, or a field is of another kind than Transformers'.
    pub fn from_json(bytes: &[u8]) -> Result<(Self, Vec<String>), SettingsError> {
        let file: File = serde_json::from_slice(bytes)?;
        let ignored = UNSUPPORTED.iter().filter(|(name, idle)| acts(file.rest.get(*name), *idle));
        let ignored = ignored.map(|(name, _)| (*name).to_owned()).collect();
        let default = Self::default();
        let settings = Self {
            max_new_tokens: file.max_new_tokens,
            max_length: file.max_length,
            min_length: file.min_length.unwrap_or(default.min_length),
            min_new_tokens: file.min_new_tokens.unwrap_or(default.min_new_tokens),
            do_sample: file.do_sample.unwrap_or(default.do_sample),
            seed: default.seed,
            first_prompt: default.first_prompt,
            temperature: file.temperature.unwrap_or(default.temperature),
            top_k: file.top_k.unwrap_or(default.top_k),
            top_p: file.top_p.unwrap_or(default.top_p),
            min_p: file.min_p,
            repetition_penalty: file.repetition_penalty.unwrap_or(default.repetition_penalty),
            no_repeat_ngram_size: file.no_repeat_ngram_size.unwrap_or(default.no_repeat_ngram_size),
            num_beams: file.num_beams.unwrap_or(default.num_beams),
            length_penalty: file.length_penalty.unwrap_or(default.length_penalty),
            early_stopping: match file.early_stopping {
                None | Some(Early::Flag(false)) => EarlyStopping::Heuristic,
                Some(Early::Flag(true)) => EarlyStopping::AsSoonAsFull,
                Some(Early::Word(Never::Never)) => EarlyStopping::Never,
            },
            num_return_sequences: file.num_return_sequences.unwrap_or(default.num_return_sequences),
            eos_token_id: file.eos_token_id.map(OneOrMore::list).unwrap_or_default(),
            stop_strings: file.stop_strings.map(OneOrMore::list).unwrap_or_default(),
        };
        Ok((settings, ignored))
    }

    /// # Errors
    /// A value is out of its range, or two do not go together.
    pub fn validate(&self) -> Result<(), SettingsError> {
        fn check(
            fits: bool,
            name: &'static str,
            value: impl ToString,
            expected: &'static str,
        ) -> Result<(), SettingsError> {
            if fits {
                return Ok(());
            }
            Err(SettingsError::Value { name, value: value.to_string(), expected })
        }
        let positive = |value: f64| value > 0.0 && value.is_finite();
        check(self.max_new_tokens != Some(0), "max_new_tokens", 0, "at least 1")?;
        check(
            positive(self.temperature),
            "temperature",
            self.temperature,
            "a number above 0 (do_sample = false takes the likeliest token)",
        )?;
        check((0.0..=1.0).contains(&self.top_p), "top_p", self.top_p, "a number from 0 to 1")?;
        let min_p = self.min_p.unwrap_or(0.0);
        check((0.0..=1.0).contains(&min_p), "min_p", min_p, "a number from 0 to 1")?;
        let penalty = self.repetition_penalty;
        check(positive(penalty), "repetition_penalty", penalty, "a number above 0")?;
        check(self.length_penalty.is_finite(), "length_penalty", self.length_penalty, "a finite number")?;
        check((1..=MOST).contains(&self.num_beams), "num_beams", self.num_beams, "1 to 1024")?;
        let count = self.num_return_sequences;
        check((1..=MOST).contains(&count), "num_return_sequences", count, "1 to 1024")?;
        check(
            !self.stop_strings.iter().any(String::is_empty),
            "stop_strings",
            "``",
            "strings that are not empty",
        )?;
        if count > 1 && self.num_beams == 1 && !self.do_sample {
            return Err(SettingsError::OneAnswer { count });
        }
        if self.num_beams > 1 && count > self.num_beams {
            return Err(SettingsError::Beams { count, beams: self.num_beams });
        }
        Ok(())
    }

    /// Tokens that may follow a history of `length`, none if it is too long already.
    pub(crate) fn room(&self, length: usize, context: Option<usize>) -> usize {
        let wanted = match (self.max_new_tokens, self.max_length) {
            (Some(new), _) => new,
            (None, Some(total)) => total.saturating_sub(length),
            (None, None) => NEW_TOKENS,
        };
        context.map_or(wanted, |context| wanted.min(context.saturating_sub(length)))
    }
}

/// More beams or answers than anybody wants; each is a copy of the model's state.
const MOST: usize = 1024;

/// Whether a field has a value that changes something.
fn acts(value: Option<&Value>, idle: f64) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Number(number)) => number.as_f64() != Some(idle),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    }
}

#[derive(Deserialize)]
struct File {
    max_new_tokens: Option<usize>,
    max_length: Option<usize>,
    min_length: Option<usize>,
    min_new_tokens: Option<usize>,
    do_sample: Option<bool>,
    temperature: Option<f64>,
    top_k: Option<usize>,
    top_p: Option<f64>,
    min_p: Option<f64>,
    repetition_penalty: Option<f64>,
    no_repeat_ngram_size: Option<usize>,
    num_beams: Option<usize>,
    length_penalty: Option<f64>,
    early_stopping: Option<Early>,
    num_return_sequences: Option<usize>,
    eos_token_id: Option<OneOrMore<u32>>,
    stop_strings: Option<OneOrMore<String>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Early {
    Flag(bool),
    Word(Never),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Never {
    Never,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

impl<T> OneOrMore<T> {
    fn list(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_what_it_leaves_out_is_the_default() {
        let (settings, ignored) = GenerationSettings::from_json(
            br#"{"_from_model_config": true, "bos_token_id": 1, "do_sample": true, "temperature": 0.6,
                "eos_token_id": [2, 7], "early_stopping": "never", "typical_p": 0.9, "epsilon_cutoff": 0.0,
                "suppress_tokens": [], "forced_eos_token_id": 2, "transformers_version": "5.0.0"}"#,
        )
        .unwrap();
        assert_eq!(
            settings,
            GenerationSettings {
                do_sample: true,
                temperature: 0.6,
                eos_token_id: vec![2, 7],
                early_stopping: EarlyStopping::Never,
                ..GenerationSettings::default()
            }
        );
        assert_eq!(ignored, ["forced_eos_token_id", "typical_p"]);
        let (settings, _) =
            GenerationSettings::from_json(br#"{"eos_token_id": 0, "early_stopping": true}"#).unwrap();
        assert_eq!((settings.eos_token_id, settings.early_stopping), (vec![0], EarlyStopping::AsSoonAsFull));
        GenerationSettings::from_json(br#"{"top_k": "many"}"#).unwrap_err();
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let default = GenerationSettings::default;
        default().validate().unwrap();
        for (settings, what) in [
            (
                GenerationSettings { temperature: 0.0, ..default() },
                "`temperature` is 0; expected a number above 0",
            ),
            (GenerationSettings { temperature: f64::NAN, ..default() }, "`temperature` is NaN"),
            (GenerationSettings { top_p: 1.5, ..default() }, "`top_p` is 1.5"),
            (GenerationSettings { min_p: Some(-0.1), ..default() }, "`min_p` is -0.1"),
            (GenerationSettings { repetition_penalty: 0.0, ..default() }, "`repetition_penalty` is 0"),
            (GenerationSettings { num_beams: 0, ..default() }, "`num_beams` is 0"),
            (GenerationSettings { stop_strings: vec![String::new()], ..default() }, "`stop_strings` is ``"),
            (
                GenerationSettings { num_return_sequences: 3, ..default() },
                "3 answers a prompt without sampling",
            ),
            (
                GenerationSettings { num_return_sequences: 3, num_beams: 2, ..default() },
                "3 answers a prompt were asked for, of a search with 2 beams",
            ),
        ] {
            let error = settings.validate().unwrap_err().to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }
}
