//! Random numbers from the operating system. The manifest asks `random = true`. A plugin whose outcomes depend on them
//! breaks what the host caches and resumes on: same input, same output.

/// So many random bytes.
pub fn bytes(count: usize) -> Vec<u8> {
    imp::bytes(count)
}

#[cfg(target_arch = "wasm32")]
mod imp {
    use crate::component::bindings::capabilities::wasi::random::random::get_random_bytes;

    pub fn bytes(count: usize) -> Vec<u8> {
        get_random_bytes(count as u64)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    use std::hash::{BuildHasher, RandomState};

    /// `std` has no other source; its hasher's keys come from the system.
    pub fn bytes(count: usize) -> Vec<u8> {
        let word = |i: usize| RandomState::new().hash_one(i).to_le_bytes();
        (0..count.div_ceil(8)).flat_map(word).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn as_many_as_wanted_and_not_the_same_twice() {
        assert_eq!(bytes(13).len(), 13);
        assert_ne!(bytes(32), bytes(32));
    }
}
