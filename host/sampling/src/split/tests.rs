use std::collections::BTreeMap;

use pegbox_random::SplitMix64;

use super::*;
use crate::units::ALONE;

fn counts(parts: &[u8], labels: &[u32]) -> BTreeMap<u32, [usize; 3]> {
    let mut counts: BTreeMap<u32, [usize; 3]> = BTreeMap::new();
    for (label, part) in labels.iter().zip(parts) {
        counts.entry(*label).or_default()[usize::from(*part)] += 1;
    }
    counts
}

fn sizes(parts: &[u8]) -> [usize; 4] {
    let mut sizes = [0; 4];
    parts.iter().for_each(|part| sizes[usize::from(*part).min(3)] += 1);
    sizes
}

fn class_names(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("class {class}")).collect()
}

/// Classes of many sizes.
fn labels(random: &mut SplitMix64) -> Vec<u32> {
    let mut labels: Vec<u32> = (0..40).flat_map(|class| vec![class; 1 + random.below(60)]).collect();
    random.shuffle(&mut labels);
    labels
}

/// Some rows in clusters, most of them small.
fn clusters(random: &mut SplitMix64, rows: usize) -> Units {
    let ids: Vec<u32> = (0..rows)
        .map(|_| if random.below(2) == 0 { ALONE } else { random.below(rows / 3 + 1) as u32 })
        .collect();
    Units::joined(rows, &[&ids]).unwrap()
}

fn stratified(labels: &[u32], names: &[String], shares: &Shares, seed: u64) -> Split {
    let units = Units::single(labels.len()).unwrap();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Splitter::new(&units, shares, seed).stratified(labels, &names).unwrap()
}

#[test]
fn every_class_gets_its_share_to_within_a_row() {
    let mut random = SplitMix64::new(1);
    let shares = Shares::of_held_out(&[0.1, 0.15]).unwrap();
    for seed in 0..30 {
        let labels = labels(&mut random);
        let split = stratified(&labels, &class_names(40), &shares, seed);
        assert_eq!(split.parts.len(), labels.len());
        for [train, validation, test] in counts(&split.parts, &labels).into_values() {
            let size = train + validation + test;
            assert!(train >= 1);
            assert!((validation as f64 - size as f64 * 0.1).abs() <= 1.0);
            assert!((test as f64 - size as f64 * 0.15).abs() <= 1.0);
            assert!(size < 2 || validation >= 1);
            assert!(size < 3 || test >= 1);
        }
    }
}

#[test]
fn a_stratified_split_of_a_seed_never_changes() {
    let labels: Vec<u32> = (0..20).map(|row| u32::from(row % 3 != 0)).collect();
    let shares = Shares::of_held_out(&[0.2, 0.1]).unwrap();
    let names = ["a".to_owned(), "b".to_owned()];
    let split = stratified(&labels, &names, &shares, 7);
    let golden: String = split.parts.iter().map(|part| ["t", "v", "e"][usize::from(*part)]).collect();
    assert_eq!(golden, "tttvtvevtttttettvttt");
    assert_ne!(split, stratified(&labels, &names, &shares, 8));
    // The names decide, not the numbers.
    let swapped: Vec<u32> = labels.iter().map(|label| 1 - label).collect();
    assert_eq!(split, stratified(&swapped, &["b".to_owned(), "a".to_owned()], &shares, 7));
}

/// Of 60 sets, stratified and at random: the digest was made by the release before units were joined.
#[test]
fn single_rows_are_split_as_ever() {
    let mut random = SplitMix64::new(21);
    let mut digest = 0xcbf2_9ce4_8422_2325u64;
    for seed in 0..60 {
        let classes = 1 + random.below(50);
        let mut labels: Vec<u32> = Vec::new();
        for class in 0..classes {
            labels.resize(labels.len() + 1 + random.below(60), class as u32);
        }
        random.shuffle(&mut labels);
        let held_out = [[0.1, 0.0], [0.2, 0.1], [0.15, 0.25]][random.below(3)];
        let names = class_names(classes);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let units = Units::single(labels.len()).unwrap();
        let shares = Shares::of_held_out(&held_out).unwrap();
        let splitter = Splitter::new(&units, &shares, seed);
        for split in [splitter.stratified(&labels, &names), splitter.random()] {
            for part in split.map(|split| split.parts).unwrap_or_default() {
                digest = (digest ^ u64::from(part)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        (0..labels.len()).for_each(|_| _ = random.next_u64());
    }
    assert_eq!(digest, 0x0aec_2d79_58e2_2971);
}

/// Whatever the method: units stay whole, the sizes come close, the seed decides.
#[test]
fn no_unit_straddles_and_a_seed_repeats() {
    let mut random = SplitMix64::new(2);
    let shares = Shares::default();
    let names = class_names(5);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for seed in 0..20 {
        let rows = 1000 + random.below(2000);
        let units = clusters(&mut random, rows);
        let labels: Vec<u32> = (0..rows).map(|_| random.below(5) as u32).collect();
        let times: Vec<i64> = (0..rows).map(|_| random.below(500) as i64 - 250).collect();
        let ends: Vec<u32> = (1..=rows as u32).collect();
        let sets = LabelSets::new(&ends, &labels, 5).unwrap();
        let splitter = Splitter::new(&units, &shares, seed);
        let make = || {
            [
                splitter.stratified(&labels, &names).unwrap(),
                splitter.random().unwrap(),
                splitter.iterative(&sets).unwrap(),
                splitter.by_group(Some(&labels)).unwrap(),
                splitter.by_group(None).unwrap(),
                splitter.by_time(&times).unwrap().split,
            ]
        };
        let splits = make();
        assert_eq!(splits, make());
        for (method, split) in splits.iter().enumerate() {
            assert_eq!(straddling(&units, &split.parts), 0);
            assert!(split.leaks.is_empty());
            let [_, validation, test, out] = sizes(&split.parts);
            assert_eq!(out, 0);
            // The split by time moves units to earlier parts.
            if method < 5 {
                assert!(
                    (validation as f64 / rows as f64 - 0.2).abs() < 0.02,
                    "{method}: {validation} of {rows}"
                );
                assert!((test as f64 / rows as f64 - 0.1).abs() < 0.02, "{method}: {test} of {rows}");
            }
        }
        let other = Splitter::new(&units, &shares, seed + 1);
        assert_ne!(splits[0], other.stratified(&labels, &names).unwrap());
        assert_ne!(splits[2], other.iterative(&sets).unwrap());
    }
}

#[test]
fn a_class_of_large_clusters_is_in_every_part_if_training_keeps_enough() {
    let shares = Shares::default();
    let ids: Vec<u32> = (0..60).map(|row| row / 15).collect();
    let units = Units::joined(60, &[&ids]).unwrap();
    let split = Splitter::new(&units, &shares, 0).stratified(&[0; 60], &["x"]).unwrap();
    assert_eq!(sizes(&split.parts), [30, 15, 15, 0]);
    // Two clusters: one for training, and no class is halved.
    let ids: Vec<u32> = (0..60).map(|row| row / 30).collect();
    let units = Units::joined(60, &[&ids]).unwrap();
    let error = Splitter::new(&units, &shares, 0).stratified(&[0; 60], &["x"]).unwrap_err();
    assert!(error.to_string().contains("60 rows in 2 units are too few"), "{error}");
}

#[test]
fn straddling_units_are_counted() {
    let units = Units::joined(6, &[&[0, 0, 1, 1, 2, 2]]).unwrap();
    assert_eq!(straddling(&units, &[0, 0, 1, 1, 2, 2]), 0);
    assert_eq!(straddling(&units, &[0, 1, 1, 2, 2, LEFT_OUT]), 2);
}

#[test]
fn given_parts_stay_and_what_would_leak_is_left_out() {
    // Row 0 to 3 hang together, 4 and 5, 6 and 7; the others are alone.
    let mut ids = vec![ALONE; 60];
    ids[..8].copy_from_slice(&[0, 0, 0, 0, 1, 1, 2, 2]);
    let units = Units::joined(60, &[&ids]).unwrap();
    let mut given = vec![None; 60];
    given[1] = Some(2);
    given[2] = Some(0);
    given[5] = Some(0);
    given[6] = Some(1);
    given[7] = Some(2);
    given[8] = Some(2);
    let shares = Shares::default();
    let splitter = Splitter::new(&units, &shares, 0).given(&given).unwrap();
    let split = splitter.random().unwrap();
    assert_eq!(split.parts[..9], [LEFT_OUT, 2, LEFT_OUT, LEFT_OUT, 0, 0, LEFT_OUT, 2, 2]);
    let leak = |row, given, with| Leak { row, given, part: 2, with };
    assert_eq!(split.leaks, [leak(0, None, 1), leak(2, Some(0), 1), leak(3, None, 1), leak(6, Some(1), 7)]);
    // Validation and test have rows of their own: the rest trains.
    assert_eq!(sizes(&split.parts[9..]), [51, 0, 0, 0]);
    assert_eq!(straddling(&units, &split.parts), 0);
    assert!(Splitter::new(&units, &shares, 0).given(&[Some(3); 60]).is_err());
    assert!(Splitter::new(&units, &shares, 0).given(&given[1..]).is_err());
}

/// Given parts are not in the way of the others: the free rows are split as if they were alone.
#[test]
fn free_rows_are_split_as_if_they_were_alone() {
    let mut random = SplitMix64::new(9);
    let labels = labels(&mut random);
    let names = class_names(40);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let given: Vec<Option<u8>> = labels.iter().map(|_| (random.below(4) == 0).then_some(2)).collect();
    let units = Units::single(labels.len()).unwrap();
    let shares = Shares::default();
    let split = Splitter::new(&units, &shares, 3).given(&given).unwrap().stratified(&labels, &names).unwrap();
    let free: Vec<usize> = (0..labels.len()).filter(|row| given[*row].is_none()).collect();
    let free_labels: Vec<u32> = free.iter().map(|row| labels[*row]).collect();
    let shares = Shares::of_held_out(&[0.2, 0.0]).unwrap();
    let units = Units::single(free.len()).unwrap();
    let alone = Splitter::new(&units, &shares, 3).stratified(&free_labels, &names).unwrap();
    let of_free: Vec<u8> = free.iter().map(|row| split.parts[*row]).collect();
    assert_eq!(of_free, alone.parts);
}

#[test]
fn parts_without_rows_are_refused() {
    let shares = Shares::of_held_out(&[0.1]).unwrap();
    let units = Units::single(1).unwrap();
    let error = Splitter::new(&units, &shares, 0).stratified(&[0], &["x"]).unwrap_err();
    assert!(error.to_string().contains("too few") && error.help().is_some());
    let units = Units::joined(3, &[&[5, 5, 5]]).unwrap();
    let splitter = Splitter::new(&units, &shares, 0);
    assert!(splitter.random().is_err());
    assert!(splitter.by_group(None).is_err());
    assert!(splitter.by_time(&[1, 2, 2]).is_err() && splitter.by_time(&[1, 1, 1]).is_err());
    assert!(matches!(splitter.stratified(&[0, 1, 2], &["x"]), Err(SamplingError::Label { row: 1, .. })));
    assert!(matches!(splitter.stratified(&[0], &["x"]), Err(SamplingError::Rows { .. })));
    assert!(Splitter::new(&Units::single(0).unwrap(), &shares, 0).random().is_err());
}

#[test]
fn groups_come_close_to_the_shares_and_keep_labels_even() {
    let mut random = SplitMix64::new(11);
    let shares = Shares::default();
    for seed in 0..20 {
        // Groups that lean to one label or the other.
        let rows = 6000;
        let groups: Vec<u32> = (0..rows).map(|_| (random.below(14) * random.below(14)) as u32).collect();
        let labels: Vec<u32> =
            groups.iter().map(|group| u32::from(random.below(10) < (*group as usize * 7) % 10)).collect();
        let units = Units::joined(rows, &[&groups]).unwrap();
        let split = Splitter::new(&units, &shares, seed).by_group(Some(&labels)).unwrap();
        let [_, validation, test, _] = sizes(&split.parts);
        assert!((validation as f64 / rows as f64 - 0.2).abs() < 0.03, "{validation}");
        assert!((test as f64 / rows as f64 - 0.1).abs() < 0.03, "{test}");
        let counts = counts(&split.parts, &labels);
        let share = |part: usize| counts[&1][part] as f64 / (counts[&0][part] + counts[&1][part]) as f64;
        assert!((share(0) - share(1)).abs() < 0.08 && (share(0) - share(2)).abs() < 0.12, "{counts:?}");
    }
    // As many groups as parts: one each.
    let units = Units::joined(6, &[&[0, 0, 0, 1, 1, 2]]).unwrap();
    let split = Splitter::new(&units, &shares, 0).by_group(None).unwrap();
    assert_eq!(split.parts, [0, 0, 0, 1, 1, 2]);
}

#[test]
fn time_runs_from_training_to_test() {
    let mut random = SplitMix64::new(12);
    let shares = Shares::default();
    for _ in 0..50 {
        let rows = 30 + random.below(400);
        let span = 3 + random.below(300);
        let mut times: Vec<i64> = (0..rows).map(|_| random.below(span) as i64 - 100).collect();
        times[..3].copy_from_slice(&[-100, -99, -98]);
        let units = Units::single(rows).unwrap();
        let timed = Splitter::new(&units, &shares, 0).by_time(&times).unwrap();
        assert!(timed.moved.is_empty());
        for (one, part) in times.iter().zip(&timed.split.parts) {
            for (other, later) in times.iter().zip(&timed.split.parts) {
                assert!(one > other || part <= later);
            }
        }
        assert_eq!(timed.starts.len(), 2);
    }
    let times: Vec<i64> = (0..100).rev().collect();
    let units = Units::single(100).unwrap();
    let timed = Splitter::new(&units, &shares, 0).by_time(&times).unwrap();
    assert_eq!((sizes(&timed.split.parts), timed.starts), ([70, 20, 10, 0], vec![(1, 70), (2, 90)]));

    // A cluster across the last cut goes to the earlier part.
    let mut ids = vec![ALONE; 100];
    (ids[9], ids[12]) = (0, 0);
    let units = Units::joined(100, &[&ids]).unwrap();
    let timed = Splitter::new(&units, &shares, 0).by_time(&times).unwrap();
    assert_eq!((sizes(&timed.split.parts), timed.moved), ([70, 21, 9, 0], vec![9]));
}

#[test]
fn sets_of_labels_keep_their_shares() {
    let mut random = SplitMix64::new(13);
    let shares = Shares::default();
    for seed in 0..20 {
        let rows = 200 + random.below(2000);
        let (mut ends, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            for label in 0..12 {
                if random.below(3 + 4 * label as usize) == 0 {
                    labels.push(label);
                }
            }
            ends.push(labels.len() as u32);
        }
        let sets = LabelSets::new(&ends, &labels, 14).unwrap();
        let units = Units::single(rows).unwrap();
        let split = Splitter::new(&units, &shares, seed).iterative(&sets).unwrap();
        let mut counts = [[0usize; 3]; 14];
        for (row, part) in split.parts.iter().enumerate() {
            sets.of(row as u32).iter().for_each(|label| counts[*label as usize][usize::from(*part)] += 1);
        }
        for [train, validation, test] in counts {
            let size = (train + validation + test) as f64;
            assert!(train > 0 || size == 0.0);
            assert!((validation as f64 - size * 0.2).abs() <= 2.0 + size * 0.02, "{counts:?}");
            assert!((test as f64 - size * 0.1).abs() <= 2.0 + size * 0.02, "{counts:?}");
        }
        let [_, validation, test, _] = sizes(&split.parts);
        assert!((validation as f64 - rows as f64 * 0.2).abs() < 3.0 + rows as f64 * 0.01);
        assert!((test as f64 - rows as f64 * 0.1).abs() < 3.0 + rows as f64 * 0.01);
    }
}

#[test]
fn a_label_keeps_a_training_row() {
    // Both rows of label 1 come with rarer ones.
    let shares = Shares::new(&[0.4, 0.6]).unwrap();
    for seed in 0..20 {
        let ends = [2, 4, 5, 6, 7];
        let labels = [0, 1, 2, 1, 3, 3, 3];
        let sets = LabelSets::new(&ends, &labels, 4).unwrap();
        let units = Units::single(5).unwrap();
        let split = Splitter::new(&units, &shares, seed).iterative(&sets).unwrap();
        for label in 0..4 {
            assert!((0..5).any(|row| split.parts[row] == TRAIN && sets.of(row as u32).contains(&label)));
        }
    }
}

#[test]
fn label_sets_that_do_not_fit_are_refused() {
    assert!(LabelSets::new(&[1, 3], &[0, 1], 2).is_err());
    assert!(LabelSets::new(&[2, 1], &[0], 2).is_err());
    assert_eq!(
        LabelSets::new(&[1, 1, 3], &[0, 1, 7], 2).unwrap_err(),
        SamplingError::Label { row: 2, label: 7, known: 2 }
    );
}

#[test]
fn an_iterative_split_of_a_seed_never_changes() {
    let ends: Vec<u32> = (1..=20).map(|row| row * 2).collect();
    let labels: Vec<u32> = (0..20).flat_map(|row| [row % 3, 3 + row % 4]).collect();
    let sets = LabelSets::new(&ends, &labels, 7).unwrap();
    let units = Units::single(20).unwrap();
    let shares = Shares::default();
    let split = Splitter::new(&units, &shares, 7).iterative(&sets).unwrap();
    let golden: String = split.parts.iter().map(|part| ["t", "v", "e"][usize::from(*part)]).collect();
    assert_eq!(golden, "vttvtttetttttvvtttet");
}
