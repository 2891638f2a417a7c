//! The whole way, against a reference that compares every pair.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use pegbox_random::SplitMix64;

use crate::*;

/// Signs `texts` into shards of `size` rows, those of `shards` only.
fn sign(folder: &Path, settings: &Settings, texts: &[String], size: usize, shards: &[usize]) -> Spill {
    let spill = Spill::open(folder, settings).unwrap();
    let mut signer = Signer::new(settings).unwrap();
    let mut signature = Signature::default();
    for (number, rows) in texts.chunks(size).enumerate().filter(|(number, _)| shards.contains(number)) {
        let mut writer = spill.shard(number as u32, (number * size) as u32).unwrap();
        for text in rows {
            signer.sign(text, &mut signature);
            writer.push(&signature).unwrap();
        }
        writer.finish().unwrap();
    }
    spill
}

fn cluster(folder: &Path, settings: &Settings, texts: &[String], size: usize) -> (Spill, Clusters) {
    let count = texts.len().div_ceil(size);
    let spill = sign(folder, settings, texts, size, &(0..count).collect::<Vec<_>>());
    let clusters = spill.cluster(count as u32, 2).unwrap();
    (spill, clusters)
}

fn clustered(settings: &Settings, texts: &[&str]) -> Vec<u32> {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    let (_, clusters) = cluster(folder.path(), settings, &texts, 3);
    (0..clusters.rows()).map(|row| clusters.of(row)).collect()
}

/// The questions of the quickstart, and `edited` copies of some of them with one to six characters changed, or
/// with a word left out, said twice or swapped with the next.
fn questions(plain: usize, edited: usize) -> Vec<String> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/support-intents/data/train.jsonl.gz");
    let mut lines = String::new();
    flate2::read::GzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut lines).unwrap();
    let text = |line: &str| {
        let record: BTreeMap<String, String> = serde_json::from_str(line).unwrap();
        record["text"].clone()
    };
    let mut random = SplitMix64::named(7, "edits");
    let mut texts: Vec<String> = lines.lines().map(text).collect();
    random.shuffle(&mut texts);
    texts.truncate(plain);
    for _ in 0..edited {
        let copy = edit(&texts[random.below(plain)], &mut random);
        texts.push(copy);
    }
    random.shuffle(&mut texts);
    texts
}

fn edit(text: &str, random: &mut SplitMix64) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let at = random.below(words.len());
    match random.below(5) {
        0 => drop(words.remove(at)),
        1 => words.insert(at, words[at].clone()),
        2 => words.swap(at, (at + 1) % text.split(' ').count()),
        _ => {
            let mut chars: Vec<char> = text.chars().collect();
            for _ in 0..1 + random.below(6) {
                let at = random.below(chars.len());
                chars[at] = (b'a' + random.below(26) as u8) as char;
            }
            return chars.into_iter().collect();
        }
    }
    words.join(" ")
}

/// The shingles themselves, made in the plainest way.
fn shingles(text: &str, size: usize) -> BTreeSet<String> {
    let normal = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let chars: Vec<char> = normal.chars().collect();
    if chars.len() <= size {
        return BTreeSet::from([normal]);
    }
    chars.windows(size).map(|window| window.iter().collect()).collect()
}

/// All pairs at or above the threshold, ascending.
fn near_pairs(texts: &[String], threshold: f64) -> Vec<(u32, u32)> {
    // The strings get numbers, so that comparing millions of sets takes seconds.
    let mut numbers = BTreeMap::new();
    let sets: Vec<Vec<usize>> = texts
        .iter()
        .map(|text| {
            let mut set: Vec<usize> = shingles(text, 5)
                .into_iter()
                .map(|shingle| {
                    let next = numbers.len();
                    *numbers.entry(shingle).or_insert(next)
                })
                .collect();
            set.sort_unstable();
            set
        })
        .collect();
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); numbers.len()];
    let mut pairs = Vec::new();
    for (row, set) in sets.iter().enumerate() {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for &shingle in set {
            holders[shingle].iter().for_each(|&before| *shared.entry(before).or_default() += 1);
            holders[shingle].push(row);
        }
        pairs.extend(shared.into_iter().filter_map(|(before, shared)| {
            let union = set.len() + sets[before].len() - shared;
            (shared as f64 / union as f64 >= threshold).then_some((before as u32, row as u32))
        }));
    }
    pairs
}

fn components(rows: usize, pairs: &[(u32, u32)]) -> Vec<u32> {
    let forest = forest::Forest::new(rows as u32);
    pairs.iter().for_each(|&(one, other)| forest.join(one, other));
    forest.into_roots()
}

#[test]
fn it_finds_what_comparing_every_pair_finds() {
    let texts = questions(2_500, 1_500);
    for threshold in [0.6, 0.8] {
        let settings = Settings { threshold, ..Settings::default() };
        let folder = tempfile::tempdir().unwrap();
        let (spill, clusters) = cluster(folder.path(), &settings, &texts, 700);
        let pairs = near_pairs(&texts, threshold);
        let truth = components(texts.len(), &pairs);
        assert!(pairs.len() > 500);
        let found = pairs.iter().filter(|(one, other)| clusters.of(*one) == clusters.of(*other)).count();
        assert!(found as f64 >= 0.99 * pairs.len() as f64, "{found} of {}", pairs.len());
        // No two rows are together that the reference keeps apart.
        assert!((0..clusters.rows()).all(|row| truth[row as usize] == truth[clusters.of(row) as usize]));

        // What is removed is within the threshold of what is kept, and little that is kept is near anything kept.
        let kept = clusters.keepers(&spill, Keep::First, Linkage::Star, |_| 0).unwrap();
        let near: BTreeSet<(u32, u32)> = pairs.iter().copied().collect();
        for row in (0..clusters.rows()).filter(|&row| !kept.keeps(row)) {
            assert!((0..row).any(|before| kept.keeps(before) && near.contains(&(before, row))), "row {row}");
        }
        let missed = pairs.iter().filter(|(one, other)| kept.keeps(*one) && kept.keeps(*other)).count();
        assert!(missed as f64 <= 0.01 * pairs.len() as f64, "{missed} of {}", pairs.len());
        let connected = clusters.keepers(&spill, Keep::First, Linkage::Connected, |_| 0).unwrap();
        assert!(connected.count() < kept.count());
        let summary = clusters.summary();
        assert_eq!((connected.exact, connected.near), (summary.exact, summary.near));
        assert_eq!(kept.exact, summary.exact);
        let check = |pair: &Pair| {
            let ((one, other), shared) = {
                let sets = [pair.row, pair.of].map(|row| shingles(&texts[row as usize], 5));
                let shared = sets[0].intersection(&sets[1]).count();
                ((sets[0].len(), sets[1].len()), shared)
            };
            assert_eq!(pair.jaccard, shared as f64 / (one + other - shared) as f64);
        };
        assert!(summary.examples.len() > 8 && kept.examples.len() > 8);
        summary.examples.iter().chain(&kept.examples).for_each(check);
    }
}

#[test]
fn threads_and_shards_change_nothing() {
    let texts = questions(1_500, 1_500);
    let settings = Settings { threshold: 0.5, ..Settings::default() };
    let folder = tempfile::tempdir().unwrap();
    let (spill, clusters) = cluster(&folder.path().join("one"), &settings, &texts, 4_000);
    for threads in [1, 3, 8] {
        assert_eq!(spill.cluster(1, threads).unwrap(), clusters);
    }
    let (other, again) = cluster(&folder.path().join("other"), &settings, &texts, 137);
    assert_eq!(again.summary(), clusters.summary());
    assert!((0..3_000).all(|row| again.of(row) == clusters.of(row)));
    let kept =
        |spill, clusters: &Clusters| clusters.keepers(spill, Keep::Longest, Linkage::Star, |_| 0).unwrap();
    assert_eq!(kept(&spill, &clusters), kept(&other, &again));
}

#[test]
fn an_interrupted_run_goes_on() {
    let texts = questions(900, 300);
    let settings = Settings::default();
    let folder = tempfile::tempdir().unwrap();
    let (_, whole) = cluster(&folder.path().join("whole"), &settings, &texts, 100);

    let place = folder.path().join("halves");
    let spill = sign(&place, &settings, &texts, 100, &[0, 1, 2, 3, 4, 7]);
    // Killed in the middle of a shard: what it leaves has no name.
    let mut half = spill.shard(5, 500).unwrap();
    half.push(&Signature::default()).unwrap();
    fs::create_dir(place.join(".writing-left-by-a-kill")).unwrap();
    drop(half);
    assert!(matches!(spill.cluster(12, 2), Err(Error::Unsigned { shard: 5, .. })));

    let spill = Spill::open(&place, &settings).unwrap();
    let missing: Vec<usize> = (0..12).filter(|&shard| spill.finished(shard as u32).is_none()).collect();
    assert_eq!(missing, [5, 6, 8, 9, 10, 11]);
    assert_eq!(spill.finished(7), Some(700..800));
    let spill = sign(&place, &settings, &texts, 100, &missing);
    assert_eq!(spill.cluster(12, 2).unwrap(), whole);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 12);

    // Other settings have to sign anew.
    let other = Spill::open(&place, &Settings { seed: 1, ..settings.clone() }).unwrap();
    assert_eq!(other.finished(7), None);
    assert!(matches!(other.cluster(12, 2), Err(Error::Unsigned { shard: 0, .. })));
    // Shards that do not follow each other are no input.
    sign(&place, &settings, &texts[..90], 90, &[0]);
    assert!(matches!(spill.cluster(12, 2), Err(Error::Gap { shard: 1, expected: 90, found: 100, .. })));
}

#[test]
fn shards_are_written_side_by_side() {
    let texts = questions(1_000, 200);
    let settings = Settings::default();
    let folder = tempfile::tempdir().unwrap();
    let (_, one_by_one) = cluster(&folder.path().join("one"), &settings, &texts, 300);
    let place = folder.path().join("many");
    let spill = Spill::open(&place, &settings).unwrap();
    thread::scope(|scope| {
        for (shard, rows) in texts.chunks(300).enumerate() {
            let (spill, settings) = (&spill, &settings);
            scope.spawn(move || {
                let mut signer = Signer::new(settings).unwrap();
                let mut signature = Signature::default();
                let mut writer = spill.shard(shard as u32, shard as u32 * 300).unwrap();
                for text in rows {
                    signer.sign(text, &mut signature);
                    writer.push(&signature).unwrap();
                }
                writer.finish().unwrap();
            });
        }
    });
    assert_eq!(spill.cluster(4, 2).unwrap(), one_by_one);
}

#[test]
fn damage_is_told_from_absence() {
    let texts = questions(200, 0);
    let settings = Settings::default();
    let folder = tempfile::tempdir().unwrap();
    let (spill, clusters) = cluster(folder.path(), &settings, &texts, 100);
    let columns = folder.path().join("shard-00001/columns");
    let whole = fs::read(&columns).unwrap();
    fs::write(&columns, &whole[..whole.len() - 1]).unwrap();
    let error = spill.cluster(2, 2).unwrap_err();
    assert!(error.to_string().contains("shard-00001") && error.help().is_some(), "{error}");
    assert_eq!(spill.finished(1), None);
    fs::write(&columns, "short").unwrap();
    assert!(matches!(spill.cluster(2, 2), Err(Error::Damaged { .. })));
    fs::write(&columns, whole).unwrap();
    assert_eq!(spill.cluster(2, 2).unwrap(), clusters);

    let file = folder.path().join("clusters");
    clusters.save(&file).unwrap();
    assert_eq!(Clusters::load(&file).unwrap(), clusters);
    let mut bytes = fs::read(&file).unwrap();
    bytes[30] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(Clusters::load(&file), Err(Error::Damaged { .. })));
    fs::write(&file, "").unwrap();
    assert!(matches!(Clusters::load(&file), Err(Error::Damaged { .. })));
    assert!(matches!(Clusters::load(&folder.path().join("none")), Err(Error::Disk { .. })));
}

#[test]
fn short_and_empty_texts() {
    let settings = Settings::default();
    let texts = ["", "yes", " Yes ", "no", " \t", "yess", "no", "?", "Ä", "ä"];
    assert_eq!(clustered(&settings, &texts), [0, 1, 1, 3, 0, 5, 3, 7, 8, 8]);
    let words = Settings { shingle: Shingle::Words(2), threshold: 0.5, ..settings };
    let texts = ["one", "one", "one two", "one two three", "ONE  two three", "", "three"];
    assert_eq!(clustered(&words, &texts), [0, 0, 2, 2, 2, 5, 6]);
    assert!(clustered(&Settings::default(), &[]).is_empty());
}

#[test]
fn equality_may_be_strict_and_near_may_be_left_out() {
    let texts =
        ["My card is lost, what now?", "my card is lost,  what now?", "my card is lost, what now", "My"];
    assert_eq!(clustered(&Settings::default(), &texts), [0, 0, 0, 3]);
    let exact = Settings { exact_only: true, ..Settings::default() };
    assert_eq!(clustered(&exact, &texts), [0, 0, 2, 3]);
    assert_eq!(clustered(&Settings { lower_case: false, ..exact }, &texts), [0, 1, 2, 3]);
}

#[test]
fn a_hundred_thousand_equal_texts_and_as_many_near_ones() {
    let equal = "Where is the card that I ordered two weeks ago?";
    let mut texts = vec![equal.to_owned(); 100_000];
    // Every one is within 0.8 of every other, so each band has huge buckets.
    let stem =
        "I have been waiting for my new card for over a week now and would like to know when it will come";
    texts.extend((0..20_000).map(|number| format!("{stem}, case {number}")));
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let (spill, clusters) = cluster(folder.path(), &Settings::default(), &texts, 65_536);
    let summary = clusters.summary();
    assert_eq!((summary.exact, summary.near, summary.clusters), (99_999, 19_999, 2));
    assert_eq!(summary.largest, [(0, 100_000), (100_000, 20_000)]);
    let kept = clusters.keepers(&spill, Keep::Last, Linkage::Star, |_| 0).unwrap();
    assert_eq!((kept.count(), kept.exact, kept.near), (2, 99_999, 19_999));
    assert!(kept.keeps(99_999) && kept.keeps(119_999) && !kept.keeps(0));
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}

/// Of a chain, whose neighbours are near and whose ends are not, the rules keep different rows.
#[test]
fn a_chain_keeps_more_than_one() {
    let chain: Vec<String> = (0..5)
        .map(|step| {
            let words: Vec<String> = (step * 2..step * 2 + 20).map(|word| format!("word{word:04}")).collect();
            words.join(" ")
        })
        .collect();
    let mut texts = chain.clone();
    texts.push(format!("{} ", chain[1].to_uppercase()));
    let settings = Settings { shingle: Shingle::Words(1), ..Settings::default() };
    let folder = tempfile::tempdir().unwrap();
    let (spill, clusters) = cluster(folder.path(), &settings, &texts, 4);
    assert!((0..6).all(|row| clusters.of(row) == 0));
    assert!(clusters.is_repeated(5) && !clusters.is_repeated(4));
    let kept = |keep, linkage, score: fn(u32) -> u64| {
        let kept = clusters.keepers(&spill, keep, linkage, score).unwrap();
        assert_eq!(kept.exact, 1);
        (0..6).filter(|&row| kept.keeps(row)).collect::<Vec<_>>()
    };
    let none = |_| 0;
    assert_eq!(kept(Keep::First, Linkage::Star, none), [0, 2, 4]);
    assert_eq!(kept(Keep::First, Linkage::Connected, none), [0]);
    assert_eq!(kept(Keep::Last, Linkage::Star, none), [4, 5]);
    assert_eq!(kept(Keep::Last, Linkage::Connected, none), [5]);
    assert_eq!(kept(Keep::Longest, Linkage::Connected, none), [0]);
    assert_eq!(kept(Keep::Best, Linkage::Star, |row| u64::from(row == 3 || row == 1)), [1, 3]);
    assert_eq!(kept(Keep::Best, Linkage::Connected, |row| u64::from(row > 1)), [2]);
}

#[test]
fn the_longest_stays() {
    let texts =
        ["my card is lost, what now", "My card is lost, what now??", "other", "my card is lost, what now?"];
    let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
    let folder = tempfile::tempdir().unwrap();
    let (spill, clusters) = cluster(folder.path(), &Settings::default(), &texts, 2);
    let kept = clusters.keepers(&spill, Keep::Longest, Linkage::Star, |_| 0).unwrap();
    assert_eq!((0..4).filter(|&row| kept.keeps(row)).collect::<Vec<_>>(), [1, 2]);
    assert!(!kept.keeps(4));
}

#[test]
fn settings_are_checked_and_bands_follow_the_threshold() {
    let with = |threshold| Settings { threshold, ..Settings::default() };
    assert_eq!(with(0.8).bands().unwrap(), Bands { bands: 38, rows: 6 });
    assert_eq!(with(1.0).bands().unwrap(), Bands { bands: 1, rows: 256 });
    for percent in 10..=100 {
        let settings = with(f64::from(percent) / 100.0);
        let Bands { bands, rows } = settings.bands().unwrap();
        let found = 1.0 - (1.0 - settings.threshold.powi(rows as i32)).powi(bands as i32);
        assert!(found >= 0.99999 - 1e-9 && bands * rows <= 256, "{percent}: {found}");
    }
    let few = Settings { permutations: 2, ..with(0.5) };
    assert!(few.validate().unwrap_err().help().unwrap().contains("at least 17"));
    for wrong in [with(0.0), with(1.1), with(f64::NAN)] {
        assert!(wrong.validate().unwrap_err().to_string().contains("`threshold`"));
        assert!(Signer::new(&wrong).is_err());
    }
    assert!(Settings { shingle: Shingle::Words(0), ..with(0.8) }.validate().is_err());
    assert!(Settings { permutations: 0, ..with(0.8) }.validate().is_err());
    let read: Settings =
        serde_json::from_str(r#"{"threshold": 0.9, "shingle": {"words": 3}, "exact-only": true}"#).unwrap();
    assert_eq!(read, Settings { shingle: Shingle::Words(3), exact_only: true, ..with(0.9) });
    assert!(serde_json::from_str::<Settings>(r#"{"treshold": 0.9}"#).is_err());
}

/// A number is replaced in one text, and stays in another, where it has a typing error.
#[test]
fn forms_of_rows_join_clusters_and_remove_nothing() {
    let before = "please block my card 4111 1111 1111 1111 at once, it was stolen from me on the train";
    let texts = [
        before.replace("4111 1111 1111 1111", "[CARD]"),
        before.replace("4111 1111 1111 1111", "4111 1111 1111 111"),
        "how do i change my address in the app that i use on my telephone".to_owned(),
    ];
    let settings = Settings::default();
    let folder = tempfile::tempdir().unwrap();
    let of = |clusters: &Clusters| (0..3).map(|row| clusters.of(row)).collect::<Vec<_>>();
    let (spill, apart) = cluster(&folder.path().join("plain"), &settings, &texts, 2);
    assert_eq!(of(&apart), [0, 1, 2]);
    assert_eq!(spill.cluster_forms(2, &Forms::default(), 1).unwrap(), apart);

    let with: Vec<String> = texts.iter().cloned().chain([before.to_owned()]).collect();
    let spill = sign(&folder.path().join("forms"), &settings, &with, 3, &[0, 1]);
    let forms = Forms { shards: 1, of: vec![0] };
    let clusters = spill.cluster_forms(1, &forms, 2).unwrap();
    assert_eq!(of(&clusters), [0, 0, 2]);
    let kept = clusters.keepers(&spill, Keep::First, Linkage::Star, |_| 0).unwrap();
    assert_eq!((kept.count(), kept.exact, kept.near), (3, 0, 0));
    let file = folder.path().join("clusters");
    clusters.save(&file).unwrap();
    assert_eq!(Clusters::load(&file).unwrap(), clusters);
    assert!(matches!(
        spill.cluster_forms(1, &Forms { shards: 1, of: vec![0, 1] }, 1),
        Err(Error::Gap { expected: 5, found: 4, .. })
    ));
}
