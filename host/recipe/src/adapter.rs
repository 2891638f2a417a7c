//! `[model.adapter]` and `[model].freeze`: what of the base model is trained.

use crate::reader::Section;

/// Small matrices that are trained beside the base model's, which stay as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// `kind`: `"lora"` (default) or `"dora"`, which also trains the length of each row.
    pub dora: bool,
    /// `rank`: columns of one matrix and rows of the other. 8 by default.
    pub rank: u64,
    /// `alpha`: their product counts alpha / rank times. Twice the rank by default.
    pub alpha: f64,
    /// `dropout`: of the adapters' inputs. 0 by default.
    pub dropout: f64,
    /// `rank-stabilised`: alpha / sqrt(rank) instead. False by default.
    pub rank_stabilised: bool,
    /// `targets`: the layers that get one, by the ends of their names or by patterns; queries and values by default.
    pub targets: Vec<String>,
    /// `quantize`: hold the base model's matrices in four bits: `"nf4"`, or `"nf4-double"` for scales in bytes.
    pub quantize: Option<Quantize>,
    /// `from`: a folder that PEFT or Pegbox wrote, to go on from. It says what the adapter is like.
    pub from: Option<String>,
}

/// How the base model is held under an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantize {
    Nf4,
    Nf4Double,
}

/// `freeze`: what is not trained. Nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freeze {
    /// Patterns of Hugging Face tensor names, with `*` for anything, such as `"bert.embeddings.*"`.
    pub patterns: Vec<String>,
    /// `layers`
    pub layers: Option<FrozenLayers>,
}

/// Which layers are not trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrozenLayers {
    /// A number: the embeddings, and so many layers from the lowest on.
    Lowest(u32),
    /// A list of their numbers, from 0.
    Numbers(Vec<u32>),
}

pub(crate) fn read(mut section: Section<'_, '_>) -> Adapter {
    let dora = section.choice("kind", &[("lora", false), ("dora", true)]);
    let rank = section.whole("rank", 1);
    let alpha = section.number("alpha", "above 0", |alpha| alpha > 0.0);
    let dropout = section.number("dropout", "at least 0 and below 1", |p| (0.0..1.0).contains(&p));
    let rank_stabilised = section.truth("rank-stabilised");
    let targets = section.texts("targets");
    let quantize = section.choice("quantize", &[("nf4", Quantize::Nf4), ("nf4-double", Quantize::Nf4Double)]);
    let from = section.text("from");
    if from.is_some() {
        for key in ["kind", "rank", "alpha", "rank-stabilised", "targets"] {
            if section.holds(key) {
                let what = format!("`{key}` is what the adapter in `from` says");
                section.fault(section.span_of(key), what, Some("leave it out".into()));
            }
        }
    }
    if rank.is_some_and(|rank| rank > 65_536) {
        section.fault(section.span_of("rank"), "`rank` must be at most 65536", None);
    }
    section.finish();
    let rank = rank.unwrap_or(8);
    Adapter {
        dora: dora.unwrap_or(false),
        rank,
        alpha: alpha.unwrap_or(2.0 * rank as f64),
        dropout: dropout.unwrap_or(0.0),
        rank_stabilised: rank_stabilised.unwrap_or(false),
        targets,
        quantize,
        from,
    }
}

/// Patterns, or a table of patterns and layers.
pub(crate) fn read_freeze(model: &mut Section<'_, '_>) -> Freeze {
    if !model.holds_table("freeze") {
        return Freeze { patterns: model.texts("freeze"), layers: None };
    }
    let Some(mut section) = model.table("freeze") else { return Freeze::default() };
    let patterns = section.texts("patterns");
    let layers = match section.holds_list("layers") {
        true => Some(FrozenLayers::Numbers(section.wholes("layers"))),
        false => {
            section.whole("layers", 0).and_then(|count| u32::try_from(count).ok()).map(FrozenLayers::Lowest)
        }
    };
    section.finish();
    Freeze { patterns, layers }
}
