//! A Python package index (PEP 503 and PEP 691).

use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use ureq::Agent;

use crate::error::HubError;
use crate::http::without_credentials;
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
    /// 64 hex digits, in small letters.
    pub sha256: String,
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
    let shown = without_credentials(&url);
    let http = |what: String| HubError::Http { url: shown.clone(), what };
    let mut response =
        agent.get(&url).header("Accept", ACCEPT).call().map_err(|error| http(error.to_string()))?;
    match response.status().as_u16() {
        200 => {}
        404 => {
            return Err(HubError::NoPackage { index: without_credentials(index), package: name.into() });
        }
        status => return Err(http(format!("the server answered {status}"))),
    }
    let json = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    let page = response
        .body_mut()
        .with_config()
        .limit(PAGE_LIMIT)
        .read_to_string()
        .map_err(|error| http(error.to_string()))?;
    let offers = if json { from_json(&page, &url).map_err(http)? } else { from_html(&page, &url) };
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
        let sha256 = digest(file.hashes.get("sha256")?)?;
        Some(Offer { url: resolve(base, &file.url), file: file.filename, sha256, size: file.size })
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
        let sha256 = digest(fragment.strip_prefix("sha256=")?)?;
        Some(Offer { file: text.trim().to_string(), url: resolve(base, url), sha256, size: None })
    });
    anchors.collect()
}

/// `link` as seen from the page at `base`, for the forms that indexes use.
fn resolve(base: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_string();
    }
    let Some((scheme, rest)) = base.split_once("://") else { return link.to_string() };
    if let Some(other_host) = link.strip_prefix("//") {
        return format!("{scheme}://{other_host}");
    }
    let authority = rest.split('/').next().unwrap_or(rest);
    if link.starts_with('/') {
        return format!("{scheme}://{authority}{link}");
    }
    let mut folders: Vec<&str> = rest.trim_end_matches('/').split('/').skip(1).collect();
    let mut link = link;
    while let Some(up) = link.strip_prefix("../") {
        folders.pop();
        link = up;
    }
    folders.push(link.strip_prefix("./").unwrap_or(link));
    format!("{scheme}://{authority}/{}", folders.join("/"))
}

fn digest(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(text)
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
        assert_eq!(from_html[0].sha256, DIGEST);
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
