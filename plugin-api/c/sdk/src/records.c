// Records, for cleaners and validators.

#include "glue.h"

#if defined(PEGBOX_KIND_CLEANER) || defined(PEGBOX_KIND_VALIDATOR)

int pegbox_field(const pegbox_batch *batch, const char *name) {
    for (size_t i = 0; i < batch->fields.len; i++) {
        if (pegbox_text_is(batch->fields.ptr[i], name)) return (int)i;
    }
    return -1;
}

#endif
