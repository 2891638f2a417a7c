use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A text, without a copy where nothing is escaped.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// An object to be written again with as little change as possible: its keys, and what stands under each as it is
/// written.
#[derive(Clone, Debug)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// None if `json` is no object.
    pub fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// As JSON; `changed` gets each key and its value as JSON, and gives a new one where it changes.
    pub fn written(&self, mut changed: impl FnMut(&str, &str) -> Option<String>) -> String {
        let mut written = String::from("{");
        for (number, (key, value)) in self.0.iter().enumerate() {
            if number > 0 {
                written.push(',');
            }
            written.push_str(&json_text(key));
            written.push(':');
            match changed(key, value.get()) {
                Some(changed) => written.push_str(&changed),
                None => written.push_str(value.get()),
            }
        }
        written.push('}');
        written
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Entries).map(Self)
    }
}

/// `text` as JSON.
pub fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_written_anew() {
        let object = Object::read(r#" { "b" : 1.50, "\u0061\"": [ 1 ], "b": null } "#).unwrap();
        let written =
            object.written(|key, value| (key == "a\"" && value == "[ 1 ]").then(|| json_text("\n")));
        assert_eq!(written, r#"{"b":1.50,"a\"":"\n","b":null}"#);
        assert!(Object::read("[]").is_none());
    }
}
