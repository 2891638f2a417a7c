//! A registry that lies: answers without end, other bytes than it announced, redirects, nonsense.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pegbox_manifest::digest;
use pegbox_registry::{Demands, Options, Place, Registry, RegistryError, limits};
use semver::Version;

/// Answers every request with what `answer` writes for its path, until the test's process ends.
fn lying(answer: fn(&str, &mut TcpStream)) -> Registry {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let place = Place::parse(&format!("127.0.0.1:{}", listener.local_addr().unwrap().port())).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|count| count > 0) && line.trim() != "" {
                    if first.is_empty() {
                        first.clone_from(&line);
                    }
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or_default();
                if path == "/v2/" {
                    send(&mut stream, "200 OK", "", b"{}")
                } else {
                    answer(path, &mut stream)
                }
            });
        }
    });
    let nobodys = std::env::temp_dir().join("pegbox-there-is-no-docker-here");
    Registry::connect(&place, &Options { docker_config: Some(nobodys), ..Options::default() }).unwrap()
}

fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n");
    // The client may have hung up, which is its right.
    let _sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn pull(registry: &Registry) -> RegistryError {
    registry.pull("acme/cleaner", &Version::new(1, 2, 3), &Demands::default()).unwrap_err()
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let registry = lying(|_, stream| {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b' '; 65_536]).is_ok() {}
    });
    let begin = Instant::now();
    for error in
        [pull(&registry), registry.versions("acme/cleaner").unwrap_err(), registry.search("").unwrap_err()]
    {
        assert!(matches!(error, RegistryError::TooLarge { limit: limits::MANIFEST, .. }), "{error}");
    }
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_list_that_repeats_itself_ends() {
    let registry = lying(|_, stream| {
        let link = "Link: </v2/x?last=a>; rel=\"next\"\r\n";
        send(stream, "200 OK", link, br#"{"tags": [], "repositories": []}"#);
    });
    assert!(registry.versions("acme/cleaner").unwrap().is_empty());
    assert!(registry.search("").unwrap().is_empty());
    let registry = lying(|_, stream| {
        let tags: Vec<String> = (0..1000).map(|i| format!("\"1.0.{i}\"")).collect();
        let body = format!("{{\"tags\": [{}]}}", tags.join(","));
        send(stream, "200 OK", "Link: </v2/x>; rel=\"next\"\r\n", body.as_bytes());
    });
    let error = registry.versions("acme/cleaner").unwrap_err().to_string();
    assert!(error.contains("more than 10000 tags"), "{error}");
}

#[test]
fn nonsense_is_told_without_control_characters() {
    for (status, body) in
        [("200 OK", "{"), ("200 OK", "[]"), ("500 Oh No", "\u{1b}[31mred"), ("418 Teapot", "")]
    {
        let registry = match (status, body) {
            ("200 OK", "{") => lying(|_, stream| send(stream, "200 OK", "", b"{")),
            ("200 OK", _) => lying(|_, stream| send(stream, "200 OK", "", b"[]")),
            ("500 Oh No", _) => lying(|_, stream| send(stream, "500 Oh No", "", b"\x1b[31mred")),
            _ => lying(|_, stream| send(stream, "418 Teapot", "", b"")),
        };
        for error in [pull(&registry), registry.versions("acme/cleaner").unwrap_err()] {
            let text = error.to_string();
            assert!(!text.chars().any(char::is_control), "{status} {body}: {text:?}");
        }
    }
}

/// The images of a plugin whose component has a size of its registry's choice.
fn images(size: u64) -> (String, String) {
    let blob = digest::of(b"nothing");
    let config = format!(r#""config":{{"mediaType":"a","digest":"{blob}","size":7}}"#);
    let rest = format!(
        r#"{{"schemaVersion":2,"artifactType":"application/vnd.pegbox.plugin.package.v1",{config},"layers":[]}}"#
    );
    let image = format!(
        r#"{{"schemaVersion":2,{config},
        "layers":[{{"mediaType":"application/wasm","digest":"{blob}","size":{size}}}],
        "annotations":{{"org.opencontainers.image.title":"acme/cleaner","org.opencontainers.image.version":"1.2.3",
        "io.github.pegbox.plugin.package":"{}"}}}}"#,
        digest::of(rest.as_bytes())
    );
    (image, rest)
}

fn serve(size: u64, path: &str, stream: &mut TcpStream) {
    let (image, rest) = images(size);
    if path.contains("/blobs/") {
        BLOBS_ASKED_FOR.fetch_add(1, Ordering::SeqCst);
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[0; 65_536]).is_ok() {}
    } else if path.ends_with("/1.2.3") {
        send(stream, "200 OK", "", image.as_bytes());
    } else if path.ends_with(&digest::of(rest.as_bytes())) {
        send(stream, "200 OK", "", rest.as_bytes());
    } else {
        send(stream, "404 Not Found", "", b"{}");
    }
}

static BLOBS_ASKED_FOR: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_blob_that_is_too_large_is_not_fetched_and_one_that_grows_is_cut_off() {
    let error = pull(&lying(|path, stream| serve(u64::MAX, path, stream)));
    assert!(matches!(error, RegistryError::TooLarge { limit: limits::COMPONENT, .. }), "{error}");
    assert_eq!(BLOBS_ASKED_FOR.load(Ordering::SeqCst), 0);
    let error = pull(&lying(|path, stream| serve(7, path, stream)));
    assert!(error.to_string().contains("larger than the 7 bytes"), "{error}");
    assert_eq!(BLOBS_ASKED_FOR.load(Ordering::SeqCst), 1);
}

#[test]
fn a_registry_that_hangs_up_is_an_error() {
    let registry = lying(|_, _| {});
    assert!(matches!(pull(&registry), RegistryError::Registry { .. }));
    let registry = lying(|_, stream| {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    });
    assert!(matches!(pull(&registry), RegistryError::Registry { .. }));
    // A redirect to itself, for ever.
    let registry = lying(|path, stream| send(stream, "302 Found", &format!("Location: {path}\r\n"), b""));
    assert!(matches!(pull(&registry), RegistryError::Registry { .. }));
}
