//! Angles of rotary position embeddings, and how they are scaled for longer contexts than a model was pretrained on.

use std::f64::consts::PI;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::kernels::Rotation;

/// The angle by which each pair of a head's dimensions turns from one position to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    /// Radians a position, `[D / 2]`.
    pub inverse_frequencies: Vec<f32>,
    /// What cosines and sines are multiplied by.
    pub attention_factor: f32,
}

/// The kinds of scaling that are known, by the names that config.json has for them.
const KNOWN: &str = "default, linear, llama3, yarn";

impl Rope {
    /// From config.json: `rope_parameters`, or the older `rope_theta` and `rope_scaling`. `head` is even.
    ///
    /// # Errors
    /// An unknown kind of scaling, or one without its numbers; one sentence.
    pub fn from_json(source: &Map<String, Value>, head: usize, positions: usize) -> Result<Self, String> {
        let object = |name: &str| source.get(name).and_then(Value::as_object);
        let scaling = object("rope_parameters").or_else(|| object("rope_scaling"));
        let given = |name: &str| scaling.and_then(|scaling| scaling.get(name)).and_then(Value::as_f64);
        let base = given("rope_theta")
            .or_else(|| source.get("rope_theta").and_then(Value::as_f64))
            .unwrap_or(10_000.0);
        let kind = ["rope_type", "type"]
            .iter()
            .find_map(|name| scaling.and_then(|scaling| scaling.get(*name)).and_then(Value::as_str))
            .unwrap_or("default");
        if !(base > 1.0 && base.is_finite()) {
            return Err(format!("rope_theta = {base} is out of range"));
        }
        let number = |name: &str| match given(name) {
            Some(value) if value > 0.0 && value.is_finite() => Ok(value),
            Some(value) => Err(format!("{name} = {value} of the RoPE scaling `{kind}` is out of range")),
            None => Err(format!("the RoPE scaling `{kind}` has no number {name}")),
        };
        let plain = frequencies(base, head);
        let scaled = match kind {
            "default" => return Ok(Self { inverse_frequencies: plain, attention_factor: 1.0 }),
            "linear" => {
                let factor = number("factor")? as f32;
                plain.iter().map(|frequency| frequency / factor).collect()
            }
            "llama3" => {
                let original =
                    given("original_max_position_embeddings").map_or(positions as f64, |value| value);
                let (low, high) = (number("low_freq_factor")?, number("high_freq_factor")?);
                llama3(&plain, number("factor")?, low, high, original)
            }
            "yarn" => {
                let original =
                    given("original_max_position_embeddings").map_or(positions as f64, |value| value);
                let factor = given("factor").map_or(positions as f64 / original, |value| value);
                let attention_factor = yarn_attention_factor(&given, factor);
                let range = (given("beta_fast").unwrap_or(32.0), given("beta_slow").unwrap_or(1.0));
                let truncate =
                    scaling.and_then(|s| s.get("truncate")).and_then(Value::as_bool).unwrap_or(true);
                let inverse_frequencies = yarn(&plain, base, factor, range, original, truncate);
                return Ok(Self { inverse_frequencies, attention_factor: attention_factor as f32 });
            }
            other => {
                return Err(format!(
                    "the RoPE scaling is of the kind `{other}`; this version knows: {KNOWN}"
                ));
            }
        };
        Ok(Self { inverse_frequencies: scaled, attention_factor: 1.0 })
    }

    /// How far tokens at `positions` are turned.
    pub fn rotation(&self, positions: &[u32]) -> Rotation {
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        self.angles(positions, &mut cos, &mut sin);
        Rotation { cos: Arc::new(cos), sin: Arc::new(sin), head: 2 * self.inverse_frequencies.len() }
    }

    /// Cosines and sines at `positions`, `[positions, D / 2]` each.
    pub(super) fn angles(&self, positions: &[u32], cos: &mut Vec<f32>, sin: &mut Vec<f32>) {
        cos.clear();
        sin.clear();
        for position in positions {
            for frequency in &self.inverse_frequencies {
                let angle = f64::from(*position as f32 * frequency);
                cos.push(angle.cos() as f32 * self.attention_factor);
                sin.push(angle.sin() as f32 * self.attention_factor);
            }
        }
    }
}

/// base^(-2i / D), as PyTorch rounds it.
fn frequencies(base: f64, head: usize) -> Vec<f32> {
    (0..head / 2)
        .map(|i| {
            let exponent = (2 * i) as f32 / head as f32;
            1.0 / base.powf(f64::from(exponent)) as f32
        })
        .collect()
}

/// Llama 3.1's scaling: wavelengths longer than `original / low` are stretched by `factor`, those shorter than
/// `original / high` stay, those between are interpolated (`transformers`, `_compute_llama3_parameters`).
fn llama3(plain: &[f32], factor: f64, low: f64, high: f64, original: f64) -> Vec<f32> {
    let of = |frequency: f64| {
        let wavelength = 2.0 * PI / frequency;
        if wavelength < original / high {
            return frequency;
        }
        if wavelength > original / low {
            return frequency / factor;
        }
        let smooth = (original / wavelength - low) / (high - low);
        (1.0 - smooth) * frequency / factor + smooth * frequency
    };
    plain.iter().map(|frequency| of(f64::from(*frequency)) as f32).collect()
}

/// YaRN (Peng et al. 2023): dimensions that turn more than `range.0` times in the original context stay, those that
/// turn less than `range.1` times are stretched by `factor`, with a ramp between them.
fn yarn(plain: &[f32], base: f64, factor: f64, range: (f64, f64), original: f64, truncate: bool) -> Vec<f32> {
    let head = 2 * plain.len();
    let dimension = |turns: f64| head as f64 * (original / (turns * 2.0 * PI)).ln() / (2.0 * base.ln());
    let (mut low, mut high) = (dimension(range.0), dimension(range.1));
    if truncate {
        (low, high) = (low.floor(), high.ceil());
    }
    let (low, mut high) = (low.max(0.0), high.min(head as f64 - 1.0));
    if low == high {
        high += 0.001; // as the reference, against a division by 0
    }
    plain
        .iter()
        .enumerate()
        .map(|(i, frequency)| {
            let stretched = ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
            let frequency = f64::from(*frequency);
            (frequency / factor * stretched + frequency * (1.0 - stretched)) as f32
        })
        .collect()
}

fn yarn_attention_factor(given: &dyn Fn(&str) -> Option<f64>, factor: f64) -> f64 {
    let scale = |by: f64| if factor <= 1.0 { 1.0 } else { 0.1 * by * factor.ln() + 1.0 };
    match (given("attention_factor"), given("mscale"), given("mscale_all_dim")) {
        (Some(attention_factor), _, _) => attention_factor,
        (None, Some(one), Some(all)) if one != 0.0 && all != 0.0 => scale(one) / scale(all),
        _ => scale(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn unknown_scalings_and_missing_numbers_are_refused() {
        let of = |scaling: Value| {
            Rope::from_json(&object(serde_json::json!({ "rope_scaling": scaling })), 8, 64).unwrap_err()
        };
        let error = of(serde_json::json!({ "type": "longrope", "factor": 2.0 }));
        assert!(error.contains("`longrope`") && error.contains("llama3, yarn"), "{error}");
        assert!(of(serde_json::json!({ "rope_type": "linear" })).contains("no number factor"));
        assert!(of(serde_json::json!({ "rope_type": "linear", "factor": 0.0 })).contains("factor = 0"));
        assert!(Rope::from_json(&object(serde_json::json!({ "rope_theta": 0.5 })), 8, 64).is_err());
    }

    #[test]
    fn angles_grow_with_the_position() {
        let rope = Rope::from_json(&Map::new(), 4, 64).unwrap();
        assert_eq!(rope.inverse_frequencies, [1.0, 0.01]);
        let rotation = rope.rotation(&[0, 2]);
        assert_eq!(rotation.cos[..2], [1.0, 1.0]);
        assert!(
            (rotation.sin[2] - 2.0f32.sin()).abs() < 1e-7 && (rotation.sin[3] - 0.02f32.sin()).abs() < 1e-7
        );
    }
}
