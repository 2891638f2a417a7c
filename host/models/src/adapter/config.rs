//! adapter_config.json as PEFT writes and reads it.

use serde_json::{Map, Value, json};

use super::{AdapterSettings, bare};

/// What an adapter's folder says of it.
#[derive(Clone, PartialEq, Debug)]
pub struct PeftConfig {
    pub settings: AdapterSettings,
    /// The base model: a name at Hugging Face's hub, a folder, or what Pegbox takes as a source.
    pub base: Option<String>,
    /// Its commit or branch.
    pub revision: Option<String>,
    /// `SEQ_CLS` and so on.
    pub task_type: Option<String>,
    /// Modules that were trained whole.
    pub modules_to_save: Vec<String>,
    /// Whether the adapted matrices are `[in, out]`, as GPT-2's.
    pub fan_in_fan_out: bool,
    /// Whether the base was held in four bits, and if so, whether the scales of its blocks were held in bytes. PEFT has
    /// no key for it; ours is `pegbox`, and stands there only then.
    pub double_quantised: Option<bool>,
}

/// The key for what PEFT has no name for.
const OWN: &str = "pegbox";

/// Keys that are read.
const READ: [&str; 15] = [
    OWN,
    "peft_type",
    "r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "task_type",
    "use_dora",
    "use_rslora",
    "bias",
    "modules_to_save",
    "fan_in_fan_out",
    "base_model_name_or_path",
    "revision",
    "init_lora_weights",
];

/// Keys that say nothing about what the adapter computes: how it began, or which modules it was put on, which the file of
/// its tensors shows.
const IDLE: [&str; 13] = [
    "auto_mapping",
    "inference_mode",
    "peft_version",
    "exclude_modules",
    "layers_to_transform",
    "layers_pattern",
    "megatron_config",
    "megatron_core",
    "loftq_config",
    "eva_config",
    "corda_config",
    "lora_ga_config",
    "ensure_weight_tying",
];

/// Numbers that only count where another key, which must be off, is on.
const UNUSED: [&str; 1] = ["qalora_group_size"];

impl PeftConfig {
    /// From the parsed file; the error is one sentence.
    ///
    /// # Errors
    /// Another kind of adapter than LoRA or DoRA, or something about it that is not known here.
    pub fn from_json(config: &Map<String, Value>) -> Result<Self, String> {
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let flag = |key: &str| config.get(key).and_then(Value::as_bool).unwrap_or(false);
        match text("peft_type") {
            Some("LORA") => {}
            Some(other) => return Err(format!("it is of the kind {other}; LORA is known here")),
            None => return Err("it does not say its kind (`peft_type`)".into()),
        }
        for (key, value) in config {
            let known = [&READ[..], &IDLE, &UNUSED].concat().contains(&key.as_str());
            if !known && !is_off(value) {
                return Err(format!("it sets `{key}` to {value}, which is not known here"));
            }
        }
        if text("bias").is_some_and(|bias| bias != "none") {
            return Err("it trains biases (`bias`), which is not known here".into());
        }
        // Some ways to begin change the base's matrices, too.
        match config.get("init_lora_weights") {
            None | Some(Value::Null | Value::Bool(_)) => {}
            Some(Value::String(way)) if ["gaussian", "eva", "orthogonal"].contains(&way.as_str()) => {}
            Some(way) => {
                return Err(format!("it began as {way} (`init_lora_weights`), which changes the base, too"));
            }
        }
        let number = |key: &str, usual: f64| match config.get(key) {
            None => Ok(usual),
            Some(value) => value.as_f64().ok_or_else(|| format!("`{key}` is no number")),
        };
        let rank = number("r", 8.0)?;
        if !(1.0..=65536.0).contains(&rank) || rank.fract() != 0.0 {
            return Err(format!("`r` is {rank}"));
        }
        let (alpha, dropout) = (number("lora_alpha", 8.0)?, number("lora_dropout", 0.0)?);
        if !alpha.is_finite() || !(0.0..1.0).contains(&dropout) {
            return Err(format!("`lora_alpha` is {alpha} and `lora_dropout` {dropout}"));
        }
        Ok(Self {
            settings: AdapterSettings {
                rank: rank as usize,
                alpha,
                dropout,
                targets: texts(config.get("target_modules")),
                rank_stabilised: flag("use_rslora"),
                magnitudes: flag("use_dora"),
            },
            base: text("base_model_name_or_path").filter(|base| !base.is_empty()).map(str::to_owned),
            revision: text("revision").map(str::to_owned),
            task_type: text("task_type").map(str::to_owned),
            modules_to_save: texts(config.get("modules_to_save")),
            fan_in_fan_out: flag("fan_in_fan_out"),
            double_quantised: match config
                .get(OWN)
                .and_then(|own| own.get("quantize"))
                .and_then(Value::as_str)
            {
                None => None,
                Some("nf4") => Some(false),
                Some("nf4-double") => Some(true),
                Some(other) => {
                    return Err(format!("its base was quantised as `{other}`, which is not known here"));
                }
            },
        })
    }

    /// The file's content. `adapted` are the modules; they stand in the place of targets that PEFT would understand in
    /// another way.
    pub fn to_json(&self, adapted: &[String]) -> Value {
        let Self { settings, .. } = self;
        let feature_extraction = self.task_type.as_deref() == Some("FEATURE_EXTRACTION");
        let suffixes = settings.targets.iter().all(|target| {
            target != "all-linear"
                && !target.contains(['*', '?', '['])
                && !self.modules_to_save.iter().any(|saved| {
                    saved == target || saved.ends_with(&format!(".{target}")) || target.starts_with(saved)
                })
        });
        let mut targets: Vec<&str> = match suffixes {
            true => settings.targets.iter().map(String::as_str).collect(),
            false => adapted
                .iter()
                .map(|module| bare(module).filter(|_| feature_extraction).unwrap_or(module))
                .collect(),
        };
        targets.sort_unstable();
        let saved = match self.modules_to_save.is_empty() {
            true => Value::Null,
            false => json!(self.modules_to_save),
        };
        let mut written = json!({
            "auto_mapping": null,
            "base_model_name_or_path": self.base,
            "bias": "none",
            "fan_in_fan_out": self.fan_in_fan_out,
            "inference_mode": true,
            "init_lora_weights": true,
            "lora_alpha": number(settings.alpha),
            "lora_dropout": settings.dropout,
            "modules_to_save": saved,
            "peft_type": "LORA",
            "r": settings.rank,
            "revision": self.revision,
            "target_modules": targets,
            "task_type": self.task_type,
            "use_dora": settings.magnitudes,
            "use_rslora": settings.rank_stabilised,
        });
        if let Some(double) = self.double_quantised {
            written[OWN] = json!({ "quantize": if double { "nf4-double" } else { "nf4" } });
        }
        written
    }
}

/// Whole numbers without a point, as PEFT's own files have them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e9 { json!(value as i64) } else { json!(value) }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// A list of texts, or one.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: Value) -> Result<PeftConfig, String> {
        // What PEFT 0.21 writes for its defaults, in part.
        let mut config = json!({
            "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null, "bias": "none",
            "base_model_name_or_path": "org/base", "fan_in_fan_out": false, "init_lora_weights": true,
            "loftq_config": {}, "lora_alpha": 16, "lora_bias": false, "lora_dropout": 0.1,
            "megatron_core": "megatron.core", "modules_to_save": ["classifier"], "peft_type": "LORA",
            "peft_version": "0.21.2", "qalora_group_size": 16, "r": 4, "rank_pattern": {},
            "target_modules": ["query", "value"], "task_type": "SEQ_CLS", "use_dora": false,
            "use_rslora": false, "velora_config": null,
        });
        let (Value::Object(config), Value::Object(changes)) = (&mut config, changes) else { unreachable!() };
        config.extend(changes);
        PeftConfig::from_json(config)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let config = read(json!({})).unwrap();
        assert_eq!((config.settings.rank, config.settings.scale()), (4, 4.0));
        assert_eq!(config.modules_to_save, ["classifier"]);
        let Value::Object(written) = config.to_json(&[]) else { unreachable!() };
        assert_eq!(written["lora_alpha"], json!(16));
        assert_eq!(PeftConfig::from_json(&written).unwrap(), config);
        let double_quantised = Some(true);
        let quantised = PeftConfig { double_quantised, ..config };
        let Value::Object(written) = quantised.to_json(&[]) else { unreachable!() };
        assert_eq!(PeftConfig::from_json(&written).unwrap(), quantised);
        let stabilised = read(json!({ "use_rslora": true })).unwrap();
        assert_eq!(stabilised.settings.scale(), 8.0);
    }

    #[test]
    fn targets_that_peft_takes_otherwise_are_spelt_out() {
        let mut config = read(json!({})).unwrap();
        let adapted = ["bert.encoder.layer.0.output.dense".to_owned()];
        config.settings.targets = vec!["bert.*.dense".into()];
        assert_eq!(config.to_json(&adapted)["target_modules"], json!(adapted));
        // PEFT would put an adapter on the saved module, too.
        config.settings.targets = vec!["dense".into()];
        config.modules_to_save = vec!["bert.pooler.dense".into()];
        assert_eq!(config.to_json(&adapted)["target_modules"], json!(adapted));
        config.task_type = Some("FEATURE_EXTRACTION".into());
        assert_eq!(config.to_json(&adapted)["target_modules"], json!(["encoder.layer.0.output.dense"]));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (change, word) in [
            (json!({ "peft_type": "IA3" }), "IA3"),
            (json!({ "bias": "all" }), "`bias`"),
            (json!({ "rank_pattern": { "query": 16 } }), "`rank_pattern`"),
            (json!({ "lora_bias": true }), "`lora_bias`"),
            (json!({ "brand_new": 3 }), "`brand_new`"),
            (json!({ "init_lora_weights": "pissa" }), "pissa"),
            (json!({ "r": 0 }), "`r`"),
            (json!({ "r": "many" }), "`r`"),
            (json!({ "lora_dropout": 1.0 }), "`lora_dropout`"),
        ] {
            let error = read(change).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
