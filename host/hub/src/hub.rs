//! A model hub: Hugging Face's, or another one that speaks as it does.
//!
//! Done here over the HTTP client that everything else uses, and not by the crate `hf-hub`: its version 1.0 brings
//! Tokio, reqwest and the Xet client along, begins a broken download anew, knows no offline mode but one flag a call,
//! and writes into its own cache without telling digests; its version 0.5 uses another major version of our client.
//! The variables, the addresses and the cache's layout are the same as those of the Python library `huggingface_hub`.

use std::env;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use ureq::Agent;

use crate::card;
use crate::digest::Digest;
use crate::error::HubError;
use crate::http::{Answer, get, persist, refused, without_credentials};

const PUBLIC_HUB: &str = "https://huggingface.co";
pub(crate) const DEFAULT_REVISION: &str = "main";
/// Repositories with tens of thousands of files have listings of some MiB.
const LISTING_LIMIT: u64 = 64 << 20;
const CARD_LIMIT: u64 = 4 << 20;

/// What the ecosystem's own variables say.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// `HF_ENDPOINT`, else the public hub.
    pub endpoint: String,
    /// `HF_TOKEN`, else the file that `HF_TOKEN_PATH` names, else `$HF_HOME/token`.
    pub token: Option<String>,
    /// `HF_HUB_CACHE`, else `$HF_HOME/hub`.
    pub cache: Option<PathBuf>,
    /// `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`.
    pub offline: bool,
}

impl HubSettings {
    pub fn from_environment() -> Self {
        let home = folder("HF_HOME")
            .or_else(|| folder("XDG_CACHE_HOME").map(|path| path.join("huggingface")))
            .or_else(|| folder("HOME").map(|path| path.join(".cache/huggingface")));
        Self {
            endpoint: text("HF_ENDPOINT")
                .map_or(PUBLIC_HUB.into(), |url| url.trim_end_matches('/').to_string()),
            token: token(home.as_ref()),
            cache: folder("HF_HUB_CACHE")
                .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
                .or_else(|| home.map(|home| home.join("hub"))),
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
        }
    }
}

fn token(home: Option<&PathBuf>) -> Option<String> {
    if let Some(token) = text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN")) {
        return Some(token);
    }
    if is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
        return None;
    }
    let path = folder("HF_TOKEN_PATH").or_else(|| home.map(|home| home.join("token")))?;
    let token = fs::read_to_string(path).ok()?.trim().to_string();
    // A header is one line; what is none came from a wrong file.
    (!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())).then_some(token)
}

fn text(variable: &str) -> Option<String> {
    env::var(variable).ok().map(|value| value.trim().to_string()).filter(|value| !value.is_empty())
}

fn folder(variable: &str) -> Option<PathBuf> {
    let path = text(variable)?;
    match path.strip_prefix("~/") {
        Some(rest) => Some(PathBuf::from(env::var_os("HOME")?).join(rest)),
        None => Some(path.into()),
    }
}

fn is_on(variable: &str) -> bool {
    text(variable).is_some_and(|value| ["1", "on", "yes", "true"].contains(&&*value.to_lowercase()))
}

/// A repository at one commit.
#[derive(Debug)]
pub(crate) struct Repository {
    pub commit: String,
    pub files: Vec<RemoteFile>,
    /// Of the card.
    pub licence: Option<String>,
}

/// A file of a repository.
#[derive(Debug, Clone)]
pub(crate) struct RemoteFile {
    pub name: String,
    pub bytes: Option<u64>,
    pub digest: Option<Digest>,
}

/// What the hub answers of a model at a revision.
#[derive(Deserialize)]
struct Listing {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
    #[serde(default, rename = "cardData")]
    card: Value,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    sha256: Option<String>,
    size: Option<u64>,
}

/// The hub, as one who has come to fetch a repository sees it.
pub(crate) struct Hub<'a> {
    pub agent: &'a Agent,
    pub settings: &'a HubSettings,
    /// `org/name`
    pub repository: &'a str,
}

impl Hub<'_> {
    /// The repository at `revision`: its commit, its files, its licence.
    pub(crate) fn describe(&self, revision: &str) -> Result<Repository, HubError> {
        let url = format!(
            "{}/api/models/{}/revision/{}?blobs=true",
            self.settings.endpoint,
            self.repository,
            escaped(revision, false)
        );
        let text = persist(|| {
            let answer = get(self.agent, &url, &[], self.token())?;
            match answer.status() {
                200 => answer.text(LISTING_LIMIT),
                _ => Err(self.refusal(&answer, revision)),
            }
        })?;
        let listing: Listing = serde_json::from_str(&text)
            .map_err(|error| crate::http::failed(&url, format!("not a hub's answer: {error}"), false))?;
        if !is_commit(&listing.sha) {
            return Err(crate::http::failed(&url, "not a hub's answer: `sha` is no commit".into(), false));
        }
        let licence = listing.licence().or_else(|| self.licence_of_card(&listing));
        let files = listing.siblings.into_iter().map(Sibling::file).collect();
        Ok(Repository { commit: listing.sha, files, licence })
    }

    /// Where a file lies.
    pub(crate) fn url(&self, commit: &str, file: &str) -> String {
        format!("{}/{}/resolve/{commit}/{}", self.settings.endpoint, self.repository, escaped(file, true))
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.settings.token.as_deref()
    }

    /// What a status that is no success means here.
    pub(crate) fn refusal(&self, answer: &Answer, revision: &str) -> HubError {
        let endpoint = without_credentials(&self.settings.endpoint);
        let repository = self.repository.to_string();
        let token = self.settings.token.is_some();
        match (answer.status(), answer.header("x-error-code")) {
            (_, Some("GatedRepo")) => HubError::Gated { endpoint, repository, token },
            (_, Some("RevisionNotFound")) => {
                HubError::NoRevision { endpoint, repository, revision: revision.into() }
            }
            (_, Some("EntryNotFound")) => refused(&answer.url, answer.status()),
            // The hub does not tell who may not read a repository whether there is one.
            (_, Some("RepoNotFound")) | (401 | 403 | 404, _) => {
                HubError::NoRepository { endpoint, repository, token }
            }
            (status, _) => refused(&answer.url, status),
        }
    }

    /// Hubs other than the public one may not read cards for us.
    fn licence_of_card(&self, listing: &Listing) -> Option<String> {
        listing.siblings.iter().find(|file| file.rfilename == "README.md")?;
        let answer = get(self.agent, &self.url(&listing.sha, "README.md"), &[], self.token()).ok()?;
        if answer.status() != 200 {
            return None;
        }
        card::licence(&answer.text(CARD_LIMIT).ok()?)
    }
}

impl Listing {
    fn licence(&self) -> Option<String> {
        let values = |key: &str| -> Vec<String> {
            match self.card.get(key) {
                Some(Value::String(one)) => vec![one.clone()],
                Some(Value::Array(several)) => {
                    several.iter().filter_map(|value| value.as_str().map(str::to_string)).collect()
                }
                _ => Vec::new(),
            }
        };
        let tags: Vec<String> =
            self.tags.iter().filter_map(|tag| tag.strip_prefix("license:")).map(str::to_string).collect();
        card::named(&values("license"), &values("license_name")).or_else(|| card::named(&tags, &[]))
    }
}

impl Sibling {
    fn file(self) -> RemoteFile {
        let large = self.lfs.as_ref();
        let digest = match large.and_then(|large| large.sha256.as_deref()) {
            Some(sha256) => Digest::sha256(sha256),
            // Of a large file the blob is only the pointer to it.
            None if large.is_some() => None,
            None => self.blob_id.as_deref().and_then(Digest::git_blob),
        };
        RemoteFile { bytes: large.and_then(|large| large.size).or(self.size), name: self.rfilename, digest }
    }
}

/// 40 hex digits.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40
        && revision.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}

/// Fit for a part of a URL; slashes stay where `path` says so.
fn escaped(text: &str, path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if path => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url_are_escaped() {
        assert_eq!(escaped("refs/pr/1", false), "refs%2Fpr%2F1");
        assert_eq!(escaped("1_Pooling/config.json", true), "1_Pooling/config.json");
        assert_eq!(escaped("a b#c", true), "a%20b%23c");
    }

    #[test]
    fn a_licence_is_found_in_the_card_or_in_the_tags() {
        let listing = |text: &str| serde_json::from_str::<Listing>(text).unwrap().licence();
        assert_eq!(listing(r#"{"sha": "x", "cardData": {"license": "mit"}}"#).as_deref(), Some("MIT"));
        assert_eq!(
            listing(r#"{"sha": "x", "cardData": null, "tags": ["license:mit"]}"#).as_deref(),
            Some("MIT")
        );
        assert_eq!(listing(r#"{"sha": "x", "cardData": {"license": ["mit", "odd words here"]}}"#), None);
    }
}
