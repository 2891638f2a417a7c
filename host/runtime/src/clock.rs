//! A clock that costs one atomic load to read: a thread counts ticks, and calls end at a tick.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Length of a tick.
pub const TICK_MS: u64 = 10;

const TICK: Duration = Duration::from_millis(TICK_MS);

/// Counts ticks until it is dropped.
pub struct Ticker {
    ticks: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts to count; `on_tick` runs at each tick.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(on_tick: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let ticks = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (count, stopped) = (Arc::clone(&ticks), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("pegbox-ticker".to_owned()).spawn(move || {
            let mut last = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                std::thread::park_timeout(TICK);
                // A thread may wake early, and on a busy machine late; a late tick is never made up for,
                // so that a process which was held up does not end every call when it goes on.
                if last.elapsed() >= TICK {
                    last = Instant::now();
                    count.fetch_add(1, Ordering::Relaxed);
                    on_tick();
                }
            }
        })?;
        Ok(Self { ticks, stop, thread: Some(thread) })
    }

    /// The moment `ms` from now.
    pub fn deadline(&self, ms: u64) -> Deadline {
        let at = self.ticks.load(Ordering::Relaxed).saturating_add(ticks_in(ms));
        Deadline { ticks: Arc::clone(&self.ticks), at, limit_ms: ms }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread only sleeps and counts; if it panicked there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

/// Ticks after which at least `ms` have passed: the first tick may come at once.
pub fn ticks_in(ms: u64) -> u64 {
    ms.div_ceil(TICK_MS).saturating_add(1)
}

/// A moment at which a call must have ended.
#[derive(Clone)]
pub struct Deadline {
    ticks: Arc<AtomicU64>,
    at: u64,
    limit_ms: u64,
}

impl Deadline {
    pub fn has_passed(&self) -> bool {
        self.ticks.load(Ordering::Relaxed) >= self.at
    }

    /// How much of its time is left, rounded up to a tick.
    pub fn ms_left(&self) -> u64 {
        self.at.saturating_sub(self.ticks.load(Ordering::Relaxed)).saturating_mul(TICK_MS)
    }

    /// How long the call was allowed to take.
    pub fn limit_ms(&self) -> u64 {
        self.limit_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_after_its_time_and_not_before() {
        let ticker = Ticker::start(|| ()).unwrap();
        let started = Instant::now();
        let deadline = ticker.deadline(50);
        assert!(!deadline.has_passed());
        while !deadline.has_passed() {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(started.elapsed() >= Duration::from_millis(50));
    }
}
