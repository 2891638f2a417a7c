//! The dirty corpus. A row is made from its place alone: nothing is remembered, so a corpus of any size takes the same
//! memory, and every machine makes the same one.
//!
//! Rows come in clusters, and clusters in blocks of 1,000 rows that are all laid out alike; a permutation then spreads
//! them over the file. The text of a cluster is a question, a passage and, mostly, a detail. No two clusters have the
//! same question and passage, and what two of them can share otherwise is too little to make them near: the
//! sentences of each pool are apart from each other, and about equally long.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use pegbox_random::SplitMix64;
use rayon::prelude::*;
use serde::Serialize;

use super::corruption::{self, Misread};
use super::details;
use super::noise;
use super::permutation::Permutation;
use super::pools::Pools;
use super::random::{chance, pick, stream};
use super::shingles::{Shingles, normalised};
use super::text::Text;
use super::truth::{Corruption, Pair, Planted, RowKind, Truth};

/// The names of the files in a corpus's folder.
pub const CORPUS: &str = "corpus.jsonl";
pub const TRUTH: &str = "truth.jsonl";

/// Rows of a block.
const BLOCK: u64 = 1000;
/// `(kind, rows of each cluster, clusters in a block)`. The rest of the block are rows that stand alone.
const LAYOUT: [(ClusterKind, u8, u64); 9] = [
    (ClusterKind::Noise, 1, 20),
    (ClusterKind::Missing, 1, 25),
    (ClusterKind::Malformed, 1, 1),
    (ClusterKind::Exact, 2, 30),
    (ClusterKind::Exact, 3, 10),
    (ClusterKind::Exact, 6, 2),
    (ClusterKind::Near, 2, 40),
    (ClusterKind::Near, 3, 10),
    (ClusterKind::Mixed, 4, 10),
];

/// In 1,000 texts: those with personal data; with a detail otherwise.
const WITH_PII: usize = 80;
const WITH_DETAIL: usize = 800;
/// In 1,000 texts with personal data that are exact duplicates otherwise: those with somebody else's.
const OF_SOMEBODY_ELSE: usize = 250;
/// In 1,000 rows: wrong labels, markup; in 1,000 that could show it: mojibake, and in 1,000 of these, twice over.
const FLIPPED: usize = 50;
const HTML: usize = 60;
const MOJIBAKE: usize = 150;
const TWICE: usize = 100;
/// In 1,000 rows, and in 1,000 exact duplicates: other letter case, other white space.
const CASE: [usize; 2] = [5, 250];
const SPACES: [usize; 2] = [30, 300];
/// In 1,000 rows with missing values: those whose label is missing.
const WITHOUT_LABEL: usize = 400;

const SOURCES: [&str; 5] = ["app", "web", "email", "phone", "chat"];
/// Rows that are made before they are written.
const BATCH: u64 = 8192;

/// What the rows of a cluster are to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ClusterKind {
    Noise,
    Missing,
    Malformed,
    Single,
    Exact,
    Near,
    /// A text, an exact duplicate, a near one, and an exact one of that.
    Mixed,
}

/// A row's place in the layout.
#[derive(Clone, Copy, Debug)]
struct Slot {
    kind: ClusterKind,
    /// The cluster's number in its block.
    cluster: u64,
    /// The place of its first row in the block, and how many it has.
    first: u64,
    size: u8,
    /// The row's place in the cluster.
    member: u8,
}

pub struct Corpus {
    pools: Pools,
    rows: u64,
    seed: u64,
    layout: Vec<Slot>,
    /// From a row's number in the layout to its place in the file.
    order: Permutation,
    /// From a cluster to its question and passage.
    sentences: Permutation,
}

/// A row of the file, and what is known of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub line: String,
    pub truth: Truth,
}

#[derive(Serialize)]
struct Record<'a> {
    text: Option<&'a str>,
    label: Option<&'a str>,
    source: &'a str,
}

impl Corpus {
    pub fn new(pools: Pools, rows: u64, seed: u64) -> Result<Self> {
        ensure!(rows > 0, "a corpus has at least one row");
        let layout = layout();
        let clusters = layout.last().map_or(0, |slot| slot.cluster + 1) * rows.div_ceil(BLOCK);
        let pairs = (pools.questions.len() * pools.passages.len()) as u64;
        ensure!(clusters <= pairs, "{rows} rows need {clusters} pairs of sentences, but there are {pairs}");
        let order = Permutation::new(rows, seed, "order");
        let sentences = Permutation::new(pairs, seed, "sentences");
        Ok(Self { pools, rows, seed, layout, order, sentences })
    }

    /// Writes the corpus and its truth into a folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let create = |name| -> Result<BufWriter<File>> {
            let path = folder.join(name);
            let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(BufWriter::with_capacity(1 << 20, file))
        };
        let (mut corpus, mut truth) = (create(CORPUS)?, create(TRUTH)?);
        for first in (0..self.rows).step_by(BATCH as usize) {
            let places = first..(first + BATCH).min(self.rows);
            let rows: Vec<(String, String)> = places
                .into_par_iter()
                .map(|place| {
                    let row = self.row(place)?;
                    Ok((row.line, serde_json::to_string(&row.truth)?))
                })
                .collect::<Result<_>>()?;
            for (line, known) in rows {
                writeln!(corpus, "{line}")?;
                writeln!(truth, "{known}")?;
            }
        }
        corpus.flush()?;
        truth.flush()?;
        Ok(())
    }

    /// The row at a place of the file, from 0.
    pub fn row(&self, place: u64) -> Result<Row> {
        let number = self.order.at(place);
        let block = number / BLOCK;
        let slot = self.layout[(number % BLOCK) as usize];
        let cluster = block * (self.layout[self.layout.len() - 1].cluster + 1) + slot.cluster;
        let mut random = stream(self.seed, "row", number);
        let intent = self.question(cluster).intent;
        let truth = Truth {
            kind: RowKind::Text,
            cluster,
            label: Some(self.pools.intents[intent].clone()),
            flipped: false,
            corruptions: Vec::new(),
            pii: Vec::new(),
            pairs: Vec::new(),
        };
        match slot.kind {
            ClusterKind::Noise => {
                let text = noise::text(&mut random);
                let line = self.line(Some(&text), Some(intent), &mut random)?;
                Ok(Row { line, truth: Truth { kind: RowKind::Noise, ..truth } })
            }
            ClusterKind::Missing => self.missing(cluster, intent, truth, &mut random),
            ClusterKind::Malformed => {
                let text = self.base(cluster).clean();
                let line = self.line(Some(&text), Some(intent), &mut random)?;
                let line = noise::malformed(&line, &mut random);
                Ok(Row { line, truth: Truth { kind: RowKind::Malformed, ..truth } })
            }
            _ => self.text(cluster, slot, block * BLOCK, intent, truth, &mut random),
        }
    }

    fn missing(&self, cluster: u64, intent: usize, truth: Truth, random: &mut SplitMix64) -> Result<Row> {
        let word = pick(&noise::MISSING, random);
        let text = self.base(cluster).clean();
        let record = if chance(WITHOUT_LABEL, random) {
            Record { text: Some(&text), label: word, source: pick(&SOURCES, random) }
        } else {
            let label = self.pools.intents[intent].as_str();
            Record { text: word, label: Some(label), source: pick(&SOURCES, random) }
        };
        Ok(Row {
            line: serde_json::to_string(&record)?,
            truth: Truth { kind: RowKind::Missing, label: None, ..truth },
        })
    }

    fn text(
        &self,
        cluster: u64,
        slot: Slot,
        block_start: u64,
        intent: usize,
        mut truth: Truth,
        random: &mut SplitMix64,
    ) -> Result<Row> {
        let mut versions = self.versions(cluster, slot.kind, slot.size);
        let member = usize::from(slot.member);
        truth.pairs = self.pairs(&versions, member, block_start + slot.first);
        let version = versions.swap_remove(member);
        truth.pii = version.pii().map(|(kind, value)| Planted { kind, value: value.to_owned() }).collect();
        let duplicate = usize::from(slot.kind == ClusterKind::Exact);
        let text = dirty(&version, duplicate, &mut truth.corruptions, random);
        let mut written = intent;
        if chance(FLIPPED, random) {
            truth.flipped = true;
            written = (intent + 1 + random.below(self.pools.intents.len() - 1)) % self.pools.intents.len();
        }
        Ok(Row { line: self.line(Some(&text), Some(written), random)?, truth })
    }

    /// The rows of a text's cluster before the one at `member` in the file, and how near they are.
    fn pairs(&self, versions: &[Text], member: usize, first: u64) -> Vec<Pair> {
        if versions.len() < 2 {
            return Vec::new();
        }
        let clean: Vec<String> = versions.iter().map(|version| normalised(&version.clean())).collect();
        let shingles: Vec<Shingles> = clean.iter().map(|text| Shingles::of(text)).collect();
        let place = |other: usize| self.order.of(first + other as u64);
        let mut pairs: Vec<Pair> = (0..versions.len())
            // The last block may end within a cluster.
            .filter(|other| {
                *other != member && first + (*other as u64) < self.rows && place(*other) < place(member)
            })
            .map(|other| Pair { line: place(other) + 1, jaccard: shingles[member].jaccard(&shingles[other]) })
            .collect();
        pairs.sort_unstable_by_key(|pair| pair.line);
        pairs
    }

    /// The texts of a cluster, before any corruption but the edits.
    fn versions(&self, cluster: u64, kind: ClusterKind, size: u8) -> Vec<Text> {
        let mut versions = vec![self.base(cluster)];
        for member in 1..size {
            let mut random = stream(self.seed, "version", cluster * 8 + u64::from(member));
            let near = kind == ClusterKind::Near || (kind == ClusterKind::Mixed && member == 2);
            let of_last = (kind == ClusterKind::Near && chance(500, &mut random))
                || (kind == ClusterKind::Mixed && member == 3);
            let of = if of_last { versions.len() - 1 } else { 0 };
            let mut version = versions[of].clone();
            if near {
                corruption::edit(&mut version, &mut random);
            } else if chance(OF_SOMEBODY_ELSE, &mut random) {
                version = details::of_somebody_else(&version, &mut random);
            }
            versions.push(version);
        }
        versions
    }

    /// What a cluster's texts come from.
    fn base(&self, cluster: u64) -> Text {
        let pair = self.sentences.of(cluster);
        let mut random = stream(self.seed, "base", cluster);
        let question = &self.question(cluster).text;
        let passage = &self.pools.passages[(pair % self.pools.passages.len() as u64) as usize];
        let detail = if chance(WITH_PII, &mut random) {
            details::with_pii(&mut random)
        } else if chance(WITH_DETAIL, &mut random) {
            details::plain(&mut random)
        } else {
            Text::default()
        };
        let mut parts = [Text::of_words(question), detail, Text::of_words(passage)];
        random.shuffle(&mut parts);
        let mut text = Text::default();
        parts.into_iter().for_each(|part| text.push(part));
        text
    }

    fn question(&self, cluster: u64) -> &super::pools::Question {
        let pair = self.sentences.of(cluster);
        &self.pools.questions[(pair / self.pools.passages.len() as u64) as usize]
    }

    fn line(&self, text: Option<&str>, intent: Option<usize>, random: &mut SplitMix64) -> Result<String> {
        let label = intent.map(|intent| self.pools.intents[intent].as_str());
        Ok(serde_json::to_string(&Record { text, label, source: pick(&SOURCES, random) })?)
    }
}

/// What becomes of a text in the file; `duplicate` is 1 for an exact duplicate.
fn dirty(text: &Text, duplicate: usize, done: &mut Vec<Corruption>, random: &mut SplitMix64) -> String {
    let mut pieces = text.written();
    if chance(CASE[duplicate], random) {
        corruption::other_case(&mut pieces, random);
        done.push(Corruption::Case);
    }
    let spaces = chance(SPACES[duplicate], random);
    let mut text = if chance(HTML, random) {
        done.push(Corruption::Html);
        corruption::html(&pieces, random)
    } else if spaces {
        done.push(Corruption::Spaces);
        corruption::other_spaces(&pieces, random)
    } else {
        pieces.join(" ")
    };
    if !text.is_ascii() && chance(MOJIBAKE, random) {
        done.push(Corruption::Mojibake);
        let read_as = if chance(700, random) { Misread::Windows1252 } else { Misread::Latin1 };
        text = corruption::mojibake(&text, read_as);
        if chance(TWICE, random) {
            text = corruption::mojibake(&text, read_as);
        }
    }
    text
}

fn layout() -> Vec<Slot> {
    let laid: u64 = LAYOUT.iter().map(|(_, size, clusters)| u64::from(*size) * clusters).sum();
    let alone = (ClusterKind::Single, 1, BLOCK - laid);
    let mut slots = Vec::with_capacity(BLOCK as usize);
    let mut cluster = 0;
    for (kind, size, clusters) in LAYOUT.into_iter().chain([alone]) {
        for _ in 0..clusters {
            let first = slots.len() as u64;
            slots.extend((0..size).map(|member| Slot { kind, cluster, first, size, member }));
            cluster += 1;
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::Value;

    use super::super::truth;
    use super::*;

    fn pools() -> Pools {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let data = root.join("../examples/support-intents/data");
        let questions = ["train.jsonl.gz", "test.jsonl.gz"].map(|name| data.join(name));
        Pools::load(&questions, &root.join("data/passages.txt.gz")).unwrap()
    }

    fn corpus(rows: u64, seed: u64) -> Corpus {
        Corpus::new(pools(), rows, seed).unwrap()
    }

    fn text(row: &Row) -> String {
        let record: Value = serde_json::from_str(&row.line).unwrap();
        record["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_seed_gives_one_corpus_also_on_the_disk() {
        let rows = |seed| -> Vec<Row> {
            let corpus = corpus(3_000, seed);
            (0..3_000).map(|place| corpus.row(place).unwrap()).collect()
        };
        let one = rows(1);
        assert!(one == rows(1) && one != rows(2));
        let folder = tempfile::tempdir().unwrap();
        corpus(3_000, 1).write(folder.path()).unwrap();
        let written = std::fs::read_to_string(folder.path().join(CORPUS)).unwrap();
        assert!(written.lines().eq(one.iter().map(|row| row.line.as_str())));
        let known = truth::read(&folder.path().join(TRUTH)).unwrap();
        assert!(known.iter().eq(one.iter().map(|row| &row.truth)));
    }

    #[test]
    fn rates_are_as_stated() {
        let corpus = corpus(20_000, 4);
        let rows: Vec<Row> = (0..20_000).map(|place| corpus.row(place).unwrap()).collect();
        let count = |what: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| what(row)).count();
        let kind = |kind| count(&|row| row.truth.kind == kind);
        assert_eq!(kind(RowKind::Noise), 400);
        assert_eq!(kind(RowKind::Missing), 500);
        assert_eq!(kind(RowKind::Malformed), 20);
        let texts = kind(RowKind::Text);
        let share = |some: usize| some as f64 / texts as f64;
        let about =
            |some: usize, expected: f64| assert!((share(some) / expected - 1.0).abs() < 0.15, "{some}");
        about(count(&|row| row.truth.flipped), 0.05);
        about(count(&|row| row.truth.corruptions.contains(&Corruption::Html)), 0.06);
        about(count(&|row| !row.truth.pii.is_empty()), 0.08);
        assert!(share(count(&|row| row.truth.corruptions.contains(&Corruption::Mojibake))) > 0.04);

        let malformed = |row: &Row| serde_json::from_str::<Value>(&row.line).is_err();
        assert!(rows.iter().all(|row| malformed(row) == (row.truth.kind == RowKind::Malformed)));
        let lengths: Vec<usize> = rows
            .iter()
            .filter(|row| row.truth.kind == RowKind::Text && row.truth.corruptions.is_empty())
            .map(|row| text(row).chars().count())
            .collect();
        assert!(lengths.iter().all(|length| (60..=280).contains(length)), "{:?}", lengths.iter().max());
    }

    #[test]
    fn near_duplicates_stand_on_both_sides_of_the_threshold() {
        let corpus = corpus(20_000, 4);
        let rows: Vec<Row> = (0..20_000).map(|place| corpus.row(place).unwrap()).collect();
        let pairs: Vec<f64> =
            rows.iter().flat_map(|row| row.truth.pairs.iter().map(|pair| pair.jaccard)).collect();
        let within =
            |from: f64, to: f64| pairs.iter().filter(|jaccard| (from..to).contains(*jaccard)).count();
        assert!(within(0.4, 0.8) > 200, "{}", within(0.4, 0.8));
        assert!(within(0.8, 0.9) > 300, "{}", within(0.8, 0.9));
        assert!(within(0.9, 1.0) > 300, "{}", within(0.9, 1.0));
        assert!(within(1.0, 1.1) > 1_000, "{}", within(1.0, 1.1));
    }

    /// The truth's pairs are recomputed from the texts in the file, where nothing was done to these.
    #[test]
    fn the_truth_says_of_each_pair_what_the_file_shows() {
        let corpus = corpus(10_000, 9);
        let rows: Vec<Row> = (0..10_000).map(|place| corpus.row(place).unwrap()).collect();
        let untouched = |row: &Row| {
            let undone = |done: &Corruption| matches!(done, Corruption::Html | Corruption::Mojibake);
            row.truth.pii.is_empty() && !row.truth.corruptions.iter().any(undone)
        };
        let mut seen = 0;
        for (place, row) in rows.iter().enumerate() {
            for pair in &row.truth.pairs {
                let other = &rows[pair.line as usize - 1];
                assert!((pair.line as usize) <= place && other.truth.cluster == row.truth.cluster);
                if untouched(row) && untouched(other) {
                    let jaccard = Shingles::of(&text(row)).jaccard(&Shingles::of(&text(other)));
                    assert_eq!(jaccard, pair.jaccard);
                    seen += 1;
                }
            }
        }
        assert!(seen > 1_000, "{seen}");
    }

    #[test]
    fn planted_data_stands_in_the_text_where_nothing_was_done_to_it() {
        let corpus = corpus(5_000, 2);
        let rows = (0..5_000).map(|place| corpus.row(place).unwrap());
        let planted: Vec<Row> =
            rows.filter(|row| !row.truth.pii.is_empty() && row.truth.corruptions.is_empty()).collect();
        assert!(planted.len() > 100);
        for row in planted {
            let text = text(&row);
            assert!(row.truth.pii.iter().all(|planted| text.contains(&planted.value)), "{text}");
        }
    }

    /// Only texts that share a sentence could be near; so all pairs of some of these are compared.
    #[test]
    fn texts_of_two_clusters_are_never_near() {
        let corpus = corpus(1_000_000, 3);
        let clusters = 1_000_000 / BLOCK * (corpus.layout[999].cluster + 1);
        let passages = corpus.pools.passages.len() as u64;
        let with = |same: &dyn Fn(u64) -> bool| -> Vec<Shingles> {
            let clusters = (0..clusters).filter(|cluster| same(corpus.sentences.of(*cluster)));
            clusters.take(200).map(|cluster| Shingles::of(&corpus.base(cluster).clean())).collect()
        };
        let mut nearest = 0.0_f64;
        for sentence in 0..12 {
            for texts in [
                with(&|pair| pair % passages == sentence * 97),
                with(&|pair| pair / passages == sentence * 97),
            ] {
                assert!(texts.len() > 100);
                for (place, one) in texts.iter().enumerate() {
                    let others = texts[..place].iter().map(|other| one.jaccard(other));
                    nearest = others.fold(nearest, f64::max);
                }
            }
        }
        assert!(nearest < 0.75, "{nearest}");
    }

    #[test]
    fn clusters_have_pairs_of_sentences_of_their_own() {
        let corpus = corpus(20_000, 5);
        let pairs: HashSet<u64> = (0..16_000).map(|cluster| corpus.sentences.of(cluster)).collect();
        assert_eq!(pairs.len(), 16_000);
        let mut sizes: HashMap<u64, usize> = HashMap::new();
        for place in 0..20_000 {
            *sizes.entry(corpus.row(place).unwrap().truth.cluster).or_default() += 1;
        }
        assert_eq!(sizes.values().filter(|size| **size == 6).count(), 2 * 20);
        assert_eq!(sizes.values().max(), Some(&6));
    }
}
