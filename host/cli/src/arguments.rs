//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pegbox_data::Part;

/// Fine-tunes language models from one recipe, pegbox.toml. Plugins clean the data, compute the loss, measure
/// quality and export the result, each in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "pegbox", version, propagate_version = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Where tensors live and are computed: `cpu` or `cuda:0`
    #[arg(long, global = true, default_value = "cpu")]
    pub device: String,
    /// Threads for computing; all cores by default
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
    /// How progress and errors are told on the error stream
    #[arg(long, global = true, value_enum, default_value = "plain")]
    pub log: LogFormat,
    /// A further folder with plugins
    #[arg(long, global = true, value_name = "DIR")]
    pub plugins: Vec<PathBuf>,
    /// No network: what is not on this machine is an error
    #[arg(long, global = true)]
    pub offline: bool,
    /// Errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More about what happens; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Bars on a terminal, lines elsewhere
    Plain,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented recipe to begin with
    Init(Init),
    /// Find in seconds what would go wrong: plugins, data, one real batch forward and backward
    Check(RecipeArgument),
    /// What a training takes: parameters, memory, arithmetic, and the time of some real steps
    Plan(Plan),
    /// Read, clean, validate, split and tokenize the data
    Prepare(RecipeArgument),
    /// Train in a new run
    Train(RecipeArgument),
    /// Go on with a run that was stopped
    Resume(RunArgument),
    /// Measure the best checkpoint on the test records
    Eval(Eval),
    /// Write the best checkpoint as deployable artifacts
    Export(RunArgument),
    /// Make one model of an adapter and its base model
    Merge(Merge),
    /// Labels, tags, numbers, vectors or answers for texts
    Predict(Predict),
    /// Talk with a language model
    Chat(Chat),
    /// Texts that a language model writes after prompts
    Generate(Generate),
    /// Do whatever of prepare, train, eval and export is not up to date
    Run(RecipeArgument),
    /// Make, test, look at and share plugins
    #[command(subcommand)]
    Plugin(crate::commands::PluginCommand),
    /// Train, extend and compare tokenizers
    #[command(subcommand)]
    Tokenizer(crate::commands::TokenizerCommand),
    /// The JSON Schema of a file that people write
    Schema {
        #[arg(value_enum)]
        document: crate::commands::Document,
    },
    /// Base models: what is here, what they are, which suits a recipe
    #[command(subcommand)]
    Models(crate::commands::ModelsCommand),
}

#[derive(Debug, Args)]
pub struct RecipeArgument {
    /// The recipe, or the folder that holds a pegbox.toml
    #[arg(default_value = pegbox_recipe::FILE_NAME)]
    pub recipe: PathBuf,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub recipe: RecipeArgument,
    /// Memory of the device in GB; on a CPU what is free by default
    #[arg(long, value_name = "GB")]
    pub memory: Option<f64>,
    /// Real steps that are timed, besides the largest batch's
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub steps: u32,
    /// Estimate only, without taking a step
    #[arg(long, conflicts_with = "steps")]
    pub no_steps: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunArgument {
    #[command(flatten)]
    pub recipe: RecipeArgument,
    /// The run's folder; the recipe's latest by default
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Eval {
    #[command(flatten)]
    pub run: RunArgument,
    /// Measure the base model instead, before any training
    #[arg(long, conflicts_with = "run")]
    pub base: bool,
    /// The records to measure on: the test records by default, the validation records where there are none
    #[arg(long, value_enum)]
    pub part: Option<MeasuredPart>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum MeasuredPart {
    Train,
    Validation,
    Test,
}

impl From<MeasuredPart> for Part {
    fn from(part: MeasuredPart) -> Self {
        match part {
            MeasuredPart::Train => Self::Train,
            MeasuredPart::Validation => Self::Validation,
            MeasuredPart::Test => Self::Test,
        }
    }
}

#[derive(Debug, Args)]
pub struct Init {
    /// The folder to write pegbox.toml into
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct Merge {
    /// A folder that PEFT or Pegbox wrote, or the run of a recipe with an adapter
    pub adapter: PathBuf,
    /// The folder to write, as Hugging Face's tools open it
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The base model, where it is not what the adapter names: a source as in a recipe
    #[arg(long, value_name = "SOURCE")]
    pub base: Option<String>,
}

#[derive(Debug, Args)]
pub struct Predict {
    /// The texts; without any, and without --file, lines from the standard input
    pub texts: Vec<String>,
    /// A run's folder, an exported Hugging Face folder or an adapter's; the latest run of the recipe by default
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// The base model of an adapter, where it is not what the adapter names: a source as in a recipe
    #[arg(long, value_name = "SOURCE", requires = "model")]
    pub base: Option<String>,
    /// The recipe whose latest run is used
    #[arg(long, default_value = pegbox_recipe::FILE_NAME)]
    pub recipe: PathBuf,
    /// Texts from a file, one a line
    #[arg(long, value_name = "FILE", conflicts_with = "texts")]
    pub file: Option<PathBuf>,
    /// Labels to show for each text
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// One JSON object a text
    #[arg(long)]
    pub json: bool,
    /// Also the logits of all labels, in the order of their ids; goes with --json
    #[arg(long, requires = "json")]
    pub logits: bool,
}

/// The model that a command generates with.
#[derive(Debug, Args)]
pub struct LanguageArguments {
    /// The recipe whose latest run is used where no model is named
    #[arg(long, default_value = pegbox_recipe::FILE_NAME)]
    pub recipe: PathBuf,
    /// A file with a chat template, in place of the model's own
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    #[command(flatten)]
    pub choice: Choice,
}

/// How tokens are chosen. What is not said is as the model's generation_config.json has it.
#[derive(Debug, Args)]
pub struct Choice {
    /// Tokens of an answer at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens: Option<u32>,
    /// Draw tokens, from scores divided by this; 0 takes the likeliest instead
    #[arg(long, value_name = "T")]
    pub temperature: Option<f64>,
    /// Draw from so many of the likeliest tokens; 0: from all
    #[arg(long, value_name = "K")]
    pub top_k: Option<usize>,
    /// Draw from the likeliest tokens that together have this probability
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Draw from tokens at least so likely as this share of the likeliest one's probability
    #[arg(long, value_name = "P")]
    pub min_p: Option<f64>,
    /// Make tokens that have occurred less likely; 1: no effect
    #[arg(long, value_name = "R")]
    pub repetition_penalty: Option<f64>,
    /// End an answer before this text; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub stop: Vec<String>,
    /// Which tokens are drawn
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct Chat {
    /// A run's folder, a model's folder, a GGUF file, `hf:org/name@revision`, `pypi:package==version` or
    /// `https://...#sha256=...`; the latest run of the recipe by default
    pub model: Option<String>,
    #[command(flatten)]
    pub language: LanguageArguments,
    /// What the conversation begins with, said by the system
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// One JSON object an answer
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Generate {
    /// The prompts; without any, and without --file, the standard input is one
    pub prompts: Vec<String>,
    /// A run's folder, a model's folder, a GGUF file, `hf:org/name@revision`, `pypi:package==version` or
    /// `https://...#sha256=...`; the latest run of the recipe by default
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    #[command(flatten)]
    pub language: LanguageArguments,
    /// Prompts from a file of JSON lines, `-` for the standard input: {"prompt": "..."}, or a conversation for the
    /// model's chat template, {"messages": [{"role": "user", "content": "..."}]}
    #[arg(long, value_name = "FILE", conflicts_with = "prompts")]
    pub file: Option<PathBuf>,
    /// Search with so many beams
    #[arg(long, value_name = "N")]
    pub beams: Option<usize>,
    /// Answers to each prompt
    #[arg(long, value_name = "N")]
    pub answers: Option<usize>,
    /// Prompts that are computed together
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// One JSON object an answer
    #[arg(long)]
    pub json: bool,
}
