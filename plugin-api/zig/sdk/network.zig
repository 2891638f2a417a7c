//! HTTP requests, for plugins whose plugin.toml names hosts: `network = ["example.org"]` under [permissions].
//!
//! For other methods than GET, and for headers, call the generated functions as this file does. What is made
//! inside of something else is dropped before that.

const std = @import("std");
const c = @import("bindings");
const call = @import("call.zig");

pub const Answer = struct {
    /// Such as 200.
    status: u16,
    body: []const u8,
};

/// Gets `url`, `http://` or `https://`, and waits for the whole answer, whatever its status; the call's
/// deadline goes on meanwhile. Redirects are not followed.
pub fn fetch(url: []const u8) !Answer {
    if (!@hasDecl(c, "wasi_http_outgoing_handler_handle")) {
        @compileError("this needs `network = [\"host\"]` under [permissions] in plugin.toml");
    }
    const request = try requestFor(url);
    var code: c.wasi_http_types_error_code_t = .{ .tag = c.WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR };
    var future: c.wasi_http_types_own_future_incoming_response_t = undefined;
    if (!c.wasi_http_outgoing_handler_handle(request, null, &future, &code)) return failed(url, code);
    const response = waitFor(future, &code) orelse return failed(url, code);
    defer c.wasi_http_types_incoming_response_drop_own(response);
    const lent = c.wasi_http_types_borrow_incoming_response(response);
    return .{
        .status = c.wasi_http_types_method_incoming_response_status(lent),
        .body = try readBody(lent) orelse return call.fail("{s} cannot be fetched: the answer breaks off", .{url}),
    };
}

fn requestFor(url: []const u8) !c.wasi_http_types_own_outgoing_request_t {
    const parts = std.Uri.parse(url) catch return call.fail("{s} is not a URL", .{url});
    const is_https = std.mem.eql(u8, parts.scheme, "https");
    if (parts.host == null or !(is_https or std.mem.eql(u8, parts.scheme, "http"))) {
        return call.fail("{s} is not a URL of http or https", .{url});
    }
    const after_scheme = url[parts.scheme.len + "://".len ..];
    const end = std.mem.indexOfAny(u8, after_scheme, "/?#") orelse after_scheme.len;
    const rest = after_scheme[end .. std.mem.indexOfScalar(u8, after_scheme, '#') orelse after_scheme.len];
    const slash = if (std.mem.startsWith(u8, rest, "/")) "" else "/";

    const request = c.wasi_http_types_constructor_outgoing_request(c.wasi_http_types_constructor_fields());
    const lent = c.wasi_http_types_borrow_outgoing_request(request);
    var scheme: c.wasi_http_types_scheme_t = .{
        .tag = if (is_https) c.WASI_HTTP_TYPES_SCHEME_HTTPS else c.WASI_HTTP_TYPES_SCHEME_HTTP,
    };
    var authority = call.text(after_scheme[0..end]);
    var path = call.text(try std.mem.concat(call.arena, u8, &.{ slash, rest }));
    if (!c.wasi_http_types_method_outgoing_request_set_scheme(lent, &scheme) or
        !c.wasi_http_types_method_outgoing_request_set_authority(lent, &authority) or
        !c.wasi_http_types_method_outgoing_request_set_path_with_query(lent, &path))
    {
        c.wasi_http_types_outgoing_request_drop_own(request);
        return call.fail("{s} is not a URL", .{url});
    }
    return request;
}

fn waitFor(
    future: c.wasi_http_types_own_future_incoming_response_t,
    code: *c.wasi_http_types_error_code_t,
) ?c.wasi_http_types_own_incoming_response_t {
    defer c.wasi_http_types_future_incoming_response_drop_own(future);
    const lent = c.wasi_http_types_borrow_future_incoming_response(future);
    const ready = c.wasi_http_types_method_future_incoming_response_subscribe(lent);
    c.wasi_io_poll_method_pollable_block(c.wasi_io_poll_borrow_pollable(ready));
    c.wasi_io_poll_pollable_drop_own(ready);
    var result: c.wasi_http_types_result_result_own_incoming_response_error_code_void_t = undefined;
    if (!c.wasi_http_types_method_future_incoming_response_get(lent, &result) or result.is_err) return null;
    if (result.val.ok.is_err) {
        code.* = result.val.ok.val.err;
        return null;
    }
    return result.val.ok.val.ok;
}

fn readBody(response: c.wasi_http_types_borrow_incoming_response_t) !?[]const u8 {
    var body: c.wasi_http_types_own_incoming_body_t = undefined;
    if (!c.wasi_http_types_method_incoming_response_consume(response, &body)) return null;
    defer c.wasi_http_types_incoming_body_drop_own(body);
    var stream: c.wasi_http_types_own_input_stream_t = undefined;
    if (!c.wasi_http_types_method_incoming_body_stream(c.wasi_http_types_borrow_incoming_body(body), &stream)) return null;
    defer c.wasi_io_streams_input_stream_drop_own(stream);

    const lent = c.wasi_io_streams_borrow_input_stream(stream);
    var content: std.ArrayList(u8) = .empty;
    var piece: c.plugin_list_u8_t = undefined;
    var end: c.wasi_io_streams_stream_error_t = undefined;
    while (c.wasi_io_streams_method_input_stream_blocking_read(lent, 64 * 1024, &piece, &end)) {
        try content.appendSlice(call.arena, call.slice(piece));
    }
    if (end.tag == c.WASI_IO_STREAMS_STREAM_ERROR_CLOSED) return content.items;
    c.wasi_io_error_error_drop_own(end.val.last_operation_failed);
    return null;
}

fn failed(url: []const u8, code: c.wasi_http_types_error_code_t) call.Error {
    return switch (code.tag) {
        c.WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED => call.failWithHelp(
            "grant its host in the recipe, as `network`",
            "{s} cannot be fetched: it is not granted",
            .{url},
        ),
        c.WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR => call.fail("{s} cannot be fetched: there is no such host", .{url}),
        c.WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED => call.fail(
            "{s} cannot be fetched: the connection is refused",
            .{url},
        ),
        else => call.fail("{s} cannot be fetched: wasi:http says error-code {d}", .{ url, code.tag }),
    };
}
