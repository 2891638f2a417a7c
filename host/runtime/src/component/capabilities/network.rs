//! Which hosts a plugin may send HTTP requests to, and how long it waits for them.

use std::time::Duration;

use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// The hosts that a recipe grants.
pub struct Hosts {
    granted: Vec<String>,
    time_left: Duration,
}

impl Hosts {
    pub fn new(granted: &[String]) -> Self {
        Self {
            granted: granted.iter().map(|host| host.to_ascii_lowercase()).collect(),
            time_left: Duration::ZERO,
        }
    }

    /// A host function is not interrupted by a deadline, so a request may wait no longer than the call.
    pub fn set_time_left(&mut self, ms: u64) {
        self.time_left = Duration::from_millis(ms);
    }

    /// `example.org` is HTTPS on its usual port; `example.org:8080` is that port, whatever the scheme.
    fn allows(&self, uri: &http::Uri) -> bool {
        let Some(host) = uri.host().map(str::to_ascii_lowercase) else { return false };
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        self.granted.iter().any(|entry| match entry.split_once(':') {
            Some((name, granted)) => name == host && granted.parse() == Ok(port),
            None => *entry == host && secure && port == 443,
        })
    }

    fn limited(&self, options: Option<RequestOptions>) -> RequestOptions {
        let asked = options.unwrap_or_default();
        let limit =
            |time: Option<Duration>| Some(time.map_or(self.time_left, |time| time.min(self.time_left)));
        RequestOptions {
            connect_timeout: limit(asked.connect_timeout),
            first_byte_timeout: limit(asked.first_byte_timeout),
            between_bytes_timeout: limit(asked.between_bytes_timeout),
        }
    }
}

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Hosts {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let allowed = self.allows(request.uri());
        let options = self.limited(options);
        Box::new(async move {
            if !allowed {
                return Err(Error::HttpRequestDenied);
            }
            let (response, io) = default_send_request(request, Some(options)).await?;
            let io: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(io);
            Ok((response.map(http_body_util::BodyExt::boxed_unsync), io))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_granted_hosts_and_ports_are_allowed() {
        let hosts = Hosts::new(&["Example.org".to_owned(), "127.0.0.1:5000".to_owned()]);
        let allows = |uri: &str| hosts.allows(&uri.parse().unwrap());
        assert!(allows("https://example.org/a?b"));
        assert!(allows("https://EXAMPLE.org:443/"));
        assert!(allows("http://127.0.0.1:5000/"));
        assert!(!allows("http://example.org/"));
        assert!(!allows("https://example.org:8443/"));
        assert!(!allows("https://example.org.evil.net/"));
        assert!(!allows("https://evil.net/#example.org"));
        assert!(!allows("https://example.org@evil.net/"));
        assert!(!allows("http://127.0.0.1:5001/"));
    }

    #[test]
    fn no_request_waits_longer_than_the_call() {
        let mut hosts = Hosts::new(&[]);
        hosts.set_time_left(500);
        let asked = RequestOptions { connect_timeout: Some(Duration::from_secs(9)), ..Default::default() };
        let options = hosts.limited(Some(asked));
        assert_eq!(options.connect_timeout, Some(Duration::from_millis(500)));
        assert_eq!(options.between_bytes_timeout, Some(Duration::from_millis(500)));
    }
}
