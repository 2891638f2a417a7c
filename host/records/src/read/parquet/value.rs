//! Values of Arrow arrays as text.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::as_datetime;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTemporalType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use serde_json::Value;

use crate::error::ReadFault;
use crate::read::plan::Cell;

/// Whether values of this type can become text.
pub fn is_readable(kind: &DataType) -> bool {
    match kind {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Date32
        | DataType::Timestamp(..)
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Binary
        | DataType::LargeBinary => true,
        DataType::List(field) | DataType::LargeList(field) => is_readable(field.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| is_readable(field.data_type())),
        _ => false,
    }
}

/// What stands in `row` of a column.
pub fn cell(column: &ArrayRef, row: usize, name: &str) -> Result<Cell, ReadFault> {
    if let Some(text) = column.as_string_opt::<i32>() {
        // Nearly always.
        return Ok(if text.is_null(row) { Cell::Null } else { Cell::Text(text.value(row).to_owned()) });
    }
    Ok(match value(column, row, name)? {
        Value::Null => Cell::Null,
        Value::String(text) => Cell::Text(text),
        list @ (Value::Array(_) | Value::Object(_)) => Cell::Json(list.to_string()),
        plain => Cell::Plain(plain.to_string()),
    })
}

fn value(array: &dyn Array, row: usize, name: &str) -> Result<Value, ReadFault> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::from(array.as_boolean().value(row)),
        DataType::Int8 => Value::from(plain::<Int8Type>(array, row)),
        DataType::Int16 => Value::from(plain::<Int16Type>(array, row)),
        DataType::Int32 => Value::from(plain::<Int32Type>(array, row)),
        DataType::Int64 => Value::from(plain::<Int64Type>(array, row)),
        DataType::UInt8 => Value::from(plain::<UInt8Type>(array, row)),
        DataType::UInt16 => Value::from(plain::<UInt16Type>(array, row)),
        DataType::UInt32 => Value::from(plain::<UInt32Type>(array, row)),
        DataType::UInt64 => Value::from(plain::<UInt64Type>(array, row)),
        DataType::Float32 => Value::from(plain::<Float32Type>(array, row)),
        DataType::Float64 => Value::from(plain::<Float64Type>(array, row)),
        DataType::Decimal128(..) => Value::from(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Date32 => {
            let date = array.as_primitive::<Date32Type>().value_as_date(row);
            date.map_or(Value::Null, |date| Value::from(date.to_string()))
        }
        DataType::Timestamp(TimeUnit::Second, _) => time::<TimestampSecondType>(array, row),
        DataType::Timestamp(TimeUnit::Millisecond, _) => time::<TimestampMillisecondType>(array, row),
        DataType::Timestamp(TimeUnit::Microsecond, _) => time::<TimestampMicrosecondType>(array, row),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => time::<TimestampNanosecondType>(array, row),
        DataType::Utf8 => Value::from(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Value::from(array.as_string::<i64>().value(row)),
        DataType::Binary => text(array.as_binary::<i32>().value(row))?,
        DataType::LargeBinary => text(array.as_binary::<i64>().value(row))?,
        DataType::List(_) => list(&array.as_list::<i32>().value(row), name)?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), name)?,
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let mut object = serde_json::Map::new();
            for (field, column) in fields.iter().zip(columns) {
                object.insert(field.name().clone(), value(column, row, name)?);
            }
            Value::Object(object)
        }
        other => return Err(ReadFault::ColumnType { name: name.into(), found: other.to_string().into() }),
    })
}

fn plain<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

/// `2026-01-31T12:00:00`, in UTC where the column has a time zone.
fn time<T: ArrowTemporalType>(array: &dyn Array, row: usize) -> Value
where
    i64: From<T::Native>,
{
    let time = as_datetime::<T>(i64::from(array.as_primitive::<T>().value(row)));
    time.map_or(Value::Null, |time| Value::from(format!("{time:?}")))
}

/// Some writers do not say that their bytes are text.
fn text(bytes: &[u8]) -> Result<Value, ReadFault> {
    std::str::from_utf8(bytes).map(Value::from).map_err(|_| ReadFault::Utf8)
}

fn list(entries: &ArrayRef, name: &str) -> Result<Value, ReadFault> {
    (0..entries.len()).map(|row| value(entries, row, name)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}
