use std::collections::HashMap;

use pegbox_findings::{Names, quoted, shown};
use pegbox_plugin::Error;

use crate::configuration::{Configuration, Form, Label, Mode};

/// The labels of the schema, numbered in its order, and what they have to do with each other.
#[derive(Clone, Debug)]
pub(crate) struct LabelSet {
    labels: Vec<Label>,
    /// Every name and alias; what it means is a label's number.
    names: Names,
    /// By label: the one that replaces it.
    replacements: Vec<Option<usize>>,
    /// By label: the sets, by number, of which it may be the only one.
    exclusions: Vec<Vec<usize>>,
    /// How many such sets there are.
    pub exclusive_sets: usize,
    /// By label: those that must be there too.
    requirements: Vec<Vec<usize>>,
}

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    Label(usize),
    Alias(usize),
    /// A label or an alias but for letter case, white space, and what joins the words.
    Slip(usize),
    /// Nothing, but it is close to this label.
    Close(usize),
    Nothing,
}

impl LabelSet {
    /// # Errors
    /// Labels that contradict each other.
    pub fn new(configuration: &Configuration) -> Result<Self, Error> {
        let labels = configuration.labels.clone();
        let numbers = numbers(&labels)?;
        check_aliases(&labels)?;
        check_examples(configuration)?;
        check_mode(configuration)?;
        let number = |name: &str, key: &str| {
            numbers.get(name).copied().ok_or_else(|| {
                Error::new(format!("`{key}` has {}, which is not a name in `labels`", quoted(name)))
            })
        };

        let mut replacements = vec![None; labels.len()];
        for (label, replacement) in labels.iter().zip(&mut replacements) {
            let Some(name) = &label.replaced_by else { continue };
            let number = number(name, "replaced-by")?;
            if labels.get(number).is_none_or(Label::is_deprecated) {
                return Err(Error::new(format!(
                    "{} is replaced by {}, which is deprecated, too",
                    quoted(&label.name),
                    quoted(name)
                ))
                .with_help("name the label that is to be used today"));
            }
            *replacement = Some(number);
        }

        let mut exclusions = vec![Vec::new(); labels.len()];
        for (set, names) in configuration.exclude.iter().enumerate() {
            for name in names {
                if let Some(sets) = exclusions.get_mut(number(name, "exclude")?) {
                    sets.push(set);
                }
            }
        }
        let mut requirements = vec![Vec::new(); labels.len()];
        for (name, required) in &configuration.require {
            let label = number(name, "require")?;
            for other in required {
                let required = number(other, "require")?;
                let (Some(ours), Some(theirs)) = (exclusions.get(label), exclusions.get(required)) else {
                    continue;
                };
                if label != required && ours.iter().any(|set| theirs.contains(set)) {
                    let (name, other) = (quoted(name), quoted(other));
                    return Err(Error::new(format!(
                        "{name} requires {other}, and `exclude` forbids the two"
                    ))
                    .with_help("take one of the two rules back"));
                }
                if let Some(all) = requirements.get_mut(label) {
                    all.push(required);
                }
            }
        }

        let spellings = labels.iter().enumerate().flat_map(|(number, label)| {
            [&label.name].into_iter().chain(&label.aliases).map(move |name| (name.clone(), number))
        });
        let names = Names::with_meanings(spellings);
        let exclusive_sets = configuration.exclude.len();
        Ok(Self { labels, names, replacements, exclusions, exclusive_sets, requirements })
    }

    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    pub fn name(&self, number: usize) -> &str {
        self.labels.get(number).map_or("", |label| &label.name)
    }

    /// The label with its definition, for a message.
    pub fn told(&self, number: usize) -> String {
        let definition = self.labels.get(number).map_or("", |label| &label.definition);
        format!("{} ({})", quoted(self.name(number)), shown(definition.trim_end_matches('.')))
    }

    pub fn is_deprecated(&self, number: usize) -> bool {
        self.labels.get(number).is_some_and(Label::is_deprecated)
    }

    pub fn replacement(&self, number: usize) -> Option<usize> {
        self.replacements.get(number).copied().flatten()
    }

    /// The sets, by number, of which `number` may be the only label in a record.
    pub fn exclusions(&self, number: usize) -> &[usize] {
        self.exclusions.get(number).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn requirements(&self, number: usize) -> &[usize] {
        self.requirements.get(number).map(Vec::as_slice).unwrap_or_default()
    }

    /// The label that `written` is, exactly.
    pub fn exactly(&self, written: &str) -> Option<usize> {
        let place = self.names.place(written)?;
        let number = self.names.meaning(place);
        (self.name(number) == written).then_some(number)
    }

    pub fn meaning(&mut self, written: &str) -> Meaning {
        if let Some(number) = self.exactly(written) {
            return Meaning::Label(number);
        }
        if let Some(place) = self.names.place(written) {
            return Meaning::Alias(self.names.meaning(place));
        }
        match self.names.nearest(written) {
            Some(near) if near.same => Meaning::Slip(near.meaning),
            Some(near) => Meaning::Close(near.meaning),
            None => Meaning::Nothing,
        }
    }
}

fn numbers(labels: &[Label]) -> Result<HashMap<&str, usize>, Error> {
    let mut numbers = HashMap::with_capacity(labels.len());
    for (number, label) in labels.iter().enumerate() {
        if label.name.trim() != label.name || label.name.is_empty() {
            return Err(Error::new(format!(
                "the label {} is blank, or has white space at an end",
                quoted(&label.name)
            )));
        }
        if numbers.insert(label.name.as_str(), number).is_some() {
            return Err(Error::new(format!("`labels` has {} twice", quoted(&label.name))));
        }
    }
    Ok(numbers)
}

fn check_aliases(labels: &[Label]) -> Result<(), Error> {
    let mut taken: HashMap<&str, &str> =
        labels.iter().map(|label| (label.name.as_str(), label.name.as_str())).collect();
    for label in labels {
        for alias in &label.aliases {
            if let Some(other) = taken.insert(alias, &label.name) {
                return Err(Error::new(format!(
                    "{} is an alias of {}, and also names {}",
                    quoted(alias),
                    quoted(&label.name),
                    quoted(other)
                ))
                .with_help("a name means one label"));
            }
        }
    }
    Ok(())
}

fn check_examples(configuration: &Configuration) -> Result<(), Error> {
    if configuration.mode == Mode::Multi {
        return Ok(());
    }
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for label in &configuration.labels {
        for example in &label.examples {
            if let Some(other) = seen.insert(example.trim(), &label.name).filter(|other| *other != label.name)
            {
                return Err(Error::new(format!(
                    "the example {} stands under {} and under {}",
                    quoted(example),
                    quoted(other),
                    quoted(&label.name)
                ))
                .with_help("a record has one label: say which of the two, and let the definitions say why"));
            }
        }
    }
    Ok(())
}

/// What only several labels can have, and what they can.
fn check_mode(configuration: &Configuration) -> Result<(), Error> {
    let Configuration { labels, separator, min_labels, max_labels, exclude, require, .. } = configuration;
    if configuration.mode == Mode::Single {
        let said = [
            ("form", configuration.form != Form::Auto),
            ("separator", separator != ","),
            ("min-labels", *min_labels != 1),
            ("max-labels", max_labels.is_some_and(|most| most != 1)),
            ("exclude", !exclude.is_empty()),
            ("require", !require.is_empty()),
        ];
        return match said.iter().find(|(_, said)| *said) {
            Some((key, _)) => Err(Error::new(format!("`{key}` is about records with several labels"))
                .with_help("say mode = \"multi\", or leave it out")),
            None => Ok(()),
        };
    }
    if let Some(most) = max_labels.filter(|most| most < min_labels) {
        return Err(Error::new(format!("`max-labels` = {most} is less than `min-labels` = {min_labels}"))
            .with_help("no record can have so many labels; raise the one or lower the other"));
    }
    if *min_labels as usize > labels.len() {
        return Err(Error::new(format!(
            "`min-labels` = {min_labels} is more than the {} labels that there are",
            labels.len()
        )));
    }
    let in_name = |label: &&Label| label.name.contains(separator.as_str());
    match labels.iter().find(in_name).filter(|_| configuration.form != Form::List) {
        Some(label) => Err(Error::new(format!(
            "the label {} has the separator {} in it",
            quoted(&label.name),
            quoted(separator)
        ))
        .with_help("say another `separator`, or form = \"list\"")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label_set(json: &str) -> Result<LabelSet, Error> {
        LabelSet::new(&serde_json::from_str(json).unwrap())
    }

    #[track_caller]
    fn refused(labels: &str, others: &str, message: &str) {
        let error = label_set(&format!(r#"{{ "labels": [{labels}] {others} }}"#)).unwrap_err();
        assert_eq!(error.message(), message);
    }

    const A: &str = r#"{ "name": "a", "definition": "A." }"#;

    #[test]
    fn names_mean_what_they_are_close_to() {
        let json = r#"{ "labels": [
            { "name": "card_arrival", "definition": "When the card comes.", "aliases": ["card arrival", "delivery"] },
            { "name": "login", "definition": "Getting in." }
        ] }"#;
        let mut labels = label_set(json).unwrap();
        for (written, meaning) in [
            ("login", Meaning::Label(1)),
            ("delivery", Meaning::Alias(0)),
            ("card arrival", Meaning::Alias(0)),
            ("Card-Arrival ", Meaning::Slip(0)),
            ("DELIVERY", Meaning::Slip(0)),
            ("logn", Meaning::Close(1)),
            ("refund", Meaning::Nothing),
        ] {
            assert_eq!(labels.meaning(written), meaning, "{written}");
        }
        assert_eq!(labels.told(0), "`card_arrival` (When the card comes)");
    }

    #[test]
    fn labels_that_contradict_each_other_are_refused() {
        refused(&format!("{A}, {A}"), "", "`labels` has `a` twice");
        refused(
            r#"{ "name": "a ", "definition": "" }"#,
            "",
            "the label `a ` is blank, or has white space at an end",
        );
        refused(
            &format!(r#"{A}, {{ "name": "b", "definition": "B.", "aliases": ["a"] }}"#),
            "",
            "`a` is an alias of `b`, and also names `a`",
        );
        refused(
            r#"{ "name": "a", "definition": "A.", "replaced-by": "c" }"#,
            "",
            "`replaced-by` has `c`, which is not a name in `labels`",
        );
        refused(
            r#"{ "name": "a", "definition": "A.", "replaced-by": "a" }"#,
            "",
            "`a` is replaced by `a`, which is deprecated, too",
        );
        refused(
            r#"{ "name": "a", "definition": "A.", "examples": ["x"] },
               { "name": "b", "definition": "B.", "examples": [" x"] }"#,
            "",
            "the example ` x` stands under `a` and under `b`",
        );
    }

    #[test]
    fn rules_that_cannot_hold_are_refused() {
        let two = r#"{ "name": "a", "definition": "A." }, { "name": "b", "definition": "B." }"#;
        refused(two, r#", "max-labels": 2"#, "`max-labels` is about records with several labels");
        refused(two, r#", "exclude": [["a", "b"]]"#, "`exclude` is about records with several labels");
        let multi = |rest: &str| format!(r#", "mode": "multi", {rest}"#);
        refused(
            two,
            &multi(r#""min-labels": 2, "max-labels": 1"#),
            "`max-labels` = 1 is less than `min-labels` = 2",
        );
        refused(
            two,
            &multi(r#""min-labels": 3"#),
            "`min-labels` = 3 is more than the 2 labels that there are",
        );
        refused(two, &multi(r#""separator": "b""#), "the label `b` has the separator `b` in it");
        refused(
            two,
            &multi(r#""require": { "c": ["a"] }"#),
            "`require` has `c`, which is not a name in `labels`",
        );
        refused(
            two,
            &multi(r#""exclude": [["a", "b"]], "require": { "a": ["b"] }"#),
            "`a` requires `b`, and `exclude` forbids the two",
        );
    }
}
