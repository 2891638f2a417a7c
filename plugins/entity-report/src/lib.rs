//! Precision, recall and F1 of whole entities: what seqeval's `classification_report` gives
//! (<https://github.com/chakki-works/seqeval>), from predictions that are counted batch by batch and never kept. An
//! entity is right when its type and both of its ends are.
//!
//! The prediction is the class with the largest logit, the first of equals. Tokens where the mask does not hold are
//! passed over: the labels of a row that count are one sequence.

/// What the recipe may say.
mod configuration;
/// How many entities there are, were predicted, and were right.
mod counts;
/// Tags, and the entities that they make.
mod tags;

use configuration::{Configuration, SCHEMA};
use counts::{Counts, Scores};
use pegbox_plugin::{Detail, Error, Metric, Plugin, Report, Score, Step, parse_configuration};
use tags::{Tag, Tags, entities};

#[derive(Default)]
struct EntityReport {
    configuration: Configuration,
    counts: Counts,
}

impl Plugin for EntityReport {
    const NAME: &'static str = "pegbox/entity-report";
    const CONFIGURATION_SCHEMA: &'static str = SCHEMA;

    fn configure(json: &str) -> Result<Self, Error> {
        Ok(Self { configuration: parse_configuration(json)?, counts: Counts::default() })
    }
}

impl Metric for EntityReport {
    fn update(&mut self, step: &Step) -> Result<(), Error> {
        let labels = step.labels();
        let [_, tokens] = labels.shape()[..] else {
            let what = format!("it counts tags of tokens; the labels of this task are {:?}", labels.shape());
            return Err(Error::new(what).with_help("take it out of [[metrics]], or set `task = \"tagging\"`"));
        };
        let tags = Tags::new(&step.classes());
        let predictions = step.logits().argmax(-1).read_ints();
        let (labels, mask) = (labels.read_ints(), step.mask().read_ints());
        let width = tokens.max(1) as usize;
        for ((labels, predictions), mask) in
            labels.chunks(width).zip(predictions.chunks(width)).zip(mask.chunks(width))
        {
            self.row(&tags, labels, predictions, mask)?;
        }
        Ok(())
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        self.counts.encode()
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        self.counts.merge(Counts::decode(state)?);
        Ok(())
    }

    fn compute(&self) -> Result<Report, Error> {
        let counts = &self.counts;
        if counts.tokens == 0 {
            return Err(Error::new("there is no label to count: the mask holds nowhere"));
        }
        let score = |name: String, value| Score { name, value, higher_is_better: true };
        let named = |name: &str, scores: Scores| {
            [
                score(format!("{name}-f1"), scores.f1),
                score(format!("{name}-precision"), scores.precision),
                score(format!("{name}-recall"), scores.recall),
            ]
        };
        let mut scores = Vec::from(named("entity", counts.micro()));
        scores.extend(named("macro-entity", counts.macro_average()));
        scores.push(score("token-accuracy".to_owned(), counts.right_tokens as f64 / counts.tokens as f64));
        let details = vec![Detail {
            name: "entities.csv".to_owned(),
            media_type: "text/csv".to_owned(),
            content: table(counts),
        }];
        Ok(Report { scores, details })
    }

    fn reset(&mut self) {
        self.counts = Counts::default();
    }
}

impl EntityReport {
    fn row(&mut self, tags: &Tags, labels: &[i64], predictions: &[i64], mask: &[i64]) -> Result<(), Error> {
        let tag =
            |class: i64| tags.get(class).ok_or_else(|| Error::new(format!("class {class} has no name")));
        let kept = || mask.iter().map(|counts| *counts != 0);
        let of = |classes: &[i64]| -> Result<Vec<Tag>, Error> {
            classes.iter().zip(kept()).filter(|(_, counts)| *counts).map(|(class, _)| tag(*class)).collect()
        };
        let (wanted, found) = (of(labels)?, of(predictions)?);
        self.counts.tokens += wanted.len() as u64;
        self.counts.right_tokens += wanted.iter().zip(&found).filter(|(a, b)| a == b).count() as u64;
        let strict = self.configuration.strict;
        let (wanted, found) = (entities(&wanted, strict), entities(&found, strict));
        let name = |kind: u32| tags.types().get(kind as usize).map_or("", String::as_str);
        for entity in &wanted {
            self.counts.of_type(name(entity.kind)).support += 1;
        }
        for entity in &found {
            let counts = self.counts.of_type(name(entity.kind));
            counts.predicted += 1;
            // Both are in order.
            counts.right += u64::from(wanted.binary_search(entity).is_ok());
        }
        Ok(())
    }
}

/// One line a type, as CSV; types that hold a comma or a quote are quoted.
fn table(counts: &Counts) -> String {
    let mut csv = "type,precision,recall,f1,support,predicted\n".to_owned();
    for (name, counts) in &counts.types {
        let name = match name.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", name.replace('"', "\"\"")),
            false => name.clone(),
        };
        let Scores { precision, recall, f1 } = counts.scores();
        csv +=
            &format!("{name},{precision:.6},{recall:.6},{f1:.6},{},{}\n", counts.support, counts.predicted);
    }
    csv
}

pegbox_plugin::export!(EntityReport: Metric);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::TestStep;

    use super::*;

    const CLASSES: [&str; 5] = ["B-MISC", "B-PER", "I-MISC", "I-PER", "O"];

    /// Rows padded to the longest, whose padding does not count.
    fn step(labels: &[&[&str]], predictions: &[&[&str]]) -> TestStep {
        let width = labels.iter().map(|row| row.len()).max().unwrap();
        let class = |tag: Option<&&str>| tag.map_or(0, |tag| CLASSES.iter().position(|c| c == tag).unwrap());
        let all = |rows: &[&[&str]]| -> Vec<usize> {
            rows.iter().flat_map(|row| (0..width).map(|at| class(row.get(at)))).collect()
        };
        let logits: Vec<[f32; 5]> = all(predictions)
            .into_iter()
            .map(|class| std::array::from_fn(|c| f32::from(u8::from(c == class))))
            .collect();
        let logits: Vec<&[f32]> = logits.iter().map(|row| row.as_slice()).collect();
        let labels_of_all: Vec<i64> = all(labels).into_iter().map(|class| class as i64).collect();
        let mut step = TestStep::classification(&logits, &labels_of_all).tagging(width as u32);
        step.classes = CLASSES.map(String::from).to_vec();
        step.mask = labels.iter().flat_map(|row| (0..width).map(|at| at < row.len())).collect();
        step
    }

    fn scores(metric: &EntityReport) -> Vec<f64> {
        metric.compute().unwrap().scores.iter().map(|score| score.value).collect()
    }

    const TRUE: [&[&str]; 2] =
        [&["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], &["B-PER", "I-PER", "O"]];
    const FOUND: [&[&str]; 2] =
        [&["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], &["B-PER", "I-PER", "O"]];

    #[test]
    fn the_example_of_seqevals_documentation() {
        let mut metric = EntityReport::configure("{}").unwrap();
        step(&TRUE, &FOUND).run(|step| metric.update(step)).unwrap();
        assert_eq!(scores(&metric), [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.8]);
        let table = "type,precision,recall,f1,support,predicted\n\
                     MISC,0.000000,0.000000,0.000000,1,1\nPER,1.000000,1.000000,1.000000,1,1\n";
        assert_eq!(metric.compute().unwrap().details[0].content, table);
    }

    #[test]
    fn strictness_asks_for_a_beginning() {
        let example = step(&[&["B-PER", "I-PER", "O"]], &[&["I-PER", "I-PER", "O"]]);
        let mut lenient = EntityReport::default();
        example.run(|step| lenient.update(step)).unwrap();
        assert_eq!(scores(&lenient)[0], 1.0);
        let mut strict = EntityReport::configure(r#"{"strict": true}"#).unwrap();
        example.run(|step| strict.update(step)).unwrap();
        assert_eq!(scores(&strict)[..3], [0.0; 3]);
    }

    #[test]
    fn batches_and_merged_instances_give_what_one_batch_gives() {
        let mut whole = EntityReport::default();
        step(&TRUE, &FOUND).run(|step| whole.update(step)).unwrap();
        let mut merged = EntityReport::default();
        for row in 0..2 {
            let mut part = EntityReport::default();
            step(&[TRUE[row]], &[FOUND[row]]).run(|step| part.update(step)).unwrap();
            merged.merge(&part.state().unwrap()).unwrap();
        }
        assert_eq!(merged.compute().unwrap(), whole.compute().unwrap());
        merged.reset();
        assert!(merged.compute().is_err());
        assert!(EntityReport::default().merge(&[255]).is_err());
    }

    #[test]
    fn labels_of_texts_are_refused() {
        let step = TestStep::classification(&[&[1.0, 0.0]], &[0]);
        let error = step.run(|step| EntityReport::default().update(step)).unwrap_err();
        assert!(error.message().contains("tags of tokens"), "{}", error.message());
    }
}
