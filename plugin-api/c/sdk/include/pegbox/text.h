/// Texts and growing buffers.
#ifndef PEGBOX_TEXT_H
#define PEGBOX_TEXT_H

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

/// UTF-8, `ptr` and `len` in bytes; not ended by a zero. An empty text may have any `ptr`.
typedef plugin_string_t pegbox_text;

/// A text, or none: `is_some` and `val`.
typedef plugin_option_string_t pegbox_maybe_text;

/// Any bytes, `ptr` and `len`. (Not the contract's own type for it: not every world has that.)
typedef struct {
    uint8_t *ptr;
    size_t len;
} pegbox_bytes;

/// For `printf`'s `%.*s`.
#define PEGBOX_PRINT(text) (int)(text).len, (const char *)(text).ptr

/// The same bytes as a text. They are not copied, and must live until the call ends.
pegbox_text pegbox_text_of(const char *zero_ended);

/// A text in the call's memory, made as `printf` makes it.
pegbox_text pegbox_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// A copy that ends with a zero, in the call's memory.
char *pegbox_c_string(pegbox_text text);

/// Whether both are the same bytes.
bool pegbox_text_is(pegbox_text text, const char *zero_ended);

/// As `strcmp` says it, by bytes: that is the order of the code points, too.
int pegbox_text_compare(pegbox_text a, pegbox_text b);

/// Length in Unicode code points.
size_t pegbox_text_length(pegbox_text text);

/// Bytes that grow, in the call's memory. Start with `pegbox_buffer buffer = {0};`.
typedef struct {
    uint8_t *ptr;
    size_t len;
    size_t capacity;
} pegbox_buffer;

void pegbox_put(pegbox_buffer *buffer, const void *bytes, size_t len);
void pegbox_put_text(pegbox_buffer *buffer, pegbox_text text);
void pegbox_put_format(pegbox_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// `text` as JSON writes a string, quotes included.
void pegbox_put_json_text(pegbox_buffer *buffer, pegbox_text text);

#ifdef __cplusplus
}
#endif
#endif
