//! RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020), as Transformers' `RobertaFor...` and `XLMRobertaFor...`
//! classes compute them. Layers are BERT's. Positions begin behind the padding's id (fairseq's convention, so that 514
//! rows are 512 positions); there is no pooler: the sequence head is dropout, dense, tanh, dropout and `out_proj` over
//! the first token.

use crate::bert::{KEYS, LAYER};
use crate::encoder::{Activation, Architecture, FirstPosition, MaskedNames};

pub(crate) const ROBERTA: Architecture = Architecture {
    model_type: "roberta",
    class: "Roberta",
    prefix: "roberta.",
    layers: "encoder.layer",
    layer: LAYER,
    sequence: ["classifier.dense", "classifier.out_proj"],
    activation: Activation::Tanh,
    dropout_before_dense: true,
    masked: MaskedNames {
        dense: "lm_head.dense",
        norm: "lm_head.layer_norm",
        bias: "lm_head.bias",
        bias_copy: "lm_head.decoder.bias",
        decoder: "lm_head.decoder.weight",
    },
    first_position: FirstPosition::AfterPadding,
    has_token_types: true,
    keys: KEYS,
};

pub(crate) const XLM_ROBERTA: Architecture =
    Architecture { model_type: "xlm-roberta", class: "XLMRoberta", ..ROBERTA };
