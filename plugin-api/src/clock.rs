//! The time. The manifest asks `clock = true`. There is no waiting: a call that sleeps is a call that is late.

use std::time::Duration;

/// Time since 1970-01-01 00:00 UTC, as the machine has it.
pub fn now() -> Duration {
    imp::now()
}

/// Time since some moment in the past that does not change while the instance lives: for measuring.
pub fn steady() -> Duration {
    imp::steady()
}

#[cfg(target_arch = "wasm32")]
mod imp {
    use std::time::Duration;

    use crate::component::bindings::capabilities::wasi::clocks::{monotonic_clock, wall_clock};

    pub fn now() -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds)
    }

    pub fn steady() -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant, SystemTime};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub fn now() -> Duration {
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }

    pub fn steady() -> Duration {
        START.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on() {
        let before = steady();
        assert!(now() > Duration::from_secs(1_700_000_000));
        assert!(steady() >= before);
    }
}
