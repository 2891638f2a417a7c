//! What a hostile plugin is let loose in: a folder with a recipe's files and a bundle, a step, a model; and what it
//! did there, as lines for a snapshot.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pegbox_hostile_plugins::{Scenario, build, scenario};
use pegbox_runtime::{
    ArtifactError, Bundle, Element, Grants, Kind, LimitOverrides, LoadError, LoadOptions, ModelFile,
    ModelView, Permissions, Plugin, PluginError, PluginFolders, Runtime, TensorEngine, TensorInfo,
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{TestStep, VecEngine, batch};

/// A message is no longer than this, whatever a plugin says.
const LONGEST: usize = 6000;
/// How much longer than its limits a scenario may take, on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(90);

/// A folder that plugins see parts of.
pub struct Playground {
    folder: TempDir,
}

impl Playground {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("recipe/granted")).unwrap();
        fs::create_dir_all(at("recipe/granted/sub")).unwrap();
        fs::create_dir_all(at("recipe/private")).unwrap();
        fs::create_dir(at("bundle")).unwrap();
        fs::write(at("recipe/secret.txt"), "secret").unwrap();
        fs::write(at("recipe/granted/notes.txt"), "notes").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("../secret.txt", at("recipe/granted/way-out")).unwrap();
            symlink("..", at("recipe/granted/way-out-folder")).unwrap();
            symlink("/", at("recipe/granted/to-root")).unwrap();
            let mkfifo = std::process::Command::new("mkfifo").arg(at("recipe/granted/pipe")).status();
            assert!(mkfifo.unwrap().success());
        }
        Self { folder }
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Every file outside the bundle, with what is in it.
    fn outside(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        list(&self.path("recipe"), &mut files);
        list(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
        files
    }

    /// Builds the plugin, runs it as its scenario says, and checks that nothing but its bundle has changed.
    /// What the host said is the result, for a snapshot.
    pub fn run(&self, runtime: &Runtime, name: &str) -> String {
        let scenario = scenario(name).unwrap();
        let before = self.outside();
        build(name, &self.path("plugins")).unwrap();
        let started = Instant::now();
        let mut story = Teller::new(self.folder.path());
        let (_, log) = logged(|| {
            if let Some(plugin) = story.load(self.load(runtime, name, &scenario)) {
                self.call(&plugin, &mut story);
            }
        });
        log.lines().for_each(|line| story.line("logged", line));
        let took = started.elapsed();
        let Teller { text, said, .. } = story;
        assert!(took < PATIENCE, "{name} took {took:?}");
        assert!(self.outside() == before, "{name} changed files outside its bundle");
        assert!(!text.contains("/tmp"), "a path of this machine:\n{text}");
        assert!(said.contains(&scenario.expect), "{name} was to end in `{}`, but:\n{text}", scenario.expect);
        let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
        format!("{name}\n{indented}\n")
    }

    fn load(&self, runtime: &Runtime, name: &str, scenario: &Scenario) -> Result<Plugin, LoadError> {
        let limits: LimitOverrides = scenario.limits.clone().try_into().unwrap();
        let permissions: Permissions = scenario.grants.clone().try_into().unwrap();
        let grants = Grants { permissions, root: self.path("recipe") };
        let found = PluginFolders::new(vec![self.path("plugins")]).resolve(&format!("hostile/{name}"))?;
        runtime.load(&found, &LoadOptions { limits, grants, ..LoadOptions::default() })
    }

    /// Uses the plugin as its kind is used, and calls it again after each error.
    fn call(&self, plugin: &Plugin, story: &mut Teller) {
        let configuration = json!({});
        for kind in &plugin.manifest().plugin.kinds {
            match kind {
                Kind::Cleaner => {
                    let Some(mut cleaner) = story.made(plugin.cleaner(&configuration)) else { return };
                    for _ in 0..2 {
                        story.tell("clean", cleaner.clean(&batch(1..4)));
                    }
                }
                Kind::Validator => {
                    let Some(mut validator) = story.made(plugin.validator(&configuration)) else { return };
                    story.tell("validate", validator.validate(&batch(1..4)));
                    if let Some(state) = story.tell("state", validator.state()) {
                        story.tell("merge", validator.merge(&state));
                    }
                    story.tell("finish", validator.finish());
                }
                Kind::Loss => {
                    let Some(mut loss) = story.made(plugin.loss(&configuration)) else { return };
                    let engine = Arc::new(VecEngine::default());
                    for number in 0..2 {
                        let step = Arc::new(TestStep { engine: Arc::clone(&engine), number });
                        let value = loss.compute(step);
                        story.tell("compute", value.map(|value| engine.read_floats(&value).unwrap()));
                        assert_eq!(engine.alive(), 0, "tensors are left after a call");
                    }
                }
                Kind::Metric => {
                    let Some(mut metric) = story.made(plugin.metric(&configuration)) else { return };
                    let engine = Arc::new(VecEngine::default());
                    for number in 0..2 {
                        story.tell(
                            "update",
                            metric.update(Arc::new(TestStep { engine: Arc::clone(&engine), number })),
                        );
                        assert_eq!(engine.alive(), 0, "tensors are left after a call");
                    }
                    if let Some(state) = story.tell("state", metric.state()) {
                        story.tell("merge", metric.merge(&state));
                    }
                    story.tell("compute", metric.compute());
                    story.tell("reset", metric.reset());
                }
                Kind::Exporter => {
                    let Some(mut exporter) = story.made(plugin.exporter(&configuration)) else { return };
                    let bundle = self.path("bundle");
                    let written =
                        exporter.export(Arc::new(TwoTensors), Arc::new(FolderBundle(bundle.clone())));
                    story.tell("export", written);
                    fs::remove_dir_all(&bundle).unwrap();
                    fs::create_dir(&bundle).unwrap();
                }
            }
        }
    }
}

/// Collects what the host says.
struct Teller {
    text: String,
    said: String,
    last: String,
    here: String,
}

impl Teller {
    fn new(here: &Path) -> Self {
        let here = here.display().to_string();
        Self { text: String::new(), said: String::new(), last: String::new(), here }
    }

    fn load(&mut self, loaded: Result<Plugin, LoadError>) -> Option<Plugin> {
        match loaded {
            Ok(plugin) => Some(plugin),
            Err(LoadError::Call(error)) => {
                self.error("load", &error);
                None
            }
            Err(error) => {
                self.failed("load", &error.to_string(), None, error.help());
                None
            }
        }
    }

    fn made<T>(&mut self, made: Result<T, PluginError>) -> Option<T> {
        made.map_err(|error| self.error("make", &error)).ok()
    }

    fn tell<T: std::fmt::Debug>(&mut self, call: &str, result: Result<T, PluginError>) -> Option<T> {
        match result {
            Ok(value) => {
                let text = format!("{value:?}");
                self.line(call, &format!("ok {}", if text == "()" { "" } else { &text }));
                Some(value)
            }
            Err(error) => {
                self.error(call, &error);
                None
            }
        }
    }

    fn error(&mut self, call: &str, error: &PluginError) {
        self.failed(call, &error.to_string(), Some(error.cause().to_string()), error.help());
    }

    fn failed(&mut self, call: &str, error: &str, cause: Option<String>, help: Option<String>) {
        // The host's own help may have several lines.
        let help_line = help.as_deref().map(|help| help.replace('\n', " "));
        for text in [Some(error), cause.as_deref(), help_line.as_deref()].into_iter().flatten() {
            assert!(text.len() < LONGEST, "a message of {} bytes", text.len());
            assert!(!text.chars().any(char::is_control), "a terminal would obey {text:?}");
        }
        let whole = format!("{error} {cause:?} {help:?}");
        if whole == self.last {
            return self.line(call, "the same");
        }
        self.last = whole;
        self.line(call, error);
        for (what, text) in [("cause", cause), ("help", help)] {
            if let Some(text) = text {
                self.line(&format!("  {what}"), &text);
            }
        }
    }

    fn line(&mut self, what: &str, text: &str) {
        let text = text.replace(&self.here, "<here>").replace('\n', "\n    ");
        self.said.push_str(&text);
        self.said.push('\n');
        let short = if text.len() > 400 {
            let start: String = text.chars().take(100).collect();
            format!("{start} <and so on, {} bytes>", text.len())
        } else {
            text
        };
        self.text.push_str(format!("{what}: {short}").trim_end());
        self.text.push('\n');
    }
}

fn list(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        // Snapshots that differ are written by the tests themselves.
        if path.extension().is_some_and(|end| end == "new" || end == "snap") {
            continue;
        }
        match () {
            () if kind.is_dir() => list(&path, files),
            () if kind.is_file() => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
            () => drop(files.insert(path, Vec::new())),
        }
    }
}

/// A model of a small tensor and a large one.
struct TwoTensors;

impl ModelView for TwoTensors {
    fn configuration(&self) -> String {
        "{}".to_owned()
    }

    fn tokenizer_files(&self) -> Result<Vec<ModelFile>, ArtifactError> {
        Ok(Vec::new())
    }

    fn labels(&self) -> Vec<String> {
        Vec::new()
    }

    fn metrics(&self) -> String {
        "{}".to_owned()
    }

    fn provenance(&self) -> String {
        "{}".to_owned()
    }

    fn tensors(&self) -> Vec<TensorInfo> {
        let info = |name: &str, size| TensorInfo { name: name.to_owned(), shape: vec![size] };
        vec![info("w", 4), info("large", 1 << 30)]
    }

    fn read(&self, _: &str, _: u64, count: u64, element: Element) -> Result<Vec<u8>, ArtifactError> {
        Ok(vec![0; (count * element.size()) as usize])
    }
}

/// Writes where it is told, as `pegbox run` does.
struct FolderBundle(PathBuf);

impl FolderBundle {
    fn write(&self, path: &str, options: &mut fs::OpenOptions, content: &[u8]) -> Result<(), ArtifactError> {
        let file = self.0.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        options.open(file).and_then(|mut file| file.write_all(content)).map_err(|fault| ArtifactError {
            operation: "bundle.write",
            what: fault.to_string(),
            help: None,
        })
    }
}

impl Bundle for FolderBundle {
    fn create(&self, path: &str) -> Result<(), ArtifactError> {
        self.write(path, fs::OpenOptions::new().write(true).create_new(true), b"")
    }

    fn append(&self, path: &str, content: &[u8]) -> Result<(), ArtifactError> {
        self.write(path, fs::OpenOptions::new().append(true), content)
    }
}

/// What `work` gives, and the lines that plugins wrote to the log meanwhile.
fn logged<T>(work: impl FnOnce() -> T) -> (T, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_env_filter("plugin=info")
        .finish();
    let given = tracing::subscriber::with_default(subscriber, work);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    (given, log)
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
