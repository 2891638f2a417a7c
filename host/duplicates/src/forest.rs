//! Rows joined into clusters: union-find that many threads may use at once.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Four bytes a row. A root is the smallest row of its tree, so the trees do not depend on the order of joins.
#[derive(Debug)]
pub(crate) struct Forest(Vec<AtomicU32>);

impl Forest {
    pub(crate) fn new(rows: u32) -> Self {
        Self((0..rows).map(AtomicU32::new).collect())
    }

    pub(crate) fn root(&self, mut row: u32) -> u32 {
        loop {
            let parent = self.parent(row);
            if parent == row {
                return row;
            }
            let above = self.parent(parent);
            if above != parent {
                // Halves the path. If another thread was quicker, its value is as good.
                let _ = self.0[row as usize].compare_exchange_weak(parent, above, Relaxed, Relaxed);
            }
            row = above;
        }
    }

    pub(crate) fn joined(&self, one: u32, other: u32) -> bool {
        self.root(one) == self.root(other)
    }

    pub(crate) fn join(&self, one: u32, other: u32) {
        loop {
            let (one, other) = (self.root(one), self.root(other));
            let (low, high) = (one.min(other), one.max(other));
            if low == high || self.0[high as usize].compare_exchange(high, low, Relaxed, Relaxed).is_ok() {
                return;
            }
        }
    }

    /// The root of every row.
    pub(crate) fn into_roots(self) -> Vec<u32> {
        let mut roots: Vec<u32> = self.0.into_iter().map(AtomicU32::into_inner).collect();
        // Parents are smaller than their children, so they are done before them.
        for row in 0..roots.len() {
            roots[row] = roots[roots[row] as usize];
        }
        roots
    }

    fn parent(&self, row: u32) -> u32 {
        self.0[row as usize].load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn threads_join_what_one_would() {
        const ROWS: u32 = 20_000;
        let forest = Forest::new(ROWS);
        thread::scope(|scope| {
            for thread in 0..4 {
                let forest = &forest;
                // Each thread joins every row with the one seven before, from another place on.
                scope.spawn(move || {
                    for step in 0..ROWS {
                        let row = (step + thread * 5_003) % ROWS;
                        if row >= 7 {
                            forest.join(row, row - 7);
                        }
                    }
                });
            }
        });
        assert!(forest.joined(7, 700) && !forest.joined(7, 701));
        assert!(forest.into_roots().iter().enumerate().all(|(row, &root)| root == row as u32 % 7));
    }
}
