//! How far the work is.

/// Takes in how far the work is; called from any thread, at most once a batch of records.
pub trait Progress: Sync {
    /// `done` of `total` in `stage`, such as `read` or `clean acme/tidy`; no total where none is known.
    fn at(&self, stage: &str, done: u64, total: Option<u64>);
}

impl<F: Fn(&str, u64, Option<u64>) + Sync> Progress for F {
    fn at(&self, stage: &str, done: u64, total: Option<u64>) {
        self(stage, done, total);
    }
}

/// Tells nobody.
impl Progress for () {
    fn at(&self, _: &str, _: u64, _: Option<u64>) {}
}
