//! Each class gets its share of each part.

use pegbox_random::SplitMix64;

use super::{Draft, RowLabels, Split, Splitter};
use crate::error::SamplingError;
use crate::units::Units;

impl Splitter<'_> {
    /// Assigns by single labels; `names` are those of the label numbers.
    ///
    /// The sizes of a part follow the largest-remainder method over the classes (sorted by name): a class of n
    /// rows gets its exact share of n rounded down or up, and all classes together get the share of all rows,
    /// rounded. A class of at least as many rows as there are parts is in every part: where its share is below
    /// one row it gets one, and the last class that was rounded up past its first row gives one back. A class
    /// never loses its last training row. Units stay together, so a class with large ones may miss its size by
    /// them. The class of a unit with several labels is the label of its first row.
    ///
    /// Beyond rows and units this takes 4 bytes a unit.
    ///
    /// # Errors
    /// There are not as many labels as rows, a label has no name, or a part would be without rows.
    pub fn stratified(
        &self,
        labels: &(impl RowLabels + ?Sized),
        names: &[&str],
    ) -> Result<Split, SamplingError> {
        self.check_rows("labels", labels.rows())?;
        let mut each = (0..labels.rows() as u32).map(|row| (row as usize, labels.label(row)));
        if let Some((row, label)) = each.find(|(_, label)| *label as usize >= names.len()) {
            return Err(SamplingError::Label { row, label, known: names.len() });
        }
        let mut draft = self.begin();
        let mut classes = classes(self.units, &draft, labels, names);
        let sizes: Vec<usize> =
            classes.iter().map(|class| self.rows_of(class.units.iter().copied())).collect();
        let mut reserved = vec![1; sizes.len()];
        let mut wanted: Vec<Vec<usize>> = Vec::new();
        for share in &draft.held_out {
            let counts = allot(&sizes, *share, &reserved);
            for (reserved, count) in reserved.iter_mut().zip(&counts) {
                *reserved += count;
            }
            wanted.push(counts);
        }
        for (number, class) in classes.iter_mut().enumerate() {
            // A stream of its own for each class: rows of one class do not move when another class changes.
            SplitMix64::named(self.seed, class.name).shuffle(&mut class.units);
            let wanted: Vec<usize> = wanted.iter().map(|counts| counts[number]).collect();
            for (unit, part) in fill(self.units, &class.units, &wanted) {
                self.place(&mut draft.split, unit, part);
            }
        }
        self.finish(draft)
    }
}

struct Class<'a> {
    name: &'a str,
    units: Vec<u32>,
}

/// The free units of each class that has some, sorted by name.
fn classes<'a>(
    units: &Units,
    draft: &Draft,
    labels: &(impl RowLabels + ?Sized),
    names: &[&'a str],
) -> Vec<Class<'a>> {
    let each = || {
        let first = |unit: u32| Some((unit, *units.rows(unit).first()?));
        draft.free().filter_map(first).map(|(unit, row)| (unit, labels.label(row) as usize))
    };
    let mut counts = vec![0; names.len()];
    each().for_each(|(_, class)| counts[class] += 1);
    // Of their size at once: a list that grows holds twice what it needs.
    let of_size = |(name, count): (&&'a str, usize)| Class { name, units: Vec::with_capacity(count) };
    let mut classes: Vec<Class<'a>> = names.iter().zip(counts).map(of_size).collect();
    each().for_each(|(unit, class)| classes[class].units.push(unit));
    classes.retain(|class| !class.units.is_empty());
    classes.sort_by_key(|class| class.name);
    classes
}

/// The units of one class that are held out, and their parts. A unit goes to the first part that still wants
/// as many rows as it has. Where every unit was too large for a part, it takes the smallest one if training
/// keeps at least half of what it should have.
fn fill(units: &Units, class: &[u32], wanted: &[usize]) -> Vec<(u32, u8)> {
    let mut held_out = Vec::new();
    let mut training = 0;
    let mut left = wanted.to_vec();
    let mut smallest: Vec<u32> = Vec::new();
    for unit in class {
        let size = units.size(*unit);
        match left.iter().position(|left| *left > 0 && *left >= size) {
            Some(place) => {
                left[place] -= size;
                held_out.push((*unit, place as u8 + 1));
            }
            None => training += size,
        }
    }
    let without = |place: &usize| wanted[*place] > 0 && left[*place] == wanted[*place];
    let empty: Vec<usize> = (0..wanted.len()).filter(without).collect();
    if empty.is_empty() {
        return held_out;
    }
    let taken: std::collections::HashSet<u32> = held_out.iter().map(|(unit, _)| *unit).collect();
    smallest.extend(class.iter().filter(|unit| !taken.contains(unit)));
    smallest.sort_by_key(|unit| units.size(*unit));
    let should: usize = smallest.iter().map(|unit| units.size(*unit)).sum::<usize>()
        - empty.iter().map(|place| wanted[*place]).sum::<usize>();
    for (place, unit) in empty.into_iter().zip(smallest) {
        let rest = training - units.size(unit);
        if rest > 0 && rest * 2 >= should {
            training = rest;
            held_out.push((unit, place as u8 + 1));
        }
    }
    held_out
}

/// How many rows of each class a part gets; `reserved` rows of each class are for the other parts.
fn allot(sizes: &[usize], share: f64, reserved: &[usize]) -> Vec<usize> {
    if share <= 0.0 {
        return vec![0; sizes.len()];
    }
    let exact: Vec<f64> = sizes.iter().map(|size| *size as f64 * share).collect();
    let mut counts: Vec<usize> = exact.iter().map(|exact| exact.floor() as usize).collect();
    let total = (sizes.iter().sum::<usize>() as f64 * share).round() as usize;
    let missing = total.saturating_sub(counts.iter().sum());

    // Largest remainder first; of equal ones the class that sorts first.
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
    let rounded_up = &by_remainder[..missing.min(by_remainder.len())];
    for class in rounded_up {
        counts[*class] += 1;
    }
    let mut givers = rounded_up.iter().rev().filter(|class| exact[**class] >= 1.0);
    for class in 0..sizes.len() {
        let most = sizes[class].saturating_sub(reserved[class]);
        if counts[class] == 0 && most > 0 {
            counts[class] = 1;
            if let Some(giver) = givers.next() {
                counts[*giver] -= 1;
            }
        }
        counts[class] = counts[class].min(most);
    }
    counts
}
