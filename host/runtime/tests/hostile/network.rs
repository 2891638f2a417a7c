//! Requests to the network: only to hosts that are granted, and no longer than the call.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pegbox_hostile_plugins::build_with;
use pegbox_runtime::{Grants, LimitOverrides, LoadOptions, Permissions, PluginError, PluginFolders, Runtime};
use serde_json::json;

use crate::support::batch;

/// Listens, tells whoever connects, and never answers.
fn silent_host() -> (String, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || listener.incoming().flatten().try_for_each(|stream| tell.send(stream)));
    (address, told)
}

/// What a plugin says that asks `host` while `granted` is granted.
fn ask(host: &str, granted: &str) -> PluginError {
    let folder = tempfile::tempdir().unwrap();
    let words = [("127.0.0.1:2", host), ("127.0.0.1:1", granted)];
    build_with("http-elsewhere", folder.path(), &words).unwrap();
    let found = PluginFolders::new(vec![folder.path().to_owned()]).resolve("hostile/http-elsewhere").unwrap();
    let permissions = Permissions { network: vec![granted.to_owned()], ..Permissions::default() };
    let options = LoadOptions {
        limits: LimitOverrides { deadline_ms: Some(300), ..LimitOverrides::default() },
        grants: Grants { permissions, ..Grants::default() },
        ..LoadOptions::default()
    };
    let cache = tempfile::tempdir().unwrap();
    let plugin = Runtime::new(cache.path()).unwrap().load(&found, &options).unwrap();
    let mut cleaner = plugin.cleaner(&json!({})).unwrap();
    cleaner.clean(&batch(1..2)).unwrap_err()
}

#[test]
fn a_host_that_is_granted_is_asked_and_cannot_hold_the_call_by_silence() {
    let (address, connections) = silent_host();
    let started = Instant::now();
    let error = ask(&address, &address);
    let took = started.elapsed();
    // The request arrived, so that it is the silence which ended it.
    let mut stream = connections.recv_timeout(Duration::from_secs(5)).unwrap();
    let mut first = [0; 5];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"GET /");
    let cause = error.cause().to_string();
    assert!(cause.contains("the host said") || cause.contains("deadline of 300 ms"), "{cause}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_host_that_is_not_granted_never_hears_of_it() {
    let (address, connections) = silent_host();
    for granted in ["127.0.0.1:9", "example.org", "127.0.0.1"] {
        let error = ask(&address, granted);
        assert_eq!(error.cause().to_string(), "the host said 15", "{granted}");
    }
    // A user's name before the host, and the granted name as a part of another's.
    for host in [format!("example.org@{address}"), format!("{address}.example.org")] {
        let error = ask(&host, "example.org");
        assert!(!error.cause().to_string().contains("the host said 00"), "{host}: {error:?}");
    }
    assert!(connections.recv_timeout(Duration::from_millis(200)).is_err());
}
