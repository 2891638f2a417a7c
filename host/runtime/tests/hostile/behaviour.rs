//! One misbehaviour at a time, looked at closely: the error's parts, what it costs, what works afterwards.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::support::{TestStep, batch, load, load_from};
use pegbox_runtime::{
    ArtifactError, Bundle, Cause, Cleaner, Element, LimitOverrides, LoadError, ModelFile, ModelView, Outcome,
    PluginError, Runtime, TensorEngine, TensorInfo,
};
use serde_json::json;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    // Kept until the process ends: the cache is used by every test.
    let folder = tempfile::tempdir().unwrap().keep();
    Runtime::new(&folder).unwrap()
});

fn cleaner(name: &str, limits: LimitOverrides) -> Box<dyn Cleaner> {
    load(&RUNTIME, name, limits).unwrap().cleaner(&json!({})).unwrap()
}

fn loss_error(name: &str, limits: LimitOverrides) -> PluginError {
    let mut loss = load(&RUNTIME, name, limits).unwrap().loss(&json!({})).unwrap();
    loss.compute(TestStep::new(412)).unwrap_err()
}

#[test]
fn an_endless_loop_ends_at_its_deadline() {
    let limits = LimitOverrides { deadline_ms: Some(200), ..Default::default() };
    let mut cleaner = cleaner("endless-loop", limits);
    let started = Instant::now();
    let error = cleaner.clean(&batch(5..9)).unwrap_err();
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(
        error.to_string(),
        "plugin hostile/endless-loop@0.1.0 failed in cleaner.clean at records 5 to 8"
    );
    assert_eq!(error.cause().to_string(), "the call ran longer than its deadline of 200 ms");
    assert!(error.help().unwrap().contains("`limits.deadline-ms` (now 200)"));
    assert_eq!(error.record_ids(), [5, 6, 7, 8]);
}

#[test]
fn time_in_tensor_operations_counts_towards_the_deadline() {
    let limits = LimitOverrides { deadline_ms: Some(200), ..Default::default() };
    let error = loss_error("dawdler", limits);
    assert_eq!(error.cause(), &Cause::Deadline { limit_ms: 200 });
    assert_eq!(error.to_string(), "plugin hostile/dawdler@0.1.0 failed in loss.compute at step 412");
}

#[test]
fn a_memory_bomb_stops_at_its_ceiling() {
    let limits = LimitOverrides { memory_mib: Some(16), ..Default::default() };
    let error = cleaner("memory-bomb", limits).clean(&batch([1])).unwrap_err();
    assert_eq!(error.cause(), &Cause::Memory { limit_mib: 16 });
    assert!(error.help().unwrap().contains("limits.memory-mib"));
}

#[test]
fn more_memory_than_allowed_from_the_start_is_a_matter_of_memory() {
    // Two pages are 128 KiB: give it the least that can be given, and a module that wants more cannot be
    // made here; so a bomb with 1 MiB must already fail in its first step.
    let limits = LimitOverrides { memory_mib: Some(1), ..Default::default() };
    let error = cleaner("memory-bomb", limits).clean(&batch([1])).unwrap_err();
    assert_eq!(error.cause(), &Cause::Memory { limit_mib: 1 });
}

#[test]
fn after_a_trap_the_next_call_works_again() {
    let mut cleaner = cleaner("unlucky", LimitOverrides::default());
    assert_eq!(cleaner.clean(&batch(1..4)).unwrap(), vec![Outcome::Keep; 3]);
    for _ in 0..3 {
        let error = cleaner.clean(&batch(12..15)).unwrap_err();
        let Cause::Trap { what, backtrace } = error.cause() else { panic!("{error:?}") };
        assert!(what.contains("integer divide by zero"), "{what}");
        assert_eq!(backtrace[..2], ["divide_by_nothing", "clean"]);
        assert_eq!(cleaner.clean(&batch(20..22)).unwrap(), vec![Outcome::Keep; 2]);
    }
}

#[test]
fn deep_recursion_is_a_stack_overflow() {
    let error = cleaner("bottomless", LimitOverrides::default()).clean(&batch([1])).unwrap_err();
    let Cause::StackOverflow { backtrace, limit_kib: 512 } = error.cause() else { panic!("{error:?}") };
    assert!(backtrace.iter().any(|function| function == "deeper"), "{backtrace:?}");
}

#[test]
fn the_wrong_number_of_outcomes_is_an_error() {
    let error = cleaner("miscounting", LimitOverrides::default()).clean(&batch(1..4)).unwrap_err();
    assert_eq!(error.cause().to_string(), "the plugin broke the contract: it returned 0 outcomes for 3 rows");
}

#[test]
fn a_small_memory_cannot_be_copied_out_without_end() {
    let error = cleaner("verbose", LimitOverrides::default()).clean(&batch(0..100)).unwrap_err();
    assert_eq!(error.cause(), &Cause::Copied { limit_mib: 64 });
    let limits = LimitOverrides { copy_mib: Some(200), ..Default::default() };
    assert_eq!(cleaner("verbose", limits).clean(&batch(0..100)).unwrap().len(), 100);
}

#[test]
fn what_a_plugin_declines_reaches_the_user_as_it_is() {
    let mut cleaner = cleaner("reluctant", LimitOverrides::default());
    for _ in 0..2 {
        let error = cleaner.clean(&batch([1])).unwrap_err();
        assert_eq!(error.to_string(), "plugin hostile/reluctant@0.1.0 failed in cleaner.clean at record 1");
        assert_eq!(error.cause().to_string(), "the lexicon has no entry for this language");
        assert_eq!(error.help().as_deref(), Some("set `language` to one that it has"));
    }
}

#[test]
fn an_import_that_the_world_lacks_is_refused_by_name() {
    let error = load(&RUNTIME, "smuggler", LimitOverrides::default()).map(|_| ()).unwrap_err();
    assert!(matches!(error, LoadError::Import { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "plugin hostile/smuggler@0.1.0 imports `wasi:random/random@0.2.0`, which its manifest does not ask for"
    );
}

#[test]
fn a_wrong_shape_tells_operation_shapes_and_step() {
    let error = loss_error("misshapen", LimitOverrides::default());
    assert_eq!(error.to_string(), "plugin hostile/misshapen@0.1.0 failed in loss.compute at step 412");
    assert_eq!(
        error.cause().to_string(),
        "gather: index tensor has shape [2], the input has shape [2, 3]; they must have the same rank \
         (operands: float [2, 3], int [2])"
    );
    assert_eq!(error.record_ids(), [70, 71]);
    assert!(error.help().unwrap().contains("reshape"));
}

#[test]
fn a_loss_of_another_shape_is_an_error_and_one_that_is_nan_is_the_callers_to_see() {
    let error = loss_error("not-a-scalar", LimitOverrides::default());
    assert!(error.cause().to_string().contains("the loss is float [2, 3]; it must be float [1]"));
    let mut loss =
        load(&RUNTIME, "not-a-number", LimitOverrides::default()).unwrap().loss(&json!({})).unwrap();
    let step = TestStep::new(1);
    let value = loss.compute(step.clone()).unwrap();
    assert!(step.engine.read_floats(&value).unwrap()[0].is_nan());
}

#[test]
fn tensors_do_not_pile_up() {
    let limits = LimitOverrides { tensors: Some(100), ..Default::default() };
    let error = loss_error("hoarder", limits);
    assert_eq!(error.cause().to_string(), "full: 100 tensor handles are alive already");
    assert!(error.help().unwrap().contains("limits.tensors"));
}

#[test]
fn a_tensor_of_an_earlier_call_is_recognised() {
    let mut loss = load(&RUNTIME, "nostalgic", LimitOverrides::default()).unwrap().loss(&json!({})).unwrap();
    assert!(loss.compute(TestStep::new(0)).is_ok());
    let error = loss.compute(TestStep::new(1)).unwrap_err();
    assert!(error.cause().to_string().contains("belongs to an earlier call"), "{error:?}");
    // A new instance has kept nothing.
    assert!(loss.compute(TestStep::new(2)).is_ok());
}

#[test]
fn an_exporter_cannot_leave_its_bundle() {
    let mut exporter =
        load(&RUNTIME, "escapist", LimitOverrides::default()).unwrap().exporter(&json!({})).unwrap();
    let error = exporter.export(Arc::new(NoModel), Arc::new(NoBundle)).unwrap_err();
    assert!(error.cause().to_string().contains("\"../../authorized_keys\""), "{error:?}");
}

#[test]
fn a_component_that_was_changed_is_not_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = pegbox_hostile_plugins::build("unlucky", folder.path()).unwrap();
    assert!(load_from(&RUNTIME, folder.path(), "unlucky", LimitOverrides::default()).is_ok());
    let file = plugin.join("plugin.wasm");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error =
        load_from(&RUNTIME, folder.path(), "unlucky", LimitOverrides::default()).map(|_| ()).unwrap_err();
    assert!(matches!(error, LoadError::Tampered { by: "plugin.toml", .. }), "{error}");
}

#[test]
fn a_manifest_that_does_not_tell_what_the_plugin_tells_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = pegbox_hostile_plugins::build("unlucky", folder.path()).unwrap().join("plugin.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let load =
        || load_from(&RUNTIME, folder.path(), "unlucky", LimitOverrides::default()).map(|_| ()).unwrap_err();
    std::fs::write(&manifest, text.replace("version = \"0.1.0\"", "version = \"0.9.0\"")).unwrap();
    assert!(matches!(load(), LoadError::Disagrees { .. }));
    std::fs::write(&manifest, text.replace("[\"cleaner\"]", "[\"validator\"]")).unwrap();
    assert!(load().to_string().contains("does not export `pegbox:plugin/validation@0.1.1`"));
    std::fs::write(&manifest, text.replace("contract = \"0.1.0\"", "contract = \"0.2.0\"")).unwrap();
    assert!(load().to_string().contains("is built for contract 0.2.0, this host serves 0.1.1"));
}

#[test]
fn what_is_no_component_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = pegbox_hostile_plugins::build("unlucky", folder.path()).unwrap();
    let manifest = std::fs::read_to_string(plugin.join("plugin.toml")).unwrap();
    let without_digest: Vec<&str> = manifest.lines().filter(|line| !line.starts_with("digest")).collect();
    std::fs::write(plugin.join("plugin.toml"), without_digest.join("\n")).unwrap();
    let load = |bytes: &[u8]| {
        std::fs::write(plugin.join("plugin.wasm"), bytes).unwrap();
        load_from(&RUNTIME, folder.path(), "unlucky", LimitOverrides::default())
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(load(b"\0asm\x01\0\0\0").contains("it is a core module"));
    assert!(load(b"\x7fELF and more").contains("does not begin with"));
    assert!(load(b"\0asm\x0d\0\x01\0 and rubbish").contains("not a WebAssembly component"));
}

#[test]
fn a_plugin_of_another_kind_says_so() {
    let plugin = load(&RUNTIME, "unlucky", LimitOverrides::default()).unwrap();
    let error = plugin.loss(&json!({})).map(|_| ()).unwrap_err();
    assert!(error.cause().to_string().contains("it is used as a loss, but is a cleaner"));
}

#[test]
fn threads_share_a_plugin_and_have_an_instance_each() {
    let plugin = load(&RUNTIME, "unlucky", LimitOverrides::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let plugin = plugin.clone();
            scope.spawn(move || {
                let mut cleaner = plugin.cleaner(&json!({})).unwrap();
                for round in 0..20 {
                    let start = 100 + thread * 1000 + round * 10;
                    assert_eq!(cleaner.clean(&batch(start..start + 10)).unwrap().len(), 10);
                    assert!(cleaner.clean(&batch([13])).is_err());
                }
            });
        }
    });
}

#[test]
fn compiled_code_is_kept_and_a_damaged_copy_is_made_anew() {
    let cache = tempfile::tempdir().unwrap();
    let compiled = || {
        let files = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "compiled")).collect::<Vec<_>>()
    };
    let works = || {
        let runtime = Runtime::new(cache.path()).unwrap();
        let mut cleaner =
            load(&runtime, "unlucky", LimitOverrides::default()).unwrap().cleaner(&json!({})).unwrap();
        cleaner.clean(&batch(1..3)).unwrap().len() == 2
    };
    assert!(works());
    let files = compiled();
    assert_eq!(files.len(), 1);
    let good = std::fs::read(&files[0]).unwrap();
    let written = std::fs::metadata(&files[0]).unwrap().modified().unwrap();
    assert!(works());
    assert_eq!(std::fs::metadata(&files[0]).unwrap().modified().unwrap(), written, "compiled twice");
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 0x55;
    std::fs::write(&files[0], bad).unwrap();
    assert!(works());
    assert!(std::fs::read(&files[0]).unwrap() != bad_of(&good, middle), "the damaged copy was left");
}

fn bad_of(good: &[u8], at: usize) -> Vec<u8> {
    let mut bad = good.to_vec();
    bad[at] ^= 0x55;
    bad
}

struct NoModel;

impl ModelView for NoModel {
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
        Vec::new()
    }

    fn read(&self, _: &str, _: u64, _: u64, _: Element) -> Result<Vec<u8>, ArtifactError> {
        Ok(Vec::new())
    }
}

struct NoBundle;

impl Bundle for NoBundle {
    fn create(&self, path: &str) -> Result<(), ArtifactError> {
        panic!("`{path}` reached the bundle");
    }

    fn append(&self, path: &str, _: &[u8]) -> Result<(), ArtifactError> {
        panic!("`{path}` reached the bundle");
    }
}
