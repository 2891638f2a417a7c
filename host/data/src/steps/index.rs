//! What the later steps need to know of each row, a few bytes each: label, part, group, time, size.

/// The rows' labels.
mod numbers;

use std::collections::{BTreeSet, HashMap};

use pegbox_records::{Origins, Part, Record, Schema};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::DataError;
use crate::job::{KeepRow, PrepareJob};
use crate::parallel;
use crate::rows::Shards;
use crate::state::State;
use crate::task::Task;
pub(crate) use numbers::Numbers;

/// The label of a row that has none.
pub(crate) const NO_LABEL: u32 = u32::MAX;

/// One entry a row in each list that is there.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// All labels, sorted by their bytes.
    pub names: Vec<String>,
    /// Numbers of `names`, or [`NO_LABEL`].
    pub labels: Numbers,
    /// The part of the row's file; free for rows of training files.
    pub states: Vec<State>,
    /// Equal texts have equal numbers; only where duplicates are not looked for.
    pub texts: Option<Vec<u32>>,
    /// Equal groups have equal numbers.
    pub groups: Option<Vec<u32>>,
    /// Seconds.
    pub times: Option<Vec<i64>>,
    /// Characters of the compared texts; only where the longest of several duplicates stays.
    pub sizes: Option<Vec<u32>>,
    /// Where rows have several names, tags or labels: all of them, sorted by their bytes.
    pub tags: Vec<String>,
    /// Where rows have several names: the types of the entities of each row, or its labels, as numbers, one row after
    /// the other, and where each row ends.
    pub entities: (Vec<u32>, Vec<u32>),
    /// How many types of entities, or labels, there are.
    pub entity_types: usize,
}

/// Reads all rows once.
///
/// # Errors
/// A row has no text; or no label, and `labelled` says that it needs one.
pub(crate) fn index(
    shards: &Shards,
    job: &PrepareJob,
    origins: &Origins,
    labelled: bool,
    threads: usize,
) -> Result<Index, DataError> {
    let places = Places::of(shards.schema(), job)?;
    let of_shards = parallel::ordered(
        shards.len(),
        threads,
        || Ok(()),
        |(), number| places.index(&shards.read(number)?, shards.schema(), job, origins),
    )?;
    check(&of_shards, shards.schema(), labelled)?;
    Ok(join(of_shards, job.task))
}

/// Where in a record what is indexed stands.
struct Places {
    /// Each row must have these.
    needed: Vec<usize>,
    tags: Option<usize>,
    label: Option<usize>,
    group: Option<usize>,
    time: Option<usize>,
    /// Roles that are compared, where sizes are needed.
    compared: Option<Vec<usize>>,
    hashed: bool,
}

impl Places {
    fn of(schema: &Schema, job: &PrepareJob) -> Result<Self, DataError> {
        let named = |role: &str, setting| place_of(schema, role, setting);
        let optional = |role: &Option<String>, setting: &'static str| {
            role.as_deref().map(|role| named(role, setting)).transpose()
        };
        let compared = job.duplicates.as_ref().filter(|settings| settings.keep == KeepRow::Longest);
        Ok(Self {
            needed: job.task.roles(schema).iter().filter_map(|role| schema.role(role)).collect(),
            tags: job.task.names().and_then(|role| schema.role(role)),
            label: schema.role("label").filter(|_| job.task == Task::Classification),
            group: optional(&job.split.group, "split.group")?,
            time: optional(&job.split.time, "split.time")?,
            compared: compared
                .map(|settings| settings.fields.iter().map(|role| named(role, "duplicates.fields")).collect())
                .transpose()?,
            hashed: job.duplicates.is_none(),
        })
    }

    fn index(
        &self,
        records: &[Record],
        schema: &Schema,
        job: &PrepareJob,
        origins: &Origins,
    ) -> Result<OfShard, DataError> {
        let mut found = OfShard::default();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        for record in records {
            let value = |place: Option<usize>| record.values.get(place?)?.as_deref();
            let origin = || origins.of(record).to_string();
            if let Some(place) = self.needed.iter().find(|place| value(Some(**place)).is_none()) {
                found.lacking.get_or_insert_with(|| (*place, origin(), 0)).2 += 1;
            }
            if let Some(tags) = self.tags {
                found.add_tags(value(Some(tags)).unwrap_or_default(), job.task);
            }
            let label = match value(self.label) {
                None => {
                    found.without_label.get_or_insert_with(|| (origin(), 0)).1 += 1;
                    NO_LABEL
                }
                Some(label) => *numbers.entry(label).or_insert_with(|| {
                    found.names.push(label.to_owned());
                    found.names.len() as u32 - 1
                }),
            };
            found.labels.push(label);
            let part = job.sources.get(record.source as usize).map_or(Part::Train, |source| source.part);
            found.states.push(if part == Part::Train { State::Free } else { State::of(part) });
            if self.hashed {
                let text = job.task.text(schema, record).unwrap_or_default();
                found.texts.push(xxh3_64(text.as_bytes()));
            }
            if let Some(place) = self.group {
                // A row without a group is a group for itself.
                let group = value(Some(place)).map(|group| xxh3_64(group.as_bytes()));
                found.groups.push(group.unwrap_or_else(|| xxh3_64(&record.id.to_le_bytes())));
            }
            if let Some(place) = self.time {
                let time = value(Some(place)).and_then(seconds);
                let value = || value(Some(place)).unwrap_or("nothing").to_owned();
                found.times.push(time.ok_or_else(|| DataError::Time { origin: origin(), value: value() })?);
            }
            if let Some(compared) = &self.compared {
                let size = compared.iter().filter_map(|place| value(Some(*place)));
                found.sizes.push(size.map(|text| text.chars().count() as u32).sum());
            }
        }
        Ok(found)
    }
}

/// The place of a role that a setting of the recipe's `[data]` names.
pub(crate) fn place_of(schema: &Schema, role: &str, setting: &'static str) -> Result<usize, DataError> {
    schema.role(role).ok_or_else(|| DataError::Named {
        setting,
        role: role.to_owned(),
        known: schema.fields().iter().map(|field| field.role.clone()).collect(),
    })
}

/// What is known of the rows of one shard.
#[derive(Default)]
struct OfShard {
    /// In the order in which they come.
    names: Vec<String>,
    labels: Vec<u32>,
    states: Vec<State>,
    texts: Vec<u64>,
    groups: Vec<u64>,
    times: Vec<i64>,
    sizes: Vec<u32>,
    tags: BTreeSet<String>,
    /// Of each row.
    entities: Vec<BTreeSet<String>>,
    /// The place of what the first such row lacks, the row, and how many lack something.
    lacking: Option<(usize, String, usize)>,
    /// The first such row, and how many there are.
    without_label: Option<(String, usize)>,
}

impl OfShard {
    fn add_tags(&mut self, tags: &str, task: Task) {
        let mut kinds = BTreeSet::new();
        for tag in tags.split(' ').filter(|tag| !tag.is_empty()) {
            if !self.tags.contains(tag) {
                self.tags.insert(tag.to_owned());
            }
            if let Some(kind) = task.kind(tag).filter(|kind| !kinds.contains(*kind)) {
                kinds.insert(kind.to_owned());
            }
        }
        self.entities.push(kinds);
    }
}

fn check(shards: &[OfShard], schema: &Schema, labelled: bool) -> Result<(), DataError> {
    let mut lacking = shards.iter().filter_map(|shard| shard.lacking.clone());
    if let Some((place, origin, first)) = lacking.next() {
        let field = schema.fields().get(place).map(|field| field.name.clone()).unwrap_or_default();
        let count = first + lacking.map(|(.., count)| count).sum::<usize>();
        return Err(DataError::Missing { field, origin, count });
    }
    let mut without = shards.iter().filter_map(|shard| shard.without_label.clone());
    match without.next().filter(|_| labelled) {
        None => Ok(()),
        Some((origin, first)) => {
            let count = first + without.map(|(_, count)| count).sum::<usize>();
            Err(DataError::Missing { field: schema.name_of("label").to_owned(), origin, count })
        }
    }
}

fn join(shards: Vec<OfShard>, task: Task) -> Index {
    let mut names: Vec<String> = shards.iter().flat_map(|shard| shard.names.iter().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    let mut index = Index::default();
    let rows = shards.iter().map(|shard| shard.labels.len()).sum();
    index.labels = Numbers::with_capacity(rows, names.len());
    index.states.reserve_exact(rows);
    let (mut texts, mut groups, mut times, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let tags: BTreeSet<String> = shards.iter().flat_map(|shard| shard.tags.iter().cloned()).collect();
    let kinds: BTreeSet<&str> = tags.iter().filter_map(|tag| task.kind(tag)).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    for shard in shards {
        let number = |name: &String| names.binary_search(name).map_or(NO_LABEL, |number| number as u32);
        let numbers: Vec<u32> = shard.names.iter().map(number).collect();
        let global = |label: u32| numbers.get(label as usize).copied().unwrap_or(NO_LABEL);
        shard.labels.iter().for_each(|label| index.labels.push(global(*label)));
        index.states.extend(shard.states);
        for row in &shard.entities {
            let numbers = row.iter().filter_map(|kind| kinds.binary_search(&kind.as_str()).ok());
            index.entities.0.extend(numbers.map(|number| number as u32));
            index.entities.1.push(index.entities.0.len() as u32);
        }
        texts.extend(shard.texts);
        groups.extend(shard.groups);
        times.extend(shard.times);
        sizes.extend(shard.sizes);
    }
    index.entity_types = kinds.len();
    index.tags = tags.into_iter().collect();
    index.names = names;
    index.texts = numbered(texts);
    index.groups = numbered(groups);
    index.times = Some(times).filter(|times| !times.is_empty());
    index.sizes = Some(sizes).filter(|sizes| !sizes.is_empty());
    index
}

/// The rank of each hash, so that equal ones have equal numbers.
fn numbered(hashes: Vec<u64>) -> Option<Vec<u32>> {
    if hashes.is_empty() {
        return None;
    }
    let mut sorted = hashes.clone();
    sorted.sort_unstable();
    sorted.dedup();
    Some(hashes.iter().map(|hash| sorted.partition_point(|other| other < hash) as u32).collect())
}

/// Seconds of a number, or of a date and time as RFC 3339 writes it (the time, and the offset, may be missing).
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    if let Ok(number) = text.parse::<f64>() {
        return Some(number).filter(|number| number.is_finite()).map(|number| number.floor() as i64);
    }
    let digits = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let sign = |place: usize| text.as_bytes().get(place).copied();
    if (sign(4), sign(7)) != (Some(b'-'), Some(b'-')) {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut seconds = days(year, month, day) * 86_400;
    if text.len() > 10 {
        if !matches!(sign(10), Some(b'T' | b't' | b' ')) || sign(13) != Some(b':') {
            return None;
        }
        seconds += digits(11..13)? * 3600 + digits(14..16)? * 60;
        let mut rest = text.get(16..)?;
        if let Some(after) = rest.strip_prefix(':') {
            seconds += after.get(..2)?.parse::<i64>().ok()?;
            rest = after.get(2..)?;
        }
        let offset = rest.trim_start_matches(|sign: char| sign == '.' || sign.is_ascii_digit());
        seconds -= offset_of(offset)?;
    }
    Some(seconds)
}

/// `Z`, `+01:00`, `-0530` or nothing, in seconds.
fn offset_of(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let rest = rest.replace(':', "");
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse::<i64>().ok()? };
    Some(sign * (hours.parse::<i64>().ok()? * 3600 + minutes * 60))
}

/// Days from 1970-01-01, by the civil calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_or_dates() {
        let all = [
            ("1700000000", Some(1_700_000_000)),
            ("1700000000.7", Some(1_700_000_000)),
            ("1970-01-01", Some(0)),
            ("2026-11-28T11:39:56Z", Some(1_795_865_996)),
            ("2026-11-28 12:39:56.25+01:00", Some(1_795_865_996)),
            ("2026-11-28T11:39", Some(1_795_865_940)),
            ("1969-12-31T23:59:59-0000", Some(-1)),
            ("2026-13-01", None),
            ("yesterday", None),
            ("2026-11-28T", None),
            ("NaN", None),
            ("2026-11-28T11:39:56é", None),
        ];
        for (text, expected) in all {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn equal_hashes_have_equal_numbers() {
        assert_eq!(numbered(vec![9, 2, 9, 5]), Some(vec![2, 0, 2, 1]));
        assert_eq!(numbered(vec![]), None);
    }
}
