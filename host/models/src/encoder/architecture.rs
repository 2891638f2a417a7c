//! What tells one encoder architecture from another: names, and a few choices.

/// An architecture of the BERT family.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Architecture {
    /// In config.json.
    pub model_type: &'static str,
    /// What the names of its classes in Transformers begin with: `Bert` of `BertForSequenceClassification`.
    pub class: &'static str,
    /// Before the names of all parameters but some of the heads'; files of base models may leave it out.
    pub prefix: &'static str,
    /// Where the numbered layers are, behind the prefix.
    pub layers: &'static str,
    pub layer: LayerNames,
    /// The dense layer of the sequence head and the layer of its outputs.
    pub sequence: [&'static str; 2],
    /// Between these two.
    pub activation: Activation,
    /// Whether dropout also comes before the dense layer.
    pub dropout_before_dense: bool,
    pub masked: MaskedNames,
    pub first_position: FirstPosition,
    pub has_token_types: bool,
    pub keys: Keys,
}

/// The parts of a layer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LayerNames {
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub attention_output: &'static str,
    pub attention_norm: &'static str,
    pub intermediate: &'static str,
    pub output: &'static str,
    pub output_norm: &'static str,
}

/// The parts of the masked language modelling head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MaskedNames {
    pub dense: &'static str,
    pub norm: &'static str,
    /// The output bias, and the name under which some files carry a copy of it.
    pub bias: &'static str,
    pub bias_copy: &'static str,
    /// The name under which some files carry a copy of the word embeddings.
    pub decoder: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Tanh,
    Relu,
}

/// The row of the position embeddings that a text's first token gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstPosition {
    Zero,
    /// The one behind padding's, which is that of the padding's token id.
    AfterPadding,
}

/// What config.json calls the sizes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub hidden_size: &'static str,
    pub layers: &'static str,
    pub heads: &'static str,
    pub intermediate_size: &'static str,
    pub activation: &'static str,
    pub hidden_dropout: &'static str,
    pub attention_dropout: &'static str,
    pub classifier_dropout: &'static str,
}
