use std::borrow::Cow;

use pegbox_findings::{broken, decode, encode};
use pegbox_plugin::Error;
use serde::{Deserialize, Serialize};

use crate::classes::Classes;
use crate::fingerprint::Fingerprint;

/// What is remembered of the rows. A row takes 28 bytes, in columns.
#[derive(Clone, Default, Debug)]
pub(crate) struct Seen {
    pub classes: Classes,
    ids: Vec<u64>,
    fingerprints: Vec<Fingerprint>,
    numbers: Vec<u32>,
}

/// A row that has a text and a label.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SeenRow {
    pub fingerprint: Fingerprint,
    pub id: u64,
    /// Number of its class.
    pub class: u32,
}

/// [`Seen`] as it travels.
#[derive(Serialize, Deserialize)]
struct State<'a> {
    /// Names and examples; a class's number is its place.
    #[serde(borrow)]
    classes: Vec<(&'a str, u64)>,
    ids: Cow<'a, [u64]>,
    #[serde(with = "serde_bytes")]
    fingerprints: &'a [u8],
    numbers: Cow<'a, [u32]>,
}

impl Seen {
    /// Remembers a row of class `class`, a number of `self.classes`.
    pub fn push(&mut self, id: u64, fingerprint: Fingerprint, class: u32) {
        self.ids.push(id);
        self.fingerprints.push(fingerprint);
        self.numbers.push(class);
    }

    /// All rows, in the order in which they came.
    pub fn rows(&self) -> impl Iterator<Item = SeenRow> {
        let columns = self.fingerprints.iter().zip(&self.ids).zip(&self.numbers);
        columns.map(|((fingerprint, id), class)| SeenRow {
            fingerprint: *fingerprint,
            id: *id,
            class: *class,
        })
    }

    /// # Errors
    /// None that is known.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let state = State {
            classes: self.classes.iter().collect(),
            ids: Cow::Borrowed(&self.ids),
            fingerprints: self.fingerprints.as_flattened(),
            numbers: Cow::Borrowed(&self.numbers),
        };
        encode(&state)
    }

    /// Takes in what another instance has encoded. Nothing is taken in if it makes no sense.
    ///
    /// # Errors
    /// Bytes that are not such a state.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let state: State = decode(bytes)?;
        let (fingerprints, rest) = state.fingerprints.as_chunks::<16>();
        let rows = fingerprints.len();
        if !rest.is_empty() || state.ids.len() != rows || state.numbers.len() != rows {
            return Err(broken("its columns differ in length"));
        }
        if state.numbers.iter().any(|number| *number as usize >= state.classes.len()) {
            return Err(broken("it has a row of a class that it does not name"));
        }
        let ours: Vec<u32> =
            state.classes.iter().map(|(name, examples)| self.classes.add(name, *examples)).collect();
        self.numbers.extend(state.numbers.iter().filter_map(|number| ours.get(*number as usize)));
        self.ids.extend_from_slice(&state.ids);
        self.fingerprints.extend_from_slice(fingerprints);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(rows: &[(u64, &str)]) -> Seen {
        let mut seen = Seen::default();
        for (id, label) in rows {
            let class = seen.classes.add(label, 1);
            seen.push(*id, [*id as u8; 16], class);
        }
        seen
    }

    #[test]
    fn merged_is_as_seen_at_once() {
        let all = [(0, "a"), (2, "b"), (3, "c"), (300, "b"), (4_000_000_000, "d")];
        let mut merged = seen(&all[..2]);
        merged.merge(&seen(&all[2..]).encode().unwrap()).unwrap();
        let once = seen(&all);
        assert!(merged.rows().eq(once.rows()));
        assert!(merged.classes.iter().eq(once.classes.iter()));
        assert_eq!(merged.encode().unwrap(), once.encode().unwrap());
    }

    #[test]
    fn broken_states_are_refused_and_leave_no_trace() {
        let mut ours = seen(&[(0, "a")]);
        let theirs = seen(&[(1, "b"), (2, "c")]).encode().unwrap();
        for length in 0..theirs.len() {
            assert!(ours.merge(&theirs[..length]).is_err(), "{length} bytes");
        }
        let mut stranger = seen(&[(1, "b")]);
        stranger.push(2, [0; 16], 7);
        assert!(ours.merge(&stranger.encode().unwrap()).unwrap_err().message().contains("does not name"));
        assert_eq!((ours.rows().count(), ours.classes.iter().count()), (1, 1));
    }
}
