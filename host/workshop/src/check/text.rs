//! Values as people read them.

use pegbox_runtime::{Finding, Outcome};

/// Values of a record, `text = "a b", label = none`.
pub fn record(fields: &[String], values: &[Option<String>]) -> String {
    let one = |(field, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{field} = {value:?}"),
        None => format!("{field} = none"),
    };
    fields.iter().zip(values).map(one).collect::<Vec<_>>().join(", ")
}

pub fn outcome(fields: &[String], outcome: &Outcome) -> String {
    match outcome {
        Outcome::Keep => "keep".to_owned(),
        Outcome::Replace(values) => format!("replace {}", record(fields, values)),
        Outcome::Drop(reason) => format!("drop {reason:?}"),
        Outcome::Split(all) => {
            let all: Vec<String> = all.iter().map(|values| record(fields, values)).collect();
            format!("split into {}", all.join(" | "))
        }
    }
}

pub fn finding(finding: &Finding) -> String {
    let level = format!("{:?}", finding.level).to_lowercase();
    let row = finding.row.map_or(String::new(), |row| format!(", record {row}"));
    let field = finding.field.as_ref().map_or(String::new(), |field| format!(", field {field}"));
    let fix = finding.proposed_fix.as_ref();
    let fix = fix.map_or(String::new(), |fix| format!(", fix {} = {:?}", fix.field, fix.value));
    format!("{level} {}{row}{field}{fix}: {:?}", finding.code, finding.message)
}

pub fn findings(all: &[Finding]) -> String {
    match all {
        [] => "nothing".to_owned(),
        all => all.iter().map(finding).collect::<Vec<_>>().join("\n"),
    }
}
