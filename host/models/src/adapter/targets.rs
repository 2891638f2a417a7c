//! Which modules are adapted.

use glob::Pattern;

use super::is_of;
use crate::error::ModelError;

/// Every module.
const ALL: &str = "all-linear";

/// The modules that PEFT adapts where nothing else is said, by config.json's `model_type`: queries and values, as in the
/// paper.
pub fn usual_targets(model_type: &str) -> Option<Vec<String>> {
    let names: &[&str] = match model_type {
        "bert" | "roberta" | "xlm-roberta" => &["query", "value"],
        "distilbert" => &["q_lin", "v_lin"],
        "gpt2" => &["c_attn"],
        "t5" => &["q", "v"],
        "llama" | "mistral" | "qwen2" | "qwen3" => &["q_proj", "v_proj"],
        _ => return None,
    };
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

pub(super) struct Targets(Vec<(String, Pattern)>);

impl Targets {
    /// Each the end of a name from a dot on, or a pattern for the whole name.
    pub fn parse(targets: &[String]) -> Result<Self, ModelError> {
        let parse = |target: &String| {
            let pattern = Pattern::new(target);
            pattern.map(|pattern| (target.clone(), pattern)).map_err(|error| ModelError::Adapter {
                what: format!("the target `{target}` is no pattern: {error}"),
                help: Some(
                    "`*` stands for anything, `?` for one character, `[0-3]` for one of several".into(),
                ),
            })
        };
        targets.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Those of `modules` that a target fits, in their order; none inside of `except`.
    pub fn choose(&self, modules: &[String], except: &[String]) -> Result<Vec<String>, ModelError> {
        let free = |module: &&String| !except.iter().any(|saved| is_of(module, saved));
        let modules: Vec<&String> = modules.iter().filter(free).collect();
        for (target, pattern) in &self.0 {
            if !modules.iter().any(|module| fits(target, pattern, module)) {
                let parts = modules.iter().filter_map(|module| module.rsplit('.').next());
                let mut parts: Vec<&str> = parts.collect();
                parts.sort_unstable();
                parts.dedup();
                return Err(ModelError::Adapter {
                    what: format!("the target `{target}` fits no linear layer of the model"),
                    help: Some(format!(
                        "its layers are called {}; the first is `{}`",
                        parts.join(", "),
                        modules.first().map_or("", |module| module.as_str())
                    )),
                });
            }
        }
        let chosen = |module: &&&String| self.0.iter().any(|(target, pattern)| fits(target, pattern, module));
        Ok(modules.iter().filter(chosen).map(|module| (*module).clone()).collect())
    }
}

fn fits(target: &str, pattern: &Pattern, module: &str) -> bool {
    let is_end = || module.strip_suffix(target).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    target == ALL || is_end() || pattern.matches(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(targets: &[&str], except: &[&str]) -> Result<Vec<String>, ModelError> {
        let modules =
            ["bert.encoder.layer.0.query", "bert.encoder.layer.1.query", "bert.pooler.dense", "classifier"];
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Targets::parse(&owned(targets))?.choose(&owned(&modules), &owned(except))
    }

    #[test]
    fn ends_of_names_patterns_and_all() {
        assert_eq!(choose(&["query"], &[]).unwrap().len(), 2);
        assert_eq!(choose(&["bert.encoder.layer.1.*"], &[]).unwrap(), ["bert.encoder.layer.1.query"]);
        assert_eq!(choose(&["0.query", "dense"], &[]).unwrap().len(), 2);
        assert_eq!(choose(&["all-linear"], &["classifier"]).unwrap().len(), 3);
        // The end of a name begins at a dot.
        let error = choose(&["uery"], &[]).unwrap_err();
        assert!(error.to_string().contains("`uery` fits no linear layer"), "{error}");
        assert!(error.help().is_some_and(|help| help.contains("dense, query")), "{error:?}");
        assert!(choose(&["classifier"], &["classifier"]).is_err());
        assert!(choose(&["a[b"], &[]).unwrap_err().to_string().contains("no pattern"));
    }
}
