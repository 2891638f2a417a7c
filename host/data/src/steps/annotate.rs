//! Several annotators' labels made one, and what their agreement is worth.

use std::collections::{BTreeMap, HashMap};

use pegbox_annotations::adjudicate::{Doubtful, adjudicate};
use pegbox_annotations::aggregate::{DawidSkene, DawidSkeneSettings, dawid_skene, majority};
use pegbox_annotations::agreement::{AgreementSettings, agreement};
use pegbox_annotations::reliability::reliability;
use pegbox_annotations::{Ratings, RatingsBuilder};
use pegbox_records::{Origins, Record, Schema};

use super::index::{Index, NO_LABEL, Numbers, place_of};
use crate::error::DataError;
use crate::job::{Aggregate, AnnotationSettings, Ties};
use crate::progress::Progress;
use crate::report::{AnnotationReport, EXAMPLES};
use crate::rows::Shards;
use crate::state::State;

/// Doubtful items that are listed; all are counted.
const LISTED: usize = 10_000;

/// What was found out, and the list for a person to decide.
pub(crate) struct Annotated {
    pub report: AnnotationReport,
    pub adjudicate: Vec<Doubtful>,
}

/// Gives each row of `index` the label of its item. Of an item with several rows the first one stays.
pub(crate) fn annotate(
    shards: &Shards,
    index: &mut Index,
    settings: &AnnotationSettings,
    origins: &Origins,
    progress: &dyn Progress,
) -> Result<Annotated, DataError> {
    let refused =
        |error: pegbox_annotations::AnnotationError| DataError::Annotations { what: error.to_string() };
    let source = Source::of(shards.schema())?;
    let mut said = match settings.scale.as_slice() {
        [] => RatingsBuilder::new(),
        scale => RatingsBuilder::with_scale(scale).map_err(refused)?,
    };
    // Where values become labels, agreement on both is worth knowing; what counts is the labels.
    let mut meant = (!settings.labels.is_empty()).then(RatingsBuilder::new);
    let mut items = Items { rows: Vec::new(), numbers: HashMap::new(), settings };
    for number in 0..shards.len() {
        progress.at("annotations", u64::from(shards.first(number)), Some(u64::from(shards.rows())));
        for (row, record) in (shards.first(number)..).zip(shards.read(number)?) {
            let origin = origins.of(&record).to_string();
            source.ratings(&record, &origin, &mut |item, annotator, value| {
                items.see(item, row);
                let told = |error| DataError::Annotations { what: format!("{origin}: {error}") };
                said.add(item, annotator, value).map_err(told)?;
                match &mut meant {
                    Some(meant) => meant.add(item, annotator, items.label(value)).map_err(told),
                    None => Ok(()),
                }
            })?;
        }
    }
    let said = said.build();
    let meant = meant.map(RatingsBuilder::build);
    let ratings = meant.as_ref().unwrap_or(&said);
    let model = dawid_skene(ratings, &DawidSkeneSettings::default());
    let model = match settings.aggregate {
        Aggregate::DawidSkene => Some(model.map_err(refused)?),
        // It is only told then.
        Aggregate::Majority => model.ok(),
    };
    let dropped = items.decide(ratings, model.as_ref(), index);
    let measured = AgreementSettings { seed: settings.seed, ..AgreementSettings::default() };
    let of_values = agreement(&said, &measured).map_err(refused)?;
    let of_labels = meant.as_ref().map(|meant| agreement(meant, &measured)).transpose().map_err(refused)?;
    let mut doubtful = adjudicate(ratings, model.as_ref(), LISTED);
    let report = AnnotationReport {
        aggregate: match settings.aggregate {
            Aggregate::Majority => "majority".to_owned(),
            Aggregate::DawidSkene => "dawid-skene".to_owned(),
        },
        items: ratings.items().len() as u64,
        ratings: ratings.len() as u64,
        dropped,
        annotators: reliability(ratings, of_labels.as_ref().unwrap_or(&of_values), model.as_ref()),
        agreement: of_values,
        agreement_of_labels: of_labels,
        disputed: u64::from(doubtful.items),
        ties: u64::from(doubtful.ties),
        overruled: u64::from(doubtful.overruled),
        examples: doubtful.list.iter().take(EXAMPLES).cloned().collect(),
    };
    Ok(Annotated { report, adjudicate: std::mem::take(&mut doubtful.list) })
}

/// Where the ratings stand.
enum Source {
    /// An object of annotators and values in each row, which is an item.
    Wide { annotations: usize },
    /// A rating in each row.
    Long { item: usize, annotator: usize, value: usize },
}

/// Takes an item, an annotator and a value.
type Take<'a> = &'a mut dyn FnMut(&str, &str, &str) -> Result<(), DataError>;

impl Source {
    fn of(schema: &Schema) -> Result<Self, DataError> {
        if let Some(annotations) = schema.role("annotations") {
            return Ok(Self::Wide { annotations });
        }
        let place = |role| place_of(schema, role, "annotations");
        Ok(Self::Long { item: place("item")?, annotator: place("annotator")?, value: place("label")? })
    }

    fn ratings(&self, record: &Record, origin: &str, take: Take<'_>) -> Result<(), DataError> {
        let value = |place: usize| record.values.get(place).and_then(Option::as_deref);
        match *self {
            Self::Wide { annotations } => {
                let Some(text) = value(annotations) else { return Ok(()) };
                let object: BTreeMap<String, serde_json::Value> =
                    serde_json::from_str(text).map_err(|error| DataError::Annotations {
                        what: format!("{origin}: expected an object of annotators and values: {error}"),
                    })?;
                for (annotator, value) in object {
                    match value {
                        serde_json::Value::Null => {}
                        serde_json::Value::String(value) => take(origin, &annotator, &value)?,
                        value => take(origin, &annotator, &value.to_string())?,
                    }
                }
                Ok(())
            }
            Self::Long { item, annotator, value: rated } => {
                match (value(item), value(annotator), value(rated)) {
                    (Some(item), Some(annotator), Some(rated)) => take(item, annotator, rated),
                    (_, _, None) => Ok(()),
                    (None, ..) | (_, None, _) => Err(DataError::Annotations {
                        what: format!("{origin}: a rating without an item or an annotator"),
                    }),
                }
            }
        }
    }
}

/// The rows of the items, in the order in which the items are first named.
struct Items<'a> {
    /// Item and row.
    rows: Vec<(u32, u32)>,
    numbers: HashMap<String, u32>,
    settings: &'a AnnotationSettings,
}

impl Items<'_> {
    fn see(&mut self, item: &str, row: u32) {
        let number = match self.numbers.get(item) {
            Some(number) => *number,
            None => {
                let number = self.numbers.len() as u32;
                self.numbers.insert(item.to_owned(), number);
                number
            }
        };
        if self.rows.last() != Some(&(number, row)) {
            self.rows.push((number, row));
        }
    }

    /// What a value means.
    fn label<'v>(&'v self, value: &'v str) -> &'v str {
        let named = self.settings.labels.iter().find(|(from, _)| from == value);
        named.map_or(value, |(_, label)| label.as_str())
    }

    /// Labels the rows; how many items lose theirs.
    fn decide(&self, ratings: &Ratings, model: Option<&DawidSkene>, index: &mut Index) -> u64 {
        let votes = majority(ratings);
        let mut names: Vec<String> = ratings.categories().to_vec();
        names.sort_unstable();
        let number = |category: u32| {
            let name = ratings.categories().get(category as usize);
            name.and_then(|name| names.binary_search(name).ok()).map_or(NO_LABEL, |number| number as u32)
        };
        let mut labels = vec![NO_LABEL; index.states.len()];
        let mut rated = vec![false; index.states.len()];
        let mut seen = vec![false; votes.len()];
        let mut dropped = 0;
        for &(item, row) in &self.rows {
            let (Some(vote), Some(first)) = (votes.get(item as usize), seen.get_mut(item as usize)) else {
                continue;
            };
            let category = match (self.settings.aggregate, model) {
                (Aggregate::DawidSkene, Some(model)) => Some(model.label(item as usize).0),
                _ if vote.tied && self.settings.ties == Ties::Drop => None,
                _ => vote.category,
            };
            let stays = !std::mem::replace(first, true);
            if let (Some(rated), true) = (rated.get_mut(row as usize), stays) {
                *rated = true;
                dropped += u64::from(category.is_none());
            }
            if let (Some(label), Some(category), true) = (labels.get_mut(row as usize), category, stays) {
                *label = number(category);
            }
        }
        for ((state, label), rated) in index.states.iter_mut().zip(&labels).zip(&rated) {
            if *label == NO_LABEL {
                *state = if *rated { State::Tied } else { State::Unrated };
            }
        }
        index.labels = Numbers::of(labels.into_iter(), names.len());
        index.names = names;
        dropped
    }
}
