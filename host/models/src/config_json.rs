//! config.json, as every architecture reads it.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::ModelError;

/// No size is larger: products of two of them fit any integer.
const LARGEST: u64 = 1 << 24;

/// The configuration that `from_json` makes of the object in a file.
///
/// # Errors
/// The file cannot be read or holds no object; what `from_json` refuses, in one sentence.
pub fn read<C>(
    path: &Path,
    from_json: impl FnOnce(Map<String, Value>) -> Result<C, String>,
) -> Result<C, ModelError> {
    let refuse = |what: String| ModelError::Config { path: path.into(), what };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let source =
        serde_json::from_str(&text).map_err(|error| refuse(format!("not a JSON object: {error}")))?;
    from_json(source).map_err(refuse)
}

/// The object's values by their names. `null` is as good as nothing.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// # Errors
    /// A value that is no whole number from 1 to [`LARGEST`]; one sentence.
    pub fn size(self, name: &str) -> Result<Option<usize>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_u64().filter(|value| (1..=LARGEST).contains(value)) {
            Some(size) => Ok(Some(size as usize)),
            None => Err(format!("{name} = {value} is not a whole number from 1 to {LARGEST}")),
        }
    }

    /// # Errors
    /// As [`Self::size`], and that it is missing.
    pub fn required(self, name: &str) -> Result<usize, String> {
        self.size(name)?.ok_or_else(|| format!("{name} is missing"))
    }

    pub fn number(self, name: &str, default: f64) -> f64 {
        self.get(name).and_then(Value::as_f64).unwrap_or(default)
    }

    pub fn flag(self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }
}
