//! Precision, recall and F1, as scikit-learn has them: what would divide by 0 is 0, and averages go over the
//! classes that occur, as label or as prediction.

use crate::confusion::Confusion;

/// The scores of one class.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct OfClass {
    /// Labels of the class.
    pub support: u64,
    /// Predictions of the class.
    pub predicted: u64,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Average {
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

pub struct Scores {
    pub accuracy: f64,
    /// The mean over the classes that occur.
    pub macro_average: Average,
    /// The mean over the labels, each with the scores of its class.
    pub weighted_average: Average,
    /// Index = class id.
    pub classes: Vec<OfClass>,
}

/// None when nothing was counted.
pub fn of(confusion: &Confusion) -> Option<Scores> {
    let mut right = vec![0; confusion.classes().len()];
    let mut classes = vec![OfClass::default(); confusion.classes().len()];
    for (label, prediction, count) in confusion.pairs() {
        classes.get_mut(label)?.support += count;
        classes.get_mut(prediction)?.predicted += count;
        if label == prediction {
            right[label] = count;
        }
    }
    for (class, right) in classes.iter_mut().zip(&right) {
        class.precision = ratio(*right, class.predicted);
        class.recall = ratio(*right, class.support);
        class.f1 = ratio(2 * right, class.support + class.predicted);
    }
    let labels: u64 = classes.iter().map(|class| class.support).sum();
    if labels == 0 {
        return None;
    }
    let occurs = |class: &OfClass| f64::from(u8::from(class.support + class.predicted > 0));
    Some(Scores {
        accuracy: ratio(right.iter().sum(), labels),
        macro_average: average(&classes, occurs),
        weighted_average: average(&classes, |class| class.support as f64),
        classes,
    })
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn average(classes: &[OfClass], weight: impl Fn(&OfClass) -> f64) -> Average {
    let total: f64 = classes.iter().map(&weight).sum();
    let mean = |score: fn(&OfClass) -> f64| {
        classes.iter().map(|class| weight(class) * score(class)).sum::<f64>() / total
    };
    Average {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        f1: mean(|class| class.f1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(classes: u32, labels: &[i64], predictions: &[i64]) -> Scores {
        let mut confusion = Confusion::new(Vec::new(), classes);
        confusion.count(labels, predictions, &vec![1; labels.len()]).unwrap();
        of(&confusion).unwrap()
    }

    #[track_caller]
    fn near(found: &Average, expected: [f64; 3]) {
        for (found, expected) in [found.precision, found.recall, found.f1].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
    }

    #[test]
    fn the_example_of_scikit_learns_documentation() {
        let scores = counted(3, &[0, 1, 2, 2, 2], &[0, 0, 2, 2, 1]);
        assert_eq!(scores.accuracy, 0.6);
        near(&scores.macro_average, [0.5, 0.555556, 0.488889]);
        near(&scores.weighted_average, [0.7, 0.6, 0.613333]);
        assert_eq!(scores.classes[1], OfClass { support: 1, predicted: 1, ..OfClass::default() });
        assert_eq!(scores.classes[2].f1, 0.8);
    }

    #[test]
    fn a_class_that_never_occurs_does_not_lower_the_average() {
        // Class 3 is predicted but never right, class 2 and 4 do not occur.
        let scores = counted(5, &[0, 0, 1, 1], &[0, 3, 1, 1]);
        near(&scores.macro_average, [2.0 / 3.0, 0.5, (2.0 / 3.0 + 1.0) / 3.0]);
        near(&scores.weighted_average, [1.0, 0.75, 5.0 / 6.0]);
    }

    #[test]
    fn nothing_has_no_scores() {
        assert!(of(&Confusion::default()).is_none());
        assert!(of(&Confusion::new(Vec::new(), 3)).is_none());
    }
}
