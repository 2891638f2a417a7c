//! Conversations as rows: rendered by the model's chat template, and only what the assistant says is learned.

use std::ops::Range;

use pegbox_generation::chat::{ChatTemplate, Conversation, Message, TemplateSource, Value};
use pegbox_sampling::lengths::{OverLong, Special};

use tokenizers::{PostProcessorWrapper, Tokenizer};

use super::{IGNORED, Rows, TextTokenizer};
use crate::error::DataError;

/// A chat template, ready to render.
pub(super) struct Chat {
    template: ChatTemplate,
    /// Without what is done to tokens afterwards: it adds no special tokens here, and in many files it moves the offsets
    /// of white space, so that a token of nothing else would stand nowhere.
    tokenizer: Tokenizer,
}

/// A conversation as text, and the bytes of it that the assistant writes.
struct Told {
    text: String,
    answers: Vec<Range<usize>>,
}

impl Chat {
    /// What the model reads before it answers to what a user says.
    pub(super) fn prompt(&self, said: &str) -> Result<String, String> {
        self.render(&Conversation::prompt(&[message("user", said)]))
    }

    fn render(&self, conversation: &Conversation) -> Result<String, String> {
        Ok(self.template.render(conversation).map_err(|error| error.to_string())?.text)
    }

    /// The whole conversation. Where an answer begins and ends is told by the template itself: it is what stands
    /// between the conversation before it, with the header of an answer, and the conversation up to its end.
    fn tell(&self, messages: &[Value]) -> Result<Told, String> {
        let of = |messages: &[Value], add_generation_prompt| {
            let messages = messages.iter().cloned().collect();
            self.render(&Conversation { messages, add_generation_prompt, ..Conversation::default() })
        };
        let text = of(messages, false)?;
        let mut answers = Vec::new();
        for (place, message) in messages.iter().enumerate() {
            let role = message.get_attr("role").unwrap_or_default();
            let (Some("assistant"), Some(before @ [_, ..])) = (role.as_str(), messages.get(..place)) else {
                // Nothing asks for what comes first.
                continue;
            };
            let (asked, told) = (of(before, true)?, of(messages.get(..=place).unwrap_or_default(), false)?);
            if !text.starts_with(&told) || !told.starts_with(&asked) {
                return Err(format!(
                    "the chat template writes what comes before message {} otherwise when more follows, so that \
                     nothing tells which text is the assistant's; leave later turns out, or name a template in \
                     [model].chat-template that does not",
                    place + 1
                ));
            }
            answers.push(asked.len()..told.len());
        }
        Ok(Told { text, answers })
    }
}

impl TextTokenizer {
    /// The same tokenizer for conversations, which `source` makes texts of. What ends a turn then ends a text.
    pub fn with_chat(mut self, source: &TemplateSource) -> Result<Self, DataError> {
        let failed = |what: String| DataError::ChatTemplate { what };
        let template = source.read().map_err(|error| failed(error.to_string()))?;
        let mut tokenizer = self.tokenizer.clone();
        tokenizer.with_post_processor(None::<PostProcessorWrapper>);
        let chat = Chat { template, tokenizer };
        let ends = self.end_of_turn(&chat).map_err(failed)?;
        self.end = ends.map_or(self.end, |end| vec![end]);
        self.chat = Some(chat);
        Ok(self)
    }

    /// The last special token that the template writes behind an answer.
    fn end_of_turn(&self, chat: &Chat) -> Result<Option<u32>, String> {
        let messages = [message("user", "a"), message("assistant", "b")];
        let told = chat.tell(&values(&messages))?;
        let answer = told.answers.first().and_then(|answer| told.text.get(answer.clone()));
        let special = self.special_ids();
        let ids = self.plain(answer.unwrap_or_default())?;
        Ok(ids.into_iter().rev().find(|id| special.binary_search(id).is_ok()))
    }

    /// The row that a prompt and its completion become, as what a user and the assistant say after what the system
    /// says. As [`Self::conversation_rows`].
    pub fn exchange_rows(
        &self,
        system: Option<&str>,
        prompt: &str,
        completion: &str,
        policy: OverLong,
    ) -> Result<Rows, String> {
        let mut messages: Vec<Message> = system.map(|said| message("system", said)).into_iter().collect();
        messages.extend([message("user", prompt), message("assistant", completion)]);
        self.told_rows(&values(&messages), policy)
    }

    /// The rows that a conversation becomes: `json` is a list of objects with `role` and `content`. Labels of tokens
    /// that the assistant writes, what ends its turns included, are their ids; others are [`IGNORED`]. Rows in which
    /// there is nothing to learn are left out.
    pub fn conversation_rows(&self, json: &str, policy: OverLong) -> Result<Rows, String> {
        let messages: Vec<Value> = serde_json::from_str(json)
            .map_err(|error| format!("its messages are no JSON list of messages: {error}"))?;
        self.told_rows(&messages, policy)
    }

    fn told_rows(&self, messages: &[Value], policy: OverLong) -> Result<Rows, String> {
        let chat = self.chat.as_ref().ok_or("there is no chat template")?;
        let Told { text, answers } = chat.tell(messages)?;
        // The template writes the special tokens itself. Offsets are in bytes.
        let whole = chat.tokenizer.encode(text.as_str(), false).map_err(|error| error.to_string())?;
        let learned = |(begin, end): (usize, usize)| {
            begin < end && answers.iter().any(|answer| begin < answer.end && end > answer.start)
        };
        let tokens = whole.get_ids().iter().zip(whole.get_offsets());
        let labels: Vec<i32> =
            tokens.map(|(id, place)| if learned(*place) { *id as i32 } else { IGNORED }).collect();
        let ids = whole.get_ids();
        let none = Special { prefix: 0, suffix: 0 };
        let mut rows = self.fit(ids, &vec![0; ids.len()], &labels, none, policy)?;
        // The first token of a row has none before it that could foretell it.
        rows.rows.retain(|row| row.labels.iter().skip(1).any(|label| *label != IGNORED));
        Ok(rows)
    }
}

/// A conversation as a person reads it: a line or more a message. None where it is none.
pub(crate) fn readable(json: &str) -> Option<String> {
    let messages: Vec<serde_json::Value> = serde_json::from_str(json).ok()?;
    let line = |message: &serde_json::Value| {
        let text = |key: &str| message.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        format!("{}: {}", text("role"), text("content"))
    };
    Some(messages.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn message(role: &str, content: &str) -> Message {
    Message { role: role.to_owned(), content: content.to_owned() }
}

fn values(messages: &[Message]) -> Vec<Value> {
    let value = |message: &Message| {
        Value::from_pairs([("role", message.role.as_str()), ("content", message.content.as_str())])
    };
    messages.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{OverLong, Side};
    use super::*;

    const TEMPLATE: &str = "{% for message in messages %}<s>{{ message.role }} {{ message.content }}</s>\n\
                            {% endfor %}{% if add_generation_prompt %}<s>assistant {% endif %}";

    /// Words and signs; `<s>` and `</s>` are special. What Transformers makes of it stands beside the tests.
    fn tokenizer(template: &str, max_length: usize) -> Result<TextTokenizer, DataError> {
        let special = |id: u32, content: &str| {
            serde_json::json!({ "id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true })
        };
        let json = serde_json::json!({
            "version": "1.0",
            "added_tokens": [special(0, "<s>"), special(1, "</s>")],
            "pre_tokenizer": { "type": "Whitespace" },
            "model": { "type": "WordLevel", "unk_token": "?", "vocab": { "<s>": 0, "</s>": 1, "?": 2, "system": 3,
                "user": 4, "assistant": 5, "kind": 6, "hi": 7, "hello": 8, "why": 9, "so": 10, "é": 11 } }
        });
        let source = TemplateSource { template: template.to_owned(), special_tokens: Default::default() };
        TextTokenizer::from_bytes(json.to_string().as_bytes(), "words", max_length)?.with_chat(&source)
    }

    const TURNS: &str = r#"[{"role": "system", "content": "kind"}, {"role": "user", "content": "hi é"},
        {"role": "assistant", "content": "hello é"}, {"role": "user", "content": "why"},
        {"role": "assistant", "content": "so so"}]"#;
    const X: i32 = IGNORED;

    #[test]
    fn of_a_conversation_every_answer_is_learned_and_nothing_else() {
        let tokenizer = tokenizer(TEMPLATE, 64).unwrap();
        let rows = tokenizer.conversation_rows(TURNS, OverLong::Fail).unwrap();
        let [row] = &rows.rows[..] else { panic!("{rows:?}") };
        assert_eq!(row.ids, [0, 3, 6, 1, 0, 4, 7, 11, 1, 0, 5, 8, 11, 1, 0, 4, 9, 1, 0, 5, 10, 10, 1]);
        assert_eq!(row.labels, [X, X, X, X, X, X, X, X, X, X, X, 8, 11, 1, X, X, X, X, X, X, 10, 10, 1]);
        assert_eq!(tokenizer.end_ids(), [1]);
    }

    #[test]
    fn a_prompt_and_its_completion_are_an_exchange() {
        let tokenizer = tokenizer(TEMPLATE, 64).unwrap();
        let row =
            |system| tokenizer.exchange_rows(system, "hi", "hello", OverLong::Fail).unwrap().rows.remove(0);
        assert_eq!(row(None).ids, [0, 4, 7, 1, 0, 5, 8, 1]);
        assert_eq!(row(None).labels, [X, X, X, X, X, X, 8, 1]);
        assert_eq!(row(Some("kind")).ids, [0, 3, 6, 1, 0, 4, 7, 1, 0, 5, 8, 1]);
        assert_eq!(tokenizer.prompt("hi").unwrap(), [0, 4, 7, 1, 0, 5]);
    }

    #[test]
    fn what_is_cut_has_something_to_learn_or_is_left_out() {
        let tokenizer = tokenizer(TEMPLATE, 13).unwrap();
        let rows = |policy| tokenizer.conversation_rows(TURNS, policy).unwrap();
        let right = rows(OverLong::Truncate(Side::Right));
        assert_eq!((right.full_length, right.rows[0].labels[11..].to_vec()), (23, vec![8, 11]));
        let left = rows(OverLong::Truncate(Side::Left));
        assert_eq!(left.rows[0].ids, [5, 8, 11, 1, 0, 4, 9, 1, 0, 5, 10, 10, 1][..]);
        assert!(rows(OverLong::Drop).rows.is_empty());
        let short = eleven();
        assert!(short.conversation_rows(TURNS, OverLong::Truncate(Side::Right)).unwrap().rows.is_empty());
        let none = tokenizer.conversation_rows(r#"[{"role": "user", "content": "hi"}]"#, OverLong::Fail);
        assert!(none.unwrap().rows.is_empty());
    }

    fn eleven() -> TextTokenizer {
        tokenizer(TEMPLATE, 11).unwrap()
    }

    #[test]
    fn white_space_in_an_answer_is_learned_whatever_the_file_does_to_offsets() {
        let json = serde_json::json!({
            "version": "1.0",
            "added_tokens": [{ "id": 0, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true }],
            "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
            "post_processor": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true },
            "model": { "type": "WordLevel", "unk_token": "?", "vocab": { "</s>": 0, "?": 1, "user": 2,
                "assistant": 3, ":": 4, "hi": 5, "Ġhi": 6, "Ġ": 7 } }
        });
        let template = "{% for message in messages %}{{ message.role }}:{{ message.content }}</s>{% endfor %}\
                        {% if add_generation_prompt %}assistant:{% endif %}";
        let source = TemplateSource { template: template.to_owned(), special_tokens: Default::default() };
        let tokenizer = TextTokenizer::from_bytes(json.to_string().as_bytes(), "bytes", 64).unwrap();
        let rows = tokenizer.with_chat(&source).unwrap().exchange_rows(None, "hi", "hi  hi", OverLong::Fail);
        let row = rows.unwrap().rows.remove(0);
        assert_eq!(row.ids, [2, 4, 5, 0, 3, 4, 5, 7, 6, 0]);
        assert_eq!(row.labels, [X, X, X, X, X, X, 5, 7, 6, 0]);
    }

    #[test]
    fn a_template_that_rewrites_what_came_before_is_refused() {
        // It shows the reasoning of the last answer alone.
        let rewriting = "{% for message in messages %}{% if loop.last %}so {% endif %}<s>{{ message.role }} \
                         {{ message.content }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant {% endif %}";
        let error = tokenizer(rewriting, 64).err().unwrap().to_string();
        assert!(error.contains("what comes before message 2 otherwise"), "{error}");
        let error = tokenizer("{% for", 64).err().unwrap().to_string();
        assert!(error.contains("[model].chat-template: "), "{error}");
        let error = tokenizer(TEMPLATE, 64).unwrap().conversation_rows("[1", OverLong::Fail).unwrap_err();
        assert!(error.contains("no JSON list of messages"), "{error}");
    }

    /// The ids of Transformers' `apply_chat_template`, with the header of an answer, before each answer of a conversation.
    #[test]
    fn tokens_are_those_of_transformers_and_answers_begin_where_its_prompts_end() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/language");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let template = String::from_utf8(read("llama/chat_template.jinja")).unwrap();
        let source = TemplateSource { template, special_tokens: Default::default() };
        let tokenizer = TextTokenizer::from_bytes(&read("llama/tokenizer.json"), "llama", 4096).unwrap();
        let tokenizer = tokenizer.with_chat(&source).unwrap();
        let expected: serde_json::Value = serde_json::from_slice(&read("expected.json")).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let mut messages = vec![message("system", &text(&expected["system"]))];
        let turns = expected["turns"].as_array().unwrap();
        for turn in turns {
            messages.push(message("user", &text(&turn["said"])));
            messages.push(message("assistant", &text(&turn["decoded"])));
        }
        let row = tokenizer.told_rows(&values(&messages), OverLong::Fail).unwrap().rows.remove(0);
        for turn in turns {
            let ids: Vec<u32> = serde_json::from_value(turn["ids"].clone()).unwrap();
            assert_eq!(row.ids[..ids.len()], ids);
            assert_eq!((row.labels[ids.len() - 1], row.labels[ids.len()] >= 0), (X, true));
        }
        assert_eq!(tokenizer.end_ids(), [2]);
    }

    #[test]
    fn a_conversation_is_readable() {
        let json = r#"[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]"#;
        assert_eq!(readable(json).unwrap(), "user: hi\nassistant: hello");
        assert_eq!(readable("hi"), None);
    }
}
