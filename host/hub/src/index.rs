//! A Python package index (PEP 503 and PEP 691).

use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use ureq::Agent;

use crate::digest::Digest;
use crate::error::HubError;
use crate::http::{failed, get, refused, resolve, without_credentials};
use crate::source::normalise;

const PUBLIC_INDEX: &str = "https://pypi.org/simple";
const ACCEPT: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// The largest real project pages are around 30 MiB.
const PAGE_LIMIT: u64 = 64 << 20;

/// A wheel as the index offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub file: String,
    pub url: String,
    /// SHA-256.
    pub digest: Digest,
    /// Bytes, where the index says.
    pub size: Option<u64>,
}

/// `PIP_INDEX_URL`, else `index-url` of pip's configuration files, else the public index.
pub(crate) fn index_url() -> String {
    env::var("PIP_INDEX_URL")
        .ok()
        .filter(|url| !url.is_empty())
        .or_else(|| pip_setting("index-url"))
        .unwrap_or_else(|| PUBLIC_INDEX.into())
        .trim_end_matches('/')
        .to_string()
}

/// The pure-Python wheel of `name` at `version`.
///
/// # Errors
/// Unknown package or version, an index that answers otherwise than the two PEPs say, or with a link that
/// carries no SHA-256: without one a download could not be told from a forgery.
pub(crate) fn find(agent: &Agent, index: &str, name: &str, version: &str) -> Result<Offer, HubError> {
    let url = format!("{index}/{name}/");
    let answer = get(agent, &url, &[("Accept", ACCEPT)], None)?;
    match answer.status() {
        200 => {}
        404 => {
            return Err(HubError::NoPackage { index: without_credentials(index), package: name.into() });
        }
        status => return Err(refused(&url, status)),
    }
    let json = answer.own_header("content-type").is_some_and(|value| value.contains("json"));
    let base = answer.url.clone();
    let page = answer.text(PAGE_LIMIT)?;
    let offers = match json {
        true => from_json(&page, &base).map_err(|what| failed(&url, what, false))?,
        false => from_html(&page, &base),
    };
    choose(&offers, index, name, version)
}

fn choose(offers: &[Offer], index: &str, name: &str, version: &str) -> Result<Offer, HubError> {
    // PEP 427: name-version(-build)?-python-abi-platform.whl; names in it use `_` for `-`.
    let of = |offer: &Offer| -> Option<String> {
        let stem = offer.file.strip_suffix(".whl")?;
        let mut parts = stem.split('-');
        let (found, version) = (parts.next()?, parts.next()?);
        (normalise(found) == name).then(|| version.to_string())
    };
    let matching = offers.iter().filter(|offer| of(offer).as_deref() == Some(version));
    let chosen = matching.min_by_key(|offer| !offer.file.ends_with("-none-any.whl"));
    chosen.cloned().ok_or_else(|| {
        let mut known: Vec<String> = offers.iter().filter_map(of).collect();
        known.dedup();
        HubError::NoVersion {
            index: without_credentials(index),
            package: name.into(),
            version: version.into(),
            known,
        }
    })
}

fn from_json(page: &str, base: &str) -> Result<Vec<Offer>, String> {
    #[derive(Deserialize)]
    struct Page {
        files: Vec<File>,
    }
    #[derive(Deserialize)]
    struct File {
        filename: String,
        url: String,
        hashes: std::collections::BTreeMap<String, String>,
        size: Option<u64>,
    }
    let page: Page =
        serde_json::from_str(page).map_err(|error| format!("not an answer of PEP 691: {error}"))?;
    let offers = page.files.into_iter().filter_map(|file| {
        let digest = Digest::sha256(file.hashes.get("sha256")?)?;
        Some(Offer { url: resolve(base, &file.url), file: file.filename, digest, size: file.size })
    });
    Ok(offers.collect())
}

/// PEP 503: anchors whose text is the file name and whose link may end in `#sha256=...`.
fn from_html(page: &str, base: &str) -> Vec<Offer> {
    let anchors = page.split("<a ").skip(1).filter_map(|anchor| {
        let (attributes, rest) = anchor.split_once('>')?;
        let (text, _) = rest.split_once('<')?;
        let link = attributes.split_once("href=\"")?.1.split_once('"')?.0.replace("&amp;", "&");
        let (url, fragment) = link.split_once('#')?;
        let digest = Digest::sha256(fragment.strip_prefix("sha256=")?)?;
        Some(Offer { file: text.trim().to_string(), url: resolve(base, url), digest, size: None })
    });
    anchors.collect()
}

/// One setting of pip's `[global]` section: `PIP_CONFIG_FILE`, then the user's file, then the machine's.
pub(crate) fn pip_setting(key: &str) -> Option<String> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let config_home = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let files = [
        env::var_os("PIP_CONFIG_FILE").map(PathBuf::from),
        config_home.map(|path| path.join("pip/pip.conf")),
        home.as_ref().map(|path| path.join(".config/pip/pip.conf")),
        home.map(|path| path.join(".pip/pip.conf")),
        Some("/etc/pip.conf".into()),
    ];
    files.into_iter().flatten().find_map(|path| setting(&fs::read_to_string(path).ok()?, key))
}

fn setting(text: &str, key: &str) -> Option<String> {
    let mut in_global = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_global = line == "[global]";
        } else if in_global
            && !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
            && !value.trim().is_empty()
        {
            return Some(value.trim().to_string());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54";

    #[test]
    fn both_spellings_of_an_index_give_the_same_offer() {
        let json = format!(
            r#"{{"files": [{{"filename": "my_model-0.1.0.tar.gz", "url": "x", "hashes": {{}}}},
                {{"filename": "my_model-0.1.0-py3-none-any.whl", "url": "../../f/w.whl",
                 "hashes": {{"sha256": "{DIGEST}"}}, "size": 5}}]}}"#
        );
        let html = format!(
            "<html><a href=\"x\">my_model-0.1.0.tar.gz</a>\n<a href=\"/f/w.whl#sha256={DIGEST}\" \
             data-requires-python=\"&gt;=3.8\">my_model-0.1.0-py3-none-any.whl</a>"
        );
        let base = "https://host/simple/my-model/";
        let from_json = from_json(&json, base).unwrap();
        let from_html = from_html(&html, base);
        assert_eq!(from_json[0].url, "https://host/f/w.whl");
        assert_eq!(from_html[0].url, from_json[0].url);
        assert_eq!(from_html[0].digest.hex(), DIGEST);
        let chosen = choose(&from_json, "https://host/simple", "my-model", "0.1.0").unwrap();
        assert_eq!(chosen.size, Some(5));
        let error = choose(&from_json, "https://host/simple", "my-model", "0.2.0").unwrap_err();
        assert_eq!(error.help().unwrap(), "versions with a wheel: 0.1.0");
    }

    #[test]
    fn pips_configuration_is_read() {
        let text = "[install]\nindex-url = https://no\n[global]\n# index-url = https://no\nindex-url= https://yes/simple\n";
        assert_eq!(setting(text, "index-url").unwrap(), "https://yes/simple");
        assert_eq!(setting(text, "cert"), None);
    }
}
