//! What would make a training fit into the memory that there is: changes of the recipe, each by itself.

use std::collections::BTreeSet;

use pegbox_models::footprint::is_table;
use pegbox_models::{BatchShape, Depth};
use pegbox_recipe::{Batch, Recipe};
use pegbox_train::plan::Workload;
use serde::Serialize;

/// Of a low-rank adapter.
const RANK: usize = 8;
/// Tokens below which a shorter `max-length` is no advice.
const SHORTEST: usize = 16;

/// A change of the recipe, and what the training takes then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// What is changed, and for an entry of the recipe how it is written.
    pub change: String,
    pub peak: u64,
}

/// The changes that each make `work` fit into `memory` bytes, of which `besides` are for other things; the largest batch is
/// `batch`.
pub fn of(work: &Workload, recipe: &Recipe, batch: BatchShape, memory: u64, besides: u64) -> Vec<Remedy> {
    let fits = |work: &Workload, batch: BatchShape, change: String| {
        let peak = work.memory(batch).peak + besides;
        (peak <= memory).then_some(Remedy { change, peak })
    };
    let mut remedies = Vec::new();
    remedies.extend(smaller_batch(work, recipe, batch, &fits));
    remedies.extend(shorter(work, batch, &fits));
    remedies.extend(frozen(work, batch, &fits));
    remedies.extend(fits(
        &adapted(work),
        batch,
        format!("an adapter of rank {RANK} instead of full training"),
    ));
    remedies
}

type Fits<'a> = dyn Fn(&Workload, BatchShape, String) -> Option<Remedy> + 'a;

/// Half of the rows, or a quarter, and so on, joined again by accumulation.
fn smaller_batch(work: &Workload, recipe: &Recipe, batch: BatchShape, fits: &Fits<'_>) -> Option<Remedy> {
    let parts = std::iter::successors(Some(2), |parts| Some(parts * 2));
    let mut parts = parts.take_while(|parts| *parts <= batch.rows);
    parts.find_map(|parts| {
        let shape = BatchShape { rows: batch.rows.div_ceil(parts), ..batch };
        let accumulation = work.accumulation * parts as u32;
        let joined = Workload { accumulation, ..work.clone() };
        let written = match recipe.train.batch {
            Batch::Rows(rows) => format!("rows = {}", rows.div_ceil(parts as u64)),
            Batch::Tokens(tokens) => format!("tokens = {}", tokens.div_ceil(parts as u64)),
        };
        fits(&joined, shape, format!("[train] batch = {{ {written} }}, accumulation = {accumulation}"))
    })
}

fn shorter(work: &Workload, batch: BatchShape, fits: &Fits<'_>) -> Option<Remedy> {
    let lengths = std::iter::successors(Some(batch.tokens / 2), |tokens| Some(tokens / 2));
    let mut lengths = lengths.take_while(|tokens| *tokens >= SHORTEST);
    lengths.find_map(|tokens| {
        fits(work, BatchShape { tokens, ..batch }, format!("[model] max-length = {tokens}"))
    })
}

/// The embeddings, then layers from below as few as are enough.
fn frozen(work: &Workload, batch: BatchShape, fits: &Fits<'_>) -> Option<Remedy> {
    let names = |depth: Depth| {
        let of_depth = move |name: &&String| work.config.depth_of(name) == depth;
        work.parameters.iter().map(|(name, _)| name).filter(of_depth)
    };
    (0..=work.config.layers()).find_map(|layers| {
        let mut patterns: BTreeSet<String> =
            names(Depth::Below).map(|name| format!("{}*", stem(name, is_table(name)))).collect();
        let mut with_fewer = work.clone();
        with_fewer.trained.retain(|name| match work.config.depth_of(name) {
            Depth::Below => false,
            Depth::Layer(layer) => layer >= layers,
            Depth::Above => true,
        });
        if with_fewer.trained.is_empty() {
            return None;
        }
        if let Some(name) = names(Depth::Layer(0)).next() {
            patterns.extend(numbered(name, layers));
        }
        let patterns: Vec<String> = patterns.into_iter().map(|pattern| format!("\"{pattern}\"")).collect();
        fits(&with_fewer, batch, format!("[model] freeze = [{}]", patterns.join(", ")))
    })
}

/// What the names of the embeddings begin with: up to the word that says so, or the whole name of a table.
fn stem(name: &str, table: bool) -> &str {
    match name.find("embeddings.") {
        Some(place) => name.get(..place + "embeddings.".len()).unwrap_or(name),
        None if table => name.trim_end_matches("weight"),
        None => name,
    }
}

/// Patterns of the first `layers` layers, where `name` is a parameter of layer 0.
fn numbered(name: &str, layers: usize) -> Vec<String> {
    let Some((before, _)) = name.split_once(".0.") else { return Vec::new() };
    let digits = |tens: usize, count: usize| {
        let tens = if tens == 0 { String::new() } else { tens.to_string() };
        match count {
            10 => format!("{before}.{tens}[0-9].*"),
            1 => format!("{before}.{tens}0.*"),
            count => format!("{before}.{tens}[0-{}].*", count - 1),
        }
    };
    let full = (0..layers / 10).map(|tens| digits(tens, 10));
    let rest = (!layers.is_multiple_of(10)).then(|| digits(layers / 10, layers % 10));
    full.chain(rest).collect()
}

/// Everything frozen but two thin matrices beside each of the layers' own.
fn adapted(work: &Workload) -> Workload {
    let mut adapted = work.clone();
    adapted.trained.retain(|name| work.config.depth_of(name) == Depth::Above);
    for (name, shape) in &work.parameters {
        if let ([outputs, inputs], Depth::Layer(_)) = (&shape[..], work.config.depth_of(name)) {
            for (part, shape) in [("A", vec![RANK, *inputs]), ("B", vec![*outputs, RANK])] {
                let part = format!("{name}.{part}");
                adapted.parameters.push((part.clone(), shape));
                adapted.trained.insert(part);
            }
        }
    }
    adapted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_written_as_patterns() {
        let name = "bert.encoder.layer.0.output.dense.weight";
        assert_eq!(numbered(name, 0), Vec::<String>::new());
        assert_eq!(numbered(name, 1), ["bert.encoder.layer.0.*"]);
        assert_eq!(numbered(name, 10), ["bert.encoder.layer.[0-9].*"]);
        assert_eq!(numbered(name, 13), ["bert.encoder.layer.[0-9].*", "bert.encoder.layer.1[0-2].*"]);
        assert_eq!(stem("bert.embeddings.LayerNorm.weight", false), "bert.embeddings.");
        assert_eq!(stem("transformer.wte.weight", true), "transformer.wte.");
    }
}
