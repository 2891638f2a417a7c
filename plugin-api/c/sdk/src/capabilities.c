// What a plugin may ask for: log, clock, random numbers, environment variables, files.

#include "glue.h"

#ifdef PEGBOX_PERMISSION_LOG

void pegbox_log_line(pegbox_log_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pegbox_text line = pegbox_format_list(format, arguments);
    va_end(arguments);
    pegbox_plugin_logging_log((pegbox_plugin_logging_level_t)level, &line);
}

#endif

#ifdef PEGBOX_PERMISSION_CLOCK

double pegbox_clock_time(void) {
    wasi_clocks_wall_clock_datetime_t now;
    wasi_clocks_wall_clock_now(&now);
    return (double)now.seconds + now.nanoseconds * 1e-9;
}

double pegbox_clock_steady(void) {
    return (double)wasi_clocks_monotonic_clock_now() * 1e-9;
}

#endif

#ifdef PEGBOX_PERMISSION_RANDOM

uint64_t pegbox_random(void) {
    return wasi_random_random_get_random_u64();
}

#endif

#ifdef PEGBOX_PERMISSION_ENVIRONMENT

pegbox_maybe_text pegbox_environment(const char *name) {
    plugin_list_tuple2_string_string_t variables;
    wasi_cli_environment_get_environment(&variables);
    for (size_t i = 0; i < variables.len; i++) {
        if (pegbox_text_is(variables.ptr[i].f0, name)) return (pegbox_maybe_text){true, variables.ptr[i].f1};
    }
    return (pegbox_maybe_text){0};
}

#endif

#ifdef PEGBOX_PERMISSION_READ

static bool path_is_in(const char *path, pegbox_text folder, const char **rest) {
    size_t length = folder.len;
    while (length > 0 && folder.ptr[length - 1] == '/') length--;
    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)path[i] != folder.ptr[i]) return false;
    }
    if (path[length] != '/') return false;
    *rest = path + length + 1;
    return true;
}

// Reads until the end of the file: the file's size may change while we read.
static bool read_all(wasi_filesystem_types_borrow_descriptor_t file, pegbox_buffer *content) {
    enum { PIECE = 1 << 20 };
    wasi_filesystem_types_error_code_t code;
    plugin_tuple2_list_u8_bool_t piece;
    do {
        if (!wasi_filesystem_types_method_descriptor_read(file, PIECE, content->len, &piece, &code)) return false;
        pegbox_put(content, piece.f0.ptr, piece.f0.len);
    } while (!piece.f1);
    return true;
}

bool pegbox_read_file(const char *path, pegbox_bytes *content) {
    wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t folders;
    wasi_filesystem_preopens_get_directories(&folders);
    bool granted = false, good = false;
    pegbox_buffer buffer = {0};
    for (size_t i = 0; i < folders.len; i++) {
        const char *rest;
        if (!granted && path_is_in(path, folders.ptr[i].f1, &rest)) {
            granted = true;
            pegbox_text inside = pegbox_text_of(rest);
            wasi_filesystem_types_own_descriptor_t file;
            wasi_filesystem_types_error_code_t code;
            if (wasi_filesystem_types_method_descriptor_open_at(
                    wasi_filesystem_types_borrow_descriptor(folders.ptr[i].f0),
                    WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, &inside, 0,
                    WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ, &file, &code)) {
                good = read_all(wasi_filesystem_types_borrow_descriptor(file), &buffer);
                wasi_filesystem_types_descriptor_drop_own(file);
            }
        }
        wasi_filesystem_types_descriptor_drop_own(folders.ptr[i].f0);
    }
    if (!granted) {
        return pegbox_fail_help("name its folder under `read` in plugin.toml, and grant it in the recipe",
                                "the file `%s` is in no folder that the plugin may read", path);
    }
    if (!good) return pegbox_fail("the file `%s` cannot be read", path);
    *content = (pegbox_bytes){buffer.ptr, buffer.len};
    return true;
}

#endif
