//! `reference/recipe.md`, `manifest.md` and `policy.md`: a page from a JSON Schema of a TOML file.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const WHOLE: &str = "The file";

/// A table of the file that awaits its section.
struct Table {
    /// As TOML writes it: `[data.split]`, `[[data.clean]]`, or the key alone of what is written on one line.
    title: String,
    /// What the keys of a table below this one begin with, such as `data.`; none below a table that is written on one
    /// line.
    path: Option<String>,
    node: Map<String, Value>,
}

/// A page with one section for each table of the file that `schema` describes.
///
/// # Errors
/// The schema has something that this does not know.
pub fn page(schema: &Value, introduction: &str) -> Result<String> {
    let root = Described { root: schema };
    let whole = root.resolved(schema)?;
    let title = whole.get("title").and_then(Value::as_str).context("the schema has no title")?;
    let mut page = format!("# {title}\n\n{introduction}\n");
    let mut seen = BTreeSet::new();
    root.table(&mut page, Table { title: WHOLE.into(), path: Some(String::new()), node: whole }, &mut seen)?;
    Ok(page)
}

struct Described<'s> {
    root: &'s Value,
}

impl Described<'_> {
    /// One section, and those of the tables in it that have none yet.
    fn table(&self, page: &mut String, table: Table, seen: &mut BTreeSet<String>) -> Result<()> {
        let Table { title, path, node } = table;
        let _ = match title.as_str() {
            WHOLE => write!(page, "\n## {title}\n\n"),
            _ => write!(page, "\n## `{title}`\n\n"),
        };
        if let Some(text) = description(&node) {
            let _ = write!(page, "{text}\n\n");
        }
        page.push_str("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
        let required = node.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        let properties = node.get("properties").and_then(Value::as_object).context("a table without keys")?;
        // What is required comes first, in the schema's order; whether a map keeps its order is a matter of how
        // this was built.
        let mut keys: Vec<&String> = properties.keys().collect();
        keys.sort_by_key(|key| {
            (required.iter().position(|name| name == key).unwrap_or(required.len()), *key)
        });
        let mut below = Vec::new();
        for key in keys {
            let property = &properties[key];
            let property = self.resolved(property)?;
            let inner = self.inner(key, path.as_deref(), &property)?;
            let value = match &inner {
                Some(table) => format!("[{}](#{})", spoken(&property), anchor(&table.title)),
                None => self.value(&property)?,
            };
            let default = match property.get("default") {
                _ if required.contains(&key.as_str()) => "required".to_owned(),
                Some(default) => format!("`{}`", toml(default)),
                None => String::new(),
            };
            let mut meaning = description(&property).unwrap_or_default().replace('\n', " ");
            if inner.is_none() {
                meaning.push_str(&example(&property));
            }
            let row = [format!("`{key}`"), value, default, meaning.trim().to_owned()];
            let _ = writeln!(page, "| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
            below.extend(inner);
        }
        for table in below {
            if seen.insert(table.title.clone()) {
                self.table(page, table, seen)?;
            }
        }
        Ok(())
    }

    /// The table that a key stands for, if it is one with keys of its own.
    fn inner(&self, key: &str, path: Option<&str>, property: &Map<String, Value>) -> Result<Option<Table>> {
        let is_table = |node: &Map<String, Value>| node.contains_key("properties");
        if is_table(property) {
            let (title, path) = match path {
                // Short ones that recur are written on one line.
                Some(path) if !path.ends_with(']') => {
                    (format!("[{path}{key}]"), Some(format!("{path}{key}.")))
                }
                _ => (key.to_owned(), None),
            };
            return Ok(Some(Table { title, path, node: property.clone() }));
        }
        if let Some(items) = property.get("items") {
            let items = self.resolved(items)?;
            if is_table(&items) {
                let title = format!("[[{}{key}]]", path.unwrap_or_default());
                return Ok(Some(Table { title, path: None, node: items }));
            }
        }
        let named =
            property.get("patternProperties").and_then(Value::as_object).and_then(|all| all.values().next());
        let named = named.or_else(|| property.get("additionalProperties"));
        if let Some(named) = named.filter(|named| named.is_object()) {
            let node = self.resolved(named)?;
            if is_table(&node) {
                let name = if property.contains_key("patternProperties") { "\"team/name\"" } else { "NAME" };
                let title = format!("[{}{key}.{name}]", path.unwrap_or_default());
                return Ok(Some(Table { title, path: None, node }));
            }
        }
        for choice in choices(property) {
            let choice = self.resolved(choice)?;
            if is_table(&choice) {
                let mut table = choice;
                table.extend(
                    property
                        .iter()
                        .filter(|(key, _)| *key == "description")
                        .map(|(k, v)| (k.clone(), v.clone())),
                );
                return self.inner(key, path.map(|_| "]"), &table).map(|found| {
                    found.map(|found| match path {
                        // A table of its own, where it has no other form.
                        Some(path) if choices(property).filter(|node| !is_null(node)).count() == 1 => Table {
                            title: format!("[{path}{key}]"),
                            path: Some(format!("{path}{key}.")),
                            ..found
                        },
                        _ => found,
                    })
                });
            }
        }
        Ok(None)
    }

    /// A value in words.
    fn value(&self, node: &Map<String, Value>) -> Result<String> {
        if let Some(names) = self.names(node)? {
            return Ok(either(&names));
        }
        let types: Vec<&str> = match node.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
            }
            _ => Vec::new(),
        };
        match types[..] {
            [] => {
                let mut words = Vec::new();
                for choice in choices(node).filter(|choice| !is_null(choice)) {
                    words.push(self.value(&self.resolved(choice)?)?);
                }
                match words.is_empty() {
                    true => bail!("a value without a type: {}", Value::Object(node.clone())),
                    false => Ok(either(&words)),
                }
            }
            ["string"] => Ok("a string".to_owned()),
            ["boolean"] => Ok("`true` or `false`".to_owned()),
            ["integer"] => Ok(format!("a whole number{}", bounds(node))),
            ["number"] => Ok(format!("a number{}", bounds(node))),
            ["array"] => {
                let items = node.get("items").context("a list of what?")?;
                Ok(format!("a list of {}", plural(&self.value(&self.resolved(items)?)?)))
            }
            ["object"] => match node.get("additionalProperties") {
                Some(named) if named.is_object() => {
                    Ok(format!("a table of names and {}", plural(&self.value(&self.resolved(named)?)?)))
                }
                _ => Ok("a table".to_owned()),
            },
            _ => bail!("a value of several types: {}", Value::Object(node.clone())),
        }
    }

    /// The values, if they are a list of fixed ones.
    fn names(&self, node: &Map<String, Value>) -> Result<Option<Vec<String>>> {
        let shown = |value: &Value| format!("`{}`", toml(value));
        if let Some(names) = node.get("enum").and_then(Value::as_array) {
            return Ok(Some(names.iter().map(shown).collect()));
        }
        if let Some(only) = node.get("const") {
            return Ok(Some(vec![shown(only)]));
        }
        let mut all = Vec::new();
        for choice in choices(node).filter(|choice| !is_null(choice)) {
            match self.names(&self.resolved(choice)?)? {
                Some(names) => all.extend(names),
                None => return Ok(None),
            }
        }
        Ok((!all.is_empty()).then_some(all))
    }

    /// `node` and what it refers to, in one; its own words win.
    fn resolved(&self, node: &Value) -> Result<Map<String, Value>> {
        let node = node.as_object().context("a part of the schema is not an object")?;
        let mut whole = match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let pointer = reference.strip_prefix('#').context("a reference to another file")?;
                self.resolved(
                    self.root.pointer(pointer).with_context(|| format!("there is no {reference}"))?,
                )?
            }
            None => Map::new(),
        };
        whole.extend(node.iter().map(|(key, value)| (key.clone(), value.clone())));
        Ok(whole)
    }
}

fn choices(node: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let lists = ["oneOf", "anyOf"].into_iter().filter_map(|key| node.get(key)).filter_map(Value::as_array);
    lists.flatten().filter(|choice| choice.get("required").is_none_or(|_| choice.get("type").is_some()))
}

fn is_null(node: &Value) -> bool {
    node.get("type").is_some_and(|name| name == "null")
}

fn description(node: &Map<String, Value>) -> Option<String> {
    node.get("description").and_then(Value::as_str).map(str::to_owned)
}

fn spoken(node: &Map<String, Value>) -> &'static str {
    let is_list = |name: &Value| name == "array";
    if node.get("type").is_some_and(is_list) {
        return "tables";
    }
    match choices(node).any(|choice| choice.get("type").is_some_and(is_list)) {
        true => "a table, or a list of them",
        false => "a table",
    }
}

/// ` Such as ...`, where an example tells more than the words.
fn example(node: &Map<String, Value>) -> String {
    let example = node.get("examples").and_then(|examples| examples.get(0));
    let tells =
        |example: &&Value| !example.is_number() && !example.is_boolean() && !node.contains_key("enum");
    let shown = example.filter(tells).map(toml).filter(|text| text.len() < 40);
    shown.map_or(String::new(), |text| format!(" Such as `{text}`."))
}

/// `a`, `b` or `c`.
fn either(words: &[String]) -> String {
    match words {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        words => words.concat(),
    }
}

/// `, at least 1`, `, above 0 and below 1`, `, 1 to 64`.
fn bounds(node: &Map<String, Value>) -> String {
    if let (Some(least), Some(most)) = (node.get("minimum"), node.get("maximum")) {
        return format!(", {least} to {most}");
    }
    let words = [
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    ];
    // That a whole number is none below 0 goes without saying.
    let goes_without_saying = |bound: &Value| bound == 0 && node.get("type").is_some_and(|ty| ty != "number");
    let words = words.iter().filter_map(|(key, word)| {
        let bound = node.get(*key).filter(|bound| !(*key == "minimum" && goes_without_saying(bound)))?;
        Some(format!("{word} {bound}"))
    });
    let words = words.collect::<Vec<_>>().join(" and ");
    if words.is_empty() { words } else { format!(", {words}") }
}

fn plural(what: &str) -> String {
    match what {
        "a string" => "strings".to_owned(),
        other => {
            other.strip_prefix("a number").map_or_else(|| other.to_owned(), |rest| format!("numbers{rest}"))
        }
    }
}

/// A value as TOML writes it on one line.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let pairs = table.iter().map(|(key, value)| format!("{key} = {}", toml(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// As mdBook names a heading in addresses.
fn anchor(title: &str) -> String {
    super::links::slug(title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_table_has_a_section_and_every_key_a_row() {
        let schema = json!({
            "title": "x.toml",
            "properties": {
                "a": {
                    "type": "object",
                    "description": "About a.",
                    "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "examples": ["n"], "description": "Its name." },
                        "size": { "type": "integer", "minimum": 1, "maximum": 9, "default": 2 },
                        "either": { "enum": ["x", "y", "z"] },
                        "limits": { "$ref": "#/$defs/limits" }
                    }
                },
                "b": { "type": "array", "items": { "type": "object", "properties": {
                    "limits": { "$ref": "#/$defs/limits", "description": "Theirs." },
                    "one": { "oneOf": [{ "enum": ["p", "q"] }, { "const": "r", "description": "R." }] },
                    "seed": { "type": "integer", "minimum": 0 },
                    "texts": { "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] }
                } } },
                "c": { "anyOf": [{ "$ref": "#/$defs/limits" }, { "type": "null" }] }
            },
            "$defs": { "limits": { "type": "object", "properties": {
                "top": { "type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1 }
            } } }
        });
        let page = page(&schema, "Words.").unwrap();
        for line in [
            "# x.toml",
            "| `a` | [a table](#a) |  | About a. |",
            "| `b` | [tables](#b) |  |  |",
            "## `[a]`",
            "| `name` | a string | required | Its name. Such as `\"n\"`. |",
            "| `size` | a whole number, 1 to 9 | `2` |  |",
            "| `either` | `\"x\"`, `\"y\"` or `\"z\"` |  |  |",
            "## `[a.limits]`",
            "## `[[b]]`",
            "| `texts` | a string or a list of strings |  |  |",
            "| `one` | `\"p\"`, `\"q\"` or `\"r\"` |  |  |",
            "| `seed` | a whole number |  |  |",
            "## `limits`",
            "## `[c]`",
            "| `top` | a number, above 0 and below 1 |  |  |",
            "## The file",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    }
}
