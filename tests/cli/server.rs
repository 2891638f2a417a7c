//! A small HTTP server on this machine: files with ranges, redirects, refusals, bodies that end early; and the routes
//! of a model hub. It notes what it is asked. The crate `pegbox-hub` tests with it as well.
#![allow(dead_code, reason = "two test binaries share it, and neither needs all of it")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// An answer to one path.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    cut_after: Option<usize>,
    /// Sent in pieces, with this pause after each.
    piece: Option<(usize, Duration)>,
    /// How often it is given; then the next one's turn comes.
    times: Option<u32>,
    /// The token without which it is refused with 401.
    token: Option<String>,
}

impl Reply {
    pub fn file(body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..Self::status(200) }
    }

    pub fn json(value: &Value) -> Self {
        Self::file(value.to_string().as_bytes()).header("content-type", "application/json")
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut_after: None,
            piece: None,
            times: None,
            token: None,
        }
    }

    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    pub fn slowly(mut self, bytes: usize, pause: Duration) -> Self {
        self.piece = Some((bytes, pause));
        self
    }

    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    pub fn only_with(mut self, token: &str) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// What the server was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    routes: BTreeMap<String, VecDeque<Reply>>,
    asked: Vec<Asked>,
}

/// Answers until the test ends.
pub struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // Who hangs up in the middle is a test's business.
                thread::spawn(move || drop(answer(stream, &state)));
            }
        });
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Adds an answer to a path (with its query): the last one stays when the others were given as often as they say.
    pub fn put(&self, path: &str, reply: Reply) {
        self.state.lock().unwrap().routes.entry(path.into()).or_default().push_back(reply);
    }

    /// What was asked for so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    /// The `Range` of every request for a path.
    pub fn ranges(&self, path: &str) -> Vec<Option<String>> {
        let asked = self.asked().into_iter().filter(|asked| asked.path == path);
        asked.map(|asked| asked.headers.get("range").cloned()).collect()
    }

    pub fn forget(&self) {
        self.state.lock().unwrap().asked.clear();
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_string();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_lowercase(), value.trim().to_string());
        }
    }
    let reply = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked { path: path.clone(), headers: headers.clone() });
        state.routes.get_mut(&path).map_or_else(|| Reply::status(404), next)
    };
    send(stream, &reply, &headers)
}

fn next(replies: &mut VecDeque<Reply>) -> Reply {
    let reply = replies[0].clone();
    if let Some(left) = replies[0].times.as_mut() {
        *left -= 1;
        if *left == 0 && replies.len() > 1 {
            replies.pop_front();
        }
    }
    reply
}

fn send(mut stream: TcpStream, reply: &Reply, asked: &BTreeMap<String, String>) -> std::io::Result<()> {
    let bearer = reply.token.as_ref().map(|token| format!("Bearer {token}"));
    if bearer.is_some() && asked.get("authorization") != bearer.as_ref() {
        return stream.write_all(
            b"HTTP/1.1 401 Unauthorized\r\nX-Error-Code: GatedRepo\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    }
    let whole = reply.body.len();
    let range =
        asked.get("range").and_then(|range| range.strip_prefix("bytes=")).filter(|_| reply.status == 200);
    let (status, from, to) = match range.and_then(|range| range.split_once('-')) {
        None => (reply.status, 0, whole),
        Some(("", last)) => (206, whole.saturating_sub(last.parse().unwrap()), whole),
        Some((from, to)) => {
            let from: usize = from.parse().unwrap();
            let to = if to.is_empty() { whole } else { whole.min(to.parse::<usize>().unwrap() + 1) };
            if from < whole { (206, from, to) } else { (416, 0, 0) }
        }
    };
    let body = &reply.body[from..to];
    let mut head =
        format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    if status == 206 {
        head.push_str(&format!("Content-Range: bytes {from}-{}/{whole}\r\n", to - 1));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let body = &body[..reply.cut_after.unwrap_or(body.len()).min(body.len())];
    let (piece, pause) = reply.piece.unwrap_or((body.len().max(1), Duration::ZERO));
    for part in body.chunks(piece) {
        stream.write_all(part)?;
        stream.flush()?;
        thread::sleep(pause);
    }
    stream.flush()?;
    stream.shutdown(std::net::Shutdown::Write)?;
    // What the client still sends is read, so that it sees the end of the body and no reset.
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let _ = stream.read(&mut [0; 64]);
    Ok(())
}

/// A model on a hub.
pub struct Repository<'a> {
    pub id: &'a str,
    pub commit: &'a str,
    pub files: Vec<(&'a str, Vec<u8>)>,
    /// Of the card.
    pub licence: Option<&'a str>,
    /// The token without which its files are refused.
    pub gated: Option<&'a str>,
}

/// Files of this size and more lie in the hub's large-file store.
const LARGE: usize = 1000;

impl Repository<'_> {
    /// Serves it as the hub does: `revision` stands at its commit, small files come from the hub itself, large ones by a
    /// redirect to another path.
    pub fn serve(&self, server: &Server, revision: &str) {
        let siblings: Vec<Value> = self
            .files
            .iter()
            .map(|(name, content)| {
                let mut file =
                    json!({ "rfilename": name, "size": content.len(), "blobId": git_blob(content) });
                if content.len() >= LARGE {
                    file["lfs"] =
                        json!({ "sha256": sha256(content), "size": content.len(), "pointerSize": 130 });
                }
                file
            })
            .collect();
        let card = self.licence.map_or(json!({}), |licence| json!({ "license": licence }));
        let about = json!({
            "id": self.id, "sha": self.commit, "siblings": siblings, "cardData": card,
            "gated": if self.gated.is_some() { json!("manual") } else { json!(false) },
        });
        for revision in [revision, self.commit] {
            let path = format!("/api/models/{}/revision/{revision}?blobs=true", self.id);
            server.put(&path, Reply::json(&about));
        }
        for (name, content) in &self.files {
            let at = format!("/{}/resolve/{}/{name}", self.id, self.commit);
            let mut reply = match content.len() >= LARGE {
                true => {
                    let (stored, digest) = (self.stored_at(name), sha256(content));
                    server.put(&stored, Reply::file(content).header("etag", "\"a-storage-servers-own\""));
                    Reply::redirect(&stored)
                        .header("x-linked-etag", &format!("\"{digest}\""))
                        .header("x-linked-size", &content.len().to_string())
                }
                false => Reply::file(content).header("etag", &format!("\"{}\"", git_blob(content))),
            };
            reply = reply.header("x-repo-commit", self.commit);
            if let Some(token) = self.gated {
                reply = reply.only_with(token);
            }
            server.put(&at, reply);
        }
    }

    /// The path that a large file comes from in the end.
    pub fn stored_at(&self, name: &str) -> String {
        let content = self.files.iter().find(|(file, _)| *file == name).map(|(_, content)| content);
        format!("/storage/{}?signature=secret", sha256(content.unwrap()))
    }
}

pub fn sha256(content: &[u8]) -> String {
    format!("{:x}", Sha256::digest(content))
}

fn git_blob(content: &[u8]) -> String {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", content.len()));
    hasher.update(content);
    format!("{:x}", hasher.finalize())
}
