use pegbox_findings::{Object, json_text};
use serde_json::value::RawValue;

use crate::configuration::Keys;

/// What is to change in a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mend<'a> {
    /// It goes.
    pub drop: bool,
    /// New start and end, in the unit of the recipe.
    pub place: Option<(usize, usize)>,
    pub label: Option<&'a str>,
    /// What it says, if it says something.
    pub text: Option<&'a str>,
}

/// The list of spans in `json` with these changes, one for each; everything else stays as it is written. None if
/// `json` is no such list.
pub(crate) fn mended(json: &str, keys: &Keys, mends: &[Mend<'_>]) -> Option<String> {
    let spans: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let mut written = String::with_capacity(json.len());
    for (span, mend) in spans.iter().zip(mends) {
        if mend.drop {
            continue;
        }
        written.push(if written.is_empty() { '[' } else { ',' });
        if *mend == Mend::default() {
            written.push_str(span.get());
        } else {
            written.push_str(&one(span.get(), keys, mend)?);
        }
    }
    written.push_str(if written.is_empty() { "[]" } else { "]" });
    Some(written)
}

fn one(json: &str, keys: &Keys, mend: &Mend<'_>) -> Option<String> {
    if !json.starts_with('[') {
        return Some(Object::read(json)?.written(|key, _| changed(key, keys, mend)));
    }
    let values: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let names = [&keys.start, &keys.end, &keys.label, &keys.text];
    let names = names.into_iter().map(Some).chain(std::iter::repeat(None));
    let values = values.iter().zip(names).map(|(value, name)| {
        name.and_then(|name| changed(name, keys, mend)).unwrap_or_else(|| value.get().to_owned())
    });
    Some(format!("[{}]", values.collect::<Vec<_>>().join(",")))
}

/// The new value of `key` as JSON, if it changes.
fn changed(key: &str, keys: &Keys, mend: &Mend<'_>) -> Option<String> {
    if key == keys.start {
        mend.place.map(|(start, _)| start.to_string())
    } else if key == keys.end {
        mend.place.map(|(_, end)| end.to_string())
    } else if key == keys.label {
        mend.label.map(json_text)
    } else if key == keys.text {
        mend.text.map(json_text)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_mended_changes() {
        let json = r#"[ {"id": 7, "start": 1, "end": 5, "label": "per", "text": " Ann", "score": 0.50},
            [0, 3, "ORG", "x", true], {"start" : 0, "end": 1}, [4, 5] ]"#;
        let whole = Mend { place: Some((2, 5)), label: Some("PER"), text: Some("\"Ann"), ..Mend::default() };
        let moved = Mend { place: Some((1, 3)), ..Mend::default() };
        let mends = [whole, moved, Mend::default(), Mend { drop: true, ..Mend::default() }];
        assert_eq!(
            mended(json, &Keys::default(), &mends).unwrap(),
            r#"[{"id":7,"start":2,"end":5,"label":"PER","text":"\"Ann","score":0.50},[1,3,"ORG","x",true],{"start" : 0, "end": 1}]"#
        );
    }

    #[test]
    fn nothing_may_be_left() {
        let drop = Mend { drop: true, ..Mend::default() };
        assert_eq!(mended("[[0, 1]]", &Keys::default(), &[drop]).unwrap(), "[]");
        assert_eq!(mended("x", &Keys::default(), &[drop]), None);
    }
}
