//! What would make a training fit into the memory that there is: changes of the recipe, each by itself.

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
    // How long a packed text is says nothing about its batch.
    if !matches!(recipe.train.batch, Batch::Packed(_)) {
        remedies.extend(shorter(work, batch, &fits));
    }
    // With an adapter nearly everything is frozen already.
    if recipe.model.adapter.is_none() {
        remedies.extend(frozen(work, batch, &fits));
        remedies.extend(fits(&adapted(work), batch, format!("[model.adapter] rank = {RANK}")));
    }
    remedies
}

type Fits<'a> = dyn Fn(&Workload, BatchShape, String) -> Option<Remedy> + 'a;

/// Half of the rows, or a quarter, and so on, joined again by accumulation.
fn smaller_batch(work: &Workload, recipe: &Recipe, batch: BatchShape, fits: &Fits<'_>) -> Option<Remedy> {
    let packed = matches!(recipe.train.batch, Batch::Packed(_));
    let most = if packed { batch.tokens / SHORTEST } else { batch.rows };
    let parts = std::iter::successors(Some(2), |parts| Some(parts * 2));
    let mut parts = parts.take_while(|parts| *parts <= most);
    parts.find_map(|parts| {
        let shape = match packed {
            true => BatchShape { tokens: batch.tokens.div_ceil(parts), ..batch },
            false => BatchShape { rows: batch.rows.div_ceil(parts), ..batch },
        };
        let accumulation = work.accumulation * parts as u32;
        let joined = Workload { accumulation, ..work.clone() };
        let written = match recipe.train.batch {
            Batch::Rows(rows) => format!("rows = {}", rows.div_ceil(parts as u64)),
            Batch::Tokens(tokens) => format!("tokens = {}", tokens.div_ceil(parts as u64)),
            Batch::Packed(tokens) => format!("packed = {}", tokens.div_ceil(parts as u64)),
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
    (0..=work.config.layers()).find_map(|layers| {
        let mut with_fewer = work.clone();
        with_fewer.trained.retain(|name| match work.config.depth_of(name) {
            Depth::Below => false,
            Depth::Layer(layer) => layer >= layers,
            Depth::Above => true,
        });
        if with_fewer.trained.is_empty() {
            return None;
        }
        fits(&with_fewer, batch, format!("[model] freeze = {{ layers = {layers} }}"))
    })
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
