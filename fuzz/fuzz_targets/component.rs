//! Bytes that may be a component: loaded with small limits, asked what it is, and called once if it answers.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use pegbox_fuzz::export::{Model, Watched};
use pegbox_fuzz::step::Step;
use pegbox_manifest::is_name;
use pegbox_runtime::{
    Kind, LimitOverrides, LoadOptions, Manifest, Plugin, PluginError, Resolved, Row, RowBatch, Runtime,
};
use serde_json::json;

/// The plugin's folder, one a process.
static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for the plugin").keep());

/// Without a cache: there is no folder to keep compiled code in.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::new(Path::new("/dev/null/none")).expect("the engine starts"));

/// What tells a component's kind: the interface that it exports.
const KINDS: [(&str, Kind); 5] = [
    ("pegbox:plugin/cleaning", Kind::Cleaner),
    ("pegbox:plugin/validation", Kind::Validator),
    ("pegbox:plugin/objective", Kind::Loss),
    ("pegbox:plugin/measurement", Kind::Metric),
    ("pegbox:plugin/exporting", Kind::Exporter),
];

fuzz_target!(|bytes: &[u8]| {
    let holds = |name: &str| bytes.windows(name.len()).any(|part| part == name.as_bytes());
    let kind = KINDS.iter().find(|(name, _)| holds(name)).map_or(Kind::Cleaner, |(_, kind)| *kind);
    match load(bytes, kind) {
        Ok(plugin) => {
            if let Err(error) = call(&plugin, kind) {
                let _ = (error.to_string(), error.cause().to_string(), error.help());
            }
        }
        Err(text) => assert!(!text.contains('\u{1b}'), "{text:?}"),
    }
});

fn load(bytes: &[u8], kind: Kind) -> Result<Plugin, String> {
    let name = name(bytes).filter(|name| is_name(name)).unwrap_or_else(|| "hostile/unknown".to_owned());
    let manifest = format!(
        "[plugin]\nname = \"{name}\"\nversion = \"0.1.0\"\nkinds = [\"{kind}\"]\ncontract = \"0.1.1\"\n\
         licence = \"MIT\"\nsummary = \"\"\n[component]\npath = \"plugin.wasm\"\n[records]\nfields = [\"text\"]\n"
    );
    let manifest = Manifest::parse(&manifest, Path::new("plugin.toml")).expect("it is a manifest");
    fs::write(FOLDER.join("plugin.wasm"), bytes).expect("the component is written");
    let found = Resolved { manifest, folder: FOLDER.clone() };
    let limits = LimitOverrides {
        deadline_ms: Some(50),
        memory_mib: Some(16),
        copy_mib: Some(1),
        tensors: Some(32),
        tensor_mib: Some(1),
        output_mib: Some(1),
        ..LimitOverrides::default()
    };
    let options = LoadOptions { limits, ..LoadOptions::default() };
    RUNTIME.load(&found, &options).map_err(|error| format!("{error} {:?}", error.help()))
}

/// What the component will say that it is called, as the seeds' authors name their plugins: `hostile/unlucky`, with
/// the version right behind it.
fn name(bytes: &[u8]) -> Option<String> {
    const TEAM: &[u8] = b"hostile/";
    let start = bytes.windows(TEAM.len()).position(|part| part == TEAM)?;
    let is_in = |b: &&u8| b.is_ascii_lowercase() || matches!(b, b'-' | b'/');
    Some(bytes[start..].iter().take_while(is_in).map(|b| char::from(*b)).collect())
}

fn call(plugin: &Plugin, kind: Kind) -> Result<(), PluginError> {
    let configuration = json!({});
    let rows = (0..3).map(|id| Row { id, values: vec![Some("some text".to_owned())] });
    let batch = RowBatch { fields: vec!["text".to_owned()], rows: rows.collect() };
    match kind {
        Kind::Cleaner => {
            let outcomes = plugin.cleaner(&configuration)?.clean(&batch)?;
            assert_eq!(outcomes.len(), batch.rows.len());
        }
        Kind::Validator => {
            let mut validator = plugin.validator(&configuration)?;
            validator.validate(&batch)?;
            let state = validator.state()?;
            validator.merge(&state)?;
            validator.finish()?;
        }
        Kind::Loss => {
            let step = Step::new(1, 2, false, 0);
            plugin.loss(&configuration)?.compute(step.clone())?;
            assert_eq!(step.engine.alive(), 0, "tensors were left behind");
        }
        Kind::Metric => {
            let step = Step::new(1, 2, false, 0);
            let mut metric = plugin.metric(&configuration)?;
            metric.update(step.clone())?;
            assert_eq!(step.engine.alive(), 0, "tensors were left behind");
            let state = metric.state()?;
            metric.merge(&state)?;
            metric.compute()?;
        }
        Kind::Exporter => {
            let bundle = Arc::<Watched>::default();
            plugin.exporter(&configuration)?.export(Arc::new(Model), bundle.clone())?;
            assert!(bundle.written() <= 1 << 20);
        }
    }
    Ok(())
}
