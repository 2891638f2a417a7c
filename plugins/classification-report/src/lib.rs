//! Accuracy, precision, recall and F1, by class and on average, and the confusion matrix: what scikit-learn's
//! `classification_report` gives, from predictions that are counted batch by batch and never kept.
//!
//! The prediction is the class with the largest logit, the first of equals. Labels where the mask does not
//! hold do not count; every other counts once, whatever its weight.

/// How often each class was taken for each.
mod confusion;
/// The numbers made of that.
mod scores;
/// The details as CSV.
mod tables;

use confusion::Confusion;
use pegbox_plugin::{Detail, Error, Metric, Plugin, Report, Score, Step, parse_configuration};
use serde::Deserialize;

#[derive(Default)]
struct ClassificationReport {
    confusion: Confusion,
}

/// There is nothing to configure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {}

impl Plugin for ClassificationReport {
    const NAME: &'static str = "pegbox/classification-report";
    const CONFIGURATION_SCHEMA: &'static str = r#"{ "type": "object", "additionalProperties": false }"#;

    fn configure(json: &str) -> Result<Self, Error> {
        parse_configuration::<Configuration>(json)?;
        Ok(Self::default())
    }
}

impl Metric for ClassificationReport {
    fn update(&mut self, step: &Step) -> Result<(), Error> {
        let logits = step.logits();
        if self.confusion.is_new() {
            let classes = logits.shape().last().copied().unwrap_or(0);
            self.confusion = Confusion::new(step.classes(), classes);
        }
        // Three short lists of numbers are all that leaves the device.
        let predictions = logits.argmax(-1).read_ints();
        let labels = step.labels().read_ints();
        let mask = step.mask().read_ints();
        self.confusion.count(&labels, &predictions, &mask)
    }

    fn state(&self) -> Result<Vec<u8>, Error> {
        self.confusion.encode()
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), Error> {
        self.confusion.merge(Confusion::decode(state)?)
    }

    fn compute(&self) -> Result<Report, Error> {
        let scores = scores::of(&self.confusion)
            .ok_or_else(|| Error::new("there is no label to count: the mask holds nowhere"))?;
        let score = |name: &str, value| Score { name: name.to_owned(), value, higher_is_better: true };
        let average = |name: &str, average: &scores::Average| {
            [
                score(&format!("{name}-precision"), average.precision),
                score(&format!("{name}-recall"), average.recall),
                score(&format!("{name}-f1"), average.f1),
            ]
        };
        let mut all = vec![score("accuracy", scores.accuracy)];
        all.extend(average("macro", &scores.macro_average));
        all.extend(average("weighted", &scores.weighted_average));

        let csv = |name: &str, content| Detail {
            name: name.to_owned(),
            media_type: "text/csv".to_owned(),
            content,
        };
        let mut details = vec![csv("per-class.csv", tables::per_class(&self.confusion, &scores))];
        if let Some(matrix) = tables::confusion_matrix(&self.confusion) {
            details.push(csv("confusion-matrix.csv", matrix));
        }
        Ok(Report { scores: all, details })
    }

    fn reset(&mut self) {
        self.confusion = Confusion::default();
    }
}

pegbox_plugin::export!(ClassificationReport: Metric);

#[cfg(test)]
mod tests {
    use pegbox_plugin::testing::TestStep;

    use super::*;

    fn step(labels: &[i64], predictions: &[usize]) -> TestStep {
        let rows: Vec<[f32; 3]> = predictions
            .iter()
            .map(|class| std::array::from_fn(|c| f32::from(u8::from(c == *class))))
            .collect();
        let rows: Vec<&[f32]> = rows.iter().map(|row| row.as_slice()).collect();
        TestStep::classification(&rows, labels)
    }

    fn update(metric: &mut ClassificationReport, step: &TestStep) {
        step.run(|step| metric.update(step)).unwrap();
    }

    #[test]
    fn batches_and_merged_instances_give_what_one_batch_gives() {
        let mut one = ClassificationReport::configure("{}").unwrap();
        update(&mut one, &step(&[0, 1, 2, 2, 2], &[0, 0, 2, 2, 1]));
        let whole = one.compute().unwrap();

        let mut first = ClassificationReport::default();
        update(&mut first, &step(&[0, 1], &[0, 0]));
        let mut second = ClassificationReport::default();
        update(&mut second, &step(&[2, 2], &[2, 2]));
        update(&mut second, &step(&[2], &[1]));
        let mut merged = ClassificationReport::default();
        for part in [&first, &second, &ClassificationReport::default()] {
            merged.merge(&part.state().unwrap()).unwrap();
        }
        assert_eq!(merged.compute().unwrap(), whole);
        merged.reset();
        assert!(merged.compute().is_err());
    }

    #[test]
    fn masked_labels_do_not_count() {
        let mut step = step(&[0, 1, 2, 0], &[0, 0, 2, 2]).tagging(2);
        step.mask = vec![true, false, true, false];
        let mut metric = ClassificationReport::default();
        update(&mut metric, &step);
        assert_eq!(metric.compute().unwrap().scores[0].value, 1.0);
    }

    #[test]
    fn nothing_is_configured() {
        assert!(ClassificationReport::configure(r#"{"average": "macro"}"#).is_err());
    }
}
