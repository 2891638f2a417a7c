//! The details as CSV (RFC 4180).

use std::borrow::Cow;

use crate::confusion::Confusion;
use crate::scores::Scores;

/// A matrix of more classes is of no use to a reader, and large.
const MOST_CLASSES: usize = 1000;

/// One line a class, in the order of class ids.
pub fn per_class(confusion: &Confusion, scores: &Scores) -> String {
    let mut csv = "class,precision,recall,f1,support,predicted\n".to_owned();
    for (name, class) in confusion.classes().iter().zip(&scores.classes) {
        let (precision, recall, f1) = (class.precision, class.recall, class.f1);
        csv += &format!(
            "{},{precision:.6},{recall:.6},{f1:.6},{},{}\n",
            field(name),
            class.support,
            class.predicted
        );
    }
    csv
}

/// One line a label, one column a prediction; none for more than 1000 classes.
pub fn confusion_matrix(confusion: &Confusion) -> Option<String> {
    let classes = confusion.classes();
    if classes.len() > MOST_CLASSES {
        return None;
    }
    let mut csv = "label \\ prediction".to_owned();
    for name in classes {
        csv += ",";
        csv += &field(name);
    }
    csv += "\n";
    for (label, name) in classes.iter().enumerate() {
        csv += &field(name);
        for prediction in 0..classes.len() {
            csv += &format!(",{}", confusion.get(label, prediction));
        }
        csv += "\n";
    }
    Some(csv)
}

fn field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores;

    #[test]
    fn tables_are_in_the_order_of_classes_and_quoted_where_needed() {
        let names = vec!["fee, hidden".to_owned(), "refund".to_owned()];
        let mut confusion = Confusion::new(names, 2);
        confusion.count(&[0, 0, 1], &[0, 1, 1], &[1, 1, 1]).unwrap();
        let scores = scores::of(&confusion).unwrap();
        assert_eq!(
            per_class(&confusion, &scores),
            "class,precision,recall,f1,support,predicted\n\
             \"fee, hidden\",1.000000,0.500000,0.666667,2,1\n\
             refund,0.500000,1.000000,0.666667,1,2\n"
        );
        assert_eq!(
            confusion_matrix(&confusion).unwrap(),
            "label \\ prediction,\"fee, hidden\",refund\n\"fee, hidden\",1,1\nrefund,0,1\n"
        );
        assert!(confusion_matrix(&Confusion::new(Vec::new(), 1001)).is_none());
    }
}
