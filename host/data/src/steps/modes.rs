//! The most frequent values of the roles that a cleaner asks for, as they were read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::index::place_of;
use crate::error::DataError;
use crate::job::PrepareJob;
use crate::parallel;
use crate::progress::Progress;
use crate::rows::Shards;
use crate::stage::Modes;
use crate::work::Step;

const FILE: &str = "modes";
/// Values that a cleaner is told: the first may be a word for a missing one.
const TOLD: usize = 16;
/// A role with more values than this has no mode to speak of.
const MOST: usize = 1 << 16;

/// Counts, unless that was done.
///
/// # Errors
/// There is no such role, or it has too many values.
pub(super) fn modes(
    step: &Step,
    job: &PrepareJob,
    read: &Shards,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Modes, DataError> {
    let roles: BTreeSet<&String> = job.cleaners.iter().flat_map(|stage| &stage.modes).collect();
    if roles.is_empty() {
        return Ok(Modes::new());
    }
    if let Some(modes) = step.get(FILE) {
        return Ok(modes);
    }
    let places = roles
        .iter()
        .map(|role| place_of(read.schema(), role, "clean.modes"))
        .collect::<Result<Vec<_>, _>>()?;
    let mut counts: Vec<HashMap<String, u64>> = vec![HashMap::new(); places.len()];
    let mut crowded = None;
    parallel::folded(
        read.len(),
        threads,
        || Ok(()),
        |(), number| count(read, number, &places),
        |of_shard| {
            for (role, (all, more)) in counts.iter_mut().zip(of_shard).enumerate() {
                for (value, times) in more {
                    *all.entry(value).or_default() += times;
                }
                if all.len() > MOST {
                    all.clear();
                    crowded = crowded.or(Some(role));
                }
            }
            progress.at("count", read.rows().into(), None);
        },
    )?;
    if let Some(role) = crowded.and_then(|role| roles.iter().nth(role)) {
        return Err(DataError::Schema {
            what: format!("`modes` names `{role}`, which has more than {MOST} values: none is typical of it"),
        });
    }
    let modes: Modes = roles.into_iter().cloned().zip(counts.into_iter().map(most_frequent)).collect();
    step.put(FILE, &modes)?;
    Ok(modes)
}

/// The values of one shard, blank ones aside.
fn count(read: &Shards, number: usize, places: &[usize]) -> Result<Vec<BTreeMap<String, u64>>, DataError> {
    let mut counts = vec![BTreeMap::new(); places.len()];
    for record in read.read(number)? {
        for (place, counts) in places.iter().zip(&mut counts) {
            let value = record.values.get(*place).and_then(Option::as_deref).unwrap_or_default();
            if value.trim().is_empty() {
                continue;
            }
            match counts.get_mut(value) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(value.to_owned(), 1);
                }
            }
        }
    }
    Ok(counts)
}

/// Of values that are as frequent, the one that sorts first.
fn most_frequent(counts: HashMap<String, u64>) -> Vec<String> {
    let mut values: Vec<(Reverse<u64>, String)> =
        counts.into_iter().map(|(value, count)| (Reverse(count), value)).collect();
    values.sort_unstable();
    values.into_iter().take(TOLD).map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first() {
        let counts = [("low", 3), ("high", 9), ("none", 3)].map(|(value, count)| (value.to_owned(), count));
        assert_eq!(most_frequent(counts.into_iter().collect()), ["high", "low", "none"]);
    }
}
