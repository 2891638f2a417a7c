//! `pegbox/label-schema`, a validator: holds labels against a schema that says of each what it means.
//!
//! | code | level | of | when |
//! | --- | --- | --- | --- |
//! | `empty-label` | error | a row | there is no label, or only white space |
//! | `unreadable-labels` | error | a row | several labels should be a JSON list of texts, and are not |
//! | `unknown-label` | error | a row | the schema does not have it; with a fix if one that it has is close |
//! | `label-spelling` | error | a row | letter case, white space or what joins the words is off; with a fix |
//! | `label-alias` | error | a row | it is another name for a label; with a fix |
//! | `deprecated-label` | warning | a row | it is no longer to be used; with a fix if another replaces it |
//! | `repeated-label` | warning | a row | it is there more than once; with a fix |
//! | `too-few-labels`, `too-many-labels` | error | a row | `min-labels`, `max-labels` |
//! | `excluded-labels` | error | a row | two labels of a set in `exclude` |
//! | `required-label` | error | a row | a label without one that `require` asks for |
//! | `unused-label` | warning | the set | no record has a label that is not deprecated |
//! | `rare-label` | warning | the set | a label occurs in fewer than `min-per-label` records |
//!
//! All faults of one kind in a row are one finding, and the fix of a row mends all that can be mended in it. Findings
//! with a fix are told for every row; of the others `max-findings` rows a code are listed at the end, and the rest
//! counted. Slips and aliases count as the labels that they mean; unknown labels do not.

/// What can be wrong.
mod codes;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// The labels of the schema and what they have to do with each other.
mod label_set;
/// The plugin: findings of rows, then those of the set.
mod validator;
/// Several labels in one value.
mod value;

pub use configuration::{Configuration, Form, Label, Mode};
pub use validator::LabelSchema;

pegbox_plugin::export!(LabelSchema: Validator);
