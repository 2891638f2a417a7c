//! The dropout sites of one forward pass, in its order.

use super::random::{Dropout, DropoutKey};

/// Hands every dropout site of a forward pass its own masks.
pub struct DropoutSites {
    key: Option<DropoutKey>,
    next: u32,
}

impl DropoutSites {
    /// None switches dropout off.
    pub fn new(key: Option<DropoutKey>) -> Self {
        Self { key, next: 0 }
    }

    /// The next site's; none where nothing is dropped.
    pub fn next(&mut self, probability: f64) -> Option<Dropout> {
        let site = self.next;
        self.next += 1;
        Dropout::new(self.key?, site, probability)
    }
}
