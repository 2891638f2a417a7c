//! The HTTP client: certificates and proxies as the machine is set up; redirects, credentials, second tries.
//!
//! Certificates: the first of `PIP_CERT`, `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE` and pip's
//! own `cert` setting that names a readable file, else the platform's store. Proxies: `HTTPS_PROXY` and its kin.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::error::HubError;
use crate::index::pip_setting;

const USER_AGENT: &str = concat!("pegbox/", env!("CARGO_PKG_VERSION"));

const REDIRECTS: usize = 10;
const ATTEMPTS: u32 = 3;
/// Before the second attempt; each further one waits twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// A client that answers every status to its caller and gives up on a silent server after a minute.
pub(crate) fn agent() -> Agent {
    let tls = TlsConfig::builder().root_certs(root_certificates()).build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        // Followed by hand: see `get`.
        .max_redirects(0)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// What a server answered in the end, and the headers of the answers that led there.
pub(crate) struct Answer {
    pub url: String,
    pub response: Response<Body>,
    way: Vec<HeaderMap>,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// From the first answer that has it: a hub states a file's digest where it sends one on to a storage server.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all = self.way.iter().chain([self.response.headers()]);
        all.filter_map(|headers| headers.get(name)?.to_str().ok()).next()
    }

    /// From the last answer.
    pub(crate) fn own_header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The body, which must be text of at most `limit` bytes.
    pub(crate) fn text(mut self, limit: u64) -> Result<String, HubError> {
        let body = self.response.body_mut().with_config().limit(limit).read_to_string();
        body.map_err(|error| failed(&self.url, error.to_string(), true))
    }
}

/// GET, along redirects. `token` is a bearer token for the server of `url`, and goes to no other.
///
/// # Errors
/// No answer. Every status is an answer.
pub(crate) fn get(
    agent: &Agent,
    url: &str,
    headers: &[(&str, &str)],
    token: Option<&str>,
) -> Result<Answer, HubError> {
    let origin = origin(url).to_string();
    let (mut at, mut way) = (url.to_string(), Vec::new());
    for _ in 0..REDIRECTS {
        let mut request = agent.get(&at);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token.filter(|_| self::origin(&at) == origin) {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request.call().map_err(|error| failed(&at, error.to_string(), is_passing(&error)))?;
        let next = match response.status().as_u16() {
            301 | 302 | 303 | 307 | 308 => response.headers().get("location").and_then(|to| to.to_str().ok()),
            _ => None,
        };
        let Some(next) = next else { return Ok(Answer { url: at, response, way }) };
        let next = resolve(&at, next);
        if at.starts_with("https://") && !next.starts_with("https://") {
            return Err(failed(
                &at,
                format!("it redirects to {}, which is not encrypted", origin_of(&next)),
                false,
            ));
        }
        at = next;
        way.push(response.headers().clone());
    }
    Err(failed(url, format!("more than {REDIRECTS} redirects"), false))
}

/// Does `request` again where it fails in a way that may pass.
pub(crate) fn persist<T>(mut request: impl FnMut() -> Result<T, HubError>) -> Result<T, HubError> {
    let mut attempt = 1;
    loop {
        match request() {
            Err(error) if error.is_passing() && attempt < ATTEMPTS => {
                tracing::warn!(%error, attempt, "trying again");
                std::thread::sleep(PAUSE * 2_u32.pow(attempt - 1));
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// The error for a status that is no success.
pub(crate) fn refused(url: &str, status: u16) -> HubError {
    failed(url, format!("the server answered {status}"), status >= 500 || [408, 429].contains(&status))
}

pub(crate) fn failed(url: &str, what: String, passing: bool) -> HubError {
    HubError::Http { url: without_credentials(url), what, passing }
}

fn is_passing(error: &ureq::Error) -> bool {
    matches!(
        error,
        ureq::Error::Io(_)
            | ureq::Error::Timeout(_)
            | ureq::Error::ConnectionFailed
            | ureq::Error::Protocol(_)
    )
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find(['/', '?', '#']).map_or(url, |end| &url[..start + end])
}

fn origin_of(url: &str) -> String {
    without_credentials(origin(url))
}

/// `link` as seen from the page or file at `base`, for the forms that servers use.
pub(crate) fn resolve(base: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_string();
    }
    let Some((scheme, rest)) = base.split_once("://") else { return link.to_string() };
    if let Some(other_host) = link.strip_prefix("//") {
        return format!("{scheme}://{other_host}");
    }
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if link.starts_with('/') {
        return format!("{scheme}://{authority}{link}");
    }
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    let mut link = link;
    while let Some(up) = link.strip_prefix("../") {
        segments.pop();
        link = up;
    }
    segments.push(link.strip_prefix("./").unwrap_or(link));
    format!("{scheme}://{authority}/{}", segments.join("/"))
}

fn root_certificates() -> RootCerts {
    let named = ["PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
        .into_iter()
        .filter_map(env::var_os)
        .map(PathBuf::from)
        .chain(pip_setting("cert").map(PathBuf::from));
    for path in named {
        let Ok(bundle) = fs::read(&path) else {
            tracing::warn!(path = %path.display(), "the certificate bundle cannot be read; trying the next");
            continue;
        };
        let certificates: Vec<_> = parse_pem(&bundle)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if !certificates.is_empty() {
            return RootCerts::new_with_certs(&certificates);
        }
    }
    RootCerts::PlatformVerifier
}

/// `https://user:secret@host/x?signature=y` without what stands before the `@` and after the `?`, where storage
/// servers have their signatures: fit for a message or a lock file.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let rest = rest.split('?').next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_out_of_messages() {
        assert_eq!(without_credentials("https://me:pw@host/simple/a@b"), "https://host/simple/a@b");
        assert_eq!(without_credentials("https://host"), "https://host");
        assert_eq!(without_credentials("https://cdn/x?X-Amz-Signature=abc"), "https://cdn/x");
    }

    #[test]
    fn links_are_seen_from_where_they_stand() {
        let base = "https://host/simple/my-model/";
        assert_eq!(resolve(base, "../../f/w.whl"), "https://host/f/w.whl");
        assert_eq!(resolve(base, "w.whl"), "https://host/simple/my-model/w.whl");
        assert_eq!(resolve("https://host/a/b?c=d/e", "f"), "https://host/a/f");
        assert_eq!(resolve("https://host/a/b", "/x"), "https://host/x");
        assert_eq!(resolve("https://host", "x"), "https://host/x");
        assert_eq!(resolve("https://host/a", "//cdn/x"), "https://cdn/x");
        assert_eq!(origin("https://host:1/a"), "https://host:1");
        assert_eq!(origin("https://host?x"), "https://host");
    }
}
