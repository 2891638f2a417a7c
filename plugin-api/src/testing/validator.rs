//! A validator, fed in the ways in which the host may feed it.

use pegbox_plugin_abi::records::{Row, RowBatch};
use pegbox_plugin_abi::validation::Finding;

use crate::Validator;

/// What a validator finds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    /// What `validate` finds, in the order of the rows.
    pub rows: Vec<Finding>,
    /// What `finish` finds.
    pub finish: Vec<Finding>,
}

/// Rows with these fields, numbered from 0.
pub fn rows(fields: &[&str], rows: &[&[Option<&str>]]) -> RowBatch {
    let row = |(id, values): (u64, &&[Option<&str>])| Row {
        id,
        values: values.iter().map(|value| value.map(str::to_owned)).collect(),
    };
    RowBatch {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        rows: (0..).zip(rows).map(row).collect(),
    }
}

/// What an instance of `V` with this configuration finds in `batch`. Checks that the findings are the same when the
/// rows come one by one, and when two instances share them and are merged, wherever the set is cut.
///
/// # Panics
/// If they are not, or a call fails.
#[track_caller]
pub fn found<V: Validator>(configuration: &str, batch: &RowBatch) -> Found {
    let whole = shared::<V>(configuration, batch, &[batch.rows.len()]);
    let singly: Vec<usize> = (1..=batch.rows.len()).collect();
    let mut one = instance::<V>(configuration);
    let rows = singly.iter().flat_map(|end| validated(&mut one, batch, end - 1, *end)).collect();
    let finish = worked("finish", one.finish());
    assert_eq!(Found { rows, finish }, whole, "left: one by one, right: all at once");
    for cut in 0..batch.rows.len() {
        let two = shared::<V>(configuration, batch, &[cut, batch.rows.len()]);
        assert_eq!(two, whole, "left: by two instances, the first with {cut} rows, right: by one");
    }
    whole
}

/// What instances find together that see the rows up to these ends.
#[track_caller]
fn shared<V: Validator>(configuration: &str, batch: &RowBatch, ends: &[usize]) -> Found {
    let mut first = instance::<V>(configuration);
    let mut rows = Vec::new();
    let mut start = 0;
    for (number, end) in ends.iter().enumerate() {
        if number == 0 {
            rows.extend(validated(&mut first, batch, start, *end));
        } else {
            let mut other = instance::<V>(configuration);
            rows.extend(validated(&mut other, batch, start, *end));
            worked("merge", first.merge(&worked("state", other.state())));
        }
        start = *end;
    }
    Found { rows, finish: worked("finish", first.finish()) }
}

#[track_caller]
fn instance<V: Validator>(configuration: &str) -> V {
    worked("configure", V::configure(configuration))
}

#[track_caller]
fn validated<V: Validator>(validator: &mut V, batch: &RowBatch, start: usize, end: usize) -> Vec<Finding> {
    let rows = batch.rows.get(start..end).unwrap_or_default().to_vec();
    worked("validate", validator.validate(RowBatch { fields: batch.fields.clone(), rows }))
}

#[track_caller]
fn worked<T>(call: &str, result: Result<T, crate::Error>) -> T {
    result.unwrap_or_else(|error| panic!("`{call}` fails: {}", error.message()))
}

#[cfg(test)]
mod tests {
    use pegbox_plugin_abi::validation::Severity;

    use super::*;
    use crate::{Error, Plugin};

    /// Counts rows, and forgets them in `merge` where the configuration says so.
    struct Counter {
        forgets: bool,
        rows: u8,
    }

    impl Plugin for Counter {
        const NAME: &'static str = "acme/counter";
        const CONFIGURATION_SCHEMA: &'static str = "{}";

        fn configure(json: &str) -> Result<Self, Error> {
            Ok(Self { forgets: json == "forget", rows: 0 })
        }
    }

    fn finding(row: Option<u64>, message: String) -> Finding {
        let code = "counted".to_owned();
        Finding { level: Severity::Info, row, field: None, code, message, proposed_fix: None }
    }

    impl Validator for Counter {
        fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
            self.rows += batch.rows.len() as u8;
            Ok(batch.rows.iter().map(|row| finding(Some(row.id), format!("{:?}", row.values))).collect())
        }

        fn state(&self) -> Result<Vec<u8>, Error> {
            Ok(vec![self.rows])
        }

        fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
            self.rows += if self.forgets { 0 } else { state[0] };
            Ok(())
        }

        fn finish(&mut self) -> Result<Vec<Finding>, Error> {
            Ok(vec![finding(None, self.rows.to_string())])
        }
    }

    fn three() -> RowBatch {
        rows(&["text"], &[&[Some("a")], &[None], &[Some("c")]])
    }

    #[test]
    fn findings_of_rows_and_of_the_set() {
        let found = found::<Counter>("{}", &three());
        let messages = |findings: &[Finding]| -> Vec<String> {
            findings.iter().map(|finding| finding.message.clone()).collect()
        };
        assert_eq!(messages(&found.rows), ["[Some(\"a\")]", "[None]", "[Some(\"c\")]"]);
        assert_eq!(messages(&found.finish), ["3"]);
    }

    #[test]
    #[should_panic(expected = "by two instances, the first with 0 rows")]
    fn a_merge_that_forgets_is_found() {
        found::<Counter>("forget", &three());
    }
}
