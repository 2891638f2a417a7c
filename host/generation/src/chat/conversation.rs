//! What a template is given.

use super::error::ChatError;
use minijinja::Value;
use minijinja::value::ValueKind;

/// A message of role and text, for those that have no more to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub role: String,
    pub content: String,
}

/// A conversation, and how it is to be rendered. The fields are those of Transformers' `apply_chat_template`.
///
/// [`Value`] keeps the order of an object's fields, which templates write out; read it out of JSON text by
/// `serde_json::from_str`.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// A list of objects with `role` and, mostly, `content`.
    pub messages: Value,
    /// A list of JSON schemas of functions, or undefined.
    pub tools: Value,
    /// A list of objects with `title` and `text`, or undefined.
    pub documents: Value,
    /// Whether the header of an assistant's message follows.
    pub add_generation_prompt: bool,
    /// Whether the last message is left open, for the model to go on with it.
    pub continue_final_message: bool,
    /// What else the template may use; they come before special tokens of the same name.
    pub variables: Vec<(String, Value)>,
}

impl Conversation {
    /// For an answer to `messages`.
    pub fn prompt(messages: &[Message]) -> Self {
        Self { add_generation_prompt: true, ..Self::of(messages) }
    }

    /// `messages` as they are.
    pub fn of(messages: &[Message]) -> Self {
        let message = |message: &Message| {
            let fields = [("role", message.role.as_str()), ("content", message.content.as_str())];
            Value::from_pairs(fields)
        };
        Self { messages: messages.iter().map(message).collect(), ..Self::default() }
    }

    /// The messages as Transformers hands them on: fields that are null are left out, and reasoning is there by
    /// every name that a template may read.
    pub(crate) fn normalised(&self) -> Result<Vec<Vec<(Value, Value)>>, ChatError> {
        let items = self.messages.try_iter().map_err(|_| ChatError::Empty)?;
        let messages: Vec<_> = items.enumerate().map(|(place, message)| normalise(place, &message)).collect();
        if messages.is_empty() {
            return Err(ChatError::Empty);
        }
        messages.into_iter().collect()
    }
}

/// The names of a message's reasoning, the standard one first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

fn normalise(place: usize, message: &Value) -> Result<Vec<(Value, Value)>, ChatError> {
    let failed = |what| ChatError::Message { place: place + 1, what };
    if message.kind() != ValueKind::Map {
        return Err(failed("expected an object with `role` and `content`"));
    }
    let mut fields = Vec::new();
    for key in message.try_iter().map_err(|_| failed("its fields cannot be read"))? {
        let value = message.get_item(&key).map_err(|_| failed("its fields cannot be read"))?;
        if !value.is_none() {
            fields.push((key, value));
        }
    }
    let field = |name: &str| {
        fields.iter().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value.clone())
    };
    if let Some(reasoning) = REASONING.iter().find_map(|name| field(name)) {
        let thinking = field("thinking").unwrap_or_else(|| reasoning.clone());
        fields.retain(|(key, _)| !matches!(key.as_str(), Some("thinking" | "reasoning_content")));
        fields.insert(0, (Value::from("thinking"), thinking));
        fields.push((Value::from("reasoning_content"), reasoning));
    }
    Ok(fields)
}
