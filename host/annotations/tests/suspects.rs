//! Suspect labels: on sentences of our own making, with known wrong labels among them.

use pegbox_annotations::suspects::{SuspectSettings, Suspects, suspects};
use pegbox_annotations::{AnnotationError, InMemory};
use pegbox_random::SplitMix64;

const TOPICS: [[&str; 6]; 4] = [
    ["card", "delivery", "arrive", "post", "envelope", "waiting"],
    ["transfer", "account", "recipient", "pending", "sent", "iban"],
    ["refund", "merchant", "return", "money", "back", "purchase"],
    ["password", "login", "reset", "phone", "code", "locked"],
];
const FILLERS: [&str; 8] = ["please", "my", "the", "when", "why", "is", "still", "help"];

/// Every twentieth label is wrong.
fn rows(count: u32) -> Vec<(String, u32, u32)> {
    let mut random = SplitMix64::new(3);
    (0..count)
        .map(|row| {
            let topic = random.below(4);
            let words: Vec<&str> = (0..8)
                .map(|_| match random.below(2) {
                    0 => TOPICS[topic][random.below(6)],
                    _ => FILLERS[random.below(8)],
                })
                .collect();
            let label = if is_wrong(row) { (topic + 1 + random.below(3)) % 4 } else { topic };
            (words.join(" "), label as u32, row)
        })
        .collect()
}

fn is_wrong(row: u32) -> bool {
    row % 20 == 7
}

/// Precision and recall.
fn rate(found: &Suspects) -> (f64, f64) {
    let right = found.list.iter().filter(|suspect| is_wrong(suspect.row)).count() as f64;
    (right / found.list.len() as f64, right / f64::from(found.rows / 20))
}

#[test]
fn wrong_labels_are_found_and_the_right_ones_named() {
    let rows = rows(2000);
    let found = suspects(&InMemory(&rows), &SuspectSettings::default()).unwrap();
    let (precision, recall) = rate(&found);
    assert!(precision > 0.9 && recall > 0.7, "precision {precision}, recall {recall}");
    assert!(found.list.is_sorted_by_key(|suspect| suspect.margin));
    assert_eq!(found.suspects as usize, found.list.len());
    assert_eq!(found.confusions.iter().map(|confusion| confusion.rows).sum::<u32>(), found.suspects);
    let worst = found.list[0];
    let topic = TOPICS[worst.likely as usize];
    assert!(rows[worst.row as usize].0.split(' ').any(|word| topic.contains(&word)), "{worst:?}");
    assert_eq!(found, suspects(&InMemory(&rows), &SuspectSettings::default()).unwrap());
}

#[test]
fn a_sample_is_enough_and_the_list_is_bounded() {
    let rows = rows(20_000);
    let settings = SuspectSettings { sample: 4000, most: 100, ..SuspectSettings::default() };
    let found = suspects(&InMemory(&rows), &settings).unwrap();
    assert!(found.sample > 3500 && found.sample < 4500, "{}", found.sample);
    assert!(found.suspects > 700 && found.suspects < 1300, "{}", found.suspects);
    assert_eq!(found.list.len(), 100);
    assert!(rate(&found).0 > 0.95);
}

/// Copies of a row with the same wrong label don't vouch for each other when they are one group.
#[test]
fn groups_are_not_divided() {
    let once = rows(1000);
    let of_copies = |grouped: bool| {
        let group = |copy: u32, row: u32| if grouped { row } else { copy * 1000 + row };
        let copy =
            |copy| once.iter().map(move |(text, label, row)| (text.clone(), *label, group(copy, *row)));
        let rows: Vec<_> = (0..6).flat_map(copy).collect();
        let found = suspects(&InMemory(&rows), &SuspectSettings::default()).unwrap();
        found.list.iter().filter(|suspect| is_wrong(suspect.row % 1000)).count()
    };
    let (grouped, apart) = (of_copies(true), of_copies(false));
    assert!(grouped > 200 && grouped > 2 * apart, "{grouped} in groups, {apart} without, of 300");
}

#[test]
fn nothing_to_compare_is_no_fault_and_nonsense_is_one() {
    let none = suspects(&InMemory(&[]), &SuspectSettings::default()).unwrap();
    assert_eq!(none, Suspects::default());
    let one_class: Vec<_> = (0..10).map(|row| ("text".to_owned(), 0, row)).collect();
    assert_eq!(suspects(&InMemory(&one_class), &SuspectSettings::default()).unwrap().suspects, 0);
    let empty_texts: Vec<_> = (0..10).map(|row| (String::new(), row % 2, row)).collect();
    suspects(&InMemory(&empty_texts), &SuspectSettings::default()).unwrap();

    let many = [("text".to_owned(), 1 << 30, 0)];
    let error = suspects(&InMemory(&many), &SuspectSettings::default()).unwrap_err();
    assert!(matches!(error, AnnotationError::TooManyLabels { row: 0, .. }), "{error}");
    let settings = SuspectSettings { folds: 1, ..SuspectSettings::default() };
    let error = suspects(&InMemory(&one_class), &settings).unwrap_err();
    assert_eq!(error.to_string(), "the number of folds is 1: it lies between 2 and 32");
}
