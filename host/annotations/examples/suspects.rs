//! Measures how well wrong labels are found: JSON lines with `text` and `label` on standard input, a share of the
//! labels flipped to another class at random, precision and recall of the suspects among them.
//!
//! `zcat train.jsonl.gz | cargo run --release -p pegbox-annotations --example suspects -- 0.05 [COPIES]`
//!
//! With copies every row is repeated so often (the copies are one group), to measure speed.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Instant;

use pegbox_annotations::Rows;
use pegbox_annotations::suspects::{SuspectSettings, suspects_with};
use pegbox_random::SplitMix64;

struct Copies {
    rows: Vec<(String, u32)>,
    copies: u32,
}

impl Rows for Copies {
    type Error = std::convert::Infallible;

    fn len(&self) -> u32 {
        self.rows.len() as u32 * self.copies
    }

    fn for_each(&self, each: &mut dyn FnMut(u32, &str, u32, u32)) -> Result<(), Self::Error> {
        let mut row = 0;
        for _ in 0..self.copies {
            for (group, (text, label)) in self.rows.iter().enumerate() {
                each(row, text, *label, group as u32);
                row += 1;
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let share: f64 = arguments.next().unwrap_or("0.05".to_owned()).parse()?;
    let copies: u32 = arguments.next().unwrap_or("1".to_owned()).parse()?;
    let (mut rows, classes) = read()?;
    let flipped = flip(&mut rows, classes, share);

    let rows = Copies { rows, copies };
    let originals = rows.rows.len();
    let settings = SuspectSettings::default();
    let start = Instant::now();
    let (mut margins, mut found, mut right) = (Vec::new(), 0, 0);
    let result = suspects_with(&rows, &settings, &mut |verdict| {
        let is_flipped = flipped[verdict.suspect.row as usize % originals];
        found += u32::from(verdict.is_suspect);
        right += u32::from(verdict.is_suspect && is_flipped);
        if copies == 1 {
            margins.push((verdict.suspect.margin, is_flipped));
        }
    })?;
    let wrong = flipped.iter().filter(|flipped| **flipped).count() as f64 * f64::from(copies);
    let (precision, recall) = (f64::from(right) / f64::from(found), f64::from(right) / wrong);
    println!(
        "{} rows, {classes} classes, accuracy {:.4}, temperature {:.2}: precision {precision:.4}, recall {recall:.4}, F1 {:.4}, AUC {:.4}; {:.2?}",
        rows.len(),
        result.accuracy,
        result.temperature,
        2.0 * precision * recall / (precision + recall),
        area(margins),
        start.elapsed()
    );
    Ok(())
}

/// Texts with their label's number.
type Labelled = Vec<(String, u32)>;

/// The rows, and how many labels there are.
fn read() -> Result<(Labelled, u32), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let field = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for line in text.lines() {
        let value = serde_json::from_str(line)?;
        rows.push((field(&value, "text"), field(&value, "label")));
    }
    let names: BTreeSet<String> = rows.iter().map(|(_, label)| label.clone()).collect();
    let number = |label: &String| names.range(..label.clone()).count() as u32;
    let rows: Vec<(String, u32)> = rows.iter().map(|(text, label)| (text.clone(), number(label))).collect();
    Ok((rows, names.len() as u32))
}

/// Which labels were flipped.
fn flip(rows: &mut [(String, u32)], classes: u32, share: f64) -> Vec<bool> {
    let mut random = SplitMix64::named(1, "flips");
    let mut flip_one = |(_, label): &mut (String, u32)| {
        let chosen = random.below(1_000_000) < (share * 1e6) as usize;
        if chosen {
            *label = (*label + 1 + random.below(classes as usize - 1) as u32) % classes;
        }
        chosen
    };
    rows.iter_mut().map(&mut flip_one).collect()
}

/// The area under the curve: how often a flipped row's margin is below another's.
fn area(mut margins: Vec<(f32, bool)>) -> f64 {
    margins.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut kept, mut below) = (0.0, 0.0);
    let mut flipped = 0.0;
    for (_, is_flipped) in margins.iter().rev() {
        if *is_flipped {
            flipped += 1.0;
            below += kept;
        } else {
            kept += 1.0;
        }
    }
    below / (flipped * kept)
}
