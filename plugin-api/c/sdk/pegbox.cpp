// What libc++ wants of its surroundings, without printing: there is nowhere to print to.

#include <new>

#include <stdlib.h>

_LIBCPP_BEGIN_NAMESPACE_STD

// A failed check of libc++ (an empty `std::expected` that is read, an index out of range) ends the call.
[[noreturn]] void __libcpp_verbose_abort(const char *, ...) _NOEXCEPT {
    __builtin_trap();
}

_LIBCPP_END_NAMESPACE_STD

void *operator new(size_t size) {
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == nullptr) __builtin_trap();
    return memory;
}

void *operator new[](size_t size) {
    return operator new(size);
}

void operator delete(void *memory) noexcept {
    free(memory);
}

void operator delete[](void *memory) noexcept {
    free(memory);
}

void operator delete(void *memory, size_t) noexcept {
    free(memory);
}

void operator delete[](void *memory, size_t) noexcept {
    free(memory);
}
