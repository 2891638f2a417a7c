use std::collections::HashMap;

/// Labels, numbered in the order in which they were met, and how many examples each has.
#[derive(Clone, Default, Debug)]
pub(crate) struct Classes {
    names: Vec<String>,
    examples: Vec<u64>,
    numbers: HashMap<String, u32>,
}

impl Classes {
    /// Gives `label` so many examples more, and returns its number.
    pub fn add(&mut self, label: &str, examples: u64) -> u32 {
        let number = match self.numbers.get(label) {
            Some(number) => *number,
            None => {
                // An instance's memory ends before the numbers do.
                let number = self.names.len() as u32;
                self.names.push(label.to_owned());
                self.examples.push(0);
                self.numbers.insert(label.to_owned(), number);
                number
            }
        };
        if let Some(sum) = self.examples.get_mut(number as usize) {
            *sum = sum.saturating_add(examples);
        }
        number
    }

    pub fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    /// Labels and examples, by number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names.iter().map(String::as_str).zip(self.examples.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_keeps_its_number() {
        let mut classes = Classes::default();
        assert_eq!([classes.add("b", 1), classes.add("a", 0), classes.add("b", 2)], [0, 1, 0]);
        assert_eq!(classes.iter().collect::<Vec<_>>(), [("b", 3), ("a", 0)]);
        assert_eq!((classes.name(1), classes.name(2)), ("a", ""));
    }
}
