//! One file, fetched: resumed where the server allows it, its digest checked.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ureq::Agent;

use crate::digest::{Digest, sha256_of_text};
use crate::error::HubError;
use crate::http::{Answer, failed, get, persist, refused, without_credentials};

/// Where nobody names a size: more than any file of a public hub or index may have.
const SIZE_LIMIT: u64 = 64 << 30;

/// A file to fetch, and what is known of it before.
pub(crate) struct Wanted<'a> {
    pub url: String,
    /// For the server of `url`.
    pub token: Option<&'a str>,
    /// Without one, the one that the server states with the file counts.
    pub digest: Option<Digest>,
    pub bytes: Option<u64>,
    /// Who says what the digest is, such as `the index promises`.
    pub promised: &'static str,
    /// What a status that is no success means.
    pub refused: &'a dyn Fn(&Answer) -> HubError,
}

/// What a status that is no success means on a plain server.
pub(crate) fn plainly_refused(answer: &Answer) -> HubError {
    refused(&answer.url, answer.status())
}

/// Fetches `wanted` into `folder` and returns its path. A part of it that an earlier attempt left is continued.
/// `progress` gets the bytes at hand and, if known, all bytes.
///
/// # Errors
/// Network, disk, and a digest other than the promised one, after which nothing is kept.
pub(crate) fn fetch(
    agent: &Agent,
    wanted: &Wanted<'_>,
    folder: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<PathBuf, HubError> {
    let name = match &wanted.digest {
        Some(digest) => digest.hex().to_string(),
        None => sha256_of_text(&without_credentials(&wanted.url)),
    };
    let whole = folder.join(&name);
    if let Some(digest) = &wanted.digest
        && whole.is_file()
        && digest.found_in(&whole)? == digest.hex()
    {
        progress(fs::metadata(&whole).map_or(0, |meta| meta.len()), wanted.bytes);
        return Ok(whole);
    }
    let part = folder.join(format!("{name}.part"));
    let resumed = length(&part) > 0;
    match fetch_into(agent, wanted, &part, progress) {
        // What was there before may be what is wrong.
        Err(HubError::Digest { .. }) if resumed => fetch_into(agent, wanted, &part, progress)?,
        done => done?,
    }
    fs::rename(&part, &whole).map_err(HubError::io(&whole, "write"))?;
    pegbox_durable::sync_folder(folder).map_err(HubError::io(folder, "sync"))?;
    Ok(whole)
}

fn fetch_into(
    agent: &Agent,
    wanted: &Wanted<'_>,
    part: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), HubError> {
    let promised = persist(|| transfer(agent, wanted, part, progress))?;
    let Some(digest) = promised else {
        tracing::warn!("{}: the server states no digest", without_credentials(&wanted.url));
        return Ok(());
    };
    let found = digest.found_in(part)?;
    if found == digest.hex() {
        return Ok(());
    }
    fs::remove_file(part).map_err(HubError::io(part, "remove"))?;
    Err(HubError::Digest {
        url: without_credentials(&wanted.url),
        kind: digest.kind(),
        expected: digest.hex().into(),
        found,
        promised: wanted.promised,
    })
}

/// Brings the rest of the file, and returns the digest that it should have.
fn transfer(
    agent: &Agent,
    wanted: &Wanted<'_>,
    part: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Option<Digest>, HubError> {
    let have = length(part);
    if have > 0 && wanted.bytes == Some(have) && wanted.digest.is_some() {
        return Ok(wanted.digest.clone());
    }
    let range = format!("bytes={have}-");
    let mut headers = vec![("Accept-Encoding", "identity")];
    if have > 0 {
        headers.push(("Range", &range));
    }
    let mut answer = get(agent, &wanted.url, &headers, wanted.token)?;
    let digest = wanted.digest.clone().or_else(|| stated_digest(&answer));
    let start = match answer.status() {
        200 => 0,
        206 => start_of_range(&answer).filter(|start| *start == have).ok_or_else(|| {
            failed(
                &wanted.url,
                "the server sends another part of the file than it was asked for".into(),
                false,
            )
        })?,
        // What is there is as long as the file, or longer: the digest tells which.
        416 if have > 0 => return Ok(digest),
        _ => return Err((wanted.refused)(&answer)),
    };
    let rest = answer.own_header("content-length").and_then(|length| length.parse::<u64>().ok());
    let total = wanted.bytes.or(rest.map(|rest| start.saturating_add(rest)));
    append(&mut answer, part, start, wanted.bytes.unwrap_or(SIZE_LIMIT), total, progress)?;
    match total {
        Some(total) if length(part) < total => {
            let what = format!("the connection ended after {} of {total} bytes", length(part));
            Err(failed(&wanted.url, what, true))
        }
        _ => Ok(digest),
    }
}

/// Writes the answer's body into `part`, from `start` on.
fn append(
    answer: &mut Answer,
    part: &Path,
    start: u64,
    limit: u64,
    total: Option<u64>,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), HubError> {
    let disk = || HubError::io(part, "write");
    let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(part).map_err(disk())?;
    file.set_len(start).map_err(disk())?;
    file.seek(SeekFrom::End(0)).map_err(disk())?;
    let url = answer.url.clone();
    let mut reader = answer.response.body_mut().as_reader();
    let mut buffer = vec![0; 256 << 10];
    let mut at = start;
    progress(at, total);
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) => {
                // What has arrived is what the next attempt continues.
                file.sync_all().map_err(disk())?;
                let of = total.map_or(String::new(), |total| format!(" of {total}"));
                return Err(failed(
                    &url,
                    format!("the connection ended after {at}{of} bytes: {error}"),
                    true,
                ));
            }
        };
        at += count as u64;
        if at > limit {
            return Err(failed(
                &url,
                format!("the server sends more than the {limit} bytes that were named"),
                false,
            ));
        }
        file.write_all(&buffer[..count]).map_err(disk())?;
        progress(at, total);
    }
    file.sync_all().map_err(disk())
}

/// The hub states the digest of a large file where it sends on to a storage server, and that of a small one as the
/// entity tag of its own answer. A storage server's entity tag is something else.
fn stated_digest(answer: &Answer) -> Option<Digest> {
    if let Some(tag) = answer.header("x-linked-etag") {
        return Digest::of_etag(tag);
    }
    answer.header("x-repo-commit")?;
    Digest::of_etag(answer.header("etag")?)
}

/// `bytes 5-9/10`
fn start_of_range(answer: &Answer) -> Option<u64> {
    answer.own_header("content-range")?.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::http::agent;
    use crate::test_server::{Reply, Server};

    fn wanted(server: &Server, content: &[u8]) -> Wanted<'static> {
        let digest = Digest::sha256(&format!("{:x}", Sha256::digest(content)));
        Wanted {
            url: server.url("/w.whl"),
            token: None,
            digest,
            bytes: Some(content.len() as u64),
            promised: "the index promises",
            refused: &plainly_refused,
        }
    }

    #[test]
    fn a_broken_download_is_continued() {
        let server = Server::start();
        server.put("/w.whl", Reply::file(b"0123456789").cut_after(5).times(1));
        server.put("/w.whl", Reply::file(b"0123456789"));
        let folder = tempfile::tempdir().unwrap();
        let path = fetch(&agent(), &wanted(&server, b"0123456789"), folder.path(), &|_, _| {}).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"0123456789");
        assert_eq!(server.ranges("/w.whl"), [None, Some("bytes=5-".to_string())]);
    }

    #[test]
    fn a_body_that_always_ends_early_is_an_error_and_its_part_is_kept() {
        let server = Server::start();
        server.put("/w.whl", Reply::file(b"0123456789").cut_after(0));
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(&agent(), &wanted(&server, b"0123456789"), folder.path(), &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains("the connection ended after 0 of 10 bytes"), "{error}");
        assert_eq!(server.ranges("/w.whl").len(), 3);
    }

    #[test]
    fn a_forged_download_is_thrown_away() {
        let server = Server::start();
        server.put("/w.whl", Reply::file(b"evil"));
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(&agent(), &wanted(&server, b"good"), folder.path(), &|_, _| {}).unwrap_err();
        assert!(matches!(error, HubError::Digest { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_wrong_part_from_before_does_not_spoil_the_file() {
        let server = Server::start();
        server.put("/w.whl", Reply::file(b"0123456789"));
        let folder = tempfile::tempdir().unwrap();
        let wanted = wanted(&server, b"0123456789");
        let part = format!("{}.part", wanted.digest.as_ref().unwrap().hex());
        fs::write(folder.path().join(part), "abc").unwrap();
        let path = fetch(&agent(), &wanted, folder.path(), &|_, _| {}).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"0123456789");
        assert_eq!(server.ranges("/w.whl"), [Some("bytes=3-".to_string()), None]);
    }

    #[test]
    fn a_server_that_sends_too_much_is_cut_off() {
        let server = Server::start();
        server.put("/w.whl", Reply::file(b"0123456789"));
        let folder = tempfile::tempdir().unwrap();
        let wanted = Wanted { bytes: Some(4), ..wanted(&server, b"0123") };
        let error = fetch(&agent(), &wanted, folder.path(), &|_, _| {}).unwrap_err();
        assert!(error.to_string().contains("more than the 4 bytes"), "{error}");
    }
}
