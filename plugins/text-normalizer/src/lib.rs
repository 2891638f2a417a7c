//! `pegbox/text-normalizer`, a cleaner: gives texts that look the same the same characters.
//!
//! What it does to the field `text`, in this order:
//!
//! 1. decodes HTML entities, once (`&amp;lt;` becomes `&lt;`);
//! 2. removes characters that nobody sees, and turns each run of white space into one space, none at the
//!    ends;
//! 3. brings the text into a Unicode normal form;
//! 4. if asked, writes quotation marks, apostrophes and dashes as ASCII does;
//! 5. if asked, lower-cases it, except where a `protect` pattern matches;
//! 6. drops the record if nothing is left of its text.
//!
//! A second pass changes nothing, except that it would decode an entity that the first has uncovered.

/// ASCII text, eight bytes at a time: what needs a look, and lower-casing.
mod ascii;
/// What becomes of a character that is not ASCII.
mod characters;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// Unicode normal forms.
mod form;
/// Zero-width joiners and emoji tags: where they mean something.
mod joiners;
/// Lower-casing around protected matches.
mod letter_case;
/// The plugin: the steps in their order.
mod normalizer;
/// Quotation marks and dashes.
mod punctuation;
/// Entities, invisible characters and white space in one pass.
mod sweep;

pub use configuration::{Configuration, Empty, Form};
pub use normalizer::TextNormalizer;

pegbox_plugin::export!(TextNormalizer: Cleaner);
