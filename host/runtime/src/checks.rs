//! Rules of the contract that its types do not express, checked on whatever a plugin returns.

use std::collections::HashSet;

use pegbox_plugin_abi::measurement::Report;
use pegbox_plugin_abi::records::{Outcome, RowBatch};
use pegbox_plugin_abi::validation::Finding;

use crate::error::{Cause, MAX_NAME, MAX_TEXT, clean_text, cut};
use crate::tensors::{AnyTensor, DType, Shape};

/// The numbers of the batch's records.
pub fn ids(batch: &RowBatch) -> Vec<u64> {
    batch.rows.iter().map(|row| row.id).collect()
}

/// As many outcomes as rows, each with as many values as there are fields; reasons that can be shown.
pub fn outcomes(batch: &RowBatch, mut outcomes: Vec<Outcome>) -> Result<Vec<Outcome>, Cause> {
    if outcomes.len() != batch.rows.len() {
        return Err(broken(
            format!("it returned {} outcomes for {} rows", outcomes.len(), batch.rows.len()),
            "`clean` returns one outcome for each row, in the same order",
        ));
    }
    let fields = batch.fields.len();
    for (row, outcome) in batch.rows.iter().zip(&outcomes) {
        let wrong = match outcome {
            Outcome::Keep | Outcome::Drop(_) => None,
            Outcome::Replace(values) => (values.len() != fields).then_some(values.len()),
            Outcome::Split(records) if records.is_empty() => {
                return Err(broken(
                    format!("it split record {} into nothing", row.id),
                    "use `drop` for a record that is to go",
                ));
            }
            Outcome::Split(records) => records.iter().map(Vec::len).find(|len| *len != fields),
        };
        if let Some(wrong) = wrong {
            return Err(broken(
                format!("it gave record {} {wrong} values for {fields} fields", row.id),
                "values come in the order of `batch.fields`, one for each",
            ));
        }
    }
    for outcome in &mut outcomes {
        if let Outcome::Drop(reason) = outcome {
            *reason = clean_text(reason, MAX_NAME);
        }
    }
    Ok(outcomes)
}

/// Findings about rows and fields of this batch only; texts that can be shown.
pub fn findings(batch: &RowBatch, findings: Vec<Finding>) -> Result<Vec<Finding>, Cause> {
    let rows: HashSet<u64> = batch.rows.iter().map(|row| row.id).collect();
    let findings = final_findings(&batch.fields, findings)?;
    match findings.iter().find_map(|finding| Some((finding, finding.row.filter(|row| !rows.contains(row))?)))
    {
        Some((finding, row)) => Err(broken(
            format!("finding `{}` is about record {row}, which is not in the batch", finding.code),
            "use the `id` of the row",
        )),
        None => Ok(findings),
    }
}

/// Findings about any record, and these fields only; texts that can be shown.
pub fn final_findings(fields: &[String], findings: Vec<Finding>) -> Result<Vec<Finding>, Cause> {
    let findings = shown(findings);
    for finding in &findings {
        let fix = finding.proposed_fix.as_ref().map(|fix| &fix.field);
        if let Some(field) = finding.field.iter().chain(fix).find(|field| !fields.contains(field)) {
            let (code, field) = (&finding.code, clean_text(field, MAX_NAME));
            return Err(broken(
                format!("finding `{code}` is about the field `{field}`, which is not in the batch"),
                "use a name from `batch.fields`",
            ));
        }
    }
    Ok(findings)
}

/// The same with texts that can be shown.
pub fn shown(mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.code = clean_text(&finding.code, MAX_NAME);
        finding.message = clean_text(&finding.message, MAX_TEXT);
    }
    findings
}

/// A float of shape `[1]`.
pub fn loss(loss: AnyTensor) -> Result<AnyTensor, Cause> {
    if loss.shape() == Shape::SCALAR && loss.dtype() == DType::Float {
        return Ok(loss);
    }
    Err(broken(
        format!("the loss is {loss:?}; it must be float [1]"),
        "reduce it with `sum` or `mean` over all dimensions",
    ))
}

/// Score names that a recipe can select by, each once, and details that name plain files.
pub fn report(report: Report) -> Result<Report, Cause> {
    let mut seen = HashSet::new();
    for score in &report.scores {
        let kebab = is_short(&score.name)
            && score.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !kebab || !seen.insert(&score.name) {
            return Err(broken(
                format!("{:?} is not a score's name, or is one twice", cut(&score.name, MAX_NAME)),
                "score names are kebab-case, such as `macro-f1`, each once",
            ));
        }
    }
    let plain = |name: &str| {
        is_short(name)
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    // Names that differ in case only are one file on some file systems.
    let mut files = HashSet::new();
    let mut fresh = |name: &str| files.insert(name.to_ascii_lowercase());
    match report.details.iter().find(|detail| !plain(&detail.name) || !fresh(&detail.name)) {
        Some(detail) => Err(broken(
            format!("{:?} is not a detail's file name, or is one twice", cut(&detail.name, MAX_NAME)),
            "a detail's name is a file name of letters, digits, `.`, `-` and `_`, each once",
        )),
        None => Ok(report),
    }
}

/// Of a name that becomes a file or a column.
fn is_short(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
}

fn broken(what: String, help: &str) -> Cause {
    Cause::Contract { what, help: Some(help.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::TensorType;
    use pegbox_plugin_abi::measurement::{Detail, Score};
    use pegbox_plugin_abi::records::Row;
    use pegbox_plugin_abi::validation::Severity;

    fn batch() -> RowBatch {
        let row = |id| Row { id, values: vec![Some("x".to_owned())] };
        RowBatch { fields: vec!["text".to_owned()], rows: vec![row(7), row(8)] }
    }

    #[track_caller]
    fn fails<T: std::fmt::Debug>(result: Result<T, Cause>, with: &str) {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(with), "{text}");
    }

    #[test]
    fn outcomes_fit_the_batch() {
        assert!(outcomes(&batch(), vec![Outcome::Keep, Outcome::Drop("short".to_owned())]).is_ok());
        fails(outcomes(&batch(), vec![Outcome::Keep]), "1 outcomes for 2 rows");
        fails(outcomes(&batch(), vec![Outcome::Keep, Outcome::Replace(vec![])]), "record 8 0 values for 1");
        fails(outcomes(&batch(), vec![Outcome::Keep, Outcome::Split(vec![])]), "record 8 into nothing");
        fails(outcomes(&batch(), vec![Outcome::Split(vec![vec![], vec![]]), Outcome::Keep]), "record 7");
    }

    #[test]
    fn findings_are_about_the_batch() {
        let finding = |row, field: &str| Finding {
            level: Severity::Warning,
            row: Some(row),
            field: Some(field.to_owned()),
            code: "empty".to_owned(),
            message: String::new(),
            proposed_fix: None,
        };
        assert!(findings(&batch(), vec![finding(7, "text")]).is_ok());
        fails(findings(&batch(), vec![finding(9, "text")]), "record 9");
        fails(findings(&batch(), vec![finding(7, "label")]), "`label`");
        fails(findings(&batch(), vec![finding(7, "\u{1b}[2J")]), "` [2J`");
        assert!(final_findings(&["text".to_owned()], vec![finding(9, "text")]).is_ok());
        fails(final_findings(&["text".to_owned()], vec![finding(9, "label")]), "`label`");
    }

    #[test]
    fn texts_for_people_cannot_steer_a_terminal() {
        let loud = Finding {
            level: Severity::Info,
            row: None,
            field: None,
            code: "a\nb".to_owned(),
            message: "\u{1b}[2J".repeat(1 << 20),
            proposed_fix: None,
        };
        let found = findings(&batch(), vec![loud]).unwrap().remove(0);
        assert_eq!(found.code, "a b");
        assert!(found.message.len() < 5000 && !found.message.contains('\u{1b}'));
        let drops = vec![Outcome::Drop("a\u{1b}b".to_owned()), Outcome::Keep];
        assert_eq!(outcomes(&batch(), drops).unwrap()[0], Outcome::Drop("a b".to_owned()));
    }

    #[test]
    fn a_loss_is_one_float() {
        let tensor = |dtype, dims: &[usize]| {
            AnyTensor::new((), TensorType { shape: Shape::new(dims).unwrap(), dtype })
        };
        assert!(loss(tensor(DType::Float, &[1])).is_ok());
        fails(loss(tensor(DType::Float, &[2])), "float [2]");
        fails(loss(tensor(DType::Float, &[1, 1])), "float [1, 1]");
        fails(loss(tensor(DType::Int, &[1])), "int [1]");
    }

    #[test]
    fn details_cannot_name_other_folders() {
        let detail = |name: &str| Report {
            scores: vec![],
            details: vec![Detail {
                name: name.to_owned(),
                media_type: "text/csv".to_owned(),
                content: String::new(),
            }],
        };
        assert!(report(detail("confusion-matrix.csv")).is_ok());
        for name in ["../x", "a/b", "", ".hidden", "a\\b"] {
            fails(report(detail(name)), "file name");
        }
        let twins =
            Report { details: [detail("a.csv").details, detail("A.csv").details].concat(), ..detail("a") };
        fails(report(twins), "twice");
        fails(report(detail(&"a".repeat(1 << 20))), "…");
        let score = |name: &str| Score { name: name.to_owned(), value: 1.0, higher_is_better: true };
        fails(report(Report { scores: vec![score("F1 macro")], details: vec![] }), "F1 macro");
        fails(report(Report { scores: vec![score("f1"), score("f1")], details: vec![] }), "twice");
    }
}
