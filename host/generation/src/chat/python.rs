//! Where Python's strings and numbers differ from what the template engine and its Python methods do.

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{ValueKind, from_args};
use minijinja::{Error, ErrorKind, Output, State, Value};
use minijinja_contrib::pycompat;

/// Methods of strings that are not there, or not the same; the others are the engine's.
pub(crate) fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return pycompat::unknown_method_callback(state, value, name, arguments);
    };
    match name {
        "strip" | "lstrip" | "rstrip" => {
            let (characters,): (Option<&str>,) = from_args(arguments)?;
            let goes =
                |character: char| characters.map_or(is_space(character), |all| all.contains(character));
            Ok(Value::from(match name {
                "lstrip" => text.trim_start_matches(goes),
                "rstrip" => text.trim_end_matches(goes),
                _ => text.trim_matches(goes),
            }))
        }
        "title" => {
            let () = from_args(arguments)?;
            Ok(Value::from(title(text)))
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Ok(Value::from(text.strip_prefix(prefix).unwrap_or(text)))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Ok(Value::from(text.strip_suffix(suffix).unwrap_or(text)))
        }
        "rsplit" => {
            let (separator, most): (&str, Option<usize>) = from_args(arguments)?;
            if separator.is_empty() {
                return Err(Error::new(ErrorKind::InvalidOperation, "rsplit: the separator is empty"));
            }
            let most = most.map_or(usize::MAX, |most| most.saturating_add(1));
            let mut parts: Vec<Value> = text.rsplitn(most, separator).map(Value::from).collect();
            parts.reverse();
            Ok(Value::from(parts))
        }
        _ => pycompat::unknown_method_callback(state, value, name, arguments),
    }
}

/// `str.title`: what follows no letter begins a word.
fn title(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut in_word = false;
    for character in text.chars() {
        if in_word {
            made.extend(character.to_lowercase());
        } else {
            made.extend(character.to_uppercase());
        }
        in_word = character.is_alphabetic();
    }
    made
}

/// Python counts the separators of files, groups, records and units as spaces.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// The test `sequence`: whatever has a length and items, which in Jinja even the undefined has.
pub(crate) fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Undefined)
}

/// Writes a value as Python's `str` does.
pub(crate) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.kind() == ValueKind::Number && !value.is_integer() {
        let text = format(FormatStyle::StrFormat, "{}", std::slice::from_ref(value))?;
        return out.write_str(&text).map_err(|_| Error::new(ErrorKind::WriteFailure, "cannot write"));
    }
    minijinja::escape_formatter(out, state, value)
}
