//! Tries plugins: test cases, samples of real data, benchmarks. Everything here returns what it found; printing is
//! the caller's.

/// A model and an artifact for exporters.
mod artifact;
/// `plugin bench`: how fast a plugin is, and how large.
pub mod bench;
/// The cases in a plugin's `tests/` folder, as their files say them.
mod case;
/// Running the cases.
mod check;
/// What can go wrong around the plugin.
mod error;
/// Loading a plugin to try it.
mod open;
/// Random numbers that a case can state.
mod random;
/// What became of a case.
mod report;
/// `plugin run`: what a plugin makes of real data.
pub mod sample;
/// A forward pass made of given numbers.
mod step;
/// Which files of a plugin's folder have changed.
mod watch;

pub use case::{Case, Numbers, find as find_cases};
pub use check::{Options, gradient, run as run_cases};
pub use error::WorkshopError;
pub use open::{open, open_folder};
pub use report::{CaseReport, Failure, Summary, Verdict};
pub use step::{Arrays, GivenStep, Leaves};
pub use watch::Watch;
