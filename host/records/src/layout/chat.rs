//! Lists of turns, and what is made of them.

use serde::Serialize;
use serde_json::Value;

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

/// What one says; as JSON, a message of the canonical form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Turn {
    pub role: Speaker,
    pub content: String,
}

impl Speaker {
    /// The names that the two conventions and their dialects use.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "system" | "developer" => Self::System,
            "user" | "human" | "prompter" => Self::User,
            "assistant" | "gpt" | "chatgpt" | "model" | "bot" => Self::Assistant,
            "tool" | "function" | "observation" => Self::Tool,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// Reads a list of turns, of either convention.
///
/// # Errors
/// What does not fit, with what was expected.
pub(crate) fn turns(json: &str) -> Result<Vec<Turn>, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("it is not JSON: {error}"))?;
    let Value::Array(list) = value else {
        return Err("expected a list of turns".to_owned());
    };
    if list.is_empty() {
        return Err("the list of turns is empty; expected at least a user's and an assistant's".to_owned());
    }
    list.into_iter()
        .enumerate()
        .map(|(place, value)| turn(value).map_err(|what| format!("turn {}: {what}", place + 1)))
        .collect()
}

fn turn(value: Value) -> Result<Turn, String> {
    let Value::Object(mut object) = value else {
        return Err("expected an object with `role` and `content`, or `from` and `value`".to_owned());
    };
    let mut either = |one: &str, other: &str| object.remove(one).or_else(|| object.remove(other));
    let role = match either("role", "from") {
        Some(Value::String(name)) => Speaker::of(&name).ok_or_else(|| {
            format!("the role `{name}` is unknown; expected user, assistant, system or tool (or human, gpt)")
        })?,
        Some(_) => return Err("its role is no string".to_owned()),
        None => return Err("it has neither `role` nor `from`".to_owned()),
    };
    let content = match either("content", "value") {
        Some(Value::String(text)) => text,
        // A turn that only calls a tool.
        Some(Value::Null) => String::new(),
        Some(Value::Array(parts)) => text_of(parts)?,
        Some(_) => return Err("its content is no string".to_owned()),
        None => return Err("it has neither `content` nor `value`".to_owned()),
    };
    Ok(Turn { role, content })
}

/// The text of a content that is a list of parts.
fn text_of(parts: Vec<Value>) -> Result<String, String> {
    let mut content = String::new();
    for part in parts {
        match part {
            Value::String(text) => content.push_str(&text),
            Value::Object(mut part) => {
                let text = part.remove("text");
                match (part.get("type").and_then(Value::as_str), text) {
                    (Some("text") | None, Some(Value::String(text))) => content.push_str(&text),
                    (kind, _) => {
                        return Err(format!(
                            "a part of the type `{}`; expected `text`",
                            kind.unwrap_or("none")
                        ));
                    }
                }
            }
            _ => return Err("a part of its content is neither a string nor an object".to_owned()),
        }
    }
    Ok(content)
}

/// The canonical JSON: `[{"role":"user","content":"..."}]`.
pub(crate) fn canonical(turns: &[Turn]) -> String {
    // Strings and unit variants always have a JSON form.
    serde_json::to_string(turns).unwrap_or_default()
}

/// Turns as a prompt: the one user's turn as it is, several as lines of `role: content`.
pub(crate) fn rendered(turns: &[Turn]) -> String {
    match turns {
        [Turn { role: Speaker::User, content }] => content.clone(),
        _ => {
            let lines: Vec<String> =
                turns.iter().map(|turn| format!("{}: {}", turn.role.name(), turn.content)).collect();
            lines.join("\n")
        }
    }
}

/// The turns before the last assistant's turn, and that turn. What follows it is left out: nothing answers it.
///
/// # Errors
/// If there is no assistant's turn, or nothing before it.
pub(crate) fn exchange(turns: &[Turn]) -> Result<(&[Turn], &Turn), String> {
    let last = turns.iter().rposition(|turn| turn.role == Speaker::Assistant);
    match last.and_then(|last| Some((turns.get(..last)?, turns.get(last)?))) {
        None => Err("no turn is the assistant's; expected at least one".to_owned()),
        Some(([], _)) => Err("nothing comes before the assistant's turn; expected a user's".to_owned()),
        Some(found) => Ok(found),
    }
}

/// How many turns both begin with; the last of each is never counted.
pub(crate) fn common(chosen: &[Turn], rejected: &[Turn]) -> usize {
    let longest = chosen.len().min(rejected.len()).saturating_sub(1);
    chosen.iter().zip(rejected).take(longest).take_while(|(one, other)| one == other).count()
}

/// The content of the one assistant's turn that is left of an answer.
///
/// # Errors
/// If it is not one, or not the assistant's.
pub(crate) fn answer(rest: &[Turn]) -> Result<&str, String> {
    match rest {
        [Turn { role: Speaker::Assistant, content }] => Ok(content),
        _ => Err(format!(
            "after what `chosen` and `rejected` have in common come {} turn(s); expected one, the assistant's",
            rest.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_conventions_become_the_same() {
        let openai = r#"[{"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":"Hello!"}]"#;
        let sharegpt = r#"[{"from":"system","value":"Be kind."},{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello!"}]"#;
        let turns = turns(openai).unwrap();
        assert_eq!(turns, super::turns(sharegpt).unwrap());
        assert_eq!(
            canonical(&turns),
            r#"[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"}]"#
        );
        let (before, last) = exchange(&turns).unwrap();
        assert_eq!(rendered(before), "system: Be kind.\nuser: Hi");
        assert_eq!(rendered(&before[1..]), "Hi");
        assert_eq!(last.content, "Hello!");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for (json, what) in [
            ("[]", "the list of turns is empty; expected at least a user's and an assistant's"),
            ("{}", "expected a list of turns"),
            ("[7]", "turn 1: expected an object with `role` and `content`, or `from` and `value`"),
            (
                r#"[{"role":"user","content":"a"},{"role":"alien","content":"b"}]"#,
                "turn 2: the role `alien` is unknown; expected user, assistant, system or tool (or human, gpt)",
            ),
            (r#"[{"role":"user"}]"#, "turn 1: it has neither `content` nor `value`"),
            (r#"[{"content":"a"}]"#, "turn 1: it has neither `role` nor `from`"),
            (
                r#"[{"role":"user","content":[{"type":"image_url"}]}]"#,
                "turn 1: a part of the type `image_url`; expected `text`",
            ),
        ] {
            assert_eq!(turns(json).unwrap_err(), what);
        }
        let one = turns(r#"[{"role":"user","content":"a"}]"#).unwrap();
        assert_eq!(exchange(&one).unwrap_err(), "no turn is the assistant's; expected at least one");
    }
}
