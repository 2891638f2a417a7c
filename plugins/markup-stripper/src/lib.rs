//! `pegbox/markup-stripper`, a cleaner: the text of a text that holds markup.
//!
//! What it does to every field that it is handed, in this order:
//!
//! 1. HTML: tags of elements that HTML knows go, and comments, scripts and style sheets with what they hold; blocks
//!    and items become lines; entities become characters, once (`&amp;lt;` becomes `&lt;`);
//! 2. if asked, BBCode;
//! 3. if asked, Markdown;
//! 4. if asked, addresses go or become a placeholder;
//! 5. a record is dropped if a field held nothing but markup.
//!
//! A tag is one only if it reads like one to its end: `a < b`, `List<String>`, `a <b and c> d` and `<3` stay. That is
//! why this reads tags itself: a browser's tokenizer, such as the crate html5gum, must make a tag of each of them but
//! the first and the last. Where no markup stands, a text costs one search for `<` and `&`.
//!
//! A second pass changes nothing, except that it would take for markup what entities of the first have uncovered.

/// BBCode.
mod bbcode;
/// The plugin: the steps in their order.
mod cleaner;
/// The recipe's configuration and its JSON Schema.
mod configuration;
/// The elements of HTML and what they do to the text.
mod elements;
/// Bytes in a text, eight at a time.
mod find;
/// HTML.
mod html;
/// The text that is left, with the lines that markup makes.
mod lines;
/// Markdown.
mod markdown;
/// One tag of HTML.
mod tag;
/// Addresses.
mod urls;

pub use cleaner::MarkupStripper;
pub use configuration::{Configuration, Empty, Urls};

pegbox_plugin::export!(MarkupStripper: Cleaner);
