//! What counts as a duplicate, and how hard it is looked for.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;

/// The chance that a pair exactly at the threshold is found. Pairs above it are found more often.
///
/// One pair that is missed can divide a cluster between training and test, and a million rows have thousands of pairs
/// near the threshold: so it is a chance of one in a hundred thousand that is left, not the usual one in two hundred.
const RECALL: f64 = 0.999_99;

/// Two runs with the same settings find the same duplicates in the same texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// The Jaccard index from which two texts are near-duplicates.
    pub threshold: f64,
    pub shingle: Shingle,
    /// The most hash values that a text's sketch may have. As many are computed as the bands need.
    pub permutations: u32,
    pub seed: u64,
    /// Look for exact duplicates only.
    pub exact_only: bool,
    /// Upper and lower case are the same.
    pub lower_case: bool,
    /// Any run of white space is one space, and none at the ends.
    pub white_space: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threshold: 0.8,
            shingle: Shingle::default(),
            permutations: 256,
            seed: 0,
            exact_only: false,
            lower_case: true,
            white_space: true,
        }
    }
}

/// What the sets are made of. A text shorter than one shingle is a single shingle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shingle {
    /// So many words in a row. For long texts: in one of ten words, a single changed word takes away three of
    /// its eight word trigrams, and the Jaccard index falls to 0.45.
    Words(u32),
    /// So many characters in a row.
    Characters(u32),
}

impl Default for Shingle {
    /// Five characters: fine-grained enough for texts of five words (a typo in one of 60 characters leaves a
    /// Jaccard index of 0.84), and long enough that texts which merely share common words stay far below 0.5.
    fn default() -> Self {
        Self::Characters(5)
    }
}

/// How the sketch is cut into bands: two texts that agree in all values of any band are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    pub bands: u32,
    /// Values in each.
    pub rows: u32,
}

impl Settings {
    /// # Errors
    /// [`Error::Setting`] with the first value that makes no sense.
    pub fn validate(&self) -> Result<(), Error> {
        if !(0.1..=1.0).contains(&self.threshold) {
            return Err(wrong(
                "threshold",
                self.threshold,
                "it is a Jaccard index",
                "0.1 to 1.0; 0.8 is usual",
            ));
        }
        let (Shingle::Words(size) | Shingle::Characters(size)) = self.shingle;
        if !(1..=64).contains(&size) {
            return Err(wrong(
                "shingle",
                size,
                "no text has such shingles, or hardly any",
                "1 to 64; 5 characters are usual",
            ));
        }
        if !(1..=1024).contains(&self.permutations) {
            return Err(wrong(
                "permutations",
                self.permutations,
                "it is out of range",
                "1 to 1024; 256 is usual",
            ));
        }
        self.bands().map(drop)
    }

    /// The most selective cut (the most values a band) that still finds a pair at the threshold with a chance of
    /// 0.99999, and no more bands than that takes. A pair of Jaccard index `j` is found with the chance
    /// `1 - (1 - j^rows)^bands`. Since candidates are verified, false ones cost time only; so the recall is
    /// fixed and the rest follows, instead of weighing the two errors against each other.
    ///
    /// # Errors
    /// [`Error::Setting`] if there are too few permutations for that.
    pub fn bands(&self) -> Result<Bands, Error> {
        let needed = |rows: u32| -> u32 {
            let agree = self.threshold.powi(rows as i32);
            if agree >= 1.0 { 1 } else { ((1.0 - RECALL).ln() / (-agree).ln_1p()).ceil() as u32 }
        };
        (1..=self.permutations)
            .rev()
            .map(|rows| Bands { bands: needed(rows), rows })
            .find(|cut| u64::from(cut.bands) * u64::from(cut.rows) <= u64::from(self.permutations))
            .ok_or_else(|| {
                wrong(
                    "permutations",
                    self.permutations,
                    "too few to find the pairs at the threshold",
                    &format!("at least {} for a threshold of {}", needed(1), self.threshold),
                )
            })
    }

    /// Changes with everything that changes what is spilled.
    pub(crate) fn fingerprint(&self) -> u64 {
        let (kind, size) = match self.shingle {
            Shingle::Words(size) => (0_u64, size),
            Shingle::Characters(size) => (1, size),
        };
        let flags = [self.exact_only, self.lower_case, self.white_space].map(u64::from);
        let parts = [
            1, // the version of the format and of the hashing
            self.threshold.to_bits(),
            kind,
            u64::from(size),
            u64::from(self.permutations),
            self.seed,
            flags[0],
            flags[1],
            flags[2],
        ];
        xxh3_64(&parts.map(u64::to_le_bytes).concat())
    }
}

fn wrong(setting: &'static str, value: impl ToString, fault: &str, help: &str) -> Error {
    Error::Setting { setting, value: value.to_string(), fault: fault.to_owned(), help: help.to_owned() }
}
