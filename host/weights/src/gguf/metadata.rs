//! A GGUF file's metadata: typed values by key. The format:
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use crate::error::{Fault, quoted};

/// Arrays of arrays of arrays… No known file nests even once.
const DEPTH: usize = 4;
/// The format's own limit.
const KEY_LIMIT: usize = (1 << 16) - 1;

/// Everything that a file says about itself, by key (`general.architecture`, `tokenizer.ggml.tokens`…).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    values: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    Array(Array),
    U64(u64),
    I64(i64),
    F64(f64),
}

/// The elements of an array all have one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    Bool(Vec<bool>),
    String(Vec<String>),
    Array(Vec<Array>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F64(Vec<f64>),
}

impl Metadata {
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn str(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer of any type that is not negative.
    pub fn u64(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    /// A number of any type.
    pub fn f64(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_f64()
    }

    pub fn strings(&self, key: &str) -> Option<&[String]> {
        match self.get(key)? {
            Value::Array(Array::String(values)) => Some(values),
            _ => None,
        }
    }

    pub fn f32s(&self, key: &str) -> Option<&[f32]> {
        match self.get(key)? {
            Value::Array(Array::F32(values)) => Some(values),
            _ => None,
        }
    }

    /// An array of integers of any type; none where one is too large.
    pub fn i64s(&self, key: &str) -> Option<Vec<i64>> {
        match self.get(key)? {
            Value::Array(array) => array.as_i64s(),
            _ => None,
        }
    }

    pub fn u8s(&self, key: &str) -> Option<&[u8]> {
        match self.get(key)? {
            Value::Array(Array::U8(values)) => Some(values),
            _ => None,
        }
    }

    pub(super) fn read(cursor: &mut Cursor<'_>, entries: usize) -> Result<Self, Fault> {
        let mut values = BTreeMap::new();
        for _ in 0..entries {
            let key = cursor.string()?;
            if key.len() > KEY_LIMIT {
                return Err(Fault::damaged(format!("a metadata key has {} bytes", key.len())));
            }
            let value =
                Value::read(cursor).map_err(|fault| fault.inside(&format!("metadata {}", quoted(key))))?;
            if values.insert(key.to_owned(), value).is_some() {
                return Err(Fault::damaged(format!("the metadata has {} twice", quoted(key))));
            }
        }
        Ok(Self { values })
    }
}

impl Value {
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(value) => Some(value.into()),
            Self::U16(value) => Some(value.into()),
            Self::U32(value) => Some(value.into()),
            Self::U64(value) => Some(value),
            Self::I8(value) => value.try_into().ok(),
            Self::I16(value) => value.try_into().ok(),
            Self::I32(value) => value.try_into().ok(),
            Self::I64(value) => value.try_into().ok(),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F32(value) => Some(value.into()),
            Self::F64(value) => Some(value),
            Self::I8(value) => Some(value.into()),
            Self::I16(value) => Some(value.into()),
            Self::I32(value) => Some(value.into()),
            Self::I64(value) => Some(value as f64),
            _ => self.as_u64().map(|value| value as f64),
        }
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        Ok(match cursor.u32()? {
            0 => Self::U8(cursor.u8()?),
            1 => Self::I8(cursor.u8()? as i8),
            2 => Self::U16(one(cursor, u16::from_le_bytes)?),
            3 => Self::I16(one(cursor, i16::from_le_bytes)?),
            4 => Self::U32(cursor.u32()?),
            5 => Self::I32(one(cursor, i32::from_le_bytes)?),
            6 => Self::F32(one(cursor, f32::from_le_bytes)?),
            7 => Self::Bool(boolean(cursor.u8()?)?),
            8 => Self::String(cursor.string()?.to_owned()),
            9 => Self::Array(Array::read(cursor, 1)?),
            10 => Self::U64(cursor.u64()?),
            11 => Self::I64(one(cursor, i64::from_le_bytes)?),
            12 => Self::F64(one(cursor, f64::from_le_bytes)?),
            kind => return Err(unknown(kind)),
        })
    }
}

impl Array {
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::String(values) => values.len(),
            Self::Array(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn as_i64s(&self) -> Option<Vec<i64>> {
        fn wide<T: Copy + TryInto<i64>>(values: &[T]) -> Option<Vec<i64>> {
            values.iter().map(|value| (*value).try_into().ok()).collect()
        }
        match self {
            Self::U8(values) => wide(values),
            Self::I8(values) => wide(values),
            Self::U16(values) => wide(values),
            Self::I16(values) => wide(values),
            Self::U32(values) => wide(values),
            Self::I32(values) => wide(values),
            Self::U64(values) => wide(values),
            Self::I64(values) => wide(values),
            _ => None,
        }
    }

    /// `depth` is 1 for an array that is a value itself.
    fn read(cursor: &mut Cursor<'_>, depth: usize) -> Result<Self, Fault> {
        if depth > DEPTH {
            return Err(Fault::damaged(format!("arrays are nested deeper than {DEPTH}")));
        }
        let kind = cursor.u32()?;
        // The least that an element of each type takes; an array has its type and length.
        let each = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => 12,
            _ => return Err(unknown(kind)),
        };
        let count = cursor.count(each, "elements")?;
        Ok(match kind {
            0 => Self::U8(cursor.take(count)?.to_vec()),
            1 => Self::I8(cursor.values(count, i8::from_le_bytes)?),
            2 => Self::U16(cursor.values(count, u16::from_le_bytes)?),
            3 => Self::I16(cursor.values(count, i16::from_le_bytes)?),
            4 => Self::U32(cursor.values(count, u32::from_le_bytes)?),
            5 => Self::I32(cursor.values(count, i32::from_le_bytes)?),
            6 => Self::F32(cursor.values(count, f32::from_le_bytes)?),
            7 => Self::Bool(cursor.take(count)?.iter().map(|byte| boolean(*byte)).collect::<Result<_, _>>()?),
            8 => Self::String(
                (0..count).map(|_| cursor.string().map(str::to_owned)).collect::<Result<_, _>>()?,
            ),
            9 => Self::Array((0..count).map(|_| Self::read(cursor, depth + 1)).collect::<Result<_, _>>()?),
            10 => Self::U64(cursor.values(count, u64::from_le_bytes)?),
            11 => Self::I64(cursor.values(count, i64::from_le_bytes)?),
            _ => Self::F64(cursor.values(count, f64::from_le_bytes)?),
        })
    }
}

fn one<const N: usize, T>(cursor: &mut Cursor<'_>, read: fn([u8; N]) -> T) -> Result<T, Fault> {
    let mut bytes = [0; N];
    bytes.copy_from_slice(cursor.take(N)?);
    Ok(read(bytes))
}

fn boolean(byte: u8) -> Result<bool, Fault> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Fault::damaged(format!("a truth value is {other}"))),
    }
}

fn unknown(kind: u32) -> Fault {
    Fault::damaged(format!("there is no type {kind} of metadata"))
}
