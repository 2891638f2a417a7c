//! `pegbox/span-check`, a validator: holds spans against the text that they are of.
//!
//! | code | level | of | when |
//! | --- | --- | --- | --- |
//! | `unreadable-spans` | error | a row | the spans are no JSON list of spans |
//! | `span-out-of-bounds` | error | a row | a span ends beyond the text; with a fix if its `text` stands at one place |
//! | `empty-span` | error | a row | a span holds nothing, or only white space, or ends before it begins |
//! | `cut-character` | error | a row | an end is within a character: of bytes, of UTF-16, of a grapheme; with a fix |
//! | `span-text` | error | a row | its `text` is not what stands there; with a fix if it stands at one place |
//! | `span-white-space` | warning | a row | it begins or ends with white space; with a fix |
//! | `cut-word` | warning | a row | it begins or ends within a word |
//! | `empty-label` | error | a row | it has no label |
//! | `unknown-label` | error | a row | `labels` does not list its label; with a fix if one that it lists is close |
//! | `repeated-span` | warning | a row | another span has the same place and label; with a fix |
//! | `overlapping-spans` | error | a row | it shares a part with another; unless `overlaps` is allow |
//! | `nested-spans` | error | a row | it lies within another; unless `overlaps` is nest or allow |
//! | `unused-label` | warning | the set | no span has a label of `labels` |
//! | `no-spans` | warning | the set | no record has a span |
//!
//! All faults of one kind in a row are one finding, and the fix of a row mends all that can be mended in it: what its
//! findings say of overlaps is said of the mended spans. Findings with a fix are told for every row; of the others
//! `max-findings` rows a code are listed at the end, and the rest counted.

/// What can be wrong.
mod codes;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// Whether a place is within a character or a word.
mod edges;
/// Faults, and what is said of them.
mod fault;
/// Spans written anew with as little change as possible.
mod mend;
/// Places in characters, bytes or UTF-16.
mod offsets;
/// Spans as records have them.
mod spans;
/// The plugin: findings of rows, then those of the set.
mod validator;

pub use configuration::{Configuration, Keys, Overlaps};
pub use offsets::Unit;
pub use validator::SpanCheck;

pegbox_plugin::export!(SpanCheck: Validator);
