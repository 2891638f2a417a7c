//! `pegbox/noise-filter`, a cleaner: drops records whose text nobody can learn from. It changes none.
//!
//! The first field of a record is judged, by these rules in this order; the first that objects gives the reason. Each
//! can be switched off and tuned. A record that lacks the field is kept.
//!
//! 1. `too-short`, `too-long`: characters and words.
//! 2. `symbols`: the share of what is neither letter nor digit nor white space.
//! 3. `mostly-digits`: the share of digits.
//! 4. `repetition`: runs of up to four characters over and over, one word over and over, and in longer texts the shares
//!    of repeated lines and word n-grams of MassiveText.
//! 5. `uppercase`, off unless asked for: the share of capitals.
//! 6. `language`, off unless languages are named: the script, and in longer texts the language.
//! 7. `gibberish`: letters that do not follow each other so in any of the languages that were counted.
//!
//! Defaults suit short texts, such as questions to a help desk: what is doubtful stays.

/// How likely one Latin letter follows another.
mod bigrams;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// The plugin: the rules in their order.
mod filter;
/// Letters that do not follow each other so.
mod gibberish;
/// Scripts and languages.
mod language;
/// Texts that say the same over and over.
mod repetition;
/// What characters a text is made of.
mod tally;

pub use configuration::Configuration;
pub use filter::NoiseFilter;

pegbox_plugin::export!(NoiseFilter: Cleaner);
