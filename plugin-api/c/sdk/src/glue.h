// Between the generated bindings and the plugin's functions; nothing here is for plugins.
#ifndef PEGBOX_GLUE_H
#define PEGBOX_GLUE_H

#include <stdarg.h>

#include "pegbox.h"

// Every exported function begins and ends with these. `pegbox_end` returns `good`, and fills `error` if it is
// false.
void pegbox_begin(void);
bool pegbox_end(bool good, pegbox_plugin_types_error_t *error);

// Takes the memory of this call out of the hands of the calls to come: it stays for good.
void pegbox_keep_memory(void);

// `pegbox_format` with its arguments in a list.
pegbox_text pegbox_format_list(const char *format, va_list arguments);

#ifdef PEGBOX_TENSORS
// The handle goes to the host: it is no longer ours to drop.
void pegbox_untrack(pegbox_tensor tensor);
// Drops what is still remembered.
void pegbox_release_all(void);
#endif

// The same bytes in the bindings' own type, which not every world has.
#define PEGBOX_HAND_OVER(list, buffer) ((list)->ptr = (buffer).ptr, (list)->len = (buffer).len)

#endif
