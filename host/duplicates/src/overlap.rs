//! Overlap with benchmark files: how much of a text stands in a text that a model will be tested on.

use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::shingles::mix;

const BASE: u64 = 0x9fb2_1c65_1e98_df25;

/// All runs of `n` words of the benchmarks' texts, 4 bytes each, 6 where there are several benchmarks. Words are runs
/// of letters and digits in lower case; punctuation does not count. A text of fewer than `n` words is compared whole: it
/// overlaps only with an equal one.
#[derive(Clone, Debug)]
pub struct NgramIndex {
    size: usize,
    names: Vec<String>,
    buckets: Vec<Bucket>,
}

/// Collects the benchmarks for a [`NgramIndex`].
#[derive(Clone, Debug)]
pub struct NgramIndexBuilder {
    size: usize,
    names: Vec<String>,
    buckets: Vec<Bucket>,
    words: Vec<u64>,
}

/// The first bits of a hash say in which bucket it is.
const BUCKET_BITS: u32 = 16;

fn bucket_of(hash: u64) -> usize {
    (hash >> (64 - BUCKET_BITS)) as usize
}

/// The bits behind them. With those of the bucket they suffice: of a hundred million runs that are looked up among ten
/// million, four are taken for others.
fn print_of(hash: u64) -> u32 {
    (hash >> (32 - BUCKET_BITS)) as u32
}

/// The runs of one bucket: those before `settled` ascending and distinct, and some that were added since.
#[derive(Clone, Debug, Default)]
struct Bucket {
    prints: Vec<u32>,
    /// The first benchmark that has each; empty where that is the first of all.
    owners: Vec<u16>,
    settled: usize,
}

impl Bucket {
    fn add(&mut self, print: u32, owner: u16) {
        if self.prints.len() == self.prints.capacity() {
            // What repeats is thrown out before it takes more room.
            self.settle();
            let room = 16 + self.settled / 4;
            if self.prints.capacity() - self.settled < room / 2 {
                self.prints.reserve_exact(room);
            }
        }
        if owner > 0 && self.owners.is_empty() {
            self.owners.resize(self.prints.len(), 0);
        }
        self.prints.push(print);
        if owner > 0 || !self.owners.is_empty() {
            self.owners.push(owner);
        }
    }

    fn settle(&mut self) {
        if self.owners.is_empty() {
            // The stable sort is the one that gains by what is in order.
            self.prints.sort();
            self.prints.dedup();
        } else {
            let mut both: Vec<(u32, u16)> = self.prints.drain(..).zip(self.owners.drain(..)).collect();
            both.sort();
            both.dedup_by_key(|(print, _)| *print);
            for (print, owner) in both {
                self.prints.push(print);
                self.owners.push(owner);
            }
        }
        self.settled = self.prints.len();
    }

    /// Once it is settled.
    fn owner(&self, print: u32) -> Option<u16> {
        let place = self.prints.binary_search(&print).ok()?;
        Some(self.owners.get(place).copied().unwrap_or(0))
    }
}

/// How much of one text stands in the benchmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overlap<'a> {
    /// The part of its runs of `n` words that some benchmark has, 0.0 to 1.0.
    pub share: f64,
    /// The most words in a row that are covered by such runs.
    pub longest: usize,
    /// The benchmark that has the most of them; of equals the one that was added first.
    pub benchmark: Option<&'a str>,
}

impl NgramIndex {
    /// For runs of `size` words; 8 is usual.
    ///
    /// # Errors
    /// [`Error::Setting`] if that is none or more than 64.
    pub fn builder(size: usize) -> Result<NgramIndexBuilder, Error> {
        if !(1..=64).contains(&size) {
            return Err(Error::Setting {
                setting: "ngram",
                value: size.to_string(),
                fault: "no text can be compared by that".to_owned(),
                help: "1 to 64 words; 8 are usual".to_owned(),
            });
        }
        let buckets = vec![Bucket::default(); 1 << BUCKET_BITS];
        Ok(NgramIndexBuilder { size, names: Vec::new(), buckets, words: Vec::new() })
    }

    /// How many different runs there are.
    pub fn len(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.prints.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.prints.is_empty())
    }

    /// Takes about a microsecond for 20 words; threads may share the index.
    pub fn overlap(&self, text: &str) -> Overlap<'_> {
        let mut words = Vec::with_capacity(64);
        split(text, &mut words);
        let (mut runs, mut hits, mut longest, mut covered) = (0_usize, 0_usize, 0, 0);
        // Hardly any text overlaps, and those that do overlap with few benchmarks.
        let mut owners: Vec<(u16, usize)> = Vec::new();
        let width = self.size.min(words.len());
        grams(&words, self.size, |hash| {
            runs += 1;
            let Some(owner) = self.owner(hash) else {
                covered = 0;
                return;
            };
            hits += 1;
            covered = if covered == 0 { width } else { covered + 1 };
            longest = longest.max(covered);
            match owners.iter_mut().find(|(other, _)| *other == owner) {
                Some((_, count)) => *count += 1,
                None => owners.push((owner, 1)),
            }
        });
        if hits == 0 {
            return Overlap::default();
        }
        let most = owners.iter().max_by_key(|&&(owner, count)| (count, std::cmp::Reverse(owner)));
        let benchmark = most.and_then(|&(owner, _)| self.names.get(owner as usize)).map(String::as_str);
        Overlap { share: hits as f64 / runs as f64, longest, benchmark }
    }

    fn owner(&self, hash: u64) -> Option<u16> {
        self.buckets.get(bucket_of(hash))?.owner(print_of(hash))
    }
}

impl NgramIndexBuilder {
    /// Adds a text of a benchmark.
    ///
    /// # Errors
    /// [`Error::Setting`] if there are more than 65,536 benchmarks.
    pub fn add(&mut self, benchmark: &str, text: &str) -> Result<(), Error> {
        let owner = match self.names.iter().rposition(|name| name == benchmark) {
            Some(owner) => owner,
            None if self.names.len() > usize::from(u16::MAX) => {
                return Err(Error::Setting {
                    setting: "benchmarks",
                    value: format!("{} and {benchmark}", self.names.len()),
                    fault: "so many cannot be told apart".to_owned(),
                    help: "join some of the files".to_owned(),
                });
            }
            None => {
                self.names.push(benchmark.to_owned());
                self.names.len() - 1
            }
        };
        split(text, &mut self.words);
        let buckets = &mut self.buckets;
        grams(&self.words, self.size, |hash| {
            if let Some(bucket) = buckets.get_mut(bucket_of(hash)) {
                bucket.add(print_of(hash), owner as u16);
            }
        });
        Ok(())
    }

    pub fn finish(mut self) -> NgramIndex {
        for bucket in &mut self.buckets {
            bucket.settle();
            bucket.prints.shrink_to_fit();
        }
        NgramIndex { size: self.size, names: self.names, buckets: self.buckets }
    }
}

/// The hashes of the words.
fn split(text: &str, out: &mut Vec<u64>) {
    out.clear();
    let mut word = Vec::with_capacity(32);
    for char in text.chars() {
        if char.is_ascii_alphanumeric() {
            word.push(char.to_ascii_lowercase() as u8);
        } else if !char.is_ascii() && char.is_alphanumeric() {
            for lower in char.to_lowercase() {
                word.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
            }
        } else if !word.is_empty() {
            out.push(xxh3_64(&word));
            word.clear();
        }
    }
    if !word.is_empty() {
        out.push(xxh3_64(&word));
    }
}

/// The hashes of all runs of `size` words, or of the whole text if it is shorter.
fn grams(words: &[u64], size: usize, mut each: impl FnMut(u64)) {
    let (first, rest) = words.split_at(size.min(words.len()));
    if first.is_empty() {
        return;
    }
    let mut rolling =
        first.iter().fold(0, |hash: u64, word| hash.wrapping_mul(BASE).wrapping_add(word.wrapping_add(1)));
    each(mix(rolling));
    let leaving = BASE.wrapping_pow(size as u32);
    for (word, out) in rest.iter().zip(words) {
        let change = word.wrapping_add(1).wrapping_sub(out.wrapping_add(1).wrapping_mul(leaving));
        rolling = rolling.wrapping_mul(BASE).wrapping_add(change);
        each(mix(rolling));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> NgramIndex {
        let mut builder = NgramIndex::builder(3).unwrap();
        builder.add("squad", "Who wrote the opera Norma, and when?").unwrap();
        builder.add("glue", "the opera norma is long").unwrap();
        builder.add("glue", "Oh yes!").unwrap();
        builder.finish()
    }

    #[test]
    fn the_share_the_run_and_the_benchmark() {
        let index = index();
        assert_eq!(index.len(), 5 + 2 + 1);
        let none = index.overlap("nothing of this is there, not even Norma");
        assert_eq!(none, Overlap::default());
        // Of six runs the first has three, and the other one of these too.
        let some = index.overlap("He said: WROTE the   opera-Norma; and left");
        assert_eq!((some.share, some.longest, some.benchmark), (0.5, 5, Some("squad")));
        let other = index.overlap("this opera norma is long, norma is long indeed");
        assert_eq!((other.longest, other.benchmark), (4, Some("glue")));
        assert_eq!(index.overlap("who wrote the opera norma and when").share, 1.0);
    }

    #[test]
    fn short_texts_are_compared_whole() {
        let index = index();
        let whole = index.overlap("oh, yes");
        assert_eq!((whole.share, whole.longest, whole.benchmark), (1.0, 2, Some("glue")));
        assert_eq!(index.overlap("oh yes oh yes").share, 0.0);
        assert_eq!(index.overlap("the opera").share, 0.0);
        assert_eq!(index.overlap(" ?! ").share, 0.0);
        assert!(NgramIndex::builder(8).unwrap().finish().is_empty());
        assert_eq!(NgramIndex::builder(8).unwrap().finish().overlap("a b c d e f g h i").share, 0.0);
        assert!(NgramIndex::builder(0).unwrap_err().help().is_some());
    }

    /// The rolling hash equals the one made from the start, for every place and size.
    #[test]
    fn a_run_is_found_wherever_it_stands() {
        let text: Vec<String> = (0..200).map(|word| format!("w{}ä", word % 37)).collect();
        for size in [1, 2, 8, 64] {
            let mut builder = NgramIndex::builder(size).unwrap();
            builder.add("all", &text.join(" ")).unwrap();
            let index = builder.finish();
            for start in 0..text.len() - size {
                let overlap = index.overlap(&text[start..start + size].join("_ "));
                assert_eq!((overlap.share, overlap.longest), (1.0, size));
            }
        }
    }
}
