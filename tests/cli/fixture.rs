//! A project in a temporary folder: a tiny random BERT, some records, a recipe.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use pegbox_models::weights::{NamedTensor, write_safetensors};
use pegbox_models::{Encoder, EncoderConfig, Head, Model, ModelConfig, Parameters, Pooling, Problem, device};
use serde_json::{Value, json};
use tempfile::TempDir;

const COLOURS: [&str; 4] = ["red", "green", "blue", "grey"];
const THINGS: [&str; 6] = ["car", "house", "tree", "river", "stone", "cloud"];
const WORDS: [&str; 8] = ["the", "a", "is", "very", "today", "not", "old", "new"];

pub struct Project {
    folder: TempDir,
}

impl Project {
    /// A project whose recipe runs: cross-entropy and accuracy, both built in; one epoch.
    pub fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        project.write_model(&json!({}));
        project.write_records();
        project.write("pegbox.toml", RECIPE);
        project
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes the recipe; `from` must stand in it.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.path("pegbox.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Builds a plugin of tests/hostile into the project's plugin folder.
    pub fn add_hostile(&self, name: &str) {
        pegbox_hostile_plugins::build(name, &self.path("plugins")).unwrap();
    }

    /// Runs the real binary in the project's folder.
    pub fn pegbox(&self, arguments: &[&str]) -> Seen {
        let output = self.command(arguments).output().unwrap();
        Seen { output, folder: self.folder.path().to_path_buf() }
    }

    /// The same, with something to read on its standard input.
    pub fn pegbox_told(&self, input: &str, arguments: &[&str]) -> Seen {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that fails before it reads has closed its end.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Seen { output: child.wait_with_output().unwrap(), folder: self.folder.path().to_path_buf() }
    }

    /// The same, with further variables in its environment.
    pub fn pegbox_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Seen {
        let output = self.command(arguments).envs(environment.iter().copied()).output().unwrap();
        Seen { output, folder: self.folder.path().to_path_buf() }
    }

    /// Starts the real binary in the same way.
    pub fn spawn_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Child {
        self.command(arguments).envs(environment.iter().copied()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Starts the real binary in the project's folder, with its error stream at hand.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs another program in the project's folder, in the same surroundings.
    pub fn within(&self, program: &str, arguments: &[&str]) -> Seen {
        let output = self.surrounded(Command::new(program), arguments).output().unwrap();
        Seen { output, folder: self.folder.path().to_path_buf() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.surrounded(Command::new(env!("CARGO_BIN_EXE_pegbox")), arguments)
    }

    fn surrounded(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PEGBOX_CACHE", self.path("cache"))
            .env("XDG_DATA_HOME", self.path("data-home"))
            .env("HF_HOME", self.path("hf-home"))
            .env_remove("PEGBOX_PLUGINS")
            .env_remove("PEGBOX_LOG")
            .env_remove("RUST_BACKTRACE");
        for variable in ["HF_ENDPOINT", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "TRANSFORMERS_OFFLINE"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// The model's folder, with `changes` in its config.json.
    pub fn write_model(&self, changes: &Value) {
        let mut config = json!({
            "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu",
            "vocab_size": vocabulary().len(), "hidden_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64,
            "type_vocab_size": 2, "pad_token_id": 0, "layer_norm_eps": 1e-12,
            "initializer_range": 0.1, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        });
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        self.write("model/config.json", &config.to_string());
        self.write("model/tokenizer.json", &tokenizer().to_string());
        self.write("model/README.md", "---\nlicense: mit\n---\n");

        let Value::Object(config) = config else { unreachable!() };
        let config = EncoderConfig::from_json(config).unwrap();
        let device = device::parse("cpu").unwrap();
        let head = Head::Sequence { outputs: 2, pooling: Pooling::Cls, problem: Problem::SingleLabel };
        let mut bert = Encoder::random(config, head, 1, &device).unwrap();
        let tensors: Vec<NamedTensor> = bert
            .parameters()
            .into_iter()
            .filter(|(name, _)| !name.starts_with("classifier"))
            .map(|(name, parameter)| NamedTensor {
                name,
                shape: parameter.shape(),
                values: parameter.values(),
            })
            .collect();
        write_safetensors(&self.path("model/model.safetensors"), &tensors).unwrap();
    }

    /// Puts a tiny model of another architecture in the place of the BERT, with the same tokenizer; with weights where
    /// `seed` says which.
    pub fn set_model(&self, config: &Value, head: Head, seed: Option<u64>) {
        let (config, weights) = (config.as_object().unwrap().clone(), self.path("model/model.safetensors"));
        self.write("model/config.json", &serde_json::to_string(&config).unwrap());
        fs::remove_file(&weights).unwrap();
        let Some(seed) = seed else { return };
        let config = ModelConfig::from_json(config).unwrap();
        let mut model = Model::random(config, head, seed, &device::parse("cpu").unwrap()).unwrap();
        let named = |(name, parameter): (String, pegbox_models::Parameter<'_>)| NamedTensor {
            name,
            shape: parameter.shape(),
            values: parameter.values(),
        };
        let tensors: Vec<NamedTensor> = model.parameters().into_iter().map(named).collect();
        write_safetensors(&weights, &tensors).unwrap();
    }

    /// Records that ask for the colour of a thing, in the fields `question` and `answer`: each thing has its own.
    pub fn write_questions(&self) {
        let lines = |count: usize, offset: usize| -> String {
            (offset..offset + count)
                .map(|n| {
                    let place = n / 3 % THINGS.len();
                    let thing = THINGS[place];
                    let question = format!("{} {} {thing} {n}", WORDS[n / 4 % 2], WORDS[3 + n / 5 % 5]);
                    let answer = format!("{} {thing}", COLOURS[place % COLOURS.len()]);
                    format!("{}\n", json!({ "question": question, "answer": answer }))
                })
                .collect()
        };
        self.write("data/train.jsonl", &lines(160, 0));
        self.write("data/test.jsonl", &lines(40, 1000));
    }

    fn write_records(&self) {
        let lines = |count: usize, offset: usize| -> String {
            (offset..offset + count)
                .map(|n| {
                    let colour = COLOURS[n % COLOURS.len()];
                    let text = format!(
                        "{} {} {} is {colour} {} {n}",
                        WORDS[n / 4 % 2],
                        WORDS[4 + n / 8 % 4],
                        THINGS[n / 3 % THINGS.len()],
                        WORDS[3 + n / 5 % 5],
                    );
                    format!("{}\n", json!({ "text": text, "label": colour }))
                })
                .collect()
        };
        self.write("data/train.jsonl", &lines(160, 0));
        self.write("data/test.jsonl", &lines(40, 1000));
    }
}

/// What a user sees of one call.
pub struct Seen {
    output: Output,
    folder: PathBuf,
}

impl Seen {
    pub fn status(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    /// Standard output, without this machine's folders.
    pub fn results(&self) -> String {
        clean(&self.output.stdout, &self.folder)
    }

    /// The error stream, without this machine's folders.
    pub fn messages(&self) -> String {
        clean(&self.output.stderr, &self.folder)
    }

    /// The error report and the exit status, without the progress before it.
    pub fn report(&self) -> String {
        let messages = self.messages();
        let start = messages.find("error: ").unwrap_or_else(|| panic!("no error in: {messages}"));
        format!("{}exit status {}\n", &messages[start..], self.status())
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.status(), 0, "{}\n{}", self.messages(), self.results());
        self
    }
}

fn clean(bytes: &[u8], folder: &Path) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.replace(&format!("{}/", folder.display()), "").replace(&folder.display().to_string(), ".")
}

const RECIPE: &str = r#"[model]
source = "model"
task = "classification"
max-length = 32

[data]
train = "data/train.jsonl"
test = "data/test.jsonl"
fields = { text = "text", label = "label" }
split = { validation = 0.2, seed = 7 }

[train]
epochs = 2
batch = { rows = 16 }
learning-rate = 1e-3
loss = { builtin = "cross-entropy" }
"#;

pub fn vocabulary() -> Vec<String> {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let words = special.iter().chain(&COLOURS).chain(&THINGS).chain(&WORDS);
    let pieces = (0..10).flat_map(|digit| [digit.to_string(), format!("##{digit}")]);
    words.map(|word| word.to_string()).chain(pieces).collect()
}

fn tokenizer() -> Value {
    let vocabulary: serde_json::Map<String, Value> =
        vocabulary().into_iter().enumerate().map(|(id, word)| (word, id.into())).collect();
    let added: Vec<Value> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        .iter()
        .enumerate()
        .map(|(id, token)| {
            json!({ "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true })
        })
        .collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                        "strip_accents": null, "lowercase": true },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        "decoder": { "type": "WordPiece", "prefix": "##", "cleanup": true },
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary },
    })
}
