//! `pegbox/label-guard`, a validator: finds labels and texts of a classification set that are probably wrong.
//!
//! | code | level | of | when |
//! | --- | --- | --- | --- |
//! | `empty-text` | error | a row | there is no text, or only white space |
//! | `empty-label` | error | a row | there is no label, or only white space |
//! | `unknown-label` | error | a row | `labels` does not list it; with a fix if one that it lists is close |
//! | `too-short` | warning | a row | the text has fewer than `min-characters` |
//! | `too-long` | warning | a row | the text has more than `max-characters` |
//! | `conflicting-labels` | `conflicts` | a row | the same text has another label elsewhere |
//! | `confused-labels` | info | the set | two labels have several texts in common |
//! | `class-imbalance` | warning | the set | the largest class is more than `max-imbalance` times the smallest |
//! | `rare-class` | warning | the set | a class has fewer than `min-per-class` examples |
//!
//! Which texts are the same, `same-text` says: by default, those that differ in nothing but letter case and white
//! space. For the findings of the whole set, the plugin remembers a fingerprint of each text, not the text.

/// Findings about the sizes of the classes.
mod balance;
/// Labels as numbers, and how many examples each has.
mod classes;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// Texts that have several labels.
mod conflicts;
/// Labels that have many texts in common.
mod confusions;
/// Texts as 128 bits.
mod fingerprint;
/// The plugin: findings of rows, then those of the set.
mod guard;
/// What is gathered from the rows, and how it travels from one instance to another.
mod seen;

pub use configuration::Configuration;
pub use fingerprint::SameText;
pub use guard::LabelGuard;

pegbox_plugin::export!(LabelGuard: Validator);
