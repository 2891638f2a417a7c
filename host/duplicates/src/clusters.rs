//! Which rows are duplicates of which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pegbox_durable::write_file;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::exact::{self, Bits, Equal};
use crate::forest::Forest;
use crate::jaccard::jaccard;
use crate::near;
use crate::shard::{Shard, le_u32, le_u64};
use crate::spill::Spill;
use crate::texts::{Loader, Sets};

const MAGIC: &[u8; 8] = b"pegclus2";
/// So many pairs of equal texts are shown, and as many of near ones.
pub(crate) const EXAMPLES: usize = 8;

/// The clusters of all rows: connected components.
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    pub(crate) shards: u32,
    pub(crate) roots: Vec<u32>,
    /// A bit for each row that has an equal one before it.
    repeated: Vec<u64>,
    /// A bit for each row that has other forms.
    formed: Vec<u64>,
    examples: Vec<Pair>,
}

/// Two rows, and how alike they are: 1.0 if their texts are equal or have the same shingles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub row: u32,
    /// The row that it duplicates.
    pub of: u32,
    pub jaccard: f64,
}

/// What there is to say about all clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub rows: u32,
    /// Rows that have an equal one before them.
    pub exact: u32,
    /// What else there is besides one row a cluster: distinct texts that are near others.
    pub near: u32,
    /// Clusters of two rows or more.
    pub clusters: u32,
    /// How many clusters there are of each size from two on.
    pub sizes: BTreeMap<u32, u32>,
    /// The largest clusters, by their first row, with their sizes.
    pub largest: Vec<(u32, u32)>,
    pub examples: Vec<Pair>,
}

impl Spill {
    /// Finds the clusters among the rows of the shards `0..shards`, with four bytes a row and less than 150 MiB
    /// for each thread. The result does not depend on the number of threads.
    ///
    /// # Errors
    /// [`Error::Unsigned`] or [`Error::Gap`] if a shard is missing; the disk's.
    pub fn cluster(&self, shards: u32, threads: usize) -> Result<Clusters, Error> {
        self.cluster_forms(shards, &Forms::default(), threads)
    }

    /// The same, where some rows have other forms, such as what they were before something in them was replaced: what
    /// is near any form of a row is in the row's cluster. The shards behind `shards` hold the forms.
    ///
    /// # Errors
    /// As those of [`Spill::cluster`].
    pub fn cluster_forms(&self, shards: u32, forms: &Forms, threads: usize) -> Result<Clusters, Error> {
        let opened = self.shards(shards + forms.shards)?;
        let end = |shard: &Shard| shard.first_row + shard.rows;
        let all = opened.last().map_or(0, end);
        let rows = (shards as usize).checked_sub(1).and_then(|last| opened.get(last)).map_or(0, end);
        if all - rows != forms.of.len() as u32 {
            let (shard, expected) = (shards + forms.shards, rows + forms.of.len() as u32);
            return Err(Error::Gap { folder: self.folder().to_owned(), shard, expected, found: all });
        }
        let forest = Forest::new(all);
        let Equal { repeated, examples } = exact::join(&opened, &forest, all, threads)?;
        if !self.settings().exact_only {
            near::join(&opened, self.settings(), &forest, &repeated, all, threads)?;
        }
        let mut formed = vec![0_u64; rows.div_ceil(64) as usize];
        for (form, &row) in (rows..).zip(&forms.of) {
            forest.join(row, form);
            if let Some(word) = formed.get_mut(row as usize / 64) {
                *word |= 1 << (row % 64);
            }
        }
        // A root is the first of its cluster, and no form comes before its row.
        let mut roots = forest.into_roots();
        roots.truncate(rows as usize);
        roots.shrink_to_fit();
        let loader = Loader::new(&opened, self.settings().shingle);
        let equal = examples.into_iter().filter(|(row, _)| *row < rows);
        let equal = equal.map(|(row, of)| Pair { row, of, jaccard: 1.0 });
        let examples = equal.chain(near_examples(&roots, &repeated, loader)?).collect();
        Ok(Clusters { shards, roots, repeated: repeated.into_words(rows), formed, examples })
    }
}

/// Other forms of some rows.
#[derive(Clone, Debug, Default)]
pub struct Forms {
    /// How many shards hold them.
    pub shards: u32,
    /// The row that each is a form of.
    pub of: Vec<u32>,
}

impl Clusters {
    pub fn rows(&self) -> u32 {
        self.roots.len() as u32
    }

    /// The first row of the row's cluster: the row itself if it has no duplicates.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: u32) -> u32 {
        self.roots[row as usize]
    }

    /// Whether a row before this one has an equal text.
    pub fn is_repeated(&self, row: u32) -> bool {
        self.repeated.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Whether a row has other forms, by which it may be in a cluster of rows that it is not near.
    pub(crate) fn has_forms(&self, row: u32) -> bool {
        self.formed.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Takes four bytes a row while it counts.
    pub fn summary(&self) -> Summary {
        let mut members = vec![0_u32; self.roots.len()];
        for &root in &self.roots {
            members[root as usize] += 1;
        }
        let roots = members.iter().filter(|&&size| size > 0).count() as u32;
        let exact = self.repeated.iter().map(|word| word.count_ones()).sum();
        let mut sizes = BTreeMap::new();
        let mut largest: Vec<(u32, u32)> = Vec::new();
        for (root, &size) in (0..).zip(&members).filter(|&(_, &size)| size > 1) {
            *sizes.entry(size).or_insert(0) += 1;
            let place = largest.partition_point(|&(_, other)| other >= size);
            if place < EXAMPLES {
                largest.insert(place, (root, size));
                largest.truncate(EXAMPLES);
            }
        }
        Summary {
            rows: self.rows(),
            exact,
            near: self.rows() - exact - roots,
            clusters: sizes.values().sum(),
            sizes,
            largest,
            examples: self.examples.clone(),
        }
    }

    /// Writes them whole or not at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn save(&self, file: &Path) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(64 + self.roots.len() * 4 + self.repeated.len() * 16);
        bytes.extend(MAGIC);
        for number in [self.shards, self.rows(), self.examples.len() as u32] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.roots.iter().flat_map(|root| root.to_le_bytes()));
        bytes.extend(self.repeated.iter().chain(&self.formed).flat_map(|word| word.to_le_bytes()));
        for pair in &self.examples {
            bytes.extend(pair.row.to_le_bytes());
            bytes.extend(pair.of.to_le_bytes());
            bytes.extend(pair.jaccard.to_bits().to_le_bytes());
        }
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        write_file(file, &bytes).map_err(Error::disk(file))
    }

    /// # Errors
    /// The disk's; [`Error::Damaged`] if the file is not as [`Clusters::save`] wrote it.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let bytes = fs::read(file).map_err(Error::disk(file))?;
        let whole = bytes.split_last_chunk::<8>().filter(|(content, sum)| {
            content.len() >= 20 && content.starts_with(MAGIC) && xxh3_64(content) == u64::from_le_bytes(**sum)
        });
        let Some((content, _)) = whole else {
            return Err(Error::damaged(file, "its checksum is not that of its content"));
        };
        let numbers = [8, 12, 16].map(|at| le_u32(&content[at..]));
        let [shards, rows, examples] = numbers;
        let (roots, rest) = content[20..].split_at_checked(rows as usize * 4).unwrap_or_default();
        let words = rows.div_ceil(64) as usize * 8;
        let (repeated, rest) = rest.split_at_checked(words).unwrap_or_default();
        let (formed, rest) = rest.split_at_checked(words).unwrap_or_default();
        if roots.len() != rows as usize * 4 || rest.len() != examples as usize * 16 {
            return Err(Error::damaged(file, "its length is not what it says"));
        }
        let pair = |bytes: &[u8]| Pair {
            row: le_u32(bytes),
            of: le_u32(&bytes[4..]),
            jaccard: f64::from_bits(le_u64(&bytes[8..])),
        };
        let roots: Vec<u32> = roots.chunks_exact(4).map(le_u32).collect();
        if !roots.iter().zip(0..).all(|(&root, row)| root <= row && roots[root as usize] == root) {
            return Err(Error::damaged(file, "its rows are in no cluster"));
        }
        Ok(Self {
            shards,
            roots,
            repeated: repeated.chunks_exact(8).map(le_u64).collect(),
            formed: formed.chunks_exact(8).map(le_u64).collect(),
            examples: rest.chunks_exact(16).map(pair).collect(),
        })
    }
}

/// The first near pairs: a cluster's first row and whichever of the next few distinct ones is nearest to it.
fn near_examples(roots: &[u32], repeated: &Bits, mut loader: Loader) -> Result<Vec<Pair>, Error> {
    let mut clusters: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (row, &root) in (0_u32..).zip(roots).filter(|&(row, &root)| root != row && !repeated.get(row)) {
        if let Some(cluster) = clusters.get_mut(&root) {
            if cluster.len() <= EXAMPLES {
                cluster.push(row);
            }
        } else if clusters.len() < EXAMPLES {
            clusters.insert(root, vec![root, row]);
        }
    }
    let mut sets = Sets::default();
    let mut pairs = Vec::new();
    for (&root, rows) in &clusters {
        loader.load(rows, usize::MAX, &mut sets)?;
        let alike = |row: u32| jaccard(sets.of(root), sets.of(row));
        let pair = rows[1..].iter().map(|&row| Pair { row, of: root, jaccard: alike(row) });
        pairs.extend(pair.reduce(|best, next| if next.jaccard > best.jaccard { next } else { best }));
    }
    Ok(pairs)
}
