// HTTP requests, over wasi:http. What is made inside of something else is dropped before that.

#include <string.h>

#include "glue.h"

#ifdef PEGBOX_PERMISSION_NETWORK

// `https://host:port/path?query` without its `#fragment`.
static bool split_url(const char *url, wasi_http_types_scheme_t *scheme, pegbox_text *authority, pegbox_text *path) {
    size_t start;
    if (strncmp(url, "https://", start = 8) == 0) {
        scheme->tag = WASI_HTTP_TYPES_SCHEME_HTTPS;
    } else if (strncmp(url, "http://", start = 7) == 0) {
        scheme->tag = WASI_HTTP_TYPES_SCHEME_HTTP;
    } else {
        return false;
    }
    const char *host = url + start;
    size_t host_len = strcspn(host, "/?#");
    const char *rest = host + host_len;
    int rest_len = (int)strcspn(rest, "#");
    *authority = (pegbox_text){(uint8_t *)host, host_len};
    *path = pegbox_format("%s%.*s", *rest == '/' ? "" : "/", rest_len, rest);
    return host_len > 0;
}

static bool read_stream(wasi_io_streams_borrow_input_stream_t stream, pegbox_buffer *content) {
    wasi_io_streams_stream_error_t end;
    plugin_list_u8_t piece;
    while (wasi_io_streams_method_input_stream_blocking_read(stream, 64 * 1024, &piece, &end)) {
        pegbox_put(content, piece.ptr, piece.len);
    }
    if (end.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED) return true;
    wasi_io_error_error_drop_own(end.val.last_operation_failed);
    return false;
}

static bool read_body(wasi_http_types_borrow_incoming_response_t response, pegbox_buffer *content) {
    wasi_http_types_own_incoming_body_t body;
    if (!wasi_http_types_method_incoming_response_consume(response, &body)) return false;
    wasi_http_types_own_input_stream_t stream;
    bool good = wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body), &stream);
    if (good) {
        good = read_stream(wasi_io_streams_borrow_input_stream(stream), content);
        wasi_io_streams_input_stream_drop_own(stream);
    }
    wasi_http_types_incoming_body_drop_own(body);
    return good;
}

static bool wait_for(wasi_http_types_own_future_incoming_response_t future,
                     wasi_http_types_own_incoming_response_t *response, wasi_http_types_error_code_t *code) {
    wasi_http_types_borrow_future_incoming_response_t lent = wasi_http_types_borrow_future_incoming_response(future);
    wasi_http_types_own_pollable_t ready = wasi_http_types_method_future_incoming_response_subscribe(lent);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
    wasi_io_poll_pollable_drop_own(ready);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t result;
    bool good = wasi_http_types_method_future_incoming_response_get(lent, &result) && !result.is_err;
    wasi_http_types_future_incoming_response_drop_own(future);
    if (!good) return false;
    if (result.val.ok.is_err) {
        *code = result.val.ok.val.err;
        return false;
    }
    *response = result.val.ok.val.ok;
    return true;
}

static bool fail(const char *url, const wasi_http_types_error_code_t *code) {
    switch (code->tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
        return pegbox_fail_help("grant its host in the recipe, as `network`", "%s cannot be fetched: it is not granted",
                                url);
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
        return pegbox_fail("%s cannot be fetched: there is no such host", url);
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED:
        return pegbox_fail("%s cannot be fetched: the connection is refused", url);
    default:
        return pegbox_fail("%s cannot be fetched: wasi:http says error-code %d", url, code->tag);
    }
}

bool pegbox_fetch(const char *url, pegbox_answer *answer) {
    wasi_http_types_scheme_t scheme;
    pegbox_text authority, path;
    if (!split_url(url, &scheme, &authority, &path)) return pegbox_fail("%s is not a URL of http or https", url);
    wasi_http_types_own_outgoing_request_t request =
        wasi_http_types_constructor_outgoing_request(wasi_http_types_constructor_fields());
    wasi_http_types_borrow_outgoing_request_t lent = wasi_http_types_borrow_outgoing_request(request);
    if (!wasi_http_types_method_outgoing_request_set_scheme(lent, &scheme) ||
        !wasi_http_types_method_outgoing_request_set_authority(lent, &authority) ||
        !wasi_http_types_method_outgoing_request_set_path_with_query(lent, &path)) {
        wasi_http_types_outgoing_request_drop_own(request);
        return pegbox_fail("%s is not a URL", url);
    }
    wasi_http_types_error_code_t code = {.tag = WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR};
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_own_incoming_response_t response;
    if (!wasi_http_outgoing_handler_handle(request, NULL, &future, &code)) return fail(url, &code);
    if (!wait_for(future, &response, &code)) return fail(url, &code);

    wasi_http_types_borrow_incoming_response_t got = wasi_http_types_borrow_incoming_response(response);
    pegbox_buffer content = {0};
    answer->status = wasi_http_types_method_incoming_response_status(got);
    bool good = read_body(got, &content);
    wasi_http_types_incoming_response_drop_own(response);
    answer->body = (pegbox_bytes){content.ptr, content.len};
    return good || pegbox_fail("%s cannot be fetched: the answer breaks off", url);
}

#endif
