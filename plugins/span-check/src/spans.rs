use std::borrow::Cow;
use std::fmt;

use pegbox_findings::Text;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::configuration::Keys;

/// A span as a record has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Span<'a> {
    pub start: u64,
    pub end: u64,
    pub label: Option<Cow<'a, str>>,
    /// What it says.
    pub text: Option<Cow<'a, str>>,
}

/// Reads a JSON list of spans.
///
/// # Errors
/// It is none; the error says why, and where.
pub(crate) fn read<'a>(json: &'a str, keys: &Keys) -> Result<Vec<Span<'a>>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let spans = Spans(keys).deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(spans)
}

struct Spans<'k>(&'k Keys);

impl<'de> DeserializeSeed<'de> for Spans<'_> {
    type Value = Vec<Span<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Spans<'_> {
    type Value = Vec<Span<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of spans")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut spans = Vec::new();
        while let Some(span) = list.next_element_seed(One(self.0))? {
            spans.push(span);
        }
        Ok(spans)
    }
}

struct One<'k>(&'k Keys);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Span<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = Span<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a span: an object with `{}` and `{}`, or a list of the two", self.0.start, self.0.end)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let keys = self.0;
        let (mut start, mut end, mut label, mut text) = (None, None, None, None);
        while let Some(Text(key)) = map.next_key()? {
            if key == keys.start {
                start = Some(map.next_value::<Place>()?.0);
            } else if key == keys.end {
                end = Some(map.next_value::<Place>()?.0);
            } else if key == keys.label {
                label = map.next_value::<Option<Text<'de>>>()?;
            } else if key == keys.text {
                text = map.next_value::<Option<Text<'de>>>()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let lacks = |key: &str| A::Error::custom(format!("a span has no `{key}`"));
        Ok(Span {
            start: start.ok_or_else(|| lacks(&keys.start))?,
            end: end.ok_or_else(|| lacks(&keys.end))?,
            label: label.map(|text| text.0),
            text: text.map(|text| text.0),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let start = list.next_element::<Place>()?;
        let end = list.next_element::<Place>()?;
        let (Some(Place(start)), Some(Place(end))) = (start, end) else {
            return Err(A::Error::custom("a span that is a list needs a start and an end"));
        };
        let label = list.next_element::<Option<Text<'de>>>()?.flatten();
        let text = list.next_element::<Option<Text<'de>>>()?.flatten();
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Span { start, end, label: label.map(|text| text.0), text: text.map(|text| text.0) })
    }
}

/// A whole number from 0 up, also one that is written `3.0`.
struct Place(u64);

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 0 up")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Place, E> {
                Ok(Place(number))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Place, E> {
                // Up to 2^53, every whole number has a float.
                if number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number) {
                    return Ok(Place(number as u64));
                }
                Err(E::invalid_value(serde::de::Unexpected::Float(number), &self))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span<'a>(start: u64, end: u64, label: Option<&'a str>, text: Option<&'a str>) -> Span<'a> {
        Span { start, end, label: label.map(Cow::Borrowed), text: text.map(Cow::Borrowed) }
    }

    #[test]
    fn objects_and_lists_are_read() {
        let json = r#"[
            { "end": 4.0, "start": 0, "label": "PER", "text": "An\u006ea", "score": [0.5] },
            [5, 8, "ORG"], [5, 8], { "start": 1, "end": 2, "label": null }
        ]"#;
        let expected = [
            span(0, 4, Some("PER"), Some("Anna")),
            span(5, 8, Some("ORG"), None),
            span(5, 8, None, None),
            span(1, 2, None, None),
        ];
        assert_eq!(read(json, &Keys::default()).unwrap(), expected);
        assert!(read(" null ", &Keys::default()).unwrap().is_empty());
        let keys = Keys { start: "begin".to_owned(), label: "type".to_owned(), ..Keys::default() };
        let json = r#"[{ "begin": 1, "end": 2, "type": "X", "label": 7 }]"#;
        assert_eq!(read(json, &keys).unwrap(), [span(1, 2, Some("X"), None)]);
    }

    #[track_caller]
    fn refused(json: &str, why: &str) {
        let error = read(json, &Keys::default()).unwrap_err();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn what_is_no_span_says_why() {
        refused(r#"{ "start": 0 }"#, "invalid type: map, expected a list of spans");
        refused("[1]", "expected a span: an object with `start` and `end`, or a list of the two");
        refused(r#"[{ "start": 0 }]"#, "a span has no `end`");
        refused(r#"[{ "start": "0", "end": 1 }]"#, "expected a whole number from 0 up");
        refused(r#"[{ "start": -1, "end": 1 }]"#, "invalid type: integer `-1`, expected a whole number");
        refused(r#"[[0.5, 1]]"#, "expected a whole number from 0 up");
        refused("[[0]]", "needs a start and an end");
        refused("[] []", "trailing characters");
        refused("Anna", "expected value");
    }
}
