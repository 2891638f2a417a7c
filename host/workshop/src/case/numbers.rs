//! Tensors written in a case: nested lists, or a shape and a seed.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Nested lists of equal length, flat.
#[derive(Clone, PartialEq, Debug)]
pub struct Numbers<T> {
    pub shape: Vec<usize>,
    pub values: Vec<T>,
}

/// Either the numbers themselves, or `S`, which says how to make them.
#[derive(Clone, PartialEq, Debug)]
pub enum Given<T, S> {
    Numbers(Numbers<T>),
    Seeded(S),
}

/// `{ shape = [4, 5], seed = 7, scale = 3.0 }`: evenly spread over `[-scale, scale)`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeededFloats {
    pub shape: Vec<usize>,
    pub seed: u64,
    #[serde(default = "one")]
    pub scale: f32,
}

/// `{ seed = 7 }`: class ids, evenly spread.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeededLabels {
    pub seed: u64,
}

/// `{ seed = 7, share = 0.8 }`: each true with this probability.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeededMask {
    pub seed: u64,
    pub share: f32,
}

/// `{ seed = 7, low = 0.5, high = 2.0 }`: evenly spread over `[low, high)`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeededWeights {
    pub seed: u64,
    pub low: f32,
    pub high: f32,
}

fn one() -> f32 {
    1.0
}

/// What stands innermost in nested lists.
pub trait Element: Sized {
    const NAME: &'static str;
    fn of_float(_: f64) -> Option<Self> {
        None
    }
    fn of_int(_: i64) -> Option<Self> {
        None
    }
    fn of_bool(_: bool) -> Option<Self> {
        None
    }
}

impl Element for f64 {
    const NAME: &'static str = "a number";
    fn of_float(value: f64) -> Option<Self> {
        Some(value)
    }
    fn of_int(value: i64) -> Option<Self> {
        Some(value as f64)
    }
}

impl Element for i64 {
    const NAME: &'static str = "a whole number";
    fn of_int(value: i64) -> Option<Self> {
        Some(value)
    }
}

impl Element for bool {
    const NAME: &'static str = "true or false";
    fn of_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

struct Reading<T>(PhantomData<T>);

impl<'de, T: Element> Visitor<'de> for Reading<T> {
    type Value = Numbers<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} or nested lists of them", T::NAME)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        single(T::of_float(value), &self, serde::de::Unexpected::Float(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        single(T::of_int(value), &self, serde::de::Unexpected::Signed(value))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        single(T::of_bool(value), &self, serde::de::Unexpected::Bool(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut length, mut inner, mut values) = (0, None, Vec::new());
        while let Some(part) = list.next_element::<Numbers<T>>()? {
            let shape = inner.get_or_insert_with(|| part.shape.clone());
            if *shape != part.shape {
                let fault = format!("a list of shape {:?} stands beside one of {shape:?}", part.shape);
                return Err(A::Error::custom(fault));
            }
            length += 1;
            values.extend(part.values);
        }
        let Some(inner) = inner else { return Err(A::Error::custom("an empty list is no tensor")) };
        Ok(Numbers { shape: [vec![length], inner].concat(), values })
    }
}

fn single<T, E: Error>(
    value: Option<T>,
    reading: &dyn serde::de::Expected,
    found: serde::de::Unexpected<'_>,
) -> Result<Numbers<T>, E> {
    let value = value.ok_or_else(|| E::invalid_type(found, reading))?;
    Ok(Numbers { shape: Vec::new(), values: vec![value] })
}

impl<'de, T: Element> Deserialize<'de> for Numbers<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading(PhantomData))
    }
}

struct ReadingGiven<T, S>(PhantomData<(T, S)>);

impl<'de, T: Element, S: DeserializeOwned> Visitor<'de> for ReadingGiven<T, S> {
    type Value = Given<T, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nested lists of {}, or a table with a `seed`", T::NAME)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        Reading(PhantomData).visit_seq(list).map(Given::Numbers)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        S::deserialize(MapAccessDeserializer::new(map)).map(Given::Seeded)
    }
}

impl<'de, T: Element, S: DeserializeOwned> Deserialize<'de> for Given<T, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadingGiven(PhantomData))
    }
}
