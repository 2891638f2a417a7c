"""HTTP requests to hosts that plugin.toml names under [permissions] and the recipe grants::

    from pegbox_plugin import network

    answer = network.get("https://labels.example.org/allowed.json")
    if answer.status == 200:
        allowed = answer.json()

Waits for the answer; the time counts towards the call's deadline.
"""

import json as _json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from wit_world.imports import http_types as _wit, outgoing_handler as _handler
from wit_world.imports.streams import InputStream, StreamError_Closed

__all__ = ["Response", "get", "request"]

_READ_BYTES = 64 << 10
_WRITE_BYTES = 4 << 10
_METHODS: dict[str, type[Any]] = {
    "GET": _wit.Method_Get,
    "HEAD": _wit.Method_Head,
    "POST": _wit.Method_Post,
    "PUT": _wit.Method_Put,
    "DELETE": _wit.Method_Delete,
    "OPTIONS": _wit.Method_Options,
    "PATCH": _wit.Method_Patch,
}


@dataclass(frozen=True)
class Response:
    """What a server answered, whatever its status."""

    status: int
    """Such as 200."""
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; values of the same name joined by ``, ``."""
    body: bytes = b""

    def text(self, encoding: str = "utf-8") -> str:
        """The body as text."""
        return self.body.decode(encoding)

    def json(self) -> Any:
        """The body, read as JSON."""
        return _json.loads(self.body)


def get(url: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """:func:`request` with GET."""
    return request("GET", url, headers=headers)


def request(method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Response:
    """Sends a request and reads the whole answer. Redirects are not followed.

    Raises ``OSError`` when there is no answer (the host is not granted, cannot be reached, or breaks off), and
    ``ValueError`` for a URL that is not ``http://`` or ``https://``.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{url!r} is not a URL of http or https")
    make_method = _METHODS.get(method.upper())
    lines = [(name.lower(), value.encode()) for name, value in (headers or {}).items()]
    if body:
        lines.append(("content-length", str(len(body)).encode()))
    try:
        outgoing = _wit.OutgoingRequest(_wit.Fields.from_list(lines))
        outgoing.set_method(make_method() if make_method else _wit.Method_Other(method))
        outgoing.set_scheme(_wit.Scheme_Https() if parts.scheme == "https" else _wit.Scheme_Http())
        outgoing.set_authority(parts.netloc)
        outgoing.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        content = outgoing.body()
        future = _handler.handle(outgoing, None)
        _send(content, body)
        return _read(_wait(future))
    except Err as fault:
        raise OSError(f"{method} {url}: {_reason(fault.value)}") from None


def _send(content: _wit.OutgoingBody, body: bytes) -> None:
    if body:
        with content.write() as stream:
            try:
                for start in range(0, len(body), _WRITE_BYTES):
                    stream.blocking_write_and_flush(body[start : start + _WRITE_BYTES])
            except Err as fault:
                # A server may answer before it has read everything.
                if not isinstance(fault.value, StreamError_Closed):
                    raise
    _wit.OutgoingBody.finish(content, None)


def _wait(future: _wit.FutureIncomingResponse) -> _wit.IncomingResponse:
    with future.subscribe() as ready:
        ready.block()
    match future.get():
        case Ok(Ok(response)):
            return response
        case Ok(Err() as fault):
            raise fault
    raise OSError("the answer is not there")


def _read(response: _wit.IncomingResponse) -> Response:
    with response:
        with response.headers() as fields:
            headers = _joined(fields.entries())
        with response.consume() as content, content.stream() as stream:
            body = b"".join(_pieces(stream))
        return Response(response.status(), headers, body)


def _pieces(stream: InputStream) -> Iterable[bytes]:
    while True:
        try:
            yield stream.blocking_read(_READ_BYTES)
        except Err as fault:
            if isinstance(fault.value, StreamError_Closed):
                return
            raise


def _joined(entries: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in entries:
        text = value.decode("latin-1")
        headers[name.lower()] = f"{headers[name.lower()]}, {text}" if name.lower() in headers else text
    return headers


def _reason(code: object) -> str:
    name = type(code).__name__.rpartition("_")[2]
    value = getattr(code, "value", None)
    text = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return f"{text} ({value})" if isinstance(value, str) else text
