//! The processor time of this thread, and the one core that it runs on.

use std::io;
use std::mem::{MaybeUninit, size_of};

use anyhow::{Context, Result};

/// Seconds of processor time, of user and of system, that this thread spends on `work`.
pub fn time<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let start = now()?;
    let result = work()?;
    let seconds = now()? - start;
    drop(result);
    Ok(seconds)
}

fn now() -> Result<f64> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: there is room for the time, which is read only if the system wrote it.
    let time = unsafe {
        match libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) {
            0 => time.assume_init(),
            _ => return Err(io::Error::last_os_error()).context("the thread has no clock"),
        }
    };
    Ok(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

/// The cores that this thread might run on before it was pinned.
pub struct Cores(libc::cpu_set_t);

/// Keeps this thread, and threads that it starts, on the last of the cores that it may run on.
pub fn pin() -> Result<Cores> {
    let mut allowed = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: a set of no cores is all zeros, and the system writes no more than the set's size.
    let allowed = unsafe {
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), allowed.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error()).context("the system does not say which cores there are");
        }
        allowed.assume_init()
    };
    // SAFETY: the number is one of the set, and a set of no cores is all zeros.
    let one = unsafe {
        let cores = 0..libc::CPU_SETSIZE as usize;
        let last = cores.rev().find(|core| libc::CPU_ISSET(*core, &allowed)).context("there is no core")?;
        let mut one = MaybeUninit::<libc::cpu_set_t>::zeroed().assume_init();
        libc::CPU_SET(last, &mut one);
        one
    };
    set(&one)?;
    Ok(Cores(allowed))
}

/// Undoes [`pin`].
pub fn release(cores: &Cores) -> Result<()> {
    set(&cores.0)
}

fn set(cores: &libc::cpu_set_t) -> Result<()> {
    // SAFETY: the set is read only, and as large as it is said to be.
    match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), cores) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()).context("the thread cannot be kept on one core"),
    }
}
