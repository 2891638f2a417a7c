// Texts and growing buffers.

#include <string.h>

#include "glue.h"

pegbox_text pegbox_text_of(const char *zero_ended) {
    return (pegbox_text){(uint8_t *)zero_ended, strlen(zero_ended)};
}

char *pegbox_c_string(pegbox_text text) {
    char *copy = pegbox_alloc(text.len + 1);
    memcpy(copy, text.ptr, text.len);
    return copy;
}

bool pegbox_text_is(pegbox_text text, const char *zero_ended) {
    return text.len == strlen(zero_ended) && memcmp(text.ptr, zero_ended, text.len) == 0;
}

int pegbox_text_compare(pegbox_text a, pegbox_text b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

size_t pegbox_text_length(pegbox_text text) {
    size_t length = 0;
    // Every code point has one byte that does not continue another.
    for (size_t i = 0; i < text.len; i++) length += (text.ptr[i] & 0xC0) != 0x80;
    return length;
}

void pegbox_put(pegbox_buffer *buffer, const void *bytes, size_t len) {
    if (len == 0) return;
    if (buffer->capacity - buffer->len < len) {
        size_t capacity = 2 * buffer->capacity + len;
        buffer->ptr = pegbox_resize(buffer->ptr, buffer->capacity, capacity);
        buffer->capacity = capacity;
    }
    memcpy(buffer->ptr + buffer->len, bytes, len);
    buffer->len += len;
}

void pegbox_put_text(pegbox_buffer *buffer, pegbox_text text) {
    pegbox_put(buffer, text.ptr, text.len);
}

void pegbox_put_format(pegbox_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pegbox_put_text(buffer, pegbox_format_list(format, arguments));
    va_end(arguments);
}

void pegbox_put_json_text(pegbox_buffer *buffer, pegbox_text text) {
    pegbox_put(buffer, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte == '"' || byte == '\\') {
            pegbox_put(buffer, (char[]){'\\', (char)byte}, 2);
        } else if (byte < 0x20) {
            const char *digits = "0123456789abcdef";
            pegbox_put(buffer, (char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]}, 6);
        } else {
            pegbox_put(buffer, &byte, 1);
        }
    }
    pegbox_put(buffer, "\"", 1);
}
