//! Tables read key by key, with every fault noted at its place.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Fault;

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        label: Option<String>,
        help: Option<String>,
    ) {
        self.0.borrow_mut().push(Fault { span, message: message.into(), label, help });
    }

    /// In the order of the file.
    pub(crate) fn take(self) -> Vec<Fault> {
        let mut faults = self.0.into_inner();
        faults.sort_by_key(|fault| fault.span.start);
        faults
    }
}

/// A table that is being read. `finish` notes the keys that nobody asked for.
pub(crate) struct Section<'a, 'i> {
    /// As messages name it: `[train]`, or empty for the whole file.
    name: String,
    span: Range<usize>,
    table: &'a DeTable<'i>,
    known: Vec<&'static str>,
    /// Required keys that are not there, each with its fault.
    missing: Vec<(&'static str, String, String)>,
    faults: &'a Faults,
}

impl<'a, 'i> Section<'a, 'i> {
    pub(crate) fn root(table: &'a DeTable<'i>, faults: &'a Faults) -> Self {
        Self { name: String::new(), span: 0..0, table, known: Vec::new(), missing: Vec::new(), faults }
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(crate) fn fault(&self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.faults.add(span, message, None, help);
    }

    pub(crate) fn keys(&self) -> Vec<(String, Range<usize>)> {
        self.table.keys().map(|key| (key.get_ref().to_string(), key.span())).collect()
    }

    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a string");
        }
        text.map(str::to_string)
    }

    pub(crate) fn required_text(&mut self, key: &'static str, example: &str) -> Option<String> {
        if !self.holds(key) {
            self.get(key);
            self.missing(key, example);
        }
        self.text(key)
    }

    /// One string, or a list of strings; empty where the key is missing.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        if let Some(text) = value.get_ref().as_str() {
            return vec![text.to_string()];
        }
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a string or a list of strings");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(text.to_string()),
                None => self.wrong_type(key, item, "a list of strings"),
            }
        }
        texts
    }

    pub(crate) fn required_texts(&mut self, key: &'static str, example: &str) -> Vec<String> {
        let missing = !self.holds(key);
        let texts = self.texts(key);
        if missing {
            self.missing(key, example);
        }
        texts
    }

    /// One of `choices`: what the key says, and what it means.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.get(key)?;
        let text = self.text(key)?;
        if let Some((_, meaning)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*meaning);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let label = nearest(&text, &names).map(|near| format!("did you mean `{near}`?"));
        self.faults.add(
            value.span(),
            format!(
                "`{key}` cannot be `{text}`{}",
                label.as_ref().map_or(String::new(), |l| format!("; {l}"))
            ),
            None,
            Some(format!("allowed: {}", list(&names))),
        );
        None
    }

    /// A number for which `holds`; `rule` says in words what that is, after "must be".
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        rule: &str,
        holds: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let value = self.get(key)?;
        let Some(number) = as_number(value.get_ref()) else {
            self.wrong_type(key, value, "a number");
            return None;
        };
        if number.is_finite() && holds(number) {
            return Some(number);
        }
        self.fault(value.span(), format!("`{key}` must be {rule}"), None);
        None
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&mut self, key: &'static str, least: u64) -> Option<u64> {
        let value = self.get(key)?;
        let Some(integer) = as_integer(value.get_ref()) else {
            match value.get_ref() {
                DeValue::Integer(_) => self.fault(value.span(), format!("`{key}` is too large"), None),
                _ => self.wrong_type(key, value, "a whole number"),
            }
            return None;
        };
        match u64::try_from(integer) {
            Ok(number) if number >= least => Some(number),
            _ => {
                self.fault(value.span(), format!("`{key}` must be at least {least}"), None);
                None
            }
        }
    }

    pub(crate) fn table(&mut self, key: &'static str) -> Option<Section<'a, 'i>> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table");
            return None;
        };
        Some(self.below(key, value.span(), table))
    }

    /// A table whose name is the user's; a fault where it is none.
    pub(crate) fn named(&self, key: &str) -> Option<Section<'a, 'i>> {
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.below(&format!("\"{key}\""), value.span(), table)),
            _ => {
                self.wrong_type(key, value, "a table");
                None
            }
        }
    }

    /// A string whose key is the user's; a fault where it is none.
    pub(crate) fn named_text(&self, key: &str) -> Option<String> {
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(key, value, "a string");
        }
        text.map(str::to_string)
    }

    pub(crate) fn truth(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        truth
    }

    /// Whether a list stands there.
    pub(crate) fn holds_list(&self, key: &str) -> bool {
        self.table.iter().any(|(name, value)| name.get_ref() == key && value.get_ref().is_array())
    }

    /// Whether a table stands there.
    pub(crate) fn holds_table(&self, key: &str) -> bool {
        self.table.iter().any(|(name, value)| name.get_ref() == key && value.get_ref().is_table())
    }

    /// A list of whole numbers of at least 0; empty where the key is missing.
    pub(crate) fn wholes(&mut self, key: &'static str) -> Vec<u32> {
        let Some(array) = self.get(key).and_then(|value| value.get_ref().as_array()) else {
            return Vec::new();
        };
        let mut numbers = Vec::new();
        for item in array.iter() {
            match as_integer(item.get_ref()).map(u32::try_from) {
                Some(Ok(number)) => numbers.push(number),
                Some(Err(_)) => {
                    self.fault(item.span(), format!("`{key}` must hold numbers of at least 0"), None);
                }
                None => self.wrong_type(key, item, "a list of whole numbers"),
            }
        }
        numbers
    }

    pub(crate) fn required_table(&mut self, key: &'static str, example: &str) -> Option<Section<'a, 'i>> {
        if !self.holds(key) {
            self.get(key);
            let name = if self.name.is_empty() { "the recipe" } else { &self.name };
            let what = if self.name.is_empty() { format!("[{key}]") } else { format!("`{key}`") };
            self.missing.push((key, format!("{name} needs {what}"), format!("for example\n{example}")));
        }
        self.table(key)
    }

    /// `[[key]]`, as often as it stands there.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Section<'a, 'i>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, &format!("a list of tables, [[{}]]", self.path(key)));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => {
                    let mut section = self.below(key, item.span(), table);
                    section.name = format!("[{}]", section.name);
                    sections.push(section);
                }
                None => self.wrong_type(key, item, "a list of tables"),
            }
        }
        sections
    }

    /// A table whose content is a plugin's business.
    pub(crate) fn json(&mut self, key: &'static str) -> serde_json::Value {
        match self.get(key) {
            None => serde_json::Value::Object(serde_json::Map::new()),
            Some(value) if value.get_ref().is_table() => {
                if let Some(span) = misfit(value) {
                    self.fault(span, format!("`{key}` holds a number that is too large, or is none"), None);
                }
                to_json(value.get_ref())
            }
            Some(value) => {
                self.wrong_type(key, value, "a table");
                serde_json::Value::Null
            }
        }
    }

    /// A table of a type that another crate defines, which says itself which keys it has.
    pub(crate) fn typed<T: serde::de::DeserializeOwned + Default>(&mut self, key: &'static str) -> T {
        let value = self.json(key);
        if value.is_null() {
            return T::default();
        }
        serde_json::from_value(value).unwrap_or_else(|error| {
            self.fault(self.span_of(key), format!("`{key}`: {error}"), None);
            T::default()
        })
    }

    pub(crate) fn holds(&self, key: &str) -> bool {
        self.table.keys().any(|name| name.get_ref() == key)
    }

    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or(self.span(), |(_, value)| value.span())
    }

    /// Notes the keys that nobody asked for, and those that are missing; a misspelled one is not missing, too.
    pub(crate) fn finish(self) {
        let unknown = |name: &str| !self.known.contains(&name);
        let strangers: Vec<&str> =
            self.table.keys().map(|key| key.get_ref().as_ref()).filter(|name| unknown(name)).collect();
        for (key, message, help) in &self.missing {
            if !strangers.iter().any(|stranger| nearest(stranger, &self.known) == Some(key)) {
                self.fault(self.span(), message, Some(help.clone()));
            }
        }
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) {
                continue;
            }
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let mut known = self.known.clone();
            known.sort_unstable();
            known.dedup();
            let near = nearest(name, &known);
            let whose = if self.name.is_empty() { "at the top" } else { &self.name };
            self.faults.add(
                key.span(),
                format!("unknown key `{name}`{place}"),
                near.map(|near| format!("did you mean `{near}`?")),
                Some(format!("keys {whose}: {}", known.join(", "))),
            );
        }
    }

    fn below(&self, key: &str, span: Range<usize>, table: &'a DeTable<'i>) -> Section<'a, 'i> {
        let name = format!("[{}]", self.path(key));
        Section { name, span, table, known: Vec::new(), missing: Vec::new(), faults: self.faults }
    }

    fn path(&self, key: &str) -> String {
        match self.name.trim_matches(['[', ']']) {
            "" => key.to_string(),
            name => format!("{name}.{key}"),
        }
    }

    fn missing(&mut self, key: &'static str, example: &str) {
        let message = format!("{} needs `{key}`", self.name);
        self.missing.push((key, message, format!("for example: {key} = {example}")));
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = match value.get_ref() {
            DeValue::Integer(_) => "a whole number".to_string(),
            DeValue::Float(_) => "a number with a fraction".to_string(),
            DeValue::Boolean(_) => "true or false".to_string(),
            DeValue::Array(_) => "a list".to_string(),
            other => format!("a {}", other.type_str()),
        };
        self.fault(value.span(), format!("`{key}` must be {wanted}, this is {found}"), None);
    }
}

fn as_integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(_) => as_integer(value).map(|integer| integer as f64),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

/// Where the first number stands that JSON does not have: it would be lost in silence.
fn misfit(value: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
    let lost = match value.get_ref() {
        DeValue::Integer(_) => as_integer(value.get_ref()).is_none(),
        DeValue::Float(_) => !as_number(value.get_ref()).is_some_and(f64::is_finite),
        DeValue::Array(array) => return array.iter().find_map(misfit),
        DeValue::Table(table) => return table.iter().find_map(|(_, value)| misfit(value)),
        _ => false,
    };
    lost.then(|| value.span())
}

fn to_json(value: &DeValue<'_>) -> serde_json::Value {
    use serde_json::Value;
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(_) => as_integer(value).map_or(Value::Null, Value::from),
        DeValue::Float(_) => as_number(value).map_or(Value::Null, Value::from),
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(array) => array.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// The candidate most like `wrong`, if any is like it.
pub(crate) fn nearest<'c>(wrong: &str, candidates: &[&'c str]) -> Option<&'c str> {
    pegbox_manifest::suggest::nearest(&wrong.replace('_', "-"), candidates.iter().copied())
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
