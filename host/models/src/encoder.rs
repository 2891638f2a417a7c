//! The encoder that BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019) and DistilBERT (Sanh et al. 2019) share:
//! summed embeddings under a norm, then Transformer layers (Vaswani et al. 2017) whose norms come after the residual,
//! then a head. What tells the three apart stands in [`bert`](crate::bert), [`roberta`](crate::roberta) and
//! [`distilbert`](crate::distilbert).

mod architecture;
mod config;
mod head;
mod layer;
mod load;
pub mod mean_layer;
mod vocabulary;

pub(crate) use architecture::{Activation, Architecture, FirstPosition, Keys, LayerNames, MaskedNames};
pub use config::EncoderConfig;
pub(crate) use load::TASKS;

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::error::ModelError;
use crate::head::Head;
use crate::kernels::DropoutSites;
use crate::kernels::ops::{self, LayerNorm};
use crate::output::{Mode, Output};
use crate::tokens::TokenBatch;
use head::HeadLayers;
use layer::Layer;

const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// B rows, T tokens, H = `hidden_size`.
#[derive(Clone, Debug)]
pub struct Encoder {
    config: EncoderConfig,
    head: Head,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    head_layers: HeadLayers,
}

#[derive(Clone, Debug)]
struct Embeddings {
    word: Tensor<2>,
    position: Tensor<2>,
    /// DistilBERT has none.
    token_type: Option<Tensor<2>>,
    norm: LayerNorm,
}

impl Encoder {
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    pub fn head(&self) -> Head {
        self.head
    }

    /// `batch` must come from this model's tokenizer: ids and lengths are checked here.
    ///
    /// # Errors
    /// A token, type or length that the model does not have.
    pub fn forward(&self, batch: &TokenBatch, mode: Mode) -> Result<Output, ModelError> {
        let config = &self.config;
        batch.check(config.vocab_size, config.positions(), config.types())?;
        let mut sites = DropoutSites::new(mode.dropout);
        let mut x = self.embed(batch, &mut sites);
        let mut hidden_states = Vec::new();
        let key_bias: Arc<Vec<f32>> =
            Arc::new(batch.mask.iter().map(|token| if *token { 0.0 } else { f32::MIN }).collect());
        for layer in &self.layers {
            if mode.hidden_states {
                hidden_states.push(x.clone());
            }
            x = layer.forward(x, &key_bias, config, &mut sites);
        }
        if mode.hidden_states {
            hidden_states.push(x.clone());
        }
        let logits = self.head_layers.forward(x, batch, &self.embeddings.word, config, &mut sites);
        Ok(Output { logits, hidden_states })
    }

    fn embed(&self, batch: &TokenBatch, sites: &mut DropoutSites) -> Tensor<3> {
        let table = &self.embeddings;
        let (ids, positions) = (Arc::new(batch.ids.clone()), Arc::new(self.config.position_ids(batch)));
        let x = match &table.token_type {
            Some(types) => ops::embedding3(
                [&table.word, &table.position, types],
                [ids, positions, Arc::new(batch.types.clone())],
                batch.rows,
            ),
            None => {
                let [_, hidden] = table.word.dims();
                let nothing = Tensor::zeros([1, hidden], &table.word.device().inner());
                let first = Arc::new(vec![0; batch.ids.len()]);
                ops::embedding3([&table.word, &table.position, &nothing], [ids, positions, first], batch.rows)
            }
        };
        ops::dropout(ops::norm(x, &table.norm), sites.next(self.config.hidden_dropout))
    }
}
