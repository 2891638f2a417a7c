//! One label an item from several: majority, and Dawid and Skene's EM.

mod dawid_skene;
mod majority;

pub use dawid_skene::{DawidSkene, DawidSkeneSettings, dawid_skene};
pub(crate) use majority::of_line;
pub use majority::{Majority, majority};
