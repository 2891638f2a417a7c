/// What a plugin may ask for under [permissions] in its plugin.toml, beside the log: clock, random numbers,
/// environment variables, files; network.h has HTTP. A function whose permission the manifest does not ask
/// for does not compile.
///
/// For more than these, call the generated functions: `plugin.h` in target/pegbox has all of the WASI
/// interfaces that the manifest asks for (`wasi_random_random_get_random_bytes`,
/// `wasi_http_outgoing_handler_handle`, ...), with the documentation of WASI. What such a function returns
/// lives until the call ends; handles (`..._own_..._t`) you give back with `..._drop_own`.
#ifndef PEGBOX_CAPABILITIES_H
#define PEGBOX_CAPABILITIES_H

#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PEGBOX_NEEDS(what) __attribute__((unavailable("write `" what "` under [permissions] in plugin.toml")))

#ifdef PEGBOX_PERMISSION_CLOCK
#define PEGBOX_NEEDS_CLOCK
#else
#define PEGBOX_NEEDS_CLOCK PEGBOX_NEEDS("clock = true")
#endif
#ifdef PEGBOX_PERMISSION_RANDOM
#define PEGBOX_NEEDS_RANDOM
#else
#define PEGBOX_NEEDS_RANDOM PEGBOX_NEEDS("random = true")
#endif
#ifdef PEGBOX_PERMISSION_ENVIRONMENT
#define PEGBOX_NEEDS_ENVIRONMENT
#else
#define PEGBOX_NEEDS_ENVIRONMENT PEGBOX_NEEDS("environment = [\"NAME\"]")
#endif
#ifdef PEGBOX_PERMISSION_READ
#define PEGBOX_NEEDS_READ
#else
#define PEGBOX_NEEDS_READ PEGBOX_NEEDS("read = [\"folder\"]")
#endif

/// Seconds since 1970-01-01T00:00:00Z.
double pegbox_clock_time(void) PEGBOX_NEEDS_CLOCK;

/// Seconds of a steady clock, from a point that means nothing: for differences.
double pegbox_clock_steady(void) PEGBOX_NEEDS_CLOCK;

/// Random bits from the operating system.
uint64_t pegbox_random(void) PEGBOX_NEEDS_RANDOM;

/// An environment variable; none if it is not set, or not granted.
pegbox_maybe_text pegbox_environment(const char *name) PEGBOX_NEEDS_ENVIRONMENT;

/// A whole file. `path` begins with a folder of the manifest's `read`, as it stands there:
/// "lexicons/names.txt". False if it cannot be read; `pegbox_fail` was called then.
bool pegbox_read_file(const char *path, pegbox_bytes *content) PEGBOX_NEEDS_READ;

#ifdef __cplusplus
}
#endif
#endif
