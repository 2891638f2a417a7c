//! DistilBERT (Sanh et al. 2019), as Transformers' `DistilBertFor...` classes compute it: BERT's layers under names of
//! its own, no token types, no pooler; the sequence head is dense, ReLU, dropout and dense over the first token.

use crate::encoder::{Activation, Architecture, FirstPosition, Keys, LayerNames, MaskedNames};

pub(crate) const DISTILBERT: Architecture = Architecture {
    model_type: "distilbert",
    class: "DistilBert",
    prefix: "distilbert.",
    layers: "transformer.layer",
    layer: LayerNames {
        query: "attention.q_lin",
        key: "attention.k_lin",
        value: "attention.v_lin",
        attention_output: "attention.out_lin",
        attention_norm: "sa_layer_norm",
        intermediate: "ffn.lin1",
        output: "ffn.lin2",
        output_norm: "output_layer_norm",
    },
    sequence: ["pre_classifier", "classifier"],
    activation: Activation::Relu,
    dropout_before_dense: false,
    masked: MaskedNames {
        dense: "vocab_transform",
        norm: "vocab_layer_norm",
        bias: "vocab_projector.bias",
        bias_copy: "vocab_projector.bias",
        decoder: "vocab_projector.weight",
    },
    first_position: FirstPosition::Zero,
    has_token_types: false,
    keys: Keys {
        hidden_size: "dim",
        layers: "n_layers",
        heads: "n_heads",
        intermediate_size: "hidden_dim",
        activation: "activation",
        hidden_dropout: "dropout",
        attention_dropout: "attention_dropout",
        classifier_dropout: "seq_classif_dropout",
    },
};
