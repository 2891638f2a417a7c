//! Base models from a hub, as a user meets them: pulled, listed, looked at, pinned, refused. The hub is a server of the
//! test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixture::{Project, Seen, vocabulary};
use crate::server::{Reply, Repository, Server, sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const LATER: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// A project whose base model lies on a hub, and not in its folder.
struct World {
    project: Project,
    server: Server,
    files: Vec<(&'static str, Vec<u8>)>,
}

impl World {
    fn new() -> Self {
        let project = Project::new();
        let names = ["README.md", "config.json", "model.safetensors", "tokenizer.json"];
        let files = names.map(|name| (name, fs::read(project.path("model").join(name)).unwrap())).to_vec();
        fs::remove_dir_all(project.path("model")).unwrap();
        project.edit("source = \"model\"", "source = \"hf:acme/tiny-bert\"");
        Self { project, server: Server::start(), files }
    }

    fn repository(&self) -> Repository<'static> {
        Repository {
            id: "acme/tiny-bert",
            commit: COMMIT,
            files: self.files.clone(),
            licence: Some("mit"),
            gated: None,
        }
    }

    fn pegbox(&self, arguments: &[&str]) -> Seen {
        self.project.pegbox_with(&[("HF_ENDPOINT", self.server.url("").as_str())], arguments)
    }

    /// Without what changes from run to run: the server's port.
    fn plain(&self, text: &str) -> String {
        text.replace(&self.server.url(""), "http://hub")
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.project.path("pegbox.lock")).unwrap()
    }
}

#[test]
fn a_model_is_pulled_listed_and_looked_at() {
    let world = World::new();
    world.repository().serve(&world.server, "main");
    assert!(world.pegbox(&["models", "list"]).succeeds().messages().contains("none is here yet"));
    let pulled = world.pegbox(&["models", "pull", "hf:acme/tiny-bert"]).succeeds().messages();
    assert!(pulled.contains("hf:acme/tiny-bert at commit 0123456789ab fetched from"), "{pulled}");
    world.server.forget();
    insta::assert_snapshot!("models_list", world.pegbox(&["models", "list"]).succeeds().results());
    let inspected = world.pegbox(&["models", "inspect", "hf:acme/tiny-bert"]).succeeds().results();
    let kept: Vec<&str> =
        inspected.lines().filter(|line| !line.contains("digest") && !line.contains("folder")).collect();
    insta::assert_snapshot!("models_inspect", kept.join("\n"));
    let json = world.pegbox(&["models", "inspect", "--json", "hf:acme/tiny-bert"]).succeeds().results();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["model-type"], &json["revision"]), (&Value::from("bert"), &Value::from(COMMIT)));
    assert_eq!(world.server.paths(), Vec::<String>::new(), "everything came from the cache");
}

#[test]
fn a_branch_is_pinned_to_its_commit_until_the_pin_is_moved() {
    let world = World::new();
    world.repository().serve(&world.server, "main");
    world.pegbox(&["train"]).succeeds();
    assert!(world.lock().contains(&format!("revision = \"{COMMIT}\"")), "{}", world.lock());

    // The branch moves on, and this is a machine with an empty cache.
    let world = World { server: Server::start(), ..world };
    let mut later = world.repository();
    later.commit = LATER;
    world.repository().serve(&world.server, "v1");
    later.serve(&world.server, "main");
    fs::remove_dir_all(world.project.path("cache")).unwrap();
    let checked = world.pegbox(&["check"]).succeeds().messages();
    assert!(checked.contains("at commit 0123456789ab fetched"), "{checked}");
    let same = world.pegbox(&["models", "pull", "--recipe", "."]).succeeds().messages();
    assert!(same.contains("pegbox.lock: unchanged"), "{same}");

    let moved = world.pegbox(&["models", "pull", "--recipe", ".", "--update"]).succeeds().messages();
    assert!(moved.contains("pegbox.lock: moved from commit 0123456789ab to fedcba987654"), "{moved}");
    assert!(world.lock().contains(LATER) && world.lock().contains("[dataset]"), "{}", world.lock());
    let offline = world.pegbox(&["check", "--offline"]).succeeds().messages();
    assert!(offline.contains("at commit fedcba987654"), "{offline}");
}

#[test]
fn a_killed_pull_is_continued() {
    let world = World::new();
    let mut repository = world.repository();
    // The weights are brought slowly, so that there is a middle to be killed in.
    repository.files.retain(|(name, _)| *name != "model.safetensors");
    let weights: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
    repository.files.push(("model.safetensors", weights.clone()));
    let stored = repository.stored_at("model.safetensors");
    world.server.put(&stored, Reply::file(&weights).slowly(100_000, Duration::from_millis(100)).times(1));
    repository.serve(&world.server, "main");
    let part = world.project.path("cache/downloads").join(format!("{}.part", sha256(&weights)));
    let mut child = world.project.spawn_with(
        &[("HF_ENDPOINT", world.server.url("").as_str())],
        &["models", "pull", "hf:acme/tiny-bert"],
    );
    let begun = Instant::now();
    while fs::metadata(&part).map_or(0, |meta| meta.len()) < 300_000 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing arrives");
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let have = fs::metadata(&part).unwrap().len();
    assert!(have < weights.len() as u64, "it was too fast to be killed");

    world.pegbox(&["models", "pull", "hf:acme/tiny-bert"]).succeeds();
    assert_eq!(world.server.ranges(&stored), [None, Some(format!("bytes={have}-"))]);
    assert_eq!(fs::read_dir(world.project.path("cache/downloads")).unwrap().count(), 0);
}

#[test]
fn a_licence_that_the_recipe_does_not_allow_is_refused_by_every_command() {
    let world = World::new();
    Repository { licence: Some("cc-by-nc-4.0"), ..world.repository() }.serve(&world.server, "main");
    world.project.edit("[data]", "[policy]\nlicences = [\"Apache-2.0\", \"MIT\"]\n\n[data]");
    let report = world.pegbox(&["check"]).report();
    insta::assert_snapshot!(report);
    for command in [&["prepare"][..], &["train"], &["run"], &["models", "pull", "--recipe", "."]] {
        assert_eq!(world.pegbox(command).report(), report, "{command:?}");
    }
    assert!(world.server.paths().iter().all(|path| path.starts_with("/api/")), "{:?}", world.server.paths());
    world.project.edit("\"MIT\"]", "\"MIT\", \"CC-BY-NC-4.0\"]");
    world.pegbox(&["check"]).succeeds();
}

#[test]
fn a_model_that_states_no_licence_needs_one_that_the_user_states() {
    let world = World::new();
    let mut silent = Repository { licence: None, ..world.repository() };
    silent.files.retain(|(name, _)| *name != "README.md");
    silent.serve(&world.server, "main");
    world.project.edit("[data]", "[policy]\nlicences = \"MIT\"\n\n[data]");
    insta::assert_snapshot!(world.pegbox(&["check"]).report());
    world.project.edit("max-length = 32", "max-length = 32\nlicence = \"MIT\"");
    world.pegbox(&["check"]).succeeds();
}

#[test]
fn a_licence_that_is_none_is_shown_at_its_place() {
    let project = Project::new();
    project.edit("[data]", "[policy]\nlicences = [\"Apache 2\"]\n\n[data]");
    insta::assert_snapshot!(project.pegbox(&["check"]).report());
}

#[test]
fn a_gated_model() {
    let world = World::new();
    Repository { gated: Some("hf_right"), ..world.repository() }.serve(&world.server, "main");
    let report = world.pegbox(&["models", "pull", "hf:acme/tiny-bert"]).report();
    insta::assert_snapshot!(world.plain(&report));
    let environment = [("HF_ENDPOINT", world.server.url("")), ("HF_TOKEN", "hf_right".to_string())];
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.project.pegbox_with(&environment, &["models", "pull", "hf:acme/tiny-bert"]).succeeds();
}

#[test]
fn a_revision_that_is_not_there() {
    let world = World::new();
    let path = "/api/models/acme/tiny-bert/revision/v9?blobs=true";
    world.server.put(path, Reply::status(404).header("x-error-code", "RevisionNotFound"));
    let report = world.pegbox(&["models", "pull", "hf:acme/tiny-bert@v9"]).report();
    insta::assert_snapshot!(world.plain(&report));
}

#[test]
fn a_digest_other_than_promised() {
    let world = World::new();
    let repository = world.repository();
    let (_, mut forged) = repository.files[2].clone();
    forged[100] ^= 1;
    world.server.put(&repository.stored_at("model.safetensors"), Reply::file(&forged));
    repository.serve(&world.server, "main");
    let report = world.pegbox(&["models", "pull", "hf:acme/tiny-bert"]).report();
    let (found, promised) = (sha256(&forged), sha256(&repository.files[2].1));
    let report = world.plain(&report).replace(&found, "<found>").replace(&promised, "<promised>");
    insta::assert_snapshot!(report);
    assert_eq!(world.pegbox(&["models", "list"]).succeeds().results(), "");
}

#[test]
fn offline_without_the_model() {
    let world = World::new();
    world.repository().serve(&world.server, "main");
    insta::assert_snapshot!("offline_by_option", world.pegbox(&["check", "--offline"]).report());
    let environment = [("HF_HUB_OFFLINE", "1")];
    insta::assert_snapshot!(
        "offline_by_variable",
        world.project.pegbox_with(&environment, &["check"]).report()
    );
    assert_eq!(world.server.paths(), Vec::<String>::new());
    assert_eq!(world.pegbox(&["plugin", "search", "--offline", "x"]).status(), 2);
}

#[test]
fn models_are_recommended_with_reasons() {
    let world = World::new();
    world.project.edit("[data]", "[policy]\nlicences = [\"Apache-2.0\"]\n\n[data]");
    let results = world.pegbox(&["models", "recommend", "--memory", "2"]).succeeds().results();
    assert!(results.starts_with("classification: 160 sampled texts in "), "{results}");
    assert!(results.contains("max-length 32; on cpu with 2.0 GB"), "{results}");
    let first = results.lines().nth(1).unwrap();
    assert!(first.starts_with(" 1. ") && first.ends_with("22.7 M, Apache-2.0"), "{results}");
    assert!(!results.contains("against it") && !results.contains("t5-small"), "{results}");

    let all = world.pegbox(&["models", "recommend", "--memory", "2", "--all"]).succeeds().results();
    let of = |name: &str| {
        all.split("\n").skip_while(|line| !line.contains(name)).take(3).collect::<Vec<_>>().join("\n")
    };
    let law = of("legal-bert");
    assert!(law.contains("against it: CC-BY-SA-4.0 is not in [policy].licences"), "{all}");
    let large = of("xlm-roberta");
    assert!(
        large.contains("full training needs 4.4 GB for weights, gradients and AdamW, there are 2.0 GB"),
        "{all}"
    );
    assert_eq!(world.server.paths(), Vec::<String>::new());
}

fn parity(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity").join(name)
}

#[test]
fn a_gguf_file_is_looked_at() {
    let project = Project::new();
    fs::copy(parity("language/llama.gguf"), project.path("chat.gguf")).unwrap();
    let inspected = project.pegbox(&["models", "inspect", "chat.gguf"]).succeeds().results();
    let kept: Vec<&str> =
        inspected.lines().filter(|line| !line.contains("digest") && !line.contains("folder")).collect();
    insta::assert_snapshot!("models_inspect_gguf", kept.join("\n"));
    let whole = fs::read(project.path("chat.gguf")).unwrap();
    fs::write(project.path("cut.gguf"), &whole[..whole.len() / 2]).unwrap();
    let report = project.pegbox(&["models", "inspect", "cut.gguf"]).report();
    assert!(report.contains("cut.gguf: ") && report.contains("cut short"), "{report}");
}

#[test]
fn a_gguf_file_on_a_hub_is_listed_with_its_own_licence() {
    let world = World::new();
    let gguf = fs::read(parity("language/bert.gguf")).unwrap();
    let repository = Repository {
        id: "acme/small",
        commit: COMMIT,
        files: vec![("small-F32.gguf", gguf)],
        licence: None,
        gated: None,
    };
    repository.serve(&world.server, "main");
    world.pegbox(&["models", "pull", "hf:acme/small"]).succeeds();
    let listed = world.pegbox(&["models", "list"]).succeeds().results();
    assert!(listed.starts_with("hf:acme/small (0123456789ab)  bert"), "{listed}");
    assert!(listed.contains(" MIT"), "{listed}");
    let advice = world.pegbox(&["models", "recommend", "--memory", "8", "--all"]).succeeds().results();
    assert!(advice.contains("hf:acme/small, 0.0 M, MIT"), "{advice}");
}

#[test]
fn a_gguf_file_is_a_recipes_base() {
    let project = Project::new();
    fs::copy(parity("language/bert.gguf"), project.path("bert.gguf")).unwrap();
    fs::remove_dir_all(project.path("model")).unwrap();
    project.edit("source = \"model\"", "source = \"bert.gguf\"");
    project.edit("epochs = 2", "epochs = 1");
    let checked = project.pegbox(&["check"]).succeeds().messages();
    assert!(checked.contains("bert.gguf, licence MIT"), "{checked}");
    project.pegbox(&["run"]).succeeds();
    let predicted = project.pegbox(&["predict", "--json", "the old car is red today 7"]).succeeds();
    assert!(predicted.results().contains("\"red\""), "{}", predicted.results());
    let run = fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().path();
    let config = fs::read_to_string(run.join("model/tokenizer_config.json")).unwrap();
    assert!(config.contains("\"unk_token\": \"[UNK]\""), "{config}");
    project.edit("max-length = 32", "max-length = 64");
    assert!(project.pegbox(&["check"]).report().contains("bert.gguf has 48 positions"));
}

#[test]
fn a_vocabulary_without_a_tokenizer_is_enough() {
    let project = Project::new();
    let rows = |project: &Project| {
        let seen = project.pegbox(&["check"]).succeeds().results();
        seen[seen.find("first rows as tokens").unwrap()..].to_string()
    };
    let with_tokenizer = rows(&project);
    fs::remove_file(project.path("model/tokenizer.json")).unwrap();
    project.write("model/vocab.txt", &(vocabulary().join("\n") + "\n"));
    assert_eq!(rows(&project), with_tokenizer);
    project.pegbox(&["train"]).succeeds();
    project.pegbox(&["predict", "the old car is red today 7"]).succeeds();
    project.write("model/vocab.txt", "a\nb\n");
    assert!(project.pegbox(&["check"]).report().contains("vocab.txt: its vocabulary lacks `[UNK]`"));
}
