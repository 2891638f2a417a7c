/// JSON: the configuration, and whatever else a plugin reads.
#ifndef PEGBOX_JSON_H
#define PEGBOX_JSON_H

#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    PEGBOX_JSON_NULL,
    PEGBOX_JSON_BOOL,
    PEGBOX_JSON_NUMBER,
    PEGBOX_JSON_STRING,
    PEGBOX_JSON_ARRAY,
    PEGBOX_JSON_OBJECT,
} pegbox_json_type;

/// One value. Those of an array or object hang together by `first` and `next`, in their order.
typedef struct pegbox_json {
    pegbox_json_type type;
    /// Its name, if it stands in an object.
    pegbox_text key;
    bool boolean;
    double number;
    pegbox_text string;
    /// How many values an array or object has.
    size_t count;
    const struct pegbox_json *first;
    const struct pegbox_json *next;
} pegbox_json;

/// `for (pegbox_json_each(item, list)) ...`; `list` may be NULL.
#define pegbox_json_each(item, list) \
    const pegbox_json *item = (list) ? (list)->first : NULL; item; item = item->next

/// Reads `text` (RFC 8259) into the call's memory. NULL if it is not JSON or nests more than 64 deep.
const pegbox_json *pegbox_json_parse(pegbox_text text);

/// The value at `key` of an object; NULL if there is none, or `object` is no object.
const pegbox_json *pegbox_json_get(const pegbox_json *object, const char *key);

/// The value at `key`, or `otherwise` where there is none of this type. The host has compared a configuration
/// with its schema before `configure` sees it: a wrong type there does not reach you.
double pegbox_json_number(const pegbox_json *object, const char *key, double otherwise);
bool pegbox_json_bool(const pegbox_json *object, const char *key, bool otherwise);
pegbox_text pegbox_json_string(const pegbox_json *object, const char *key, const char *otherwise);

/// JSON as it stands, as a text of C: `PEGBOX_JSON({"type": "object"})`.
#define PEGBOX_JSON(...) #__VA_ARGS__

#ifdef __cplusplus
}
#endif
#endif
