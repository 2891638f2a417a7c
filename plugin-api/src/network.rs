//! HTTP. The manifest asks for hosts, `network = ["example.org"]`, and the recipe grants them. A request takes no longer
//! than the call may.

use crate::error::Error;

/// What a server answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Fetches `url` with GET, over HTTPS or, for a granted `host:port`, HTTP. Redirects are not followed.
///
/// # Errors
/// The URL is none, the host is not granted, or it does not answer.
pub fn get(url: &str) -> Result<Response, Error> {
    imp::get(url).map_err(|fault| Error::new(format!("{url} cannot be fetched: {fault}")))
}

#[cfg(target_arch = "wasm32")]
mod imp {
    use super::Response;
    use crate::component::bindings::capabilities::wasi::http::outgoing_handler::handle;
    use crate::component::bindings::capabilities::wasi::http::types::{
        Fields, IncomingBody, IncomingResponse, OutgoingRequest, Scheme,
    };
    use crate::component::bindings::capabilities::wasi::io::streams::StreamError;

    /// Bytes of one read.
    const PIECE: u64 = 1 << 16;

    pub fn get(url: &str) -> Result<Response, String> {
        let (scheme, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (Scheme::Https, rest),
            (None, Some(rest)) => (Scheme::Http, rest),
            (None, None) => return Err("it begins with neither https:// nor http://".to_owned()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let request = OutgoingRequest::new(Fields::new());
        let wrong = |()| "it is no URL".to_owned();
        request.set_scheme(Some(&scheme)).map_err(wrong)?;
        request.set_authority(Some(authority)).map_err(wrong)?;
        request.set_path_with_query(Some(path)).map_err(wrong)?;
        let answer = handle(request, None).map_err(|code| code.to_string())?;
        answer.subscribe().block();
        match answer.get() {
            Some(Ok(Ok(response))) => read(&response),
            Some(Ok(Err(code))) => Err(code.to_string()),
            _ => Err("there is no answer".to_owned()),
        }
    }

    fn read(response: &IncomingResponse) -> Result<Response, String> {
        let gone = |()| "the answer is gone".to_owned();
        let stream = response.consume().map_err(gone)?;
        let body = read_all(&stream)?;
        Ok(Response { status: response.status(), body })
    }

    fn read_all(incoming: &IncomingBody) -> Result<Vec<u8>, String> {
        let stream = incoming.stream().map_err(|()| "the answer is gone".to_owned())?;
        let mut body = Vec::new();
        loop {
            match stream.blocking_read(PIECE) {
                Ok(piece) => body.extend(piece),
                Err(StreamError::Closed) => return Ok(body),
                Err(StreamError::LastOperationFailed(fault)) => return Err(fault.to_debug_string()),
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    use super::Response;

    pub fn get(_: &str) -> Result<Response, String> {
        Err("a native plugin brings an HTTP client of its own".to_owned())
    }
}
