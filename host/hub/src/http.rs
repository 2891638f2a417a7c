//! The HTTP client: certificates and proxies as the machine is set up.
//!
//! Certificates: the first of `PIP_CERT`, `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE` and pip's
//! own `cert` setting that names a readable file, else the platform's store. Proxies: `HTTPS_PROXY` and its kin.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::index::pip_setting;

const USER_AGENT: &str = concat!("pegbox/", env!("CARGO_PKG_VERSION"));

/// A client that answers every status to its caller and gives up on a silent server after a minute.
pub(crate) fn agent() -> Agent {
    let tls = TlsConfig::builder().root_certs(root_certificates()).build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .build()
        .into()
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

/// `https://user:secret@host/x` without what stands before the `@`: fit for a message or a lock file.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
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
    }
}
