/* See stdlib.h. */
#ifndef PEGBOX_STRING_H
#define PEGBOX_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);

static inline size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length] != 0) length++;
    return length;
}

#endif
