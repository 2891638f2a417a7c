/// One call from the host: its memory, and how it fails.
#ifndef PEGBOX_CALL_H
#define PEGBOX_CALL_H

#include "pegbox_build.h"
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Zeroed memory until the end of the call; of `configure`, for as long as the plugin lives. Never NULL.
void *pegbox_alloc(size_t size);

/// `old` with another size, as `realloc` does. The last block that was allocated grows in place.
void *pegbox_resize(void *old, size_t old_size, size_t new_size);

/// A point to go back to, for calls that would gather much: everything allocated after `pegbox_mark` is given
/// back by `pegbox_rewind`.
typedef struct {
    void *block;
    size_t used;
} pegbox_mark_t;

pegbox_mark_t pegbox_mark(void);
void pegbox_rewind(pegbox_mark_t mark);

/// Ends the call with an error once the plugin's function returns. `format` is as in `printf`, one sentence
/// without a full stop: what went wrong, and where. Returns false, so that `return pegbox_fail(...)` is all
/// that is needed.
bool pegbox_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// The same, with a text on how to mend it.
bool pegbox_fail_help(const char *help, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif
#endif
