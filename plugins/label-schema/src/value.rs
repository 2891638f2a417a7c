use std::borrow::Cow;

use pegbox_findings::Text;

use crate::configuration::Form;

/// The labels of a record as its value has them, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Written<'a> {
    pub labels: Vec<Cow<'a, str>>,
    /// What stands between them; none in a JSON list.
    joint: Option<Cow<'a, str>>,
}

impl<'a> Written<'a> {
    /// Reads the value of a record with several labels.
    ///
    /// # Errors
    /// It should be a JSON list of texts, and is not; the error says why.
    pub fn read(value: &'a str, form: Form, separator: &'a str) -> Result<Self, String> {
        let list = match form {
            Form::Auto => value.trim_start().starts_with('['),
            Form::List => true,
            Form::Separated => false,
        };
        if list {
            let texts: Vec<Text<'a>> = serde_json::from_str(value).map_err(|error| error.to_string())?;
            let labels = texts.into_iter().map(|text| text.0).collect();
            return Ok(Self { labels, joint: None });
        }
        let labels = value.split(separator).map(|label| Cow::Borrowed(label.trim())).collect();
        // As it is written already.
        let spaced = value.split_once(separator).is_some_and(|(_, rest)| rest.starts_with(' '));
        let joint = if spaced { Cow::Owned(format!("{separator} ")) } else { Cow::Borrowed(separator) };
        Ok(Self { labels, joint: Some(joint) })
    }

    /// Other labels, written in the same way.
    pub fn written<'b>(&self, labels: impl Iterator<Item = &'b str>) -> String {
        match &self.joint {
            Some(joint) => labels.collect::<Vec<_>>().join(joint),
            None => serde_json::Value::from_iter(labels).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, form: Form) -> Result<(Vec<String>, String), String> {
        let written = Written::read(value, form, ";")?;
        let again = written.written(written.labels.iter().map(AsRef::as_ref));
        Ok((written.labels.into_iter().map(Cow::into_owned).collect(), again))
    }

    #[track_caller]
    fn reads(value: &str, form: Form, labels: &[&str], again: &str) {
        let (found, written) = read(value, form).unwrap();
        assert_eq!(
            (found, written.as_str()),
            (labels.iter().map(|label| (*label).to_owned()).collect(), again)
        );
    }

    #[test]
    fn both_forms_are_read_and_written() {
        reads(r#"["a", "b \u00e4"]"#, Form::Auto, &["a", "b ä"], r#"["a","b ä"]"#);
        reads("[]", Form::List, &[], "[]");
        reads("a;b", Form::Auto, &["a", "b"], "a;b");
        reads(" a ; b;", Form::Auto, &["a", "b", ""], "a; b; ");
        reads("[a", Form::Separated, &["[a"], "[a");
    }

    #[test]
    fn what_is_no_list_of_texts_is_refused() {
        for value in ["a", r#"["a", 1]"#, r#"["a""#, r#"{"a": 1}"#, r#"["a"] b"#] {
            assert!(read(value, Form::List).is_err(), "{value}");
        }
    }
}
