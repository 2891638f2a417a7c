//! The template language as Transformers has it: Jinja2 with `trim_blocks`, `lstrip_blocks`, loop controls, its own
//! `tojson`, `raise_exception`, `strftime_now` and `{% generation %}` (`utils/chat_template_utils.py`). A template is
//! a program that came with a model; what it may do and write is bounded.

use std::io::{self, Write};
use std::ops::Range;

use jiff::Zoned;
use jiff::fmt::strtime;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Value};

use super::conversation::Conversation;
use super::error::{ChatError, Raised};
use super::json::tojson;
use super::python;
use super::source::SpecialTokens;

/// Steps of the template engine; each 64 bytes that it makes are a step too.
const FUEL: u64 = 500_000;

/// Bytes of a rendered conversation.
const LONGEST: usize = 32 << 20;

/// Bytes of a template; the longest that are in use have some ten thousand.
const LONGEST_SOURCE: usize = 1 << 20;

const NAME: &str = "chat";

/// A chat template, ready to render.
pub struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: SpecialTokens,
    /// Whether it marks what the assistant says.
    marks_answers: bool,
}

/// A conversation as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    pub text: String,
    /// The bytes of `text` that the template marks as the assistant's, by `{% generation %}`; in order. None where it
    /// marks nothing.
    pub answers: Vec<Range<usize>>,
}

impl ChatTemplate {
    /// Reads a template's source.
    ///
    /// # Errors
    /// It is no template, or longer than any template is.
    pub fn new(source: &str, special_tokens: SpecialTokens) -> Result<Self, ChatError> {
        if source.len() > LONGEST_SOURCE {
            return Err(ChatError::TooLong { limit: LONGEST_SOURCE });
        }
        let (source, marks_answers) = with_marks(source);
        let mut environment = environment().map_err(|error| ChatError::of(&error))?;
        environment.add_template_owned(NAME, source).map_err(|error| ChatError::of(&error))?;
        Ok(Self { environment, special_tokens, marks_answers })
    }

    /// Whether the template says which text is the assistant's.
    pub fn marks_answers(&self) -> bool {
        self.marks_answers
    }

    /// The conversation as text. Encode it without adding special tokens: the template writes them.
    ///
    /// # Errors
    /// What the template refuses or cannot do, and what would take too much of time or memory.
    pub fn render(&self, conversation: &Conversation) -> Result<Rendered, ChatError> {
        let mut messages = conversation.normalised()?;
        let opened = match conversation.continue_final_message {
            true => Some(open_last(&mut messages, conversation.add_generation_prompt)?),
            false => None,
        };
        let messages: Value = messages.into_iter().map(Value::from_pairs).collect();
        let or_none = |value: &Value| if value.is_undefined() { Value::from(()) } else { value.clone() };
        let mut variables: Vec<(Value, Value)> = Vec::new();
        for (name, token) in self.special_tokens.iter() {
            variables.push((Value::from(name), Value::from(token)));
        }
        for (name, value) in &conversation.variables {
            variables.push((Value::from(name.as_str()), value.clone()));
        }
        variables.push((Value::from("messages"), messages));
        variables.push((Value::from("tools"), or_none(&conversation.tools)));
        variables.push((Value::from("documents"), or_none(&conversation.documents)));
        let prompt = Value::from(conversation.add_generation_prompt);
        variables.push((Value::from("add_generation_prompt"), prompt));

        let mut text = self.run(Value::from_pairs(variables))?;
        if let Some(last) = opened {
            text = cut(text, &last)?;
        }
        Ok(take_marks(text))
    }

    fn run(&self, variables: Value) -> Result<String, ChatError> {
        let template = self.environment.get_template(NAME).map_err(|error| ChatError::of(&error))?;
        let mut out = Bounded { bytes: Vec::new(), full: false };
        if let Err(error) = template.render_captured_to(variables, &mut out) {
            return Err(if out.full { ChatError::TooLong { limit: LONGEST } } else { ChatError::of(&error) });
        }
        String::from_utf8(out.bytes)
            .map_err(|error| ChatError::Failed { line: 0, what: format!("it wrote no UTF-8: {error}") })
    }
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Filters that Jinja2 has built in and this engine beside it.
    minijinja_contrib::add_to_environment(&mut environment);
    environment.set_unknown_method_callback(python::method);
    environment.set_formatter(python::write);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("tojson", tojson);
    environment.add_test("sequence", python::is_sequence);
    environment.add_filter(ANSWER, |text: &str| format!("{BEGIN}{text}{END}"));
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, "raised").with_source(Raised(message)))
    });
    environment.add_function("strftime_now", strftime_now);
    Ok(environment)
}

/// The local time.
fn strftime_now(format: &str) -> Result<String, Error> {
    let failed = |what: String| Error::new(ErrorKind::InvalidOperation, format!("strftime_now: {what}"));
    if format.len() > 256 {
        return Err(failed("the format is longer than 256 bytes".to_owned()));
    }
    strtime::format(format, &Zoned::now()).map_err(|error| failed(error.to_string()))
}

/// Output that ends somewhere.
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for &mut Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LONGEST {
            self.full = true;
            return Err(io::Error::other("too long"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A filter in place of `{% generation %}`, which this engine does not know; a filter's block has the same scope.
const ANSWER: &str = "_assistant_answer";

/// Noncharacters, which no text has, around what the assistant says.
const BEGIN: char = '\u{fdd0}';
const END: char = '\u{fdd1}';

/// The source with `{% generation %}` made a filter, and whether there is any.
fn with_marks(source: &str) -> (String, bool) {
    let (mut made, mut rest, mut any) = (String::with_capacity(source.len()), source, false);
    while let Some((before, after)) = rest.split_once("{%") {
        made.push_str(before);
        made.push_str("{%");
        rest = after;
        let tag = after.split_once("%}").map_or("", |(tag, _)| tag);
        let inner = tag.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']);
        let new = match inner.trim() {
            "generation" => format!("filter {ANSWER}"),
            "endgeneration" => "endfilter".to_owned(),
            _ => continue,
        };
        any = true;
        made.push_str(&tag.replacen(inner.trim(), &new, 1));
        rest = after.get(tag.len()..).unwrap_or_default();
    }
    made.push_str(rest);
    (made, any)
}

/// Takes the marks out of the text.
fn take_marks(text: String) -> Rendered {
    if !text.contains([BEGIN, END]) {
        return Rendered { text, answers: Vec::new() };
    }
    let (mut clean, mut answers, mut begin) = (String::with_capacity(text.len()), Vec::new(), None);
    for character in text.chars() {
        match character {
            BEGIN => begin = Some(clean.len()),
            END => answers.extend(begin.take().map(|begin| begin..clean.len())),
            _ => clean.push(character),
        }
    }
    Rendered { text: clean, answers }
}

/// Stands at the end of the message that is to be continued, until it has been rendered; as in Transformers, with a
/// space, which tells whether the template trims.
const TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// Adds the tag to the last message, and gives what that said.
fn open_last(messages: &mut [Vec<(Value, Value)>], prompt: bool) -> Result<String, ChatError> {
    if prompt {
        return Err(ChatError::NotContinued("it would be followed by the header of another answer"));
    }
    let content =
        messages.last_mut().and_then(|last| last.iter_mut().find(|(key, _)| key.as_str() == Some("content")));
    let Some((_, content)) = content else {
        return Err(ChatError::NotContinued("it has no `content`"));
    };
    let text = content.as_str().ok_or(ChatError::NotContinued("its `content` is no text"))?.to_owned();
    *content = Value::from(format!("{text}{TAG}"));
    Ok(text)
}

/// What comes before the tag.
fn cut(mut text: String, last: &str) -> Result<String, ChatError> {
    let found = text.rfind(TAG.trim_end()).filter(|_| text.contains(last.trim()));
    let place = found.ok_or(ChatError::NotContinued("the template does not write it out"))?;
    let kept = text.get(place..).is_some_and(|rest| rest.starts_with(TAG));
    text.truncate(place);
    if !kept {
        text.truncate(text.trim_end().len());
    }
    Ok(text)
}
