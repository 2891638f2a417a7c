//! `pegbox/pii-scrubber`, a cleaner: personal data in texts become typed placeholders such as `[EMAIL]`.
//!
//! Each field is scanned once, from left to right. A byte of ASCII that can be part of a find (`@`, `:` or a digit)
//! wakes the recognisers; a text without any costs no more than looking for one. Every recogniser looks at a bounded
//! number of bytes, so the time is linear in the length.
//!
//! A find is what a person would call one by its form: what is not certain from the form, and not made so by a check
//! digit or by the word before it, stays. The rules stand with each recogniser. What none of them sees: names, postal
//! addresses, addresses written to fool machines (`bob at example dot com`), digits that are not ASCII (normalise the
//! text first: NFKC makes them so).

/// What is nobody's secret.
mod allow;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// What the words before a number say about it.
mod context;
/// Groups of digits and what stands between them.
mod digits;
/// The kinds of personal data.
mod kind;
/// One module for each kind of form.
mod recognisers;
/// From find to find through a text.
mod scanner;
/// The plugin: finds become placeholders, or the record goes.
mod scrubber;
/// Looks for the bytes that can be part of a find, eight at a time.
mod triggers;

pub use configuration::{Action, Configuration, Placeholders};
pub use kind::Kind;
pub use scrubber::PiiScrubber;

pegbox_plugin::export!(PiiScrubber: Cleaner);
