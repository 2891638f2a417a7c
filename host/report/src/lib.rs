//! The report of `pegbox prepare` as one HTML file: styles and drawings stand in it, nothing is loaded, nothing runs.
//!
//! What it shows was written by strangers. Every text goes through [`visible`], which escapes it and makes signs
//! that cannot be seen, or that turn the direction of writing, visible.

/// How the recipe asks for what is not there.
mod ask;
/// Bars, intervals and histograms in SVG.
mod chart;
/// Two texts compared word by word.
mod diff;
/// The rows on their way through the steps.
mod flow;
/// Numbers for people.
mod format;
/// The document around the sections.
mod page;
/// What each section says.
mod section;
/// Tables, of which long ones fold.
mod table;
/// What the whole comes to.
mod verdict;
/// Texts that hide nothing.
mod visible;

pub use page::{About, html};
