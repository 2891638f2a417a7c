//! The label vocabulary: the classes of the training rows, sorted, and their ids.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// Class names in the order of their ids: sorted by their bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(Vec<String>);

impl Labels {
    /// The classes of the training rows; at least two.
    pub fn from_training<'a>(labels: impl IntoIterator<Item = &'a str>) -> Result<Self, DataError> {
        let names: BTreeSet<&str> = labels.into_iter().collect();
        if names.len() < 2 || u32::try_from(names.len()).is_err() {
            return Err(DataError::TooFewLabels { count: names.len() });
        }
        Ok(Self(names.into_iter().map(str::to_owned).collect()))
    }

    /// Where there is nothing to tell apart.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The id of a class, none for a stranger.
    pub fn id(&self, name: &str) -> Option<u32> {
        let place = self.0.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
        u32::try_from(place).ok()
    }

    /// The class most like `name`.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        pegbox_runtime::suggest::nearest(name, self.0.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_sorted_names() {
        let labels = Labels::from_training(["b", "a", "b", "Z"]).unwrap();
        assert_eq!(labels.names(), ["Z", "a", "b"]);
        assert_eq!((labels.id("a"), labels.id("c")), (Some(1), None));
        assert_eq!(serde_json::to_string(&labels).unwrap(), r#"["Z","a","b"]"#);
    }

    #[test]
    fn one_class_is_too_few() {
        assert!(matches!(Labels::from_training(["a", "a"]), Err(DataError::TooFewLabels { count: 1 })));
    }
}
