//! `pegbox chat`: a conversation with a language model, on a terminal or line by line.

use std::io::{BufRead, IsTerminal, Write};
use std::ops::ControlFlow;

use pegbox_generation::chat::{ChatTemplates, Conversation, Message};
use pegbox_generation::{GenerationSettings, Remembering};
use pegbox_models::{CausalDecoder, Generator};
use serde_json::json;
use tokenizers::Tokenizer;

use crate::arguments::Chat;
use crate::console::print;
use crate::report::Report;
use crate::session::Session;
use crate::stages::answer::{self, Pace, as_json, encode, stream};
use crate::stages::interrupt;
use crate::stages::language::{self, Language};

/// Tokens of an answer, where neither the user nor the model says it.
const TOKENS: usize = 512;

const HELP: &str = "\
/reset        begin a new conversation
/system TEXT  begin a new one, with this said by the system; without TEXT, with nothing
/quit         end; so does Ctrl-D
//...         say something that begins with a slash
Ctrl-C        end an answer";

pub fn run(session: &Session, arguments: &Chat) -> Result<(), Box<Report>> {
    let name = language::named(arguments.model.as_deref(), &arguments.language.recipe)?;
    let language = language::load(session, &name, arguments.language.template.as_deref())?;
    language.chat_templates(&format!("`pegbox generate --model {name}` goes on with a text"))?;
    let Language { generator, tokenizer, templates, settings, end_of_turn, .. } = language;
    let Generator::Causal(decoder) = generator else {
        return Err(Report::usage(format!("{name} reads one text and writes another; it does not converse"))
            .help(format!("`pegbox generate --model {name}` writes what it makes of a text")));
    };
    let mut settings = answer::settings(settings, &arguments.language.choice, TOKENS)?;
    (settings.num_beams, settings.num_return_sequences) = (1, 1);
    settings.eos_token_id.extend(end_of_turn.filter(|end| !settings.eos_token_id.contains(end)));
    let mut talk = Talk {
        decoder: Remembering::new(decoder),
        tokenizer,
        templates: templates?,
        settings,
        json: arguments.json,
        messages: Vec::new(),
        turns: 0,
        pace: Pace::default(),
        kept: 0,
    };
    talk.begin(arguments.system.as_deref().unwrap_or_default());
    converse(session, &name, &mut talk)?;
    let answers = if talk.turns == 1 { "answer" } else { "answers" };
    session.console.say(format!(
        "chat: {} {answers}, {}; {} tokens of these were known before",
        talk.turns,
        talk.pace.told(),
        talk.kept
    ));
    session.console.event(json!({ "event": "talked", "answers": talk.turns, "kept-tokens": talk.kept, "pace": talk.pace.as_json() }));
    Ok(())
}

fn converse(session: &Session, name: &str, talk: &mut Talk) -> Result<(), Box<Report>> {
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        session.console.say(format!("chat: {name}; /help says what else there is"));
    }
    interrupt::catch();
    while let Some(line) = read(terminal)? {
        match Line::of(&line) {
            Line::Nothing => {}
            Line::Help => session.console.say(HELP),
            Line::Unknown(command) => session.console.say(format!("there is no /{command}\n{HELP}")),
            Line::Quit => break,
            Line::Begin(None) => talk.begin_again(),
            Line::Begin(Some(system)) => talk.begin(system),
            Line::Said(text) => match talk.turn(text) {
                // Somebody who is there can say something else.
                Err(report) if terminal => report.show(session.console.is_json()),
                result => result?,
            },
        }
    }
    Ok(())
}

/// The next line; none where there is no more.
fn read(terminal: bool) -> Result<Option<String>, Box<Report>> {
    if terminal {
        // It asks whoever is there, and is no part of what a model wrote.
        let _ = write!(std::io::stderr(), "> ").and_then(|()| std::io::stderr().flush());
    }
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line)),
        Err(error) => Err(Report::new(format!("cannot read the standard input: {error}"))),
    }
}

/// What a line is.
#[derive(Debug, PartialEq)]
enum Line<'a> {
    Nothing,
    Said(&'a str),
    /// A new conversation, with another text of the system or the same.
    Begin(Option<&'a str>),
    Help,
    Quit,
    Unknown(&'a str),
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/') else {
            return if line.is_empty() { Self::Nothing } else { Self::Said(line) };
        };
        if command.starts_with('/') {
            return Self::Said(command);
        }
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match word {
            "reset" => Self::Begin(None),
            "system" => Self::Begin(Some(rest.trim())),
            "quit" | "exit" => Self::Quit,
            "help" => Self::Help,
            _ => Self::Unknown(word),
        }
    }
}

/// A conversation that goes on.
struct Talk {
    decoder: Remembering<CausalDecoder>,
    tokenizer: Tokenizer,
    templates: ChatTemplates,
    settings: GenerationSettings,
    json: bool,
    messages: Vec<Message>,
    /// Answers in all.
    turns: u64,
    pace: Pace,
    /// Tokens of prompts that were in the cache.
    kept: usize,
}

impl Talk {
    /// A new conversation, with that said by the system, or nothing.
    fn begin(&mut self, system: &str) {
        self.messages.clear();
        if !system.is_empty() {
            self.messages.push(message("system", system));
        }
    }

    /// With the same system's message.
    fn begin_again(&mut self) {
        let system = self.messages.first().is_some_and(|first| first.role == "system");
        self.messages.truncate(usize::from(system));
    }

    /// An answer to what the user says. If there can be none, nothing was said.
    fn turn(&mut self, text: &str) -> Result<(), Box<Report>> {
        self.messages.push(message("user", text));
        let said = self.answer(text);
        match &said {
            Ok(answer) => self.messages.push(message("assistant", answer)),
            Err(_) => drop(self.messages.pop()),
        }
        said.map(drop)
    }

    fn answer(&mut self, text: &str) -> Result<String, Box<Report>> {
        let rendered = self.templates.render(&Conversation::prompt(&self.messages))?;
        let ids = encode(&self.tokenizer, &rendered.text, false)?;
        let length = ids.len();
        // Another turn is another draw.
        let seed = self.settings.seed.wrapping_add(self.turns);
        let settings = GenerationSettings { seed, ..self.settings.clone() };
        let (answering, json) = (interrupt::answering(), self.json);
        let (answers, pace) =
            answer::answer(&mut self.decoder, &[ids], &settings, &self.tokenizer, |text| {
                if !json {
                    stream(text);
                }
                if answering.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        let Some(answer) = answers.into_iter().next() else { return Ok(String::new()) };
        if json {
            let mut object = as_json(&answer);
            object["prompt"] = json!(text);
            object["prompt-tokens"] = json!(length);
            object["kept-tokens"] = json!(self.decoder.kept());
            print(&format!("{object}\n"));
        } else {
            stream("\n");
        }
        self.turns += 1;
        self.kept += self.decoder.kept();
        self.pace.add(pace);
        Ok(answer.text)
    }
}

fn message(role: &str, content: &str) -> Message {
    Message { role: role.to_owned(), content: content.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_or_a_command() {
        assert_eq!(Line::of("  hello there \n"), Line::Said("hello there"));
        assert_eq!(Line::of("\n"), Line::Nothing);
        assert_eq!(Line::of("//etc/hosts"), Line::Said("/etc/hosts"));
        assert_eq!(Line::of("/reset\n"), Line::Begin(None));
        assert_eq!(Line::of("/system  Be brief. \n"), Line::Begin(Some("Be brief.")));
        assert_eq!(Line::of("/system"), Line::Begin(Some("")));
        assert_eq!(Line::of("/quit"), Line::Quit);
        assert_eq!(Line::of("/load x"), Line::Unknown("load"));
    }
}
