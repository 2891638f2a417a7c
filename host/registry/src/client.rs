//! The registry's HTTP, with a limit on every answer.
//!
//! `oci-client` speaks the protocol: authentication, blobs, uploads. It reads manifests and lists whole,
//! however large they are, so those are fetched here.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{DigestError, OciDistributionError, OciErrorCode};
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderValue, LINK};
use serde::Deserialize;
use tokio::io::AsyncWrite;

use crate::error::RegistryError;
use crate::image::{Descriptor, MANIFEST_TYPE, shown};
use crate::layout::Image;
use crate::limits;
use crate::place::Place;

const USER_AGENT: &str = concat!("pegbox/", env!("CARGO_PKG_VERSION"));
const CONNECT: Duration = Duration::from_secs(30);
/// Without a byte.
const SILENCE: Duration = Duration::from_secs(60);
/// For answers that are small.
const ANSWER: Duration = Duration::from_secs(120);
/// Names in one answer.
const PAGE: usize = 1000;

/// One registry, and who we are there.
pub(crate) struct Client {
    oci: oci_client::Client,
    http: reqwest::Client,
    host: String,
    scheme: &'static str,
    auth: RegistryAuth,
}

struct Answer {
    status: StatusCode,
    more: bool,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

impl Client {
    /// Talks to the host of `place`, over plain HTTP only if `plain` says so.
    ///
    /// # Errors
    /// The machine's certificates cannot be used.
    pub(crate) fn new(place: &Place, plain: bool, auth: RegistryAuth) -> Result<Self, RegistryError> {
        // Somebody else in this process may have chosen one already, which is as good.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let fail = |fault: String| RegistryError::Registry {
            host: place.host().to_owned(),
            at: "the start".to_owned(),
            fault,
        };
        let config = ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(CONNECT),
            read_timeout: Some(SILENCE),
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        };
        let oci = oci_client::Client::try_from(config).map_err(|fault| fail(fault.to_string()))?;
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|fault| fail(fault.to_string()))?;
        let scheme = if plain { "http" } else { "https" };
        Ok(Self { oci, http, host: place.host().to_owned(), scheme, auth })
    }

    /// The bytes of the manifest that a tag or a digest names, if there is one.
    pub(crate) async fn manifest(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let at = format!("{repository}:{reference}");
        let path = format!("{repository}/manifests/{reference}");
        let answer = self.get(repository, &path, MANIFEST_TYPE, limits::MANIFEST, &at).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => Ok(Some(answer.body)),
            _ => Err(self.refused(&answer, &at)),
        }
    }

    /// The bytes that a descriptor names: exactly those, and never more than `limit`.
    pub(crate) async fn blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        what: &str,
        limit: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        if descriptor.size > limit {
            return Err(RegistryError::TooLarge { what: what.to_owned(), limit });
        }
        let reference = self.reference(repository);
        self.oci.store_auth_if_needed(reference.resolve_registry(), &self.auth).await;
        let wanted = OciDescriptor { digest: descriptor.digest.clone(), ..OciDescriptor::default() };
        let mut out = Capped { bytes: Vec::new(), room: descriptor.size, overflowed: false };
        let outcome = self.oci.pull_blob(&reference, &wanted, &mut out).await;
        if out.overflowed {
            return Err(RegistryError::Layout {
                what: what.to_owned(),
                fault: format!("it is larger than the {} bytes that stand in its manifest", descriptor.size),
            });
        }
        outcome.map_err(|error| match error {
            OciDistributionError::DigestError(DigestError::VerificationError { expected, actual }) => {
                RegistryError::Tampered { what: what.to_owned(), expected, actual }
            }
            error => self.fault(&error, what),
        })?;
        descriptor.verify(what, &out.bytes)?;
        Ok(out.bytes)
    }

    /// Sends blobs that the registry does not have, then the manifest under its tag.
    pub(crate) async fn push(&self, repository: &str, image: Image, tag: &str) -> Result<(), RegistryError> {
        let reference = self.reference(repository);
        self.oci.store_auth_if_needed(reference.resolve_registry(), &self.auth).await;
        let at = format!("push {repository}:{tag}");
        // Asked first, so that a missing permission shows as itself and not as a broken upload.
        self.token(repository, RegistryOperation::Push, &at).await?;
        for (descriptor, bytes) in image.blobs {
            // A registry that cannot say whether it has a blob gets it once more.
            if !self.oci.blob_exists(&reference, &descriptor.digest).await.unwrap_or(false) {
                self.oci
                    .push_blob(&reference, bytes, &descriptor.digest)
                    .await
                    .map_err(|error| self.fault(&error, &at))?;
            }
        }
        let tagged = Reference::with_tag(self.host.clone(), repository.to_owned(), tag.to_owned());
        self.oci
            .push_manifest_raw(&tagged, image.manifest, HeaderValue::from_static(MANIFEST_TYPE))
            .await
            .map_err(|error| self.fault(&error, &at))?;
        Ok(())
    }

    /// Every tag of a repository, if there is such a one.
    pub(crate) async fn tags(&self, repository: &str) -> Result<Option<Vec<String>>, RegistryError> {
        let mut found: Vec<String> = Vec::new();
        loop {
            let path = format!("{repository}/tags/list?n={PAGE}{}", after(found.last()));
            let answer =
                self.get(repository, &path, "application/json", limits::MANIFEST, repository).await?;
            match answer.status {
                StatusCode::NOT_FOUND => return Ok(None),
                status if status.is_success() => {}
                _ => return Err(self.refused(&answer, repository)),
            }
            let page: Tags = self.json(&answer.body, repository)?;
            let before = found.len();
            found.extend(page.tags.unwrap_or_default());
            if !answer.more || found.len() == before {
                return Ok(Some(found));
            }
            if found.len() > limits::TAGS {
                return Err(self.broken(repository, &format!("it has more than {} tags", limits::TAGS)));
            }
        }
    }

    /// Every repository, where the registry tells.
    pub(crate) async fn catalog(&self) -> Result<Vec<String>, RegistryError> {
        let mut found: Vec<String> = Vec::new();
        loop {
            let path = format!("_catalog?n={PAGE}{}", after(found.last()));
            let at = "list its repositories";
            let answer = self.get("catalog", &path, "application/json", limits::MANIFEST, at).await?;
            if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
                return Err(RegistryError::NoCatalog { host: self.host.clone() });
            }
            if !answer.status.is_success() {
                return Err(self.refused(&answer, at));
            }
            let page: Catalog = self.json(&answer.body, at)?;
            let before = found.len();
            found.extend(page.repositories.unwrap_or_default());
            if !answer.more || found.len() == before || found.len() > limits::REPOSITORIES {
                found.truncate(limits::REPOSITORIES);
                return Ok(found);
            }
        }
    }

    async fn get(
        &self,
        repository: &str,
        path: &str,
        accept: &str,
        limit: u64,
        at: &str,
    ) -> Result<Answer, RegistryError> {
        match tokio::time::timeout(ANSWER, self.get_in_time(repository, path, accept, limit, at)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.broken(at, &format!("no whole answer within {} s", ANSWER.as_secs()))),
        }
    }

    async fn get_in_time(
        &self,
        repository: &str,
        path: &str,
        accept: &str,
        limit: u64,
        at: &str,
    ) -> Result<Answer, RegistryError> {
        let host = self.reference(repository).resolve_registry().to_owned();
        let request = self.http.get(format!("{}://{host}/v2/{path}", self.scheme)).header(ACCEPT, accept);
        let request = match (self.token(repository, RegistryOperation::Pull, at).await?, &self.auth) {
            (Some(token), _) => request.bearer_auth(token),
            (None, RegistryAuth::Basic(name, password)) => request.basic_auth(name, Some(password)),
            (None, _) => request,
        };
        let fail = |fault: reqwest::Error| self.broken(at, &with_sources(&fault));
        let mut response = request.send().await.map_err(fail)?;
        let status = response.status();
        let more = response.headers().get_all(LINK).iter().any(|link| {
            link.to_str().is_ok_and(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
        });
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(RegistryError::TooLarge { what: format!("the answer to {at}"), limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, more, body })
    }

    /// What the registry's token service gives us, if it has one.
    async fn token(
        &self,
        repository: &str,
        operation: RegistryOperation,
        at: &str,
    ) -> Result<Option<String>, RegistryError> {
        self.oci
            .auth(&self.reference(repository), &self.auth, operation)
            .await
            .map_err(|error| self.fault(&error, at))
    }

    fn reference(&self, repository: &str) -> Reference {
        Reference::with_tag(self.host.clone(), repository.to_owned(), "latest".to_owned())
    }

    fn json<T: serde::de::DeserializeOwned>(&self, body: &[u8], at: &str) -> Result<T, RegistryError> {
        serde_json::from_slice(body).map_err(|fault| self.broken(at, &fault.to_string()))
    }

    fn refused(&self, answer: &Answer, at: &str) -> RegistryError {
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return self.denied(at);
        }
        let text = String::from_utf8_lossy(&answer.body);
        self.broken(at, &format!("it answers {}: {}", answer.status, shown(text.trim())))
    }

    fn fault(&self, error: &OciDistributionError, at: &str) -> RegistryError {
        let is_denied =
            |code: &OciErrorCode| matches!(code, OciErrorCode::Unauthorized | OciErrorCode::Denied);
        match error {
            OciDistributionError::AuthenticationFailure(_)
            | OciDistributionError::UnauthorizedError { .. } => self.denied(at),
            OciDistributionError::ServerError { code: 401 | 403, .. } => self.denied(at),
            OciDistributionError::RegistryError { envelope, .. }
                if envelope.errors.iter().any(|error| is_denied(&error.code)) =>
            {
                self.denied(at)
            }
            OciDistributionError::RequestError(fault) => self.broken(at, &with_sources(fault)),
            other => self.broken(at, &other.to_string()),
        }
    }

    fn denied(&self, at: &str) -> RegistryError {
        let at = if at.starts_with("push ") || at.starts_with("list ") {
            at.to_owned()
        } else {
            format!("read {at}")
        };
        RegistryError::Denied {
            host: self.host.clone(),
            at,
            had_credentials: self.auth != RegistryAuth::Anonymous,
        }
    }

    fn broken(&self, at: &str, fault: &str) -> RegistryError {
        RegistryError::Registry { host: self.host.clone(), at: at.to_owned(), fault: shown(fault) }
    }
}

/// A buffer that takes no more than it has room for.
struct Capped {
    bytes: Vec<u8>,
    room: u64,
    overflowed: bool,
}

impl AsyncWrite for Capped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        chunk: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if (self.bytes.len() + chunk.len()) as u64 > self.room {
            self.overflowed = true;
            return Poll::Ready(Err(std::io::Error::other("more bytes than announced")));
        }
        self.bytes.extend_from_slice(chunk);
        Poll::Ready(Ok(chunk.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Continues a list after its last name. Names of tags and repositories have nothing to escape but `/`.
fn after(last: Option<&String>) -> String {
    last.map(|name| format!("&last={}", name.replace('/', "%2F"))).unwrap_or_default()
}

/// `reqwest` says what it did; why it failed stands in the errors below.
fn with_sources(fault: &reqwest::Error) -> String {
    let mut text = fault.to_string();
    let mut source = std::error::Error::source(fault);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
