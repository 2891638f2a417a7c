// The memory of one call: blocks that are filled from below and given back together. What the host passes and
// what is returned to it lies here too, so the bindings' `free` has nothing to do, and nothing can leak from
// call to call.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glue.h"

typedef struct block {
    struct block *previous;
    size_t size;
    size_t used;
    _Alignas(16) uint8_t bytes[];
} block;

enum { SMALLEST_BLOCK = 64 * 1024 };

static block *top;
// The last call has ended, but for the host reading its result: the next use of memory is the next call's.
static bool over;
static pegbox_text message;
static const char *help;

// Keeps the last block, which is the largest: calls of one size soon need no other.
static void start_afresh(void) {
    over = false;
    if (top == NULL) return;
    pegbox_rewind((pegbox_mark_t){0});
}

static void add_block(size_t needed) {
    size_t size = top == NULL ? SMALLEST_BLOCK : 2 * top->size;
    if (size < needed) size = needed;
    block *added = malloc(sizeof(block) + size);
    // Perhaps the memory ends between what is needed and what would be handy.
    if (added == NULL) added = malloc(sizeof(block) + (size = needed));
    if (added == NULL) abort();
    added->previous = top;
    added->size = size;
    added->used = 0;
    top = added;
}

static void *take(size_t size, size_t align) {
    if (over) start_afresh();
    size_t start = top == NULL ? 0 : (top->used + align - 1) & ~(align - 1);
    if (top == NULL || start > top->size || top->size - start < size) {
        add_block(size);
        start = 0;
    }
    top->used = start + size;
    return top->bytes + start;
}

static void *resize(void *old, size_t old_size, size_t align, size_t new_size) {
    bool is_last = top != NULL && !over && old_size > 0 && (uint8_t *)old + old_size == top->bytes + top->used;
    if (is_last && new_size - old_size <= top->size - top->used && new_size >= old_size) {
        top->used += new_size - old_size;
        return old;
    }
    if (new_size <= old_size) return old;
    void *moved = take(new_size, align);
    if (old_size > 0) memcpy(moved, old, old_size);
    return moved;
}

// Takes the place of the bindings' own.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                                size_t new_size) {
    return new_size == 0 ? (void *)align : resize(old, old_size, align, new_size);
}

// What `free` is in the bindings.
void pegbox_free_nothing(void *memory) {
    (void)memory;
}

void *pegbox_alloc(size_t size) {
    return memset(take(size, 16), 0, size);
}

void *pegbox_resize(void *old, size_t old_size, size_t new_size) {
    return resize(old, old_size, 16, new_size);
}

pegbox_mark_t pegbox_mark(void) {
    return (pegbox_mark_t){top, top == NULL ? 0 : top->used};
}

void pegbox_rewind(pegbox_mark_t mark) {
    // Blocks between the last and the mark's are not needed; the last is kept for what comes.
    block *target = mark.block;
    if (top == target) {
        if (top != NULL) top->used = mark.used;
        return;
    }
    block *between = top->previous;
    while (between != target) {
        block *previous = between->previous;
        free(between);
        between = previous;
    }
    top->previous = target;
    top->used = 0;
    if (target != NULL) target->used = mark.used;
}

void pegbox_keep_memory(void) {
    top = NULL;
}

void pegbox_begin(void) {
    if (over) start_afresh();
    message = (pegbox_text){0};
    help = NULL;
}

bool pegbox_end(bool good, pegbox_plugin_types_error_t *error) {
#ifdef PEGBOX_TENSORS
    pegbox_release_all();
#endif
    if (!good) {
        *error = (pegbox_plugin_types_error_t){
            .message = message.len > 0 ? message : pegbox_text_of("the plugin failed and did not say why"),
            .help = {.is_some = help != NULL},
        };
        if (help != NULL) error->help.val = pegbox_text_of(help);
    }
    over = true;
    return good;
}

pegbox_text pegbox_format_list(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) return pegbox_text_of(format);
    char *text = take((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return (pegbox_text){(uint8_t *)text, (size_t)length};
}

bool pegbox_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    message = pegbox_format_list(format, arguments);
    va_end(arguments);
    help = NULL;
    return false;
}

bool pegbox_fail_help(const char *how, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    message = pegbox_format_list(format, arguments);
    va_end(arguments);
    help = how;
    return false;
}

pegbox_text pegbox_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pegbox_text text = pegbox_format_list(format, arguments);
    va_end(arguments);
    return text;
}

// `assert` would print to a standard error that there is not.
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function) {
    (void)what, (void)file, (void)line, (void)function;
    __builtin_trap();
}
