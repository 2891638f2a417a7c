//! Who said what of which item: a sparse table, one line an item, one column an annotator.

use std::collections::{BTreeMap, HashMap};

use crate::error::AnnotationError;

/// What one annotator said of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rating {
    /// Index into [`Ratings::annotators`].
    pub annotator: u32,
    /// Index into [`Ratings::categories`].
    pub category: u32,
}

/// A table of ratings; any of them may be missing.
#[derive(Clone, Debug)]
pub struct Ratings {
    items: Vec<String>,
    annotators: Vec<String>,
    categories: Vec<String>,
    numbers: Option<Vec<f64>>,
    ordered: bool,
    /// The ratings of item `i` are `cells[starts[i]..starts[i + 1]]`, by annotator.
    starts: Vec<usize>,
    cells: Vec<Rating>,
    repeats: u32,
    repeats_agreeing: u32,
}

impl Ratings {
    /// In the order in which they were first named.
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// Sorted by name.
    pub fn annotators(&self) -> &[String] {
        &self.annotators
    }

    /// In the scale's order; without a scale by number where all are numbers, else by name.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// The categories as numbers, where all of them are.
    pub fn numbers(&self) -> Option<&[f64]> {
        self.numbers.as_deref()
    }

    /// Whether the order of the categories means something: they are numbers, or a scale was given.
    pub fn ordered(&self) -> bool {
        self.ordered
    }

    /// What was said of an item, by annotator.
    pub fn of(&self, item: usize) -> &[Rating] {
        &self.cells[self.starts[item]..self.starts[item + 1]]
    }

    /// How many ratings there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How often somebody rated an item again (the first rating stands), and how often the same way.
    pub fn repeats(&self) -> (u32, u32) {
        (self.repeats, self.repeats_agreeing)
    }
}

/// Takes ratings one after another.
#[derive(Clone, Debug, Default)]
pub struct RatingsBuilder {
    items: Names,
    annotators: Names,
    values: Names,
    scale: Option<usize>,
    given: Vec<(u32, u32, u32)>,
}

impl RatingsBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Ratings on a scale, named from the lowest value to the highest; any other value is an error.
    pub fn with_scale(scale: &[String]) -> Result<Self, AnnotationError> {
        let mut builder = Self::new();
        for (position, value) in scale.iter().enumerate() {
            if builder.values.number(value.trim(), "values")? as usize != position {
                return Err(AnnotationError::ScaleRepeats { value: value.clone() });
            }
        }
        builder.scale = Some(scale.len());
        Ok(builder)
    }

    /// One rating. A value of white space only is a missing one. Where an annotator rates an item again, the
    /// first rating stands.
    pub fn add(&mut self, item: &str, annotator: &str, value: &str) -> Result<(), AnnotationError> {
        let item_number = self.items.number(item, "items")?;
        let value = value.trim();
        if value.is_empty() {
            return Ok(());
        }
        let known = self.values.numbers.get(value).copied();
        if let (None, Some(length)) = (known, self.scale) {
            return Err(AnnotationError::OffScale {
                item: item.to_owned(),
                annotator: annotator.to_owned(),
                value: value.to_owned(),
                scale: self.values.names[..length].join(", "),
            });
        }
        let annotator = self.annotators.number(annotator, "annotators")?;
        let value = self.values.number(value, "values")?;
        self.given.push((item_number, annotator, value));
        Ok(())
    }

    /// The ratings of one item, `(annotator, value)`: a row of a wide table.
    pub fn add_row<'a>(
        &mut self,
        item: &str,
        ratings: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), AnnotationError> {
        self.items.number(item, "items")?;
        ratings.into_iter().try_for_each(|(annotator, value)| self.add(item, annotator, value))
    }

    /// The table.
    pub fn build(self) -> Ratings {
        let (annotators, annotator_of) = sorted_by_name(self.annotators.names);
        let (categories, numbers, category_of) = match self.scale {
            Some(_) => {
                let same = (0..self.values.names.len() as u32).collect();
                (self.values.names.clone(), numbers_of(&self.values.names), same)
            }
            None => sorted_by_value(self.values.names),
        };
        let mut given = self.given;
        // Stable: an annotator's first rating of an item stays first.
        given.sort_by_key(|&(item, annotator, _)| (item, annotator_of[annotator as usize]));
        let mut ratings = Ratings {
            starts: vec![0; self.items.names.len() + 1],
            items: self.items.names,
            annotators,
            ordered: self.scale.is_some() || numbers.is_some(),
            categories,
            numbers,
            cells: Vec::with_capacity(given.len()),
            repeats: 0,
            repeats_agreeing: 0,
        };
        let mut last = None;
        for (item, annotator, value) in given {
            let rating =
                Rating { annotator: annotator_of[annotator as usize], category: category_of[value as usize] };
            match last {
                Some((same, first)) if same == (item, rating.annotator) => {
                    ratings.repeats += 1;
                    ratings.repeats_agreeing += u32::from(first == rating.category);
                    continue;
                }
                _ => last = Some(((item, rating.annotator), rating.category)),
            }
            ratings.cells.push(rating);
            ratings.starts[item as usize + 1] += 1;
        }
        for item in 1..ratings.starts.len() {
            ratings.starts[item] += ratings.starts[item - 1];
        }
        ratings
    }
}

/// Names, numbered as they come.
#[derive(Clone, Debug, Default)]
struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str, what: &'static str) -> Result<u32, AnnotationError> {
        if let Some(&number) = self.numbers.get(name) {
            return Ok(number);
        }
        let number = self.names.len() as u32;
        if number == u32::MAX - 1 {
            return Err(AnnotationError::TooMany { what, limit: u64::from(number) });
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }
}

/// The names in order, and the new number of each old one.
fn sorted_by_name(names: Vec<String>) -> (Vec<String>, Vec<u32>) {
    let mut order: Vec<u32> = (0..names.len() as u32).collect();
    order.sort_by(|&a, &b| names[a as usize].cmp(&names[b as usize]));
    let mut new = vec![0; names.len()];
    for (position, &old) in order.iter().enumerate() {
        new[old as usize] = position as u32;
    }
    (order.iter().map(|&old| names[old as usize].clone()).collect(), new)
}

/// The categories in order, their numbers if all are numbers, and the category of each value as written:
/// `1` and `1.0` are one category, named as it was first written.
fn sorted_by_value(names: Vec<String>) -> (Vec<String>, Option<Vec<f64>>, Vec<u32>) {
    let Some(numbers) = numbers_of(&names) else {
        let (names, new) = sorted_by_name(names);
        return (names, None, new);
    };
    let mut distinct: BTreeMap<Ordered, u32> = BTreeMap::new();
    for (old, &number) in numbers.iter().enumerate() {
        distinct.entry(Ordered(number)).or_insert(old as u32);
    }
    let position: BTreeMap<Ordered, u32> = distinct.keys().copied().zip(0..).collect();
    let new = numbers.iter().map(|&number| position[&Ordered(number)]).collect();
    let sorted = distinct.values().map(|&old| names[old as usize].clone()).collect();
    (sorted, Some(distinct.keys().map(|key| key.0).collect()), new)
}

/// The values as numbers; none if one of them is not a finite number.
fn numbers_of(names: &[String]) -> Option<Vec<f64>> {
    // Minus zero is zero.
    let number =
        |name: &String| name.parse::<f64>().ok().filter(|number| number.is_finite()).map(|n| n + 0.0);
    names.iter().map(number).collect::<Option<Vec<f64>>>().filter(|numbers| !numbers.is_empty())
}

#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(triples: &[(&str, &str, &str)]) -> Ratings {
        let mut builder = RatingsBuilder::new();
        for (item, annotator, value) in triples {
            builder.add(item, annotator, value).unwrap();
        }
        builder.build()
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_spellings_of_one_are_one() {
        let ratings = table(&[("a", "y", "10"), ("a", "x", "-2"), ("b", "x", "10.0"), ("c", "y", " ")]);
        assert_eq!(ratings.categories(), ["-2", "10"]);
        assert_eq!(ratings.numbers(), Some(&[-2.0, 10.0][..]));
        assert_eq!(ratings.annotators(), ["x", "y"]);
        assert_eq!(ratings.items(), ["a", "b", "c"]);
        assert_eq!(
            ratings.of(0),
            [Rating { annotator: 0, category: 0 }, Rating { annotator: 1, category: 1 }]
        );
        assert_eq!(ratings.of(2), []);
    }

    #[test]
    fn the_first_rating_stands() {
        let ratings = table(&[("a", "x", "no"), ("a", "x", "yes"), ("a", "x", "no")]);
        assert_eq!(ratings.of(0), [Rating { annotator: 0, category: 0 }]);
        assert_eq!(ratings.repeats(), (2, 1));
        assert!(!ratings.ordered());
    }

    #[test]
    fn a_scale_orders_and_refuses() {
        let scale = ["low", "medium", "high"].map(str::to_owned);
        let mut builder = RatingsBuilder::with_scale(&scale).unwrap();
        builder.add_row("7", [("x", "high"), ("y", "low")]).unwrap();
        let error = builder.add("8", "x", "huge").unwrap_err();
        assert_eq!(
            error.to_string(),
            "annotator x rated item 8 `huge`, which is not on the scale (low, medium, high)"
        );
        assert_eq!(builder.build().categories(), scale);
        let twice = ["low".to_owned(), "low".to_owned()];
        assert!(matches!(RatingsBuilder::with_scale(&twice), Err(AnnotationError::ScaleRepeats { .. })));
    }
}
