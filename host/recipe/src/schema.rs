//! The JSON Schema of `pegbox.toml`, for editors and for the book. The tests hold it and the reader together.

/// Draft 2020-12. It describes each key, with its default and examples.
pub const SCHEMA: &str = include_str!("../recipe.schema.json");

#[cfg(test)]
mod tests {
    use super::SCHEMA;
    use crate::{Fault, Recipe, RecipeError};
    use serde_json::{Map, Value, json};
    use std::collections::BTreeSet;
    use std::path::Path;

    const STRANGER: &str = "zzz";
    const PROBE: &str = "probe";
    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// Puts a value where it belongs in an otherwise small recipe.
    type Wrap<'w> = &'w dyn Fn(Value) -> Value;

    fn schema() -> Value {
        serde_json::from_str(SCHEMA).unwrap()
    }

    /// `node` and what it refers to, in one; its own words win.
    fn resolved(root: &Value, node: &Value) -> Map<String, Value> {
        let node = node.as_object().unwrap();
        let mut whole = match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => resolved(root, root.pointer(reference.strip_prefix('#').unwrap()).unwrap()),
            None => Map::new(),
        };
        whole.extend(node.iter().map(|(key, value)| (key.clone(), value.clone())));
        whole
    }

    /// The first example of `node`, or a table with what it requires.
    fn minimal(root: &Value, node: &Value) -> Value {
        let node = resolved(root, node);
        if let Some(example) = node.get("examples").and_then(|examples| examples.get(0)) {
            return example.clone();
        }
        let required = node.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let filled = required.iter().map(|key| {
            let key = key.as_str().unwrap();
            (key.to_owned(), minimal(root, &node["properties"][key]))
        });
        Value::Object(filled.collect())
    }

    /// Calls `visit` on every part of the schema that describes a value, with the way to place such a value.
    fn walk(
        root: &Value,
        node: &Value,
        wrap: Wrap<'_>,
        visit: &mut dyn FnMut(&Map<String, Value>, Wrap<'_>),
    ) {
        let whole = resolved(root, node);
        visit(&whole, wrap);
        if let Some(Value::Object(properties)) = whole.get("properties") {
            let table = minimal(root, node);
            for (key, property) in properties {
                let place = |value: Value| {
                    let mut table = table.clone();
                    table[key.as_str()] = value;
                    wrap(table)
                };
                walk(root, property, &place, visit);
            }
        }
        if let Some(Value::Object(patterns)) = whole.get("patternProperties") {
            for named in patterns.values() {
                walk(root, named, &|value| wrap(json!({ "acme/tidy": value })), visit);
            }
        }
        if let Some(items) = whole.get("items") {
            walk(root, items, &|value| wrap(json!([value])), visit);
        }
        for choice in whole.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            if choice.get("required").is_none() {
                walk(root, choice, wrap, visit);
            }
        }
    }

    fn parse(recipe: &Value) -> Result<Recipe, Vec<Fault>> {
        let text = toml::to_string(recipe).unwrap();
        Recipe::parse(&text, Path::new("/r/pegbox.toml")).map_err(|error| match error {
            RecipeError::Faults { faults, .. } => faults,
            other => panic!("{other}"),
        })
    }

    fn properties(node: &Map<String, Value>) -> Option<&Map<String, Value>> {
        node.get("properties").and_then(Value::as_object)
    }

    /// The recipe with the task that its keys are for.
    fn of_its_task(mut recipe: Value) -> Value {
        if recipe["model"].get("max-target-length").is_some() {
            recipe["model"]["task"] = "seq2seq".into();
            recipe["data"]["fields"] = json!({ "source": "source", "target": "target" });
        }
        if recipe["model"].get("chat-template").is_some() {
            recipe["model"]["task"] = "generation".into();
            recipe["data"]["fields"] = json!({ "messages": "messages" });
        }
        if recipe.pointer("/train/batch/packed").is_some() {
            recipe["model"]["task"] = "generation".into();
            recipe["data"]["fields"] = json!({ "prompt": "prompt", "completion": "completion" });
        }
        let exports = recipe.get("export").and_then(Value::as_array);
        if exports.is_some_and(|exports| exports.iter().any(|export| export.get("builtin").is_some())) {
            recipe["model"]["adapter"] = json!({});
        }
        recipe
    }

    #[test]
    fn the_reader_accepts_an_example_of_every_key_and_so_does_the_schema() {
        let root = schema();
        let validator = jsonschema::draft202012::new(&root).unwrap();
        let (mut keys, mut seen) = (BTreeSet::new(), BTreeSet::new());
        walk(&root, &root, &|value| value, &mut |node, wrap| {
            for key in properties(node).into_iter().flat_map(Map::keys) {
                paths(&wrap(json!({ key: PROBE })), "", &mut |path, value| {
                    keys.extend((value == PROBE).then(|| path.to_owned()));
                });
            }
            for example in node.get("examples").and_then(Value::as_array).into_iter().flatten() {
                let recipe = of_its_task(wrap(example.clone()));
                assert!(parse(&recipe).is_ok(), "{recipe:#}\n{:?}", parse(&recipe));
                assert!(validator.is_valid(&recipe), "{recipe:#}\n{:?}", validator.validate(&recipe));
                paths(&recipe, "", &mut |path, _| {
                    seen.insert(path.to_owned());
                });
            }
        });
        assert!(keys.len() > 150, "{keys:?}");
        assert_eq!(
            keys.difference(&seen).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "keys without an example"
        );
    }

    /// Every value below `value` with its path, such as `train.loss.weight`; lists leave no trace.
    fn paths(value: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
        visit(path, value);
        match value {
            Value::Object(table) => {
                for (key, value) in table {
                    paths(value, &format!("{path}.{key}"), visit);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| paths(item, path, visit)),
            _ => {}
        }
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_knows() {
        let root = schema();
        let validator = jsonschema::draft202012::new(&root).unwrap();
        let mut tables = 0;
        walk(&root, &root, &|value| value, &mut |node, wrap| {
            let Some(properties) = properties(node) else { return };
            // Its keys are the user's.
            if node.get("additionalProperties").is_some_and(Value::is_object) {
                return;
            }
            let mut table = minimal(&root, &Value::Object(node.clone()));
            table[STRANGER] = json!(1);
            let recipe = wrap(table);
            assert!(!validator.is_valid(&recipe), "{recipe:#}");
            let known = known_to_the_reader(&parse(&recipe).unwrap_err());
            assert_eq!(known, properties.keys().cloned().collect(), "{recipe:#}");
            tables += 1;
        });
        assert!(tables > 15, "{tables}");
    }

    /// The keys that the message on an unknown one lists.
    fn known_to_the_reader(faults: &[Fault]) -> BTreeSet<String> {
        let fault = faults.iter().find(|fault| fault.message.contains(STRANGER)).unwrap();
        match (&fault.help, fault.message.split_once("expected one of")) {
            (Some(help), _) => help.rsplit_once(": ").unwrap().1.split(", ").map(str::to_owned).collect(),
            (None, Some((_, known))) => known.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
            (None, None) => panic!("{fault:?}"),
        }
    }

    #[test]
    fn a_default_of_the_schema_is_what_the_reader_takes_for_a_key_that_is_missing() {
        let root = schema();
        let mut defaults = 0;
        walk(&root, &root, &|value| value, &mut |node, wrap| {
            for (key, property) in properties(node).into_iter().flatten() {
                let table = minimal(&root, &Value::Object(node.clone()));
                let Some(default) = resolved(&root, property).remove("default") else { continue };
                let mut without = table.clone();
                without.as_object_mut().unwrap().remove(key);
                let mut with = without.clone();
                with[key.as_str()] = default;
                assert_eq!(meaning(&wrap(without)), meaning(&wrap(with)), "{key}");
                defaults += 1;
            }
        });
        assert!(defaults > 30, "{defaults}");
    }

    /// What a recipe says, wherever it says it.
    fn meaning(recipe: &Value) -> String {
        let recipe = parse(recipe).unwrap_or_else(|faults| panic!("{recipe:#}\n{faults:?}"));
        let shown = format!("{:?}", Recipe { text: String::new(), ..recipe });
        let mut parts = shown.split("span: ");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
        })
    }

    #[test]
    fn the_schema_refuses_what_the_reader_refuses() {
        let root = schema();
        let validator = jsonschema::draft202012::new(&root).unwrap();
        let wrong = [
            ("/model", json!({ "source": "m", "task": "translation" })),
            ("/model", json!({ "source": "m" })),
            ("/model", json!({ "source": "m", "task": "classification", "max-length": 2 })),
            ("/model", json!({ "source": "m", "task": "classification", "init": "zeros" })),
            ("/model", json!({ "source": "m", "task": "classification", "dropout": 1.0 })),
            ("/model", json!({ "source": "m", "task": "classification", "max-target-length": 9 })),
            ("/model", json!({ "source": "m", "task": "seq2seq" })),
            ("/model", json!({ "source": "m", "task": "generation", "chat-template": "model" })),
            ("/model", json!({ "source": "m", "task": "classification", "chat-template": "model" })),
            ("/data/over-long-target", json!("split")),
            ("/data", json!({ "train": "t.csv" })),
            ("/data/train", json!(1)),
            ("/data/split", json!({ "validation": 1.0 })),
            ("/data/split", json!({ "group": "a", "time": "b" })),
            ("/data/fields", json!({})),
            ("/data/fields", json!({ "text": "text" })),
            ("/data/fields", json!({ "text": 1 })),
            ("/data/on-error", json!("skip")),
            ("/data/stride", json!(-1)),
            ("/data/duplicates", json!({ "near": 0.05 })),
            ("/data/duplicates", json!({ "near": 0.5, "exact-only": true })),
            ("/data/duplicates", json!({ "shingle": { "characters": 5, "words": 3 } })),
            ("/data/annotations", json!({ "ties": "last" })),
            ("/data/annotations", json!({ "labels": { "1": 2 } })),
            ("/data/suspects", json!({ "action": "mend" })),
            ("/data/leakage", json!({ "share": 0 })),
            ("/data/balance", json!({ "count": 5, "temperature": 0.5 })),
            ("/data/split", json!({ "stratify": "text" })),
            ("/data/clean", json!([{ "plugin": "tidy" }])),
            ("/data/clean", json!([{ "plugin": "acme/tidy", "trust": "native" }])),
            ("/data/clean", json!([{ "plugin": "acme/tidy", "digest": "sha256:1" }])),
            ("/data/clean", json!([{ "plugin": "acme/tidy", "limits": { "memory-mb": 1 } }])),
            ("/data/validate", json!([{ "plugin": "acme/tidy", "fail-on": "all" }])),
            ("/train", json!({ "epochs": 0 })),
            ("/train", json!({ "batch": { "rows": 1, "tokens": 1 } })),
            ("/train", json!({ "batch": {} })),
            ("/train", json!({ "learning-rate": 0 })),
            ("/train", json!({ "betas": [0.9] })),
            ("/train", json!({ "betas": [0.9, 1.0] })),
            ("/train", json!({ "schedule": { "warmup": 1.5 } })),
            ("/train", json!({ "loss": [] })),
            ("/train", json!({ "loss": { "builtin": "hinge" } })),
            ("/train", json!({ "loss": { "builtin": "focal", "plugin": "acme/focal" } })),
            ("/train", json!({ "loss": { "builtin": "focal", "trust": "native", "digest": DIGEST } })),
            ("/train", json!({ "loss": { "plugin": "acme/focal", "on-failure": "disable" } })),
            ("/train", json!({ "loss": { "plugin": "acme/focal", "weight": 0 } })),
            ("/metrics", json!([{ "builtin": "recall" }])),
            (
                "/metrics",
                json!([{ "builtin": "accuracy", "select-by": "a" }, { "plugin": "a/b", "select-by": "b" }]),
            ),
            ("/metrics", json!([{ "plugin": "a/b", "select-by": "b", "on-failure": "disable" }])),
            ("/export", json!([{ "plugin": "a/b" }])),
            ("/export", json!([{ "builtin": "onnx", "to": "out" }])),
            ("/model/freeze", json!({ "layers": -1 })),
            ("/model/freeze", json!({ "layers": ["0"] })),
            ("/model/adapter", json!({ "rank": 0 })),
            ("/model/adapter", json!({ "kind": "ia3" })),
            ("/model/adapter", json!({ "from": "a", "rank": 4 })),
            ("/model", json!({ "source": "m", "task": "classification", "adapter": {}, "tokenizer": "t" })),
            (
                "/model",
                json!({ "source": "m", "task": "classification", "adapter": {}, "pooling": "mean-layer" }),
            ),
            ("/train", json!({ "layer-decay": 1.1 })),
            ("/train", json!({ "unfreeze-each-epoch": 0 })),
            ("/grants", json!({ "nobody": { "log": true } })),
            ("/grants", json!({ "a/b": { "log": "yes" } })),
            ("/run", json!({ "dir": 1 })),
            ("/policy", json!({ "licences": [] })),
            ("/policy", json!({ "licences": ["Apache 2"] })),
            ("/model", json!({ "source": "m", "task": "classification", "licence": "?" })),
        ];
        for (place, value) in wrong {
            let mut recipe = minimal(&root, &root);
            let (parent, key) = place.rsplit_once('/').unwrap();
            recipe.pointer_mut(parent).unwrap()[key] = value;
            assert!(parse(&recipe).is_err(), "the reader accepts {recipe:#}");
            assert!(!validator.is_valid(&recipe), "the schema accepts {recipe:#}");
        }
        let mut whole = minimal(&root, &root);
        whole["data"]["fields"] = json!({ "messages": "messages" });
        for (model, right) in [
            (json!({ "source": "m", "task": "generation" }), false),
            (json!({ "source": "m", "task": "generation", "chat-template": "model" }), true),
        ] {
            whole["model"] = model;
            assert_eq!((parse(&whole).is_ok(), validator.is_valid(&whole)), (right, right), "{whole:#}");
        }
        let both = minimal(&root, &root);
        for part in ["validation", "test"] {
            let mut both = both.clone();
            both["data"][part] = json!("v.csv");
            both["data"]["split"] = json!({ part: 0.1 });
            assert!(parse(&both).is_err() && !validator.is_valid(&both));
            both["data"]["split"] = json!({ part: 0 });
            assert!(parse(&both).is_ok() && validator.is_valid(&both));
        }
    }

    #[test]
    fn the_schema_has_the_highest_limits_that_there_are() {
        use pegbox_manifest::Limits;
        let root = schema();
        let described = root["$defs"]["limits"]["properties"].as_object().unwrap();
        let table = Limits::table();
        assert_eq!(table.len(), described.len());
        for limit in table {
            assert_eq!(described[limit.key]["maximum"], json!(limit.highest), "{}", limit.key);
        }
    }
}
