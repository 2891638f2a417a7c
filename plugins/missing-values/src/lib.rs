//! `pegbox/missing-values`, a cleaner: what becomes of records that lack a value.
//!
//! A value is missing where the field is absent, blank, or one of some words such as `n/a`. The recipe says for
//! each field what then happens: the record is dropped, or the field gets a constant, its most frequent value or a
//! placeholder, or all stays as it is. Of several fields the first, by name, that drops the record gives the reason.

/// The plugin.
mod cleaner;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// What counts as missing.
mod words;

pub use cleaner::MissingValues;
pub use configuration::{Configuration, Field, Policy};

pegbox_plugin::export!(MissingValues: Cleaner);
