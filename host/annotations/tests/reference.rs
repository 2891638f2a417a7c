//! Agreement and aggregation against the usual Python libraries: `reference.py` wrote the figures.

use std::path::{Path, PathBuf};

use pegbox_annotations::aggregate::{DawidSkeneSettings, dawid_skene};
use pegbox_annotations::agreement::{Agreement, AgreementSettings, agreement};
use pegbox_annotations::{Ratings, RatingsBuilder};
use serde::Deserialize;

const CLOSE: f64 = 1e-9;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
    convabuse: ConvAbuse,
    asset: Vec<Case>,
    dawid_skene: Aggregation,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    annotators: Vec<String>,
    #[serde(default)]
    rows: Vec<Vec<Option<f64>>>,
    alpha: Alpha,
    cohen: Vec<Kappas>,
    fleiss: Fleiss,
}

#[derive(Deserialize)]
struct Alpha {
    nominal: f64,
    ordinal: f64,
    interval: f64,
}

#[derive(Deserialize)]
struct Kappas {
    first: String,
    second: String,
    items: u32,
    unweighted: Option<f64>,
    linear: Option<f64>,
    quadratic: Option<f64>,
}

#[derive(Deserialize)]
struct Fleiss {
    raters: usize,
    items: usize,
    kappa: f64,
}

#[derive(Deserialize)]
struct ConvAbuse {
    annotators: Vec<String>,
    rows: Vec<String>,
    five: Case,
    binary: Case,
}

#[derive(Deserialize)]
struct Aggregation {
    annotators: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
    iterations: u32,
    priors: Vec<f64>,
    posterior: std::collections::BTreeMap<usize, Vec<f64>>,
    confusion: Vec<Vec<Vec<f64>>>,
}

fn reference() -> Reference {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn table(annotators: &[String], rows: &[Vec<Option<f64>>]) -> Ratings {
    let mut builder = RatingsBuilder::new();
    for (item, row) in rows.iter().enumerate() {
        let said: Vec<String> = row.iter().map(|v| v.map(|v| v.to_string()).unwrap_or_default()).collect();
        let pairs = annotators.iter().map(String::as_str).zip(said.iter().map(String::as_str));
        builder.add_row(&item.to_string(), pairs).unwrap();
    }
    builder.build()
}

fn close(what: &str, ours: Option<f64>, theirs: Option<f64>) {
    match (ours, theirs) {
        (None, None) => {}
        (Some(ours), Some(theirs)) if (ours - theirs).abs() <= CLOSE => {}
        _ => panic!("{what}: ours {ours:?}, the reference {theirs:?}"),
    }
}

fn settings(resamples: u32) -> AgreementSettings {
    AgreementSettings { resamples, ..AgreementSettings::default() }
}

fn check(case: &Case, ratings: &Ratings, rows: &[Vec<Option<f64>>]) -> Agreement {
    let ours = agreement(ratings, &settings(0)).unwrap();
    let name = &case.name;
    close(&format!("{name}: nominal"), ours.alpha_nominal.value, Some(case.alpha.nominal));
    close(&format!("{name}: ordinal"), ours.alpha_ordinal.unwrap().value, Some(case.alpha.ordinal));
    close(&format!("{name}: interval"), ours.alpha_interval.unwrap().value, Some(case.alpha.interval));
    assert!(!case.cohen.is_empty(), "{name}: no pairs to compare");
    for theirs in &case.cohen {
        let pair = ours.cohen.pairs.iter().find(|p| (&p.first, &p.second) == (&theirs.first, &theirs.second));
        let pair = pair.unwrap_or_else(|| panic!("{name}: no pair {} {}", theirs.first, theirs.second));
        let what = format!("{name}: {} {}", pair.first, pair.second);
        assert_eq!(pair.items, theirs.items, "{what}");
        close(&what, pair.kappa.unweighted.value, theirs.unweighted);
        close(&what, pair.kappa.linear.unwrap().value, theirs.linear);
        close(&what, pair.kappa.quadratic.unwrap().value, theirs.quadratic);
    }
    // statsmodels wants the same number of ratings for each item.
    let equal: Vec<_> =
        rows.iter().filter(|row| row.iter().flatten().count() == case.fleiss.raters).cloned().collect();
    assert_eq!(equal.len(), case.fleiss.items);
    let equal = agreement(&table(&case.annotators, &equal), &settings(0)).unwrap();
    close(&format!("{name}: Fleiss"), equal.fleiss.value, Some(case.fleiss.kappa));
    ours
}

#[test]
fn generated_cases_agree_with_the_libraries() {
    let reference = reference();
    assert_eq!(reference.cases.len(), 4);
    for case in &reference.cases {
        check(case, &table(&case.annotators, &case.rows), &case.rows);
    }
}

#[test]
fn convabuse_agrees_with_the_libraries_and_the_published_figures() {
    let reference = reference().convabuse;
    let severity = |letter: char| letter.to_digit(10).map(|digit| f64::from(digit) - 3.0);
    let five: Vec<Vec<_>> = reference.rows.iter().map(|row| row.chars().map(severity).collect()).collect();
    assert_eq!(five.len(), 4185);
    let ours = check(&reference.five, &table(&reference.annotators, &five), &five);
    let near = |value: Option<f64>, figure: f64| (value.unwrap() - figure).abs() < 5e-7;
    assert!(near(ours.alpha_nominal.value, 0.437374));
    assert!(near(ours.alpha_ordinal.unwrap().value, 0.659766));
    assert!(near(ours.alpha_interval.unwrap().value, 0.733922));

    let abusive = |row: &Vec<Option<f64>>| row.iter().map(|v| v.map(|v| f64::from(v < 0.0))).collect();
    let binary: Vec<Vec<_>> = five.iter().map(abusive).collect();
    let ours = check(&reference.binary, &table(&reference.annotators, &binary), &binary);
    assert!(near(ours.alpha_nominal.value, 0.652337));
}

#[test]
fn intervals_hold_the_figure_and_never_change() {
    let reference = reference().convabuse;
    let mut builder = RatingsBuilder::new();
    for (item, row) in reference.rows.iter().enumerate() {
        let said: Vec<String> = row.chars().map(|c| c.to_string().replace('-', "")).collect();
        let pairs = reference.annotators.iter().map(String::as_str).zip(said.iter().map(String::as_str));
        builder.add_row(&item.to_string(), pairs).unwrap();
    }
    let ratings = builder.build();
    let once = agreement(&ratings, &settings(300)).unwrap();
    let again = agreement(&ratings, &settings(300)).unwrap();
    assert_eq!(once, again);
    for estimate in [
        once.percent,
        once.fleiss,
        once.alpha_nominal,
        once.alpha_ordinal.unwrap(),
        once.alpha_interval.unwrap(),
    ] {
        let (low, value, high) = (estimate.low.unwrap(), estimate.value.unwrap(), estimate.high.unwrap());
        assert!(low < value && value < high, "{estimate:?}");
        // 4,185 items: the interval of such a figure is a few hundredths wide.
        assert!(high - low > 0.005 && high - low < 0.1, "{estimate:?}");
    }
    let other = AgreementSettings { seed: 1, ..settings(300) };
    assert_ne!(once.alpha_nominal, agreement(&ratings, &other).unwrap().alpha_nominal);
}

#[test]
fn dawid_and_skene_agree_with_an_independent_implementation() {
    let theirs = reference().dawid_skene;
    let ratings = table(&theirs.annotators, &theirs.rows);
    let settings =
        DawidSkeneSettings { iterations: theirs.iterations, tolerance: f64::NEG_INFINITY, smoothing: 0.0 };
    let ours = dawid_skene(&ratings, &settings).unwrap();
    assert_eq!(ours.iterations, theirs.iterations);
    // It clips its probabilities at 1e-10, we do not.
    let near = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-6;
    assert!(ours.priors.iter().zip(&theirs.priors).all(|(a, b)| near(*a, *b)), "{:?}", ours.priors);
    assert!(theirs.posterior.len() > 50);
    for (item, posterior) in &theirs.posterior {
        let mine = ours.posterior(*item);
        assert!(mine.iter().zip(posterior).all(|(a, b)| near(*a, *b)), "{item}: {mine:?} {posterior:?}");
    }
    for (mine, theirs) in ours.confusion.iter().zip(&theirs.confusion) {
        let theirs: Vec<f64> = theirs.concat();
        assert!(mine.iter().zip(&theirs).all(|(a, b)| near(*a, *b)), "{mine:?} {theirs:?}");
    }
}

/// ASSET's licence keeps it out of the repository: `PEGBOX_DATASETS` names a folder that holds it, else it is looked
/// for in `shared/datasets` beside the checkout.
#[test]
fn asset_agrees_with_the_libraries() {
    let folder = std::env::var_os("PEGBOX_DATASETS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/datasets"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("asset/human_ratings.csv")) else {
        eprintln!("skipped: no ASSET ratings in {}; set PEGBOX_DATASETS", folder.display());
        return;
    };
    let lines = comma_separated(&text);
    let reference = reference().asset;
    assert_eq!(reference.len(), 3);
    for case in reference {
        let mut items: Vec<(&str, &str)> = Vec::new();
        let mut rows: Vec<Vec<Option<f64>>> = Vec::new();
        let mut builder = RatingsBuilder::new();
        for line in lines.iter().filter(|line| line[3] == case.name) {
            let item = (line[0].as_str(), line[1].as_str());
            let number = items.iter().position(|known| *known == item).unwrap_or_else(|| {
                items.push(item);
                rows.push(vec![None; case.annotators.len()]);
                items.len() - 1
            });
            builder.add(&number.to_string(), &line[4], &line[5]).unwrap();
            let annotator = case.annotators.iter().position(|name| *name == line[4]).unwrap();
            rows[number][annotator].get_or_insert(line[5].parse().unwrap());
        }
        check(&case, &builder.build(), &rows);
    }
}

/// Lines of fields, which may be quoted.
fn comma_separated(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for letter in text.chars().filter(|letter| *letter != '\r') {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            other => field.push(other),
        }
    }
    lines
}
