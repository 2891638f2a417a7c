//! How large a plugin's JSON Schema becomes when its references are followed. The host follows them without a
//! deadline, so a schema that is endless, or doubles with each reference, must be known before.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::{MAX_NAME, clean_text};

/// Parts of a schema, each reference counted as what it leads to.
const MAX_PARTS: u64 = 100_000;
/// How deep parts stand within each other, references followed.
const MAX_DEPTH: u32 = 200;
/// Regular expressions, each of which may take a megabyte.
const MAX_PATTERNS: usize = 64;
/// Keywords that make what a reference means depend on where it is met.
const MOVING: [&str; 4] = ["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$anchor"];
/// Keywords that do so below the outermost schema.
const SETS_BASE: [&str; 2] = ["$id", "$schema"];

/// # Errors
/// It is endless, too large, too deep, or has references of which this cannot be told.
pub fn check(schema: &Value) -> Result<(), String> {
    let patterns = count_patterns(schema);
    if patterns > MAX_PATTERNS {
        return Err(format!("it has {patterns} patterns, the most is {MAX_PATTERNS}"));
    }
    let size = Walk { root: schema, known: HashMap::new() }.size(schema, 0)?;
    if size.parts > MAX_PARTS {
        return Err(format!(
            "it is too large when its references are followed; the most is {MAX_PARTS} parts"
        ));
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Size {
    parts: u64,
    depth: u32,
}

struct Walk<'a> {
    root: &'a Value,
    /// What references lead to; none while it is being looked at.
    known: HashMap<&'a str, Option<Size>>,
}

impl<'a> Walk<'a> {
    /// `above`: how many parts stand around this one.
    fn size(&mut self, value: &'a Value, above: u32) -> Result<Size, String> {
        if above >= MAX_DEPTH {
            return Err(too_deep());
        }
        let mut whole = Size { parts: 1, depth: 0 };
        let mut add = |part: Size| {
            whole.parts = whole.parts.saturating_add(part.parts);
            whole.depth = whole.depth.max(part.depth);
        };
        match value {
            Value::Array(items) => {
                for item in items {
                    add(self.size(item, above + 1)?);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    let moves =
                        MOVING.contains(&key.as_str()) || (above > 0 && SETS_BASE.contains(&key.as_str()));
                    match member {
                        Value::String(_) if moves => {
                            return Err(format!("it uses `{key}`, which is not supported"));
                        }
                        Value::String(target) if key == "$ref" => add(self.reference(target, above + 1)?),
                        other => add(self.size(other, above + 1)?),
                    }
                }
            }
            _ => {}
        }
        whole.depth += 1;
        Ok(whole)
    }

    fn reference(&mut self, target: &'a str, above: u32) -> Result<Size, String> {
        let fail = |what: &str| Err(format!("its reference `{}` {what}", clean_text(target, MAX_NAME)));
        match self.known.get(target) {
            Some(Some(size)) if above + size.depth > MAX_DEPTH => return Err(too_deep()),
            Some(Some(size)) => return Ok(*size),
            Some(None) => return fail("leads back to itself"),
            None => {}
        }
        let Some(pointer) = target.strip_prefix('#') else { return fail("leads outside") };
        let Some(value) = self.root.pointer(&unescaped(pointer)) else { return fail("leads nowhere") };
        self.known.insert(target, None);
        let size = self.size(value, above)?;
        self.known.insert(target, Some(size));
        Ok(size)
    }
}

fn too_deep() -> String {
    format!("it is too deep when its references are followed; the most is {MAX_DEPTH}")
}

/// A pointer in a reference is written as in a URI.
fn unescaped(pointer: &str) -> String {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'%') {
            Some(meant) => {
                bytes.push(meant);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn count_patterns(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count_patterns).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| {
                let own = match member {
                    Value::String(_) if key == "pattern" => 1,
                    Value::Object(patterns) if key == "patternProperties" => patterns.len(),
                    _ => 0,
                };
                own + count_patterns(member)
            })
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_that_end_are_fine() {
        let schema = json!({
            "properties": { "a/b": { "$ref": "#/$defs/x" }, "c": { "$ref": "#/properties/a~1b" } },
            "$defs": { "x": { "type": "array", "items": { "$ref": "#/$defs/y%20z" } }, "y z": { "type": "string" } },
        });
        assert_eq!(check(&schema), Ok(()));
    }

    #[test]
    fn references_that_do_not_end_are_refused() {
        let fails = |schema: Value, with: &str| {
            let fault = check(&schema).unwrap_err();
            assert!(fault.contains(with), "{fault}");
        };
        fails(json!({ "$ref": "#" }), "leads back");
        fails(json!({ "items": { "$ref": "#/items" } }), "leads back");
        fails(
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "$ref": "#/%24defs/a" } } }),
            "leads back",
        );
        fails(json!({ "$ref": "#/nowhere" }), "leads nowhere");
        fails(json!({ "$ref": "https://example.org/" }), "leads outside");
        fails(json!({ "$dynamicRef": "#a" }), "`$dynamicRef`");
    }
}
