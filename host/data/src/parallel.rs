//! Work over all cores with results in order.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// As many threads as asked for; 0 means one a core.
pub fn threads(wanted: usize) -> usize {
    if wanted > 0 { wanted } else { thread::available_parallelism().map_or(1, usize::from) }
}

/// Does `work` on each of `count` items over `threads` threads, each with its own `tool`, and returns the
/// results in the order of the items. Of several errors the one of the lowest item is returned, so that
/// what a user sees does not depend on the number of threads.
pub fn ordered<S, T: Send, E: Send>(
    count: usize,
    threads: usize,
    tool: impl Fn() -> Result<S, E> + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let mut results = Vec::with_capacity(count);
    folded(count, threads, tool, work, |result| results.push(result))?;
    Ok(results)
}

/// The same, where each result goes into `fold` as soon as those before it did: few are held at a time.
pub fn folded<S, T: Send, E: Send>(
    count: usize,
    threads: usize,
    tool: impl Fn() -> Result<S, E> + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
    fold: impl FnMut(T) + Send,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let order = Mutex::new(Order { next: 0, waiting: BTreeMap::new(), failed: None, fold });
    let put = |item, result: Result<T, E>| {
        if result.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        order.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).put(item, result);
    };
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                let mut tool = match tool() {
                    Ok(tool) => tool,
                    Err(error) => return put(0, Err(error)),
                };
                // Items are taken in order, so all items below a failed one were taken before it and are
                // finished: the lowest error is found whoever found it.
                while !stop.load(Ordering::Relaxed) {
                    let item = next.fetch_add(1, Ordering::Relaxed);
                    if item >= count {
                        break;
                    }
                    put(item, work(&mut tool, item));
                }
            });
        }
    });
    let order = order.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    order.failed.map_or(Ok(()), |(_, error)| Err(error))
}

/// Results that came before those of items below them.
struct Order<T, E, F> {
    next: usize,
    waiting: BTreeMap<usize, T>,
    /// The lowest item that failed.
    failed: Option<(usize, E)>,
    fold: F,
}

impl<T, E, F: FnMut(T)> Order<T, E, F> {
    fn put(&mut self, item: usize, result: Result<T, E>) {
        match result {
            Ok(result) => {
                self.waiting.insert(item, result);
            }
            Err(error) if self.failed.as_ref().is_none_or(|(lowest, _)| item < *lowest) => {
                self.failed = Some((item, error));
            }
            Err(_) => {}
        }
        while let Some(result) = self.waiting.remove(&self.next) {
            self.next += 1;
            (self.fold)(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let doubled = ordered(1000, 4, || Ok::<_, ()>(()), |(), item| Ok(item * 2)).unwrap();
        assert_eq!(doubled, (0..1000).map(|item| item * 2).collect::<Vec<_>>());
    }

    #[test]
    fn the_lowest_error_is_returned() {
        for _ in 0..50 {
            let result = ordered(
                1000,
                4,
                || Ok(()),
                |(), item| {
                    if item % 100 == 99 { Err(item) } else { Ok(item) }
                },
            );
            assert_eq!(result, Err(99));
        }
    }

    #[test]
    fn results_are_folded_in_order() {
        let mut seen = Vec::new();
        folded(500, 4, || Ok::<_, ()>(()), |(), item| Ok(item), |item| seen.push(item)).unwrap();
        assert!(seen.iter().copied().eq(0..500));
    }

    #[test]
    fn nothing_to_do_is_done() {
        assert_eq!(ordered(0, 4, || Ok::<_, ()>(()), |(), item| Ok(item)), Ok(vec![]));
    }
}
