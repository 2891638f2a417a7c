//! Every source against a real server on this machine.

use std::fs;
use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::test_server::{Reply, Repository, Server, sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const LATER: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// A server, and a machine on which nothing was ever fetched.
struct World {
    server: Server,
    folder: TempDir,
    hub: HubSettings,
}

impl World {
    fn new() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        let hub = HubSettings {
            endpoint: server.url(""),
            token: None,
            cache: Some(folder.path().join("hf")),
            offline: false,
        };
        Self { server, folder, hub }
    }

    fn store(&self) -> Store {
        Store::new(Cache::at(self.folder.path().join("cache")), self.hub.clone(), false)
    }

    fn obtain(&self, source: &str, request: &Request<'_>) -> Result<BaseModel, HubError> {
        let source = Source::parse(source, self.folder.path())?;
        self.store().obtain(&source, request, &|_, _| {})
    }

    fn bring(&self, source: &str) -> Result<BaseModel, HubError> {
        self.obtain(source, &Request::default())
    }

    fn downloads(&self) -> Vec<String> {
        layout::files(&self.folder.path().join("cache/downloads"))
    }
}

fn weights() -> Vec<u8> {
    (0..50_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn small_bert(licence: Option<&'static str>) -> Repository<'static> {
    Repository {
        id: "acme/small-bert",
        commit: COMMIT,
        files: vec![
            ("README.md", b"---\nlicense: apache-2.0\n---\n".to_vec()),
            ("config.json", b"{\"model_type\": \"bert\"}".to_vec()),
            ("modeling_acme.py", b"import os".to_vec()),
            ("model.safetensors", weights()),
            ("pytorch_model.bin", weights()),
            ("tokenizer.json", b"{}".to_vec()),
            ("1_Pooling/config.json", b"{\"word_embedding_dimension\": 8}".to_vec()),
        ],
        licence,
        gated: None,
    }
}

#[test]
fn a_repository_is_fetched_once_pinned_and_then_needs_no_network() {
    let world = World::new();
    small_bert(Some("apache-2.0")).serve(&world.server, "main");
    let seen = AtomicU64::new(0);
    let source = Source::parse("hf:acme/small-bert", Path::new("/")).unwrap();
    let progress = |at, total: Option<u64>| {
        assert!(total.unwrap() >= at);
        seen.fetch_max(at, Ordering::Relaxed);
    };
    let model = world.store().obtain(&source, &Request::default(), &progress).unwrap();
    assert_eq!(model.revision.as_deref(), Some(COMMIT));
    assert_eq!(model.licence.as_deref(), Some("Apache-2.0"));
    let Obtained::Downloaded { bytes, .. } = model.obtained else { panic!("{:?}", model.obtained) };
    assert_eq!(bytes, seen.into_inner());
    assert_eq!(fs::read(model.folder.join("model.safetensors")).unwrap(), weights());
    assert!(model.folder.join("1_Pooling/config.json").is_file());
    let files = layout::files(&model.folder);
    assert_eq!(files, ["README.md", "config.json", "model.safetensors", "tokenizer.json"]);
    assert!(!world.server.paths().iter().any(|path| path.contains(".py") || path.contains(".bin")));
    assert_eq!(world.downloads(), Vec::<String>::new());

    world.server.forget();
    let again = world.bring("hf:acme/small-bert").unwrap();
    let pinned = world.bring(&format!("hf:acme/small-bert@{COMMIT}")).unwrap();
    assert_eq!((again.obtained, again.digest.as_str()), (Obtained::Cached, model.digest.as_str()));
    assert_eq!(pinned.obtained, Obtained::Cached);
    assert_eq!(world.server.paths(), Vec::<String>::new());
}

#[test]
fn a_branch_that_moved_on_is_followed_when_asked_and_the_same_weights_are_not_fetched_twice() {
    let world = World::new();
    small_bert(None).serve(&world.server, "main");
    let first = world.bring("hf:acme/small-bert").unwrap();

    let mut later = small_bert(None);
    later.commit = LATER;
    later.files[0].1 = b"---\nlicense: mit\n---\n".to_vec();
    let server = Server::start();
    later.serve(&server, "main");
    let world = World { hub: HubSettings { endpoint: server.url(""), ..world.hub.clone() }, server, ..world };
    assert_eq!(world.bring("hf:acme/small-bert").unwrap().revision.as_deref(), Some(COMMIT));
    let pinned = Request { anew: true, pinned: Some(COMMIT), ..Request::default() };
    assert_eq!(world.obtain("hf:acme/small-bert", &pinned).unwrap().revision.as_deref(), Some(COMMIT));
    let newest = world.obtain("hf:acme/small-bert", &Request { anew: true, ..Request::default() }).unwrap();
    assert_eq!(newest.revision.as_deref(), Some(LATER));
    assert_eq!(newest.licence.as_deref(), Some("MIT"));
    // The card is no part of what a run depends on.
    assert_eq!((newest.digest == first.digest, newest.folder == first.folder), (true, false));
    assert!(!world.server.paths().contains(&later.stored_at("model.safetensors")));
}

#[test]
fn a_download_that_breaks_off_is_continued_and_one_that_was_killed_too() {
    let world = World::new();
    let repository = small_bert(None);
    let stored = repository.stored_at("model.safetensors");
    let weights = weights();
    world.server.put(&stored, Reply::file(&weights).cut_after(70_000).times(1));
    repository.serve(&world.server, "main");
    world.bring("hf:acme/small-bert").unwrap();
    assert_eq!(world.server.ranges(&stored), [None, Some("bytes=70000-".to_string())]);

    // Another machine, on which a process was killed in the middle: its part is what the next one goes on with.
    let other = World { folder: tempfile::tempdir().unwrap(), ..world };
    let downloads = other.folder.path().join("cache/downloads");
    fs::create_dir_all(&downloads).unwrap();
    fs::write(downloads.join(format!("{}.part", sha256(&weights))), &weights[..1234]).unwrap();
    other.server.forget();
    other.bring("hf:acme/small-bert").unwrap();
    assert_eq!(other.server.ranges(&stored), [Some("bytes=1234-".to_string())]);
}

#[test]
fn two_processes_that_want_the_same_model_fetch_it_once() {
    let world = World::new();
    let repository = small_bert(None);
    let stored = repository.stored_at("model.safetensors");
    world.server.put(&stored, Reply::file(&weights()).slowly(50_000, Duration::from_millis(100)));
    repository.serve(&world.server, "main");
    std::thread::scope(|scope| {
        for store in [world.store(), world.store()] {
            scope.spawn(move || {
                let source = Source::parse("hf:acme/small-bert", Path::new("/")).unwrap();
                store.obtain(&source, &Request::default(), &|_, _| {}).unwrap();
            });
        }
    });
    assert_eq!(world.server.ranges(&stored).len(), 1);
}

#[test]
fn content_other_than_promised_is_refused() {
    let world = World::new();
    let repository = small_bert(None);
    let mut forged = weights();
    forged[7] ^= 1;
    world.server.put(&repository.stored_at("model.safetensors"), Reply::file(&forged));
    repository.serve(&world.server, "main");
    let error = world.bring("hf:acme/small-bert").unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, HubError::Digest { kind: "sha256", .. }), "{message}");
    assert!(message.contains("the hub promises"), "{message}");
    assert!(!message.contains("signature"), "{message}");

    // A small file has Git's digest.
    let world = World::new();
    let path = format!("/acme/small-bert/resolve/{COMMIT}/config.json");
    world.server.put(&path, Reply::file(b"{\"model_type\": \"evil\"}"));
    small_bert(None).serve(&world.server, "main");
    let error = world.bring("hf:acme/small-bert").unwrap_err();
    assert!(matches!(error, HubError::Digest { kind: "git blob", .. }), "{error}");
}

#[test]
fn a_hub_that_states_no_digests_in_its_listing_states_them_with_the_files() {
    let world = World::new();
    let repository = small_bert(None);
    let siblings: Vec<_> =
        repository.files.iter().map(|(name, _)| serde_json::json!({ "rfilename": name })).collect();
    let about = serde_json::json!({ "sha": COMMIT, "siblings": siblings });
    world.server.put("/api/models/acme/small-bert/revision/main?blobs=true", Reply::json(&about));
    repository.serve(&world.server, "main");
    let model = world.bring("hf:acme/small-bert").unwrap();
    assert_eq!(model.licence.as_deref(), Some("Apache-2.0"), "of the card itself");
    let digest = sha256(&weights());
    let note: Note = crate::cache::read_json(&model.folder.with_extension("json")).unwrap();
    assert_eq!(note.files["model.safetensors"], digest);
}

#[test]
fn a_gated_repository_needs_a_token_that_no_other_server_sees() {
    let mut world = World::new();
    let repository = Repository { gated: Some("hf_secret"), ..small_bert(None) };
    repository.serve(&world.server, "main");
    let error = world.bring("hf:acme/small-bert").unwrap_err();
    assert!(matches!(error, HubError::Gated { token: false, .. }), "{error}");
    assert!(error.help().unwrap().contains("set HF_TOKEN"));

    world.hub.token = Some("hf_wrong".into());
    let error = world.bring("hf:acme/small-bert").unwrap_err();
    assert!(error.help().unwrap().contains("the account that your token belongs to"), "{error}");

    world.hub.token = Some("hf_secret".into());
    let elsewhere = Server::start();
    let large = format!("/acme/small-bert/resolve/{COMMIT}/model.safetensors");
    let other =
        World { server: Server::start(), folder: tempfile::tempdir().unwrap(), hub: world.hub.clone() };
    other.server.put(&large, Reply::redirect(&elsewhere.url("/blob")).only_with("hf_secret"));
    elsewhere.put("/blob", Reply::file(&weights()));
    repository.serve(&other.server, "main");
    let other = World { hub: HubSettings { endpoint: other.server.url(""), ..other.hub.clone() }, ..other };
    other.bring("hf:acme/small-bert").unwrap();
    let asked = elsewhere.asked();
    assert_eq!((asked.len(), asked[0].headers.get("authorization")), (1, None));
}

#[test]
fn what_a_hub_does_not_have_is_said_plainly() {
    let world = World::new();
    let path = "/api/models/acme/small-bert/revision/v9?blobs=true";
    world.server.put(path, Reply::status(404).header("x-error-code", "RevisionNotFound"));
    let error = world.bring("hf:acme/small-bert@v9").unwrap_err();
    assert!(error.to_string().ends_with("has no revision `v9`"), "{error}");

    let error = world.bring("hf:acme/nothing").unwrap_err();
    assert!(matches!(error, HubError::NoRepository { token: false, .. }), "{error}");

    world.server.put("/api/models/acme/busy/revision/main?blobs=true", Reply::status(503));
    let error = world.bring("hf:acme/busy").unwrap_err();
    assert!(error.to_string().contains("the server answered 503"), "{error}");
    assert_eq!(world.server.paths().iter().filter(|path| path.contains("busy")).count(), 3, "tried again");

    let mut unusable = small_bert(None);
    unusable.id = "acme/tensorflow";
    unusable.files.retain(|(name, _)| !name.starts_with("model.") && !name.starts_with("pytorch"));
    unusable.serve(&world.server, "main");
    let error = world.bring("hf:acme/tensorflow").unwrap_err();
    assert!(error.to_string().contains("no weights that Pegbox reads"), "{error}");
}

#[test]
fn one_gguf_file_of_several_is_chosen() {
    let world = World::new();
    let repository = Repository {
        id: "acme/small-GGUF",
        commit: COMMIT,
        files: vec![
            ("README.md", b"---\nlicense: mit\n---\n".to_vec()),
            ("small-Q4_0.gguf", weights()),
            ("q8/small-Q8_0.gguf", weights()[..9000].to_vec()),
        ],
        licence: Some("mit"),
        gated: None,
    };
    repository.serve(&world.server, "main");
    let error = world.bring("hf:acme/small-GGUF").unwrap_err();
    assert!(error.to_string().contains("small-Q4_0.gguf, q8/small-Q8_0.gguf"), "{error}");
    assert!(error.help().unwrap().contains("#file.gguf"));
    let model = world.bring("hf:acme/small-GGUF#q8/small-Q8_0.gguf").unwrap();
    assert!(model.is_gguf());
    assert_eq!(model.weights.file_name().unwrap(), "small-Q8_0.gguf");
    assert_eq!(world.bring("hf:acme/small-GGUF#small-Q4_0.gguf").unwrap().bytes(), 200_000);
    let stored = world.store().stored();
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[0].source, "hf:acme/small-GGUF#q8/small-Q8_0.gguf");
}

/// Lays a model down as Hugging Face's tools keep it, under the branch `main`.
fn share(world: &World, files: &[(&str, &[u8])]) {
    let root = world.folder.path().join("hf/models--acme--small-bert");
    let snapshot = root.join("snapshots").join(COMMIT);
    for folder in [&snapshot, &root.join("blobs"), &root.join("refs")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(root.join("refs/main"), COMMIT).unwrap();
    for (name, content) in files {
        let blob = sha256(content);
        fs::write(root.join("blobs").join(&blob), content).unwrap();
        std::os::unix::fs::symlink(format!("../../blobs/{blob}"), snapshot.join(name)).unwrap();
    }
}

#[test]
fn a_model_in_the_cache_of_hugging_faces_tools_is_used_where_it_is() {
    let world = World::new();
    share(&world, &[("config.json", b"{}"), ("tokenizer.json", b"{}"), ("model.safetensors", b"w")]);
    let model = world.bring("hf:acme/small-bert").unwrap();
    assert_eq!((&model.obtained, model.revision.as_deref()), (&Obtained::Shared, Some(COMMIT)));
    assert!(model.folder.starts_with(world.folder.path().join("hf")));
    assert_eq!(world.server.paths(), Vec::<String>::new());
    let stored = world.store().stored();
    assert_eq!((stored[0].source.as_str(), stored[0].shared), ("hf:acme/small-bert", true));

    // It holds no card: the hub is asked for the licence, and for nothing else.
    small_bert(Some("apache-2.0")).serve(&world.server, "main");
    let allowed = Licences::parse(&["Apache-2.0".into()]).unwrap();
    let request = Request { licences: Some(&allowed), ..Request::default() };
    assert_eq!(world.obtain("hf:acme/small-bert", &request).unwrap().licence.as_deref(), Some("Apache-2.0"));
    assert_eq!(world.server.paths().len(), 1);
}

#[test]
fn a_partial_copy_of_hugging_faces_tools_is_not_taken() {
    let world = World::new();
    share(&world, &[("config.json", b"{}")]);
    small_bert(None).serve(&world.server, "main");
    let model = world.bring("hf:acme/small-bert").unwrap();
    assert!(matches!(model.obtained, Obtained::Downloaded { .. }));
}

#[test]
fn offline_nothing_is_asked() {
    let mut world = World::new();
    small_bert(None).serve(&world.server, "main");
    world.hub.offline = true;
    let error = world.bring("hf:acme/small-bert").unwrap_err();
    assert!(matches!(error, HubError::Offline { variable: true, .. }), "{error}");
    assert!(error.help().unwrap().contains("HF_HUB_OFFLINE"));
    world.hub.offline = false;
    world.bring("hf:acme/small-bert").unwrap();
    world.server.forget();
    let store = Store::new(Cache::at(world.folder.path().join("cache")), world.hub.clone(), true);
    let get = |source: &str, request: &Request<'_>| {
        store.obtain(&Source::parse(source, Path::new("/")).unwrap(), request, &|_, _| {})
    };
    // Also where the newest is wanted: it is what was seen last.
    let anew = Request { anew: true, ..Request::default() };
    assert_eq!(get("hf:acme/small-bert", &anew).unwrap().obtained, Obtained::Cached);
    for source in
        ["hf:acme/other", "pypi:some-model==1.0", &format!("https://host/m.gguf#sha256={}", "0".repeat(64))]
    {
        assert!(matches!(get(source, &anew), Err(HubError::Offline { variable: false, .. })), "{source}");
    }
    assert_eq!(world.server.paths(), Vec::<String>::new());
}

#[test]
fn a_licence_that_is_not_allowed_costs_no_download() {
    let allowed = Licences::parse(&["MIT".into()]).unwrap();
    let request = Request { licences: Some(&allowed), ..Request::default() };
    let world = World::new();
    small_bert(Some("cc-by-nc-4.0")).serve(&world.server, "main");
    let error = world.obtain("hf:acme/small-bert", &request).unwrap_err();
    assert!(error.to_string().contains("under the licence CC-BY-NC-4.0"), "{error}");
    assert!(error.help().unwrap().contains("add \"CC-BY-NC-4.0\" to [policy].licences"));
    assert_eq!(world.server.paths().len(), 1, "only the hub's description");

    // None is stated, neither in the listing nor in a card.
    let world = World::new();
    let mut silent = small_bert(None);
    silent.files.remove(0);
    silent.serve(&world.server, "main");
    let error = world.obtain("hf:acme/small-bert", &request).unwrap_err();
    assert!(error.to_string().contains("a licence that is not known"), "{error}");
    assert_eq!(world.server.paths().len(), 1);
    let stated = Request { stated_licence: Some("MIT"), ..request };
    assert_eq!(world.obtain("hf:acme/small-bert", &stated).unwrap().licence.as_deref(), Some("MIT"));
    // What is in the cache is under the same rule.
    assert!(world.obtain("hf:acme/small-bert", &request).is_err());
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        // Stored, so that what is read of it can be told from what is not.
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_archive_at_a_url_is_unpacked_under_its_digest() {
    let world = World::new();
    let weights = weights();
    let archive = zip_of(&[
        ("small/README.md", b"---\nlicense: cc-by-4.0\n---\n"),
        ("small/config.json", b"{}"),
        ("small/tokenizer.json", b"{}"),
        ("small/model.safetensors", &weights),
        ("small/run.py", b"import os"),
    ]);
    world.server.put("/small.zip", Reply::file(&archive));
    let source = format!("{}#sha256={}", world.server.url("/small.zip"), sha256(&archive));

    let allowed = Licences::parse(&["MIT".into()]).unwrap();
    let request = Request { licences: Some(&allowed), ..Request::default() };
    let error = world.obtain(&source, &request).unwrap_err();
    assert!(
        matches!(&error, HubError::Licence { licence: Some(licence), .. } if licence == "CC-BY-4.0"),
        "{error}"
    );
    assert!(world.server.ranges("/small.zip").iter().all(Option::is_some), "only pieces were read");

    let model = world.bring(&source).unwrap();
    assert_eq!(
        layout::files(&model.folder),
        ["README.md", "config.json", "model.safetensors", "tokenizer.json"]
    );
    assert!(model.folder.ends_with(sha256(&archive)));
    assert_eq!(world.bring(&source).unwrap().obtained, Obtained::Cached);

    let wrong = format!("{}#sha256={}", world.server.url("/small.zip"), "0".repeat(64));
    let error = world.bring(&wrong).unwrap_err();
    assert!(error.to_string().contains("the recipe names 0000"), "{error}");
}

#[test]
fn a_gguf_file_at_a_url_is_a_model() {
    let world = World::new();
    world.server.put("/q/small.gguf?download=true", Reply::file(b"GGUF and more"));
    let url = world.server.url("/q/small.gguf?download=true");
    let model = world.bring(&format!("{url}#sha256={}", sha256(b"GGUF and more"))).unwrap();
    assert_eq!(fs::read(&model.weights).unwrap(), b"GGUF and more");
    assert_eq!(model.weights.file_name().unwrap(), "small.gguf");
    assert!(world.store().stored()[0].source.ends_with("/q/small.gguf"));
}

#[test]
fn a_damaged_copy_is_fetched_again() {
    let world = World::new();
    small_bert(None).serve(&world.server, "main");
    let model = world.bring("hf:acme/small-bert").unwrap();
    fs::write(model.folder.join("model.safetensors"), "damaged").unwrap();
    let again = world.bring("hf:acme/small-bert").unwrap();
    assert!(matches!(again.obtained, Obtained::Downloaded { .. }));
    assert_eq!(
        (again.digest, fs::read(again.folder.join("model.safetensors")).unwrap()),
        (model.digest, weights())
    );
}
