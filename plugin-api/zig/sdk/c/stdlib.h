/* What the generated bindings ask of a C library, and nothing else: they are the only C here. Memory that crosses the
   boundary lies in the call's arena (call.zig), so there is nothing to free, and `cabi_realloc` stands in call.zig. */
#ifndef PEGBOX_STDLIB_H
#define PEGBOX_STDLIB_H

#include <stddef.h>

static inline void free(void *memory) { (void)memory; }
static inline void *realloc(void *memory, size_t size) { (void)memory, (void)size; __builtin_trap(); }
static inline void abort(void) { __builtin_trap(); }

#endif
