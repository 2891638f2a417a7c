/// Lines for Pegbox's log, for plugins whose plugin.toml says `log = true` under [permissions].
#ifndef PEGBOX_LOG_H
#define PEGBOX_LOG_H

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    /// For the plugin's author; shown with `-vv`.
    PEGBOX_LOG_DEBUG,
    /// Shown with `-v`.
    PEGBOX_LOG_INFO,
    /// Always shown.
    PEGBOX_LOG_WARNING,
} pegbox_log_level;

/// Writes one line, made as `printf` makes it. More than the plugin's limit of lines a second (100, unless
/// the manifest or the recipe says otherwise) ends the call.
void pegbox_log_line(pegbox_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)))
#ifndef PEGBOX_PERMISSION_LOG
__attribute__((unavailable("write `log = true` under [permissions] in plugin.toml")))
#endif
;

#ifdef __cplusplus
}
#endif
#endif
