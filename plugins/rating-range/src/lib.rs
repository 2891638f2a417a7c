//! `pegbox/rating-range`, a validator: looks at what several annotators say of each record.
//!
//! | code | level | of | when |
//! | --- | --- | --- | --- |
//! | `unreadable-ratings` | error | a row | it is no JSON object {annotator: rating} |
//! | `repeated-annotator` | error | a row | an annotator is there more than once |
//! | `unknown-annotator` | error | a row | `annotators` does not list them |
//! | `not-a-number` | error | a row | a rating is no number; with a fix if it is a text that holds one |
//! | `rating-out-of-range` | error | a row | a rating is lower or higher than any on the scale |
//! | `rating-off-scale` | error | a row | a rating is between two on the scale |
//! | `too-few-raters` | warning | a row | fewer than `min-raters` ratings can be used |
//! | `constant-annotator` | warning | the set | an annotator always says the same, where the others do not |
//! | `deviating-annotator` | warning | the set | one is far farther from the others than the median annotator is |
//! | `too-many-annotators` | warning | the set | there are more than can be told apart |
//!
//! How far annotators are from the others: the distance of their ratings from the mean of the others', on average over
//! the records that they share. Annotators with fewer than `min-ratings` are not judged.
//!
//! All faults of one kind in a row are one finding. Findings with a fix are told for every row; of the others
//! `max-findings` rows a code are listed at the end, and the rest counted.

/// How each annotator rates.
mod annotators;
/// What can be wrong.
mod codes;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// Ratings as records have them.
mod ratings;
/// The ratings that there are.
mod scale;
/// The plugin: findings of rows, then those of the set.
mod validator;

pub use configuration::Configuration;
pub use validator::RatingRange;

pegbox_plugin::export!(RatingRange: Validator);
