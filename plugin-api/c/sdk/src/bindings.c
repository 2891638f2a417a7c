// The generated bindings. Their `free` has nothing to do: what crosses the boundary lies in the memory of the
// call. call.c has a `cabi_realloc` that takes the place of theirs; so this is no part of pegbox.c.

#include <stdlib.h>

void pegbox_free_nothing(void *memory);
#define free pegbox_free_nothing

#include "plugin.c"
