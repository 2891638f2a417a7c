//! Any JSON value.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value};

/// A value at most `depth` deep.
///
/// # Errors
/// The bytes are used up.
pub fn value(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    let most = if depth == 0 { 4 } else { 6 };
    Ok(match u.int_in_range(0..=most)? {
        0 => Value::Null,
        1 => Value::Bool(u.arbitrary()?),
        2 => Value::from(u.arbitrary::<i64>()?),
        3 => Value::from(u.arbitrary::<f64>()?),
        4 => Value::String(key(u)?),
        5 => (0..u.int_in_range(0..=4u8)?).map(|_| value(u, depth - 1)).collect::<Result<Vec<_>>>()?.into(),
        _ => {
            let fields = (0..u.int_in_range(0..=4u8)?).map(|_| Ok((key(u)?, value(u, depth - 1)?)));
            Value::Object(fields.collect::<Result<Map<_, _>>>()?)
        }
    })
}

/// Mostly what schemas and configurations are made of.
fn key(u: &mut Unstructured<'_>) -> Result<String> {
    const KNOWN: [&str; 40] = [
        "type",
        "object",
        "array",
        "string",
        "number",
        "integer",
        "properties",
        "items",
        "required",
        "additionalProperties",
        "unevaluatedProperties",
        "enum",
        "const",
        "minimum",
        "maximum",
        "multipleOf",
        "pattern",
        "patternProperties",
        "minLength",
        "maxItems",
        "uniqueItems",
        "format",
        "$ref",
        "#",
        "#/$defs/a",
        "$defs",
        "a",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "$dynamicRef",
        "$dynamicAnchor",
        "$id",
        "$schema",
        "contains",
        "propertyNames",
        "(a+)+$",
    ];
    if u.ratio(1, 8u8)? { u.arbitrary() } else { Ok((*u.choose(&KNOWN)?).to_owned()) }
}
