//! Values as JSON text, as Python's `json.dumps` writes it: Transformers' own `tojson` instead of Jinja's, which
//! escapes for HTML.

use std::fmt::Write;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

/// Lists in lists, objects in objects; a template can make more than any document has.
const DEEPEST: usize = 100;

/// The filter `tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
pub(crate) fn tojson(
    state: &State<'_, '_>,
    value: &Value,
    ensure_ascii: Option<Value>,
    indent: Option<Value>,
    named: Kwargs,
) -> Result<String, Error> {
    let or_named = |value: Option<Value>, name| -> Result<Option<Value>, Error> {
        let value = match value {
            Some(value) => Some(value),
            None => named.get::<Option<Value>>(name)?,
        };
        Ok(value.filter(|value| !value.is_none() && !value.is_undefined()))
    };
    let is_true = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let indent = or_named(indent, "indent")?.map(|value| spaces(&value)).transpose()?;
    let separators = or_named(None, "separators")?.map(|value| pair(&value)).transpose()?;
    let between = if indent.is_some() { "," } else { ", " };
    let (item, key) = separators.unwrap_or_else(|| (between.to_owned(), ": ".to_owned()));
    let mut writer = Writer {
        state,
        ascii: is_true(or_named(ensure_ascii, "ensure_ascii")?),
        sorted: is_true(or_named(None, "sort_keys")?),
        indent,
        item,
        key,
        paid: 0,
        text: String::new(),
    };
    named.assert_all_used()?;
    writer.value(value, 0)?;
    Ok(writer.text)
}

/// An indentation, by a number of spaces or as it is.
fn spaces(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let count = usize::try_from(value.clone()).unwrap_or(0);
    if count > 64 {
        return Err(invalid("tojson: an indentation of more than 64 spaces"));
    }
    Ok(" ".repeat(count))
}

fn pair(value: &Value) -> Result<(String, String), Error> {
    let texts: Vec<String> = value.try_iter()?.map(|text| text.to_string()).collect();
    match <[String; 2]>::try_from(texts) {
        Ok([item, key]) => Ok((item, key)),
        Err(_) => Err(invalid("tojson: `separators` are two, between items and after keys")),
    }
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

struct Writer<'s> {
    state: &'s State<'s, 's>,
    ascii: bool,
    sorted: bool,
    indent: Option<String>,
    item: String,
    key: String,
    /// Bytes that fuel has been taken for.
    paid: usize,
    text: String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.pay()?;
        if depth > DEEPEST {
            return Err(invalid("tojson: the value is nested too deeply"));
        }
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Map => self.object(value, depth)?,
            ValueKind::Seq | ValueKind::Iterable => self.list(value, depth)?,
            kind => {
                let what = format!("tojson: a value of the kind `{kind}` has no JSON");
                return Err(Error::new(ErrorKind::InvalidOperation, what));
            }
        }
        Ok(())
    }

    /// A value may hold itself many times over without taking memory; its text would.
    fn pay(&mut self) -> Result<(), Error> {
        let owed = self.text.len() - self.paid;
        self.paid = self.text.len();
        self.state.consume_fuel(1 + (owed / 16) as u64)
    }

    fn list(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.text.push('[');
        let mut empty = true;
        for item in value.try_iter()? {
            self.before_item(empty, depth + 1);
            empty = false;
            self.value(&item, depth + 1)?;
        }
        self.after_items(empty, depth);
        self.text.push(']');
        Ok(())
    }

    fn object(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.sorted {
            keys.sort();
        }
        self.text.push('{');
        let mut empty = true;
        for key in keys {
            self.before_item(empty, depth + 1);
            empty = false;
            match key.kind() {
                ValueKind::String => self.string(key.as_str().unwrap_or_default()),
                // As Python does: keys are strings, whatever they were.
                _ => {
                    self.text.push('"');
                    self.value(&key, depth + 1)?;
                    self.text.push('"');
                }
            }
            let after = self.key.clone();
            self.text.push_str(&after);
            self.value(&value.get_item(&key)?, depth + 1)?;
        }
        self.after_items(empty, depth);
        self.text.push('}');
        Ok(())
    }

    fn before_item(&mut self, first: bool, depth: usize) {
        if !first {
            self.text.push_str(&self.item);
        }
        self.line(depth);
    }

    fn after_items(&mut self, empty: bool, depth: usize) {
        if !empty {
            self.line(depth);
        }
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.text.push('\n');
            for _ in 0..depth {
                self.text.push_str(indent);
            }
        }
    }

    fn number(&mut self, value: &Value) {
        if value.is_integer() {
            self.text.push_str(&value.to_string());
            return;
        }
        let number = f64::try_from(value.clone()).unwrap_or(f64::NAN);
        if number.is_nan() {
            self.text.push_str("NaN");
        } else if number.is_infinite() {
            self.text.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        } else {
            // Rust and Python write the same digits; only the exponents look different.
            let text = format!("{number:?}");
            match text.split_once('e') {
                Some((digits, exponent)) => {
                    let (sign, digits_of) =
                        exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
                    // Writing to a string cannot fail.
                    let _ = write!(self.text, "{digits}e{sign}{digits_of:0>2}");
                }
                None => self.text.push_str(&text),
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..='\u{1f}' => self.escape(character),
                '\u{7f}'.. if self.ascii => self.escape(character),
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }

    fn escape(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(self.text, "\\u{unit:04x}");
        }
    }
}
