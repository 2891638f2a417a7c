use std::borrow::Cow;
use std::fmt;

use pegbox_findings::{Object, Text};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What the annotators said of one record, in the order in which it stands there. What is null is left out.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Ratings<'a>(pub Vec<(Cow<'a, str>, Value<'a>)>);

/// What one annotator said.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value<'a> {
    Number(f64),
    Text(Cow<'a, str>),
    /// `true`, a list, an object.
    Other(&'static str),
}

impl Value<'_> {
    /// The rating that a text holds.
    pub fn number_in_text(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Number(_) | Self::Other(_) => None,
        }
    }
}

/// Reads a JSON object `{annotator: rating}`.
///
/// # Errors
/// It is none; the error says why, and where.
pub(crate) fn read(json: &str) -> Result<Ratings<'_>, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

impl<'de: 'a, 'a> Deserialize<'de> for Ratings<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Ratings<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object {annotator: rating}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut ratings = Vec::new();
                while let Some((Text(annotator), value)) =
                    map.next_entry::<Text<'de>, Option<Value<'de>>>()?
                {
                    ratings.extend(value.map(|value| (annotator, value)));
                }
                Ok(Ratings(ratings))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rating")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Value::Number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Value::Number(number as f64))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Value::Number(number as f64))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(Value::Other(if truth { "true" } else { "false" }))
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Value::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Value::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value::Other("a list"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value::Other("an object"))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The ratings in `json` with the numbers that texts hold in place of these texts; none if it is no object.
pub(crate) fn with_numbers(json: &str) -> Option<String> {
    let number = |value: &str| serde_json::from_str::<Value<'_>>(value).ok()?.number_in_text();
    Some(Object::read(json)?.written(|_, value| number(value).map(|number| number.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    #[test]
    fn what_each_annotator_said_is_read() {
        let ratings =
            read(r#"{ "a": 1, "b": null, "c": -0.5, "a": "4", "d": true, "e": [1], "f": {"x": 2} }"#);
        let expected = [
            ("a", Value::Number(1.0)),
            ("c", Value::Number(-0.5)),
            ("a", text("4")),
            ("d", Value::Other("true")),
            ("e", Value::Other("a list")),
            ("f", Value::Other("an object")),
        ];
        assert_eq!(ratings.unwrap().0, expected.map(|(annotator, value)| (Cow::Borrowed(annotator), value)));
        for json in ["", "[1, 2]", r#"{ "a": 1"#, "5"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn texts_that_hold_a_number_become_it() {
        assert_eq!(
            [" 4", "4.50", "four", "nan", ""].map(|it| text(it).number_in_text()),
            [Some(4.0), Some(4.5), None, None, None]
        );
        assert_eq!(
            with_numbers(r#"{ "b": "4", "a": " -1.50", "c": "good", "d": null, "e": 3.0 }"#).unwrap(),
            r#"{"b":4,"a":-1.5,"c":"good","d":null,"e":3.0}"#
        );
    }
}
