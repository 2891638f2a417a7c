//! `pegbox generate`: texts that a language model writes after prompts.

use std::fs;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use pegbox_generation::chat::{Conversation, Value as Messages};
use pegbox_generation::{Decoder, GenerationSettings};
use pegbox_models::{Generator, ModelError, T5Decoder};
use serde::Deserialize;
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use crate::arguments::Generate;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;
use crate::stages::answer::{self, Pace, as_json, encode, stream};
use crate::stages::language::{self, Language};

/// Tokens of an answer, where neither the user nor the model says it.
const TOKENS: usize = 128;

/// What is to be gone on with.
enum Prompt {
    Text(String),
    Chat(Messages),
}

/// A line of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    prompt: Option<String>,
    messages: Option<Messages>,
}

pub fn run(session: &Session, arguments: &Generate) -> Result<(), Box<Report>> {
    // Prompts come first: what is wrong with them shows in a moment.
    let prompts = prompts(arguments)?;
    let name = language::named(arguments.model.as_deref(), &arguments.language.recipe)?;
    let language = language::load(session, &name, arguments.language.template.as_deref())?;
    let ids = prompts.iter().map(|prompt| language.ids(prompt)).collect::<Result<Vec<_>, _>>()?;
    let Language { generator, tokenizer, settings, .. } = language;
    let mut settings = answer::settings(settings, &arguments.language.choice, TOKENS)?;
    settings.num_beams = arguments.beams.unwrap_or(settings.num_beams);
    settings.num_return_sequences = arguments.answers.unwrap_or(settings.num_return_sequences);
    let work = Work { prompts: &prompts, ids: &ids, tokenizer: &tokenizer, arguments };
    let pace = match generator {
        Generator::Causal(mut decoder) => work.done(&mut decoder, settings)?,
        Generator::Seq2Seq(model) => work.done(&mut T5Decoder::new(&model), settings)?,
    };
    session.console.say(format!("generate: {}", pace.told()));
    session.console.event(json!({ "event": "generated", "pace": pace.as_json() }));
    Ok(())
}

struct Work<'a> {
    prompts: &'a [Prompt],
    ids: &'a [Vec<u32>],
    tokenizer: &'a Tokenizer,
    arguments: &'a Generate,
}

impl Work<'_> {
    fn done<D: Decoder<Error = ModelError>>(
        &self,
        decoder: &mut D,
        mut settings: GenerationSettings,
    ) -> Result<Pace, Box<Report>> {
        let streams = self.ids.len() == 1
            && settings.num_return_sequences == 1
            && settings.num_beams == 1
            && !self.arguments.json;
        let (mut pace, size) = (Pace::default(), self.arguments.batch as usize);
        for (number, ids) in self.ids.chunks(size).enumerate() {
            settings.first_prompt = number * size;
            let (answers, of_batch) = answer::answer(decoder, ids, &settings, self.tokenizer, |text| {
                if streams {
                    stream(text);
                }
                ControlFlow::Continue(())
            })?;
            pace.add(of_batch);
            for answer in &answers {
                if self.arguments.json {
                    let mut object = as_json(answer);
                    object["prompt"] = self
                        .prompts
                        .get(settings.first_prompt + answer.prompt)
                        .map_or(Value::Null, Prompt::as_json);
                    print(&format!("{object}\n"));
                } else {
                    stream(if streams { "\n" } else { &answer.text });
                    stream(if streams { "" } else { "\n" });
                }
            }
        }
        Ok(pace)
    }
}

impl Prompt {
    fn as_json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Chat(messages) => serde_json::to_value(messages).unwrap_or_default(),
        }
    }
}

impl Language {
    /// What the model reads.
    fn ids(&self, prompt: &Prompt) -> Result<Vec<u32>, Box<Report>> {
        let messages = match prompt {
            Prompt::Text(text) => return encode(&self.tokenizer, text, true),
            Prompt::Chat(messages) => messages.clone(),
        };
        let templates = self.chat_templates("write the prompts as {\"prompt\": \"...\"}")?;
        let conversation = Conversation { messages, add_generation_prompt: true, ..Conversation::default() };
        encode(&self.tokenizer, &templates.render(&conversation)?.text, false)
    }
}

fn prompts(arguments: &Generate) -> Result<Vec<Prompt>, Box<Report>> {
    if !arguments.prompts.is_empty() {
        return Ok(arguments.prompts.iter().cloned().map(Prompt::Text).collect());
    }
    let Some(path) = &arguments.file else {
        let text = standard_input()?;
        return Ok(vec![Prompt::Text(text.trim_end_matches(['\n', '\r']).to_string())]);
    };
    let lines = match path == Path::new("-") {
        true => standard_input()?,
        false => fs::read_to_string(path)
            .map_err(|error| Report::usage(format!("cannot read {}: {error}", path.display())))?,
    };
    let full = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    full.map(|(number, line)| {
        parse(line).map_err(|what| {
            Report::usage(format!("{}:{}: {what}", path.display(), number + 1))
                .help("a line is {\"prompt\": \"...\"} or {\"messages\": [{\"role\": \"user\", \"content\": \"...\"}]}")
        })
    })
    .collect()
}

fn parse(line: &str) -> Result<Prompt, String> {
    match serde_json::from_str::<Line>(line).map_err(|error| error.to_string())? {
        Line { prompt: Some(text), messages: None } => Ok(Prompt::Text(text)),
        Line { prompt: None, messages: Some(messages) } => Ok(Prompt::Chat(messages)),
        _ => Err("expected either `prompt` or `messages`".into()),
    }
}

fn standard_input() -> Result<String, Box<Report>> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Report::new(format!("cannot read the standard input: {error}")))?;
    Ok(text)
}
