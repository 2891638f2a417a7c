use pegbox_findings::{Levels, Listed, Listing, Names, RowFaults, column, counted, decode, encode, quoted};
use pegbox_plugin::{Error, Finding, Plugin, RowBatch, Validator, parse_configuration};
use serde::{Deserialize, Serialize};

use crate::annotators::{Annotators, MOST, State};
use crate::codes;
use crate::configuration::{self, Configuration};
use crate::ratings::{Value, read, with_numbers};
use crate::scale::{Scale, Wrong};

/// The role of the ratings.
const ANNOTATIONS: &str = "annotations";
/// Annotators that are named one by one for the same reason.
const LISTED: usize = 100;

/// The validator, configured, with what it has gathered so far.
pub struct RatingRange {
    configuration: Configuration,
    scale: Scale,
    known: Option<Names>,
    listing: Listing,
    annotators: Annotators,
    faults: RowFaults<Fault>,
    /// The ratings of the row that is looked at; kept for its room.
    rated: Vec<(usize, f64)>,
    /// By annotator: the number of the last row that they rated, from 1, among those that this instance looks at.
    last: Vec<u64>,
    row: u64,
}

/// Something that is wrong with one row.
#[derive(Clone, PartialEq, Debug)]
enum Fault {
    Unreadable(String),
    Repeated(String),
    /// And the one who may be meant.
    UnknownAnnotator(String, Option<usize>),
    NoNumber(String, String),
    Number(String, f64),
    TooFew(u64),
}

/// What travels to another instance.
#[derive(Serialize, Deserialize)]
struct Gathered<L> {
    listed: L,
    annotators: State,
}

impl RatingRange {
    /// # Errors
    /// A configuration that contradicts itself.
    pub fn new(configuration: Configuration) -> Result<Self, Error> {
        let levels = Levels::new(&configuration.levels, &codes::ALL)?;
        Ok(Self {
            scale: Scale::new(&configuration)?,
            known: configuration.annotators.clone().map(Names::new),
            listing: Listing::new(&codes::ALL, levels, configuration.max_findings),
            configuration,
            annotators: Annotators::default(),
            faults: RowFaults::default(),
            rated: Vec::new(),
            last: Vec::new(),
            row: 0,
        })
    }

    /// Looks at the ratings of one row; returns those that mend it, if anything can be mended.
    fn check(&mut self, json: &str) -> Option<String> {
        self.row += 1;
        self.rated.clear();
        if !json.trim().is_empty() {
            match read(json) {
                Ok(ratings) => {
                    for (annotator, value) in &ratings.0 {
                        self.rating(annotator, value);
                    }
                }
                Err(why) => {
                    self.faults.add(codes::UNREADABLE, false, Fault::Unreadable(why));
                    return None;
                }
            }
        }
        let raters = self.rated.len() as u64;
        if raters < u64::from(self.configuration.min_raters) {
            self.faults.add(codes::TOO_FEW, false, Fault::TooFew(raters));
        }
        // Those beyond the number that can be told apart are ratings, and of nobody.
        self.rated.retain(|(annotator, _)| *annotator < MOST);
        self.annotators.rate(&self.rated);
        self.faults.mended().then(|| with_numbers(json)).flatten()
    }

    /// One rating of the row; what is right counts.
    fn rating(&mut self, annotator: &str, value: &Value<'_>) {
        if let Some(known) = &mut self.known
            && known.place(annotator).is_none()
        {
            let near = known.nearest(annotator).map(|near| near.meaning);
            let fault = Fault::UnknownAnnotator(annotator.to_owned(), near);
            self.faults.add(codes::UNKNOWN_ANNOTATOR, false, fault);
            return;
        }
        let number = self.annotators.number(annotator);
        if let Some(number) = number {
            if self.last.len() <= number {
                self.last.resize(number + 1, 0);
            }
            let last = self.last.get_mut(number).map(|last| std::mem::replace(last, self.row));
            if last == Some(self.row) {
                self.faults.add(codes::REPEATED, false, Fault::Repeated(annotator.to_owned()));
                return;
            }
        }
        let rating = match value {
            Value::Number(rating) => *rating,
            Value::Text(_) | Value::Other(_) => {
                let held = value.number_in_text();
                let shown = match value {
                    Value::Text(text) => quoted(text),
                    Value::Other(what) => (*what).to_owned(),
                    Value::Number(number) => number.to_string(),
                };
                let mends = held.is_some() && self.listing.wants(codes::NO_NUMBER);
                self.faults.add(codes::NO_NUMBER, mends, Fault::NoNumber(annotator.to_owned(), shown));
                let Some(held) = held else { return };
                held
            }
        };
        let code = match self.scale.wrong(rating) {
            None => {
                self.rated.push((number.unwrap_or(MOST), rating));
                return;
            }
            Some(Wrong::OutOfRange) => codes::OUT_OF_RANGE,
            Some(Wrong::OffScale) => codes::OFF_SCALE,
        };
        self.faults.add(code, false, Fault::Number(annotator.to_owned(), rating));
    }

    /// What only the whole set shows.
    fn of_set(&self) -> Vec<Finding> {
        let Configuration { min_ratings, max_deviation, .. } = self.configuration;
        let mut findings = Vec::new();
        for (code, messages) in [
            (codes::CONSTANT, self.annotators.constant(min_ratings)),
            (codes::DEVIATING, self.annotators.deviating(min_ratings, max_deviation)),
        ] {
            let more = messages.len().saturating_sub(LISTED) as u64;
            let listed = messages.into_iter().take(LISTED);
            findings.extend(listed.filter_map(|message| self.listing.of_set(code, ANNOTATIONS, || message)));
            if more > 0 {
                let message = || format!("not listed: {} like these", counted(more, "more annotator"));
                findings.extend(self.listing.of_set(code, ANNOTATIONS, message));
            }
        }
        if self.annotators.too_many() {
            let message = || {
                format!(
                    "there are more than {MOST} annotators, of whom only so many are judged: do the keys of \
                     `annotations` name annotators?"
                )
            };
            findings.extend(self.listing.of_set(codes::TOO_MANY, ANNOTATIONS, message));
        }
        findings
    }
}

impl Plugin for RatingRange {
    const NAME: &'static str = pegbox_plugin::manifest_name!();
    const CONFIGURATION_SCHEMA: &'static str = configuration::SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Self::new(parse_configuration(json)?)
    }
}

impl Validator for RatingRange {
    fn validate(&mut self, batch: RowBatch) -> Result<Vec<Finding>, Error> {
        let place = column(&batch, ANNOTATIONS)?;
        let mut findings = Vec::new();
        for row in &batch.rows {
            let json = row.values.get(place).and_then(Option::as_deref).unwrap_or_default();
            self.faults.clear();
            let mended = self.check(json);
            if self.faults.is_empty() {
                continue;
            }
            let (known, scale) = (self.known.as_ref(), &self.scale);
            let needed = self.configuration.min_raters;
            let told = |fault: &Fault| told(fault, known, scale, needed);
            let row = (row.id, ANNOTATIONS);
            self.listing.add_all(&mut findings, row, &self.faults, mended.as_deref(), told);
        }
        Ok(findings)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        encode(&Gathered { listed: self.listing.state(), annotators: self.annotators.state() })
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        let Gathered { listed, annotators } = decode::<Gathered<Vec<Listed>>>(state)?;
        self.annotators.merge(annotators)?;
        self.listing.merge(listed)
    }

    fn finish(&mut self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.listing.finish();
        findings.extend(self.of_set());
        Ok(findings)
    }
}

fn told(fault: &Fault, known: Option<&Names>, scale: &Scale, needed: u32) -> String {
    match fault {
        Fault::Unreadable(why) => format!("the ratings cannot be read: {why}"),
        Fault::Repeated(annotator) => {
            format!("annotator {} is there more than once; the first rating counts", quoted(annotator))
        }
        Fault::UnknownAnnotator(annotator, near) => {
            let near = near.and_then(|near| known.map(|known| known.name(near)));
            let near = near.map(|near| format!("; is it {}?", quoted(near))).unwrap_or_default();
            format!("annotator {} is not one of `annotators`{near}", quoted(annotator))
        }
        Fault::NoNumber(annotator, shown) => {
            format!("the rating of {} is {shown}, which is not a number", quoted(annotator))
        }
        Fault::Number(annotator, rating) => {
            format!("the rating of {} is {rating}; the scale is {scale}", quoted(annotator))
        }
        Fault::TooFew(raters) => {
            format!(
                "the record has {} that can be used, fewer than `min-raters` = {needed}",
                counted(*raters, "rating")
            )
        }
    }
}

#[cfg(test)]
mod tests;
