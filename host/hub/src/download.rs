//! One download, resumed where the server allows it, its digest checked.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::error::HubError;
use crate::http::without_credentials;
use crate::index::Offer;

/// Where the index names no size: more than any wheel on the public index may have.
const SIZE_LIMIT: u64 = 16 << 30;
const ATTEMPTS: u32 = 3;

/// Fetches `offer` into `folder` and returns its path. A part of it that an earlier attempt left is
/// continued. `progress` gets the bytes at hand and, if known, all bytes.
///
/// # Errors
/// Network, disk, and a digest other than the index's, after which nothing is kept.
pub(crate) fn fetch(
    agent: &Agent,
    offer: &Offer,
    folder: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<PathBuf, HubError> {
    let part = folder.join(format!("{}.part", offer.sha256));
    let mut attempt = 1;
    loop {
        match transfer(agent, offer, &part, progress) {
            Ok(()) => break,
            Err(error @ HubError::Http { .. }) if attempt < ATTEMPTS => {
                tracing::warn!(%error, attempt, "the download broke off; continuing it");
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
    let found = sha256_of(&part)?;
    if found != offer.sha256 {
        fs::remove_file(&part).map_err(HubError::io(&part, "remove"))?;
        return Err(HubError::Digest {
            url: without_credentials(&offer.url),
            expected: offer.sha256.clone(),
            found,
        });
    }
    Ok(part)
}

fn transfer(
    agent: &Agent,
    offer: &Offer,
    part: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), HubError> {
    let http = |what: String| HubError::Http { url: without_credentials(&offer.url), what };
    let have = fs::metadata(part).map_or(0, |meta| meta.len());
    if have > 0 && offer.size == Some(have) {
        return Ok(());
    }
    let mut request = agent.get(&offer.url).header("Accept-Encoding", "identity");
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let mut response = request.call().map_err(|error| http(error.to_string()))?;
    let start = match response.status().as_u16() {
        200 => 0,
        206 => have,
        // What is there is as long as the file, or longer: the digest tells which.
        416 => return Ok(()),
        status => return Err(http(format!("the server answered {status}"))),
    };
    let limit = offer.size.unwrap_or(SIZE_LIMIT);
    let total = offer.size.or_else(|| {
        let length = response.headers().get("content-length")?.to_str().ok()?;
        Some(start + length.parse::<u64>().ok()?)
    });

    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(part)
        .map_err(HubError::io(part, "write"))?;
    file.set_len(start).map_err(HubError::io(part, "write"))?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(HubError::io(part, "write"))?;

    let mut reader = response.body_mut().as_reader();
    let mut buffer = vec![0; 256 << 10];
    let mut at = start;
    loop {
        let count = reader.read(&mut buffer).map_err(|error| http(error.to_string()))?;
        if count == 0 {
            break;
        }
        at += count as u64;
        if at > limit {
            return Err(http(format!("the server sends more than the {limit} bytes that the index names")));
        }
        file.write_all(&buffer[..count]).map_err(HubError::io(part, "write"))?;
        progress(at, total);
    }
    file.sync_all().map_err(HubError::io(part, "write"))?;
    match total {
        Some(total) if at < total => Err(http(format!("the connection ended after {at} of {total} bytes"))),
        _ => Ok(()),
    }
}

/// SHA-256 of a file, 64 hex digits.
pub(crate) fn sha256_of(path: &Path) -> Result<String, HubError> {
    let mut file = File::open(path).map_err(HubError::io(path, "read"))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(HubError::io(path, "read"))?;
        if count == 0 {
            return Ok(format!("{:x}", hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::http::agent;

    /// Answers one request after another with the given bytes; returns the requests.
    fn serve(answers: Vec<Vec<u8>>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/w.whl", listener.local_addr().unwrap());
        let handle = thread::spawn(move || {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.push(byte[0]);
                }
                requests.push(String::from_utf8(request).unwrap());
                stream.write_all(&answer).unwrap();
            }
            requests
        });
        (url, handle)
    }

    fn offer(url: String, content: &[u8]) -> Offer {
        let sha256 = format!("{:x}", Sha256::digest(content));
        Offer { file: "w.whl".into(), url, sha256, size: Some(content.len() as u64) }
    }

    #[test]
    fn a_broken_download_is_continued() {
        let (url, server) = serve(vec![
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n01234".to_vec(),
            b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nConnection: close\r\n\r\n56789".to_vec(),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let path = fetch(&agent(), &offer(url, b"0123456789"), folder.path(), &|_, _| {}).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"0123456789");
        assert!(server.join().unwrap()[1].to_lowercase().contains("range: bytes=5-"));
    }

    #[test]
    fn a_forged_download_is_thrown_away() {
        let (url, server) =
            serve(vec![b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nevil".to_vec()]);
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(&agent(), &offer(url, b"good"), folder.path(), &|_, _| {}).unwrap_err();
        assert!(matches!(error, HubError::Digest { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        server.join().unwrap();
    }
}
