//! A result that was looked at once and is expected from then on: `tests/<case>.expected.json`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Checked, close};
use crate::case::Case;
use crate::error::WorkshopError;
use crate::report::{Failure, Verdict};

/// Differences that are shown; the rest is counted.
const SHOWN: usize = 8;

/// The verdict, with the golden file's part in it.
///
/// # Errors
/// The file cannot be written or read.
pub fn settle(case: &Case, checked: Checked, bless: bool) -> Result<(Verdict, Vec<String>), WorkshopError> {
    let Checked { mut failures, notes, golden, tolerance } = checked;
    if let Some(found) = golden {
        let file = case.file.with_extension("expected.json");
        // What breaks a rule must not become what is expected.
        if bless && failures.is_empty() {
            write(&file, &found)?;
            return Ok((Verdict::Blessed(file), notes));
        }
        failures.extend(compare(&file, &found, tolerance)?);
    }
    Ok((if failures.is_empty() { Verdict::Passed } else { Verdict::Failed(failures) }, notes))
}

fn write(file: &Path, found: &Value) -> Result<(), WorkshopError> {
    let mut text = String::new();
    layout(found, 0, &mut text);
    text.push('\n');
    // An unchanged file keeps its time: watchers and version control need not look.
    if fs::read_to_string(file).is_ok_and(|old| old == text) {
        return Ok(());
    }
    pegbox_durable::write_file(file, text.as_bytes()).map_err(WorkshopError::io("write", file))
}

/// Indented, with lists of plain values on one line each: a gradient is read by rows.
fn layout(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth + 1);
    let end = "  ".repeat(depth);
    match value {
        Value::Array(list) if list.iter().any(|value| value.is_array() || value.is_object()) => {
            text.push_str("[\n");
            for (index, value) in list.iter().enumerate() {
                text.push_str(&indent);
                layout(value, depth + 1, text);
                text.push_str(if index + 1 < list.len() { ",\n" } else { "\n" });
            }
            text.push_str(&format!("{end}]"));
        }
        Value::Object(map) if !map.is_empty() => {
            text.push_str("{\n");
            for (index, (key, value)) in map.iter().enumerate() {
                text.push_str(&format!("{indent}{}: ", Value::from(key.as_str())));
                layout(value, depth + 1, text);
                text.push_str(if index + 1 < map.len() { ",\n" } else { "\n" });
            }
            text.push_str(&format!("{end}}}"));
        }
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(Value::to_string).collect();
            text.push_str(&format!("[{}]", list.join(", ")));
        }
        plain => text.push_str(&plain.to_string()),
    }
}

fn compare(file: &Path, found: &Value, tolerance: f64) -> Result<Vec<Failure>, WorkshopError> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut failure = Failure::new(format!("nothing says what is expected: there is no {name}"));
            failure.found = Some(format!("{found:#}"));
            let help = "write the expectation into the case, or run with --bless to expect this from now on";
            return Ok(vec![failure.help(help)]);
        }
        Err(error) => return Err(WorkshopError::io("read", file)(error)),
    };
    let expected: Value = match serde_json::from_str(&text) {
        Ok(expected) => expected,
        Err(error) => {
            let failure = Failure::new(format!("{name} is not JSON: {error}"));
            return Ok(vec![failure.help("run with --bless to write it anew")]);
        }
    };
    let mut failures = Vec::new();
    differences(&name, &expected, found, tolerance, &mut failures);
    if failures.len() > SHOWN {
        let more = failures.len() - SHOWN;
        failures.truncate(SHOWN);
        failures.push(Failure::new(format!("{more} more differences from {name}")));
    }
    if let Some(last) = failures.last_mut() {
        last.help = Some("if the new result is right, run with --bless".to_owned());
    }
    Ok(failures)
}

fn differences(at: &str, expected: &Value, found: &Value, tolerance: f64, failures: &mut Vec<Failure>) {
    let tell = |value: Option<&Value>| value.map_or("nothing".to_owned(), |value| format!("{value:#}"));
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let more = found.keys().filter(|key| !expected.contains_key(*key));
            for key in expected.keys().chain(more) {
                let at = format!("{at}: {key}");
                match (expected.get(key), found.get(key)) {
                    (Some(expected), Some(found)) => differences(&at, expected, found, tolerance, failures),
                    (expected, found) => failures.push(Failure::of(at, tell(expected), tell(found))),
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            for index in 0..expected.len().max(found.len()) {
                // Records and batches are counted from 1, as in the case.
                let at = format!("{at}: {}", index + 1);
                match (expected.get(index), found.get(index)) {
                    (Some(expected), Some(found)) => differences(&at, expected, found, tolerance, failures),
                    (expected, found) => failures.push(Failure::of(at, tell(expected), tell(found))),
                }
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let same = match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => close(a, b, tolerance),
                _ => a == b,
            };
            if !same {
                failures.push(Failure::of(at, a.to_string(), b.to_string()));
            }
        }
        (expected, found) if expected == found => {}
        (expected, found) => failures.push(Failure::of(at, tell(Some(expected)), tell(Some(found)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn count(expected: Value, found: Value) -> usize {
        let mut failures = Vec::new();
        differences("x", &expected, &found, 1e-5, &mut failures);
        failures.len()
    }

    #[test]
    fn golden_files_are_read_by_rows_and_read_back() {
        let value = json!({ "a": [[1, 2.5], ["x\n", null]], "b": {}, "c": [], "d": [{ "e": true }] });
        let mut text = String::new();
        layout(&value, 0, &mut text);
        assert!(text.contains("    [1, 2.5],\n    [\"x\\n\", null]\n"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn differences_are_found_wherever_they_are() {
        let base = json!({ "loss": 1.0, "list": [1, "a", null], "more": { "x": true } });
        assert_eq!(count(base.clone(), base.clone()), 0);
        assert_eq!(count(json!({ "loss": 1.0 }), json!({ "loss": 1.000_001 })), 0);
        assert_eq!(count(json!({ "loss": 1.0 }), json!({ "loss": 1.001 })), 1);
        assert_eq!(count(json!([1, 2]), json!([1, 2, 3])), 1);
        assert_eq!(count(json!([1, 2, 3]), json!([1, 2])), 1);
        assert_eq!(count(json!({ "a": 1 }), json!({ "b": 1 })), 2);
        assert_eq!(count(json!("a"), json!(1)), 1);
        assert_eq!(count(json!([[null]]), json!([["x"]])), 1);
    }
}
