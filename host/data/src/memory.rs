//! Memory between the steps.

/// Gives what a step has freed back to the system: the allocator keeps it for the same thread, and the next step has
/// other threads.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim may be called at any time, by any thread; it takes a plain number.
    unsafe {
        libc::malloc_trim(0);
    }
}
