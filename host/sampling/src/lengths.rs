//! How long rows are, what a maximum costs, and what happens to rows that exceed it.

mod cost;
mod counts;
mod over_long;

pub use cost::{Candidate, Recommendation, Tolerance, candidates, cost, recommend};
pub use counts::{Bin, Lengths};
pub use over_long::{Fitted, OverLong, Piece, Side, Special, cut, windows};
