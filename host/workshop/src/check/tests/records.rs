use pegbox_runtime::{Cleaner, Finding, Outcome, RowBatch, Severity, Validator};

use super::*;

/// What it does to the first field.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    /// Trims.
    Trim,
    /// Adds an exclamation mark, every time.
    Shout,
    /// Drops all but the first row of a batch.
    OnlyFirst,
}

struct Cleans(Does);

impl Cleaner for Cleans {
    fn clean(&mut self, batch: &RowBatch) -> Result<Vec<Outcome>, PluginError> {
        let one = |(place, row): (usize, &pegbox_runtime::Row)| {
            let text = row.values[0].clone().unwrap_or_default();
            let new = match self.0 {
                Does::Trim => text.trim().to_owned(),
                Does::Shout => format!("{text}!"),
                Does::OnlyFirst if place > 0 => return Outcome::Drop("later".to_owned()),
                Does::OnlyFirst => return Outcome::Keep,
            };
            if new == text { Outcome::Keep } else { Outcome::Replace(vec![Some(new), row.values[1].clone()]) }
        };
        Ok(batch.rows.iter().enumerate().map(one).collect())
    }
}

fn clean(does: Does, text: &str) -> Checked {
    let Body::Cleaner(case) = body(Kind::Cleaner, text) else { panic!("no cleaner") };
    let make = || Ok(Box::new(Cleans(does)) as Box<dyn Cleaner>);
    cleaner::check(&case, text, &fields(), &make).unwrap()
}

const TRIMMED: &str = "idempotent = true
[[records]]
in = { text = \" a \", label = \"l\" }
replace = { text = \"a\" }

[[records]]
in = { text = \"b\" }
keep = true
";

#[test]
fn a_right_cleaner_passes_and_a_wrong_outcome_is_shown_with_its_line() {
    passes(&clean(Does::Trim, TRIMMED));
    let checked = clean(Does::Trim, &TRIMMED.replace("keep = true", "drop = \"x\""));
    assert_eq!(checked.failures.len(), 1);
    assert_eq!(checked.failures[0].line, Some(6));
    assert_eq!(checked.failures[0].found.as_deref(), Some("keep"));
    // A field that `replace` leaves out is as it was: here the label.
    fails(
        &clean(Does::Trim, &TRIMMED.replace("replace = { text = \"a\" }", "replace = { label = \"m\" }")),
        "label",
    );
}

#[test]
fn a_cleaner_that_is_not_idempotent_or_looks_at_the_batch_fails() {
    let shouting = "idempotent = true\n[[records]]\nin = { text = \"a\" }\nreplace = { text = \"a!\" }\n";
    fails(&clean(Does::Shout, shouting), "not idempotent");
    passes(&clean(Does::Shout, &shouting.replace("idempotent = true", "")));
    let two = "[[records]]\nin = { text = \"a\" }\nkeep = true\n[[records]]\nin = { text = \"b\" }\ndrop = \"later\"\n";
    fails(&clean(Does::OnlyFirst, two), "record 2 comes out otherwise in a batch of its own");
}

#[derive(Clone, Copy, PartialEq)]
enum Forgets {
    Nothing,
    /// `state` is empty.
    State,
    /// Counts batches, not rows.
    Rows,
}

struct Counts(Forgets, u64);

impl Validator for Counts {
    fn validate(&mut self, batch: &RowBatch) -> Result<Vec<Finding>, PluginError> {
        self.1 += if self.0 == Forgets::Rows { 1 } else { batch.rows.len() as u64 };
        let empty = batch.rows.iter().filter(|row| row.values[0].as_deref() == Some(""));
        Ok(empty.map(|row| finding(Some(row.id), "empty", "no text".to_owned())).collect())
    }

    fn state(&mut self) -> Result<Vec<u8>, PluginError> {
        let kept = if self.0 == Forgets::State { 0 } else { self.1 };
        Ok(kept.to_le_bytes().to_vec())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), PluginError> {
        self.1 += u64::from_le_bytes(state.try_into().unwrap());
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Finding>, PluginError> {
        Ok(vec![finding(None, "count", format!("{} records", self.1))])
    }
}

fn finding(row: Option<u64>, code: &str, message: String) -> Finding {
    let field = row.map(|_| "text".to_owned());
    Finding { level: Severity::Info, row, field, code: code.to_owned(), message, proposed_fix: None }
}

fn validate(forgets: Forgets, text: &str) -> Checked {
    let Body::Validator(case) = body(Kind::Validator, text) else { panic!("no validator") };
    let make = || Ok(Box::new(Counts(forgets, 0)) as Box<dyn Validator>);
    validator::check(&case, text, &fields(), &make).unwrap()
}

const COUNTED: &str = "finish = [{ level = \"info\", code = \"count\", message = \"3 records\" }]
[[records]]
in = { text = \"a\" }
[[records]]
in = { text = \"\" }
finds = [{ level = \"info\", code = \"empty\", field = \"text\" }]
[[records]]
in = { text = \"b\" }
";

#[test]
fn a_right_validator_passes_and_a_wrong_finding_is_shown_with_its_line() {
    passes(&validate(Forgets::Nothing, COUNTED));
    let none = COUNTED.replace("finds = [{ level = \"info\", code = \"empty\", field = \"text\" }]", "");
    let checked = validate(Forgets::Nothing, &none);
    assert_eq!(checked.failures.len(), 1);
    assert_eq!(checked.failures[0].line, Some(4));
    fails(&validate(Forgets::Nothing, &COUNTED.replace("3 records", "4 records")), "`finish`");
    fails(&validate(Forgets::Nothing, &COUNTED.replace("\"empty\"", "\"blank\"")), "blank");
}

#[test]
fn a_validator_that_depends_on_the_batching_fails() {
    fails(
        &validate(Forgets::State, COUNTED),
        "when two instances share the records (0 and 3) and are merged",
    );
    fails(
        &validate(Forgets::Rows, &COUNTED.replace("3 records", "1 records")),
        "when the records come one by one",
    );
}

#[test]
fn without_expectations_the_result_goes_into_a_golden_file() {
    let checked = validate(Forgets::Nothing, "[[records]]\nin = { text = \"\" }\n");
    let golden = checked.golden.unwrap();
    assert_eq!(golden["validate"][0]["code"], "empty");
    assert_eq!(golden["finish"][0]["message"], "1 records");
    let checked = clean(Does::Trim, "[[records]]\nin = { text = \" a\" }\n");
    assert_eq!(checked.golden.unwrap()[0]["replace"]["text"], "a");
}
