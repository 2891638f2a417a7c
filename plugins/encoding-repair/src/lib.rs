//! `pegbox/encoding-repair`, a cleaner: mends text that was once read in the wrong encoding.
//!
//! What it does to every field that it is handed, in this order:
//!
//! 1. UTF-8 that was read as Windows-1252 (or Latin-1), Windows-1251 or Mac OS Roman becomes what it was: `cafÃ©` is
//!    `café`. Also where it happened several times.
//! 2. Controls go: lone C1 controls become what Windows-1252 has in their places, escape sequences of terminals and
//!    other C0 controls, byte order marks and noncharacters are removed. Tabs and line breaks stay.
//! 3. If asked, a record of whose text too much is U+FFFD, the replacement character, is dropped.
//!
//! # When a repair is taken
//! Only pieces are ever changed that are valid UTF-8 in the wrong encoding and give a character that texts are made
//! of. Such a piece is taken as it stands if no good text holds it: `â€™`, `Ã©` after a small letter, several in a row.
//! One that good text may hold, such as a letter with a quotation mark after it (`MAÇÃ”`, `« café »`), is
//! taken only beside others that leave no doubt, and only if the text has no more good accented letters than those.
//! What is in doubt stays.

/// The plugin.
mod cleaner;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// Controls, byte order marks and noncharacters.
mod controls;
/// Which misread pieces are taken.
mod judge;
/// The single-byte encodings that UTF-8 is misread as.
mod pages;
/// Misread pieces and what they were.
mod pieces;
/// Characters that texts are made of.
mod plausible;
/// The rounds of repair.
mod repair;
/// Whether a text needs a look at all.
mod scan;

pub use cleaner::EncodingRepair;
pub use configuration::{Configuration, Controls, Misread};

pegbox_plugin::export!(EncodingRepair: Cleaner);
