// Reads JSON (RFC 8259). The text is copied once, so that it ends with a zero; every function leaves `at`
// behind what it read, and returns NULL or false where the text is not JSON.

#include <stdlib.h>
#include <string.h>

#include "glue.h"

enum { DEEPEST = 64 };

static const pegbox_json *read_value(const char **at, int depth);

static void skip_space(const char **at) {
    *at += strspn(*at, " \t\n\r");
}

static bool skip(const char **at, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0) return false;
    *at += length;
    return true;
}

static bool read_hex(const char **at, uint32_t *value) {
    *value = 0;
    for (int i = 0; i < 4; i++, (*at)++) {
        char c = **at;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16) return false;
        *value = *value * 16 + digit;
    }
    return true;
}

static void put_code_point(uint8_t **to, uint32_t code) {
    uint8_t *out = *to;
    if (code < 0x80) {
        *out++ = (uint8_t)code;
    } else if (code < 0x800) {
        *out++ = (uint8_t)(0xC0 | code >> 6);
        *out++ = (uint8_t)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (uint8_t)(0xE0 | code >> 12);
        *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (code & 0x3F));
    } else {
        *out++ = (uint8_t)(0xF0 | code >> 18);
        *out++ = (uint8_t)(0x80 | (code >> 12 & 0x3F));
        *out++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *out++ = (uint8_t)(0x80 | (code & 0x3F));
    }
    *to = out;
}

// Behind `\u`. Two halves of a pair make one code point; half a pair is no text.
static bool read_escaped_code_point(const char **at, uint8_t **to) {
    uint32_t code, low;
    if (!read_hex(at, &code)) return false;
    if (code >= 0xDC00 && code < 0xE000) return false;
    if (code >= 0xD800 && code < 0xDC00) {
        if (!skip(at, "\\u") || !read_hex(at, &low) || low < 0xDC00 || low >= 0xE000) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    put_code_point(to, code);
    return true;
}

static bool read_string(const char **at, pegbox_text *text) {
    if (!skip(at, "\"")) return false;
    const char *end = *at;
    while (*end != '"' && *end != '\0') end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    // No escape is shorter than what it stands for.
    text->ptr = pegbox_alloc((size_t)(end - *at) + 1);
    uint8_t *to = text->ptr;
    while (**at != '"') {
        char c = *(*at)++;
        if ((uint8_t)c < 0x20) return false;
        if (c != '\\') {
            *to++ = (uint8_t)c;
            continue;
        }
        char escape = *(*at)++;
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        const char *name = escape == '\0' ? NULL : strchr(names, escape);
        if (name != NULL) {
            *to++ = (uint8_t)values[name - names];
        } else if (escape != 'u' || !read_escaped_code_point(at, &to)) {
            return false;
        }
    }
    (*at)++;
    text->len = (size_t)(to - text->ptr);
    return true;
}

static bool read_number(const char **at, double *number) {
    const char *end = *at;
    size_t digits;
    if (*end == '-') end++;
    if ((digits = strspn(end, "0123456789")) == 0 || (*end == '0' && digits > 1)) return false;
    end += digits;
    if (*end == '.') {
        if ((digits = strspn(++end, "0123456789")) == 0) return false;
        end += digits;
    }
    if (*end == 'e' || *end == 'E') {
        end++;
        if (*end == '+' || *end == '-') end++;
        if ((digits = strspn(end, "0123456789")) == 0) return false;
        end += digits;
    }
    *number = strtod(*at, NULL);
    *at = end;
    return true;
}

// The values of an array or object, behind its opening bracket.
static bool read_members(const char **at, int depth, pegbox_json *whole, const char *closing) {
    const pegbox_json **link = &whole->first;
    skip_space(at);
    if (skip(at, closing)) return true;
    do {
        pegbox_text key = {0};
        skip_space(at);
        if (whole->type == PEGBOX_JSON_OBJECT) {
            if (!read_string(at, &key)) return false;
            skip_space(at);
            if (!skip(at, ":")) return false;
        }
        pegbox_json *member = (pegbox_json *)read_value(at, depth + 1);
        if (member == NULL) return false;
        member->key = key;
        *link = member;
        link = &member->next;
        whole->count++;
        skip_space(at);
    } while (skip(at, ","));
    return skip(at, closing);
}

static const pegbox_json *read_value(const char **at, int depth) {
    pegbox_json *value = pegbox_alloc(sizeof(pegbox_json));
    bool good = depth < DEEPEST;
    skip_space(at);
    if (!good) {
        return NULL;
    } else if (skip(at, "{")) {
        value->type = PEGBOX_JSON_OBJECT;
        good = read_members(at, depth, value, "}");
    } else if (skip(at, "[")) {
        value->type = PEGBOX_JSON_ARRAY;
        good = read_members(at, depth, value, "]");
    } else if (**at == '"') {
        value->type = PEGBOX_JSON_STRING;
        good = read_string(at, &value->string);
    } else if (skip(at, "true")) {
        value->type = PEGBOX_JSON_BOOL;
        value->boolean = true;
    } else if (skip(at, "false")) {
        value->type = PEGBOX_JSON_BOOL;
    } else if (!skip(at, "null")) {
        value->type = PEGBOX_JSON_NUMBER;
        good = read_number(at, &value->number);
    }
    return good ? value : NULL;
}

const pegbox_json *pegbox_json_parse(pegbox_text text) {
    const char *copy = pegbox_c_string(text), *at = copy;
    const pegbox_json *value = read_value(&at, 0);
    if (value == NULL) return NULL;
    skip_space(&at);
    return at == copy + text.len ? value : NULL;
}

const pegbox_json *pegbox_json_get(const pegbox_json *object, const char *key) {
    if (object == NULL || object->type != PEGBOX_JSON_OBJECT) return NULL;
    for (pegbox_json_each(member, object)) {
        if (pegbox_text_is(member->key, key)) return member;
    }
    return NULL;
}

static const pegbox_json *get_of_type(const pegbox_json *object, const char *key, pegbox_json_type type) {
    const pegbox_json *value = pegbox_json_get(object, key);
    return value != NULL && value->type == type ? value : NULL;
}

double pegbox_json_number(const pegbox_json *object, const char *key, double otherwise) {
    const pegbox_json *value = get_of_type(object, key, PEGBOX_JSON_NUMBER);
    return value != NULL ? value->number : otherwise;
}

bool pegbox_json_bool(const pegbox_json *object, const char *key, bool otherwise) {
    const pegbox_json *value = get_of_type(object, key, PEGBOX_JSON_BOOL);
    return value != NULL ? value->boolean : otherwise;
}

pegbox_text pegbox_json_string(const pegbox_json *object, const char *key, const char *otherwise) {
    const pegbox_json *value = get_of_type(object, key, PEGBOX_JSON_STRING);
    return value != NULL ? value->string : pegbox_text_of(otherwise);
}
