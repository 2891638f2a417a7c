//! BERT (Devlin et al. 2019), as Transformers' `BertFor...` classes compute it: an [`Encoder`](crate::Encoder) with
//! learned positions from 0, token types that tell a pair's texts apart, and a pooler (dense, tanh, over the first
//! token) before the sequence head. Domain models such as BioBERT and LegalBERT are BERTs with other weights and
//! vocabularies.

use crate::encoder::{Activation, Architecture, FirstPosition, Keys, LayerNames, MaskedNames};

pub(crate) const BERT: Architecture = Architecture {
    model_type: "bert",
    class: "Bert",
    prefix: "bert.",
    layers: "encoder.layer",
    layer: LAYER,
    sequence: ["bert.pooler.dense", "classifier"],
    activation: Activation::Tanh,
    dropout_before_dense: false,
    masked: MaskedNames {
        dense: "cls.predictions.transform.dense",
        norm: "cls.predictions.transform.LayerNorm",
        bias: "cls.predictions.bias",
        bias_copy: "cls.predictions.decoder.bias",
        decoder: "cls.predictions.decoder.weight",
    },
    first_position: FirstPosition::Zero,
    has_token_types: true,
    keys: KEYS,
};

pub(crate) const LAYER: LayerNames = LayerNames {
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    intermediate: "intermediate.dense",
    output: "output.dense",
    output_norm: "output.LayerNorm",
};

pub(crate) const KEYS: Keys = Keys {
    hidden_size: "hidden_size",
    layers: "num_hidden_layers",
    heads: "num_attention_heads",
    intermediate_size: "intermediate_size",
    activation: "hidden_act",
    hidden_dropout: "hidden_dropout_prob",
    attention_dropout: "attention_probs_dropout_prob",
    classifier_dropout: "classifier_dropout",
};
