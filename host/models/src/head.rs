//! What a model's last layers are for.

/// What a model gives, and for what it is trained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Head {
    /// Numbers for a whole text: `AutoModelForSequenceClassification`.
    Sequence { outputs: usize, pooling: Pooling, problem: Problem },
    /// Numbers for each token: `AutoModelForTokenClassification`.
    Tokens { classes: usize },
    /// A distribution over the vocabulary at each token: `AutoModelForMaskedLM`. The output matrix is the word
    /// embeddings'.
    MaskedLm,
    /// One vector a text: `AutoModel`, then a pooling.
    Embedding { pooling: SentencePooling, normalise: bool },
    /// A distribution over the vocabulary for the token after each: `AutoModelForCausalLM`.
    CausalLm,
    /// The same, of a decoder that writes what an encoder has read: `AutoModelForSeq2SeqLM`.
    Seq2Seq,
}

/// What a sequence head's numbers mean; `problem_type` in config.json.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Problem {
    /// Scores of classes of which one is right: softmax, cross-entropy.
    #[default]
    SingleLabel,
    /// Scores of classes of which any may be right: sigmoid, binary cross-entropy.
    MultiLabel,
    /// Numbers to be met: mean squared error.
    Regression,
}

/// How one vector is made of a row's hidden states, before a sequence head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The first token through the head's dense layer, as BERT was pretrained and as Transformers'
    /// `...ForSequenceClassification` computes it.
    #[default]
    Cls,
    /// The mean of the tokens' hidden states, as sentence-embedding models do, without a dense layer.
    Mean,
    /// As `Cls`, after one more encoder layer that begins as that mean: see
    /// [`mean_layer`](crate::encoder::mean_layer).
    MeanLayer,
}

/// How a sentence's vector is made of its tokens' hidden states, as sentence-transformers has it (Reimers and Gurevych
/// 2019).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SentencePooling {
    #[default]
    Mean,
    /// The first token's.
    Cls,
    /// The largest value of each dimension.
    Max,
}

impl Head {
    /// The task, as a recipe names it.
    pub fn task(self) -> &'static str {
        match self {
            Self::Sequence { problem: Problem::SingleLabel, .. } => "classification",
            Self::Sequence { problem: Problem::MultiLabel, .. } => "multi-label",
            Self::Sequence { problem: Problem::Regression, .. } => "regression",
            Self::Tokens { .. } => "tagging",
            Self::MaskedLm => "masked-lm",
            Self::Embedding { .. } => "embeddings",
            Self::CausalLm => "generation",
            Self::Seq2Seq => "seq2seq",
        }
    }
}

impl Problem {
    /// As config.json names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabel => "single_label_classification",
            Self::MultiLabel => "multi_label_classification",
            Self::Regression => "regression",
        }
    }

    /// As config.json names it.
    pub fn of(name: &str) -> Option<Self> {
        [Self::SingleLabel, Self::MultiLabel, Self::Regression].into_iter().find(|one| one.name() == name)
    }
}
