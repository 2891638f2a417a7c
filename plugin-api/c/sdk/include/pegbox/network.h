/// HTTP requests, for plugins whose plugin.toml names hosts: `network = ["example.org"]` under [permissions].
///
/// For other methods than GET, and for headers, call the generated functions as src/network.c of the SDK
/// does.
#ifndef PEGBOX_NETWORK_H
#define PEGBOX_NETWORK_H

#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    /// Such as 200.
    uint16_t status;
    pegbox_bytes body;
} pegbox_answer;

/// Gets `url`, `http://` or `https://`, and waits for the whole answer, whatever its status; the call's
/// deadline goes on meanwhile. Redirects are not followed. False if there is no answer (the host is not
/// granted, cannot be reached, or breaks off); `pegbox_fail` was called then.
bool pegbox_fetch(const char *url, pegbox_answer *answer)
#ifndef PEGBOX_PERMISSION_NETWORK
    __attribute__((unavailable("write `network = [\"host\"]` under [permissions] in plugin.toml")))
#endif
    ;

#ifdef __cplusplus
}
#endif
#endif
