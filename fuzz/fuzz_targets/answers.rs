//! What plugins return, and what they say: outcomes, findings, reports, losses, paths, texts, and schemas
//! with configurations.

#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use pegbox_fuzz::json;
use pegbox_plugin_abi::measurement::{Detail, Report, Score};
use pegbox_plugin_abi::records::{Outcome, Row, RowBatch};
use pegbox_plugin_abi::validation::{Finding, Fix, Severity};
use pegbox_runtime::fuzzing::{self, BundlePaths};
use pegbox_runtime::{AnyTensor, Cause, DType, Shape, TensorType, clean_text};

fuzz_target!(|bytes: &[u8]| {
    let _ = check(&mut Unstructured::new(bytes));
});

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=7u8)? {
        0 => outcomes(u),
        1 => findings(u),
        2 => report(u),
        3 => loss(u),
        4 => paths(u),
        5 => text(u),
        6 => schema(u),
        _ => schema_text(u),
    }
}

/// Two fields, a few rows.
fn batch(u: &mut Unstructured<'_>) -> Result<RowBatch> {
    let rows = u.int_in_range(0..=4u64)?;
    let row = |id| Row { id, values: vec![Some("text".to_owned()), None] };
    Ok(RowBatch { fields: vec!["text".to_owned(), "label".to_owned()], rows: (0..rows).map(row).collect() })
}

fn values(u: &mut Unstructured<'_>) -> Result<Vec<Option<String>>> {
    (0..u.int_in_range(1..=3u8)?).map(|_| u.arbitrary()).collect()
}

fn outcomes(u: &mut Unstructured<'_>) -> Result<()> {
    let batch = batch(u)?;
    let count = if u.ratio(1, 8u8)? { u.int_in_range(0..=5)? } else { batch.rows.len() };
    let mut one = || {
        Ok(match u.int_in_range(0..=3u8)? {
            0 => Outcome::Keep,
            1 => Outcome::Replace(values(u)?),
            2 => Outcome::Drop(u.arbitrary()?),
            _ => Outcome::Split((0..u.int_in_range(0..=3u8)?).map(|_| values(u)).collect::<Result<_>>()?),
        })
    };
    let given = (0..count).map(|_| one()).collect::<Result<Vec<_>>>()?;
    match fuzzing::outcomes(&batch, given) {
        Ok(given) => {
            assert_eq!(given.len(), batch.rows.len());
            let fits = |values: &Vec<Option<String>>| values.len() == batch.fields.len();
            assert!(given.iter().all(|outcome| match outcome {
                Outcome::Keep | Outcome::Drop(_) => true,
                Outcome::Replace(values) => fits(values),
                Outcome::Split(records) => !records.is_empty() && records.iter().all(fits),
            }));
        }
        Err(cause) => told(&cause),
    }
    Ok(())
}

fn findings(u: &mut Unstructured<'_>) -> Result<()> {
    let batch = batch(u)?;
    let mut field = || if u.ratio(1, 8u8)? { u.arbitrary() } else { Ok(batch.fields[0].clone()) };
    let names = (0..8).map(|_| field()).collect::<Result<Vec<_>>>()?;
    let mut one = |name: &String| {
        Ok(Finding {
            level: *u.choose(&[Severity::Info, Severity::Warning, Severity::Error])?,
            row: if u.arbitrary()? { Some(u.int_in_range(0..=4)?) } else { None },
            field: u.arbitrary::<bool>()?.then(|| name.clone()),
            code: u.arbitrary()?,
            message: u.arbitrary()?,
            proposed_fix: u.arbitrary::<bool>()?.then(|| Fix { field: name.clone(), value: String::new() }),
        })
    };
    let found = names.iter().map(&mut one).collect::<Result<Vec<_>>>()?;
    match fuzzing::findings(&batch, found) {
        Ok(found) => {
            let known = |name: &String| batch.fields.contains(name);
            assert!(found.iter().all(|finding| {
                finding.row.is_none_or(|id| batch.rows.iter().any(|row| row.id == id))
                    && finding.field.iter().all(known)
                    && finding.proposed_fix.iter().all(|fix| known(&fix.field))
            }));
        }
        Err(cause) => told(&cause),
    }
    Ok(())
}

fn report(u: &mut Unstructured<'_>) -> Result<()> {
    let mut score = || Ok(Score { name: name(u)?, value: u.arbitrary()?, higher_is_better: true });
    let scores = (0..3).map(|_| score()).collect::<Result<Vec<_>>>()?;
    let mut detail = || Ok(Detail { name: name(u)?, media_type: u.arbitrary()?, content: String::new() });
    let details = (0..2).map(|_| detail()).collect::<Result<Vec<_>>>()?;
    match fuzzing::report(Report { scores, details }) {
        Ok(report) => {
            let names: Vec<&str> = report.scores.iter().map(|score| &*score.name).collect();
            assert!((1..names.len()).all(|i| !names[..i].contains(&names[i])), "{names:?}");
            assert!(report.details.iter().all(|detail| !detail.name.contains(['/', '\\', '\0'])));
            assert!(report.details.iter().all(|detail| detail.name != ".." && !detail.name.is_empty()));
        }
        Err(cause) => told(&cause),
    }
    Ok(())
}

fn name(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 4u8)? {
        return u.arbitrary();
    }
    Ok((*u.choose(&["f1", "macro-f1", "accuracy", "matrix.csv", "..", "a_b"])?).to_owned())
}

fn loss(u: &mut Unstructured<'_>) -> Result<()> {
    let dims: Vec<usize> =
        (0..u.int_in_range(0..=9u8)?).map(|_| u.int_in_range(0..=2)).collect::<Result<_>>()?;
    let Some(shape) = Shape::new(&dims) else { return Ok(()) };
    let dtype = *u.choose(&[DType::Float, DType::Int, DType::Boolean])?;
    match fuzzing::loss(AnyTensor::new((), TensorType { shape, dtype })) {
        Ok(_) => assert_eq!((&dims[..], dtype), (&[1][..], DType::Float)),
        Err(cause) => told(&cause),
    }
    Ok(())
}

fn paths(u: &mut Unstructured<'_>) -> Result<()> {
    let mut paths = BundlePaths::default();
    let mut created: Vec<String> = Vec::new();
    while !u.is_empty() {
        let path: String = if u.ratio(1, 2u8)? {
            u.arbitrary()?
        } else {
            let parts = ["a", "A", "..", ".", "", "é", "É", "config.json"];
            let parts = (0..u.int_in_range(1..=3u8)?).map(|_| u.choose(&parts).copied());
            parts.collect::<Result<Vec<_>>>()?.join("/")
        };
        if u.arbitrary()? {
            if paths.create(&path).is_ok() {
                assert!(
                    !path.starts_with('/') && !path.split('/').any(|part| matches!(part, "" | "." | ".."))
                );
                assert!(!created.contains(&path));
                created.push(path);
            }
        } else {
            assert_eq!(paths.append(&path).is_ok(), created.contains(&path), "{path:?}");
        }
    }
    Ok(())
}

fn text(u: &mut Unstructured<'_>) -> Result<()> {
    let most = usize::from(u.arbitrary::<u8>()?);
    let text: String = u.arbitrary()?;
    let clean = clean_text(&text, most);
    assert!(clean.len() <= most + '…'.len_utf8(), "{} bytes", clean.len());
    assert!(!clean.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)));
    assert_eq!(clean_text(&clean, usize::MAX), clean);
    told(&Cause::refused(&text, Some(&text)));
    Ok(())
}

/// A schema made of what schemas are made of.
fn schema(u: &mut Unstructured<'_>) -> Result<()> {
    let (schema, configuration) = (json::value(u, 4)?, json::value(u, 3)?);
    fuzzing::configure(&schema.to_string(), &configuration);
    Ok(())
}

/// A schema as bytes, for seeds and the dictionary.
fn schema_text(u: &mut Unstructured<'_>) -> Result<()> {
    let configuration = json::value(u, 3)?;
    let text = String::from_utf8_lossy(u.bytes(u.len())?).into_owned();
    fuzzing::configure(&text, &configuration);
    Ok(())
}

fn told(cause: &Cause) {
    let _ = cause.to_string();
}
