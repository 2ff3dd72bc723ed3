/*
 * json - the keeper of cJSON: small control documents in, checked.
 *
 * json_parse() wants exactly one value and nothing after it, at most
 * JSON_BYTES_MAX bytes, nesting up to 64, valid UTF-8, no \u0000 and no key
 * twice in one object.  Keys are case-sensitive and looked up one by one: go
 * through a large object with json_next().  Numbers
 * that must be exact (nanoseconds, prices) travel as strings; prices and stamps
 * of ticks are read by proto/tick_json.c and never come here.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_BYTES_MAX (1u << 20)

struct json; /* owned by json_parse()'s caller; members are borrowed from it */

/** 0; -EINVAL (err_text says where), -EMSGSIZE, -ENOMEM. */
int json_parse(const char *text, size_t len, struct json **out);
void json_free(struct json *root);

/** Member @key of an object, or NULL. */
const struct json *json_get(const struct json *obj, const char *key);
const char *json_str(const struct json *v, const char *otherwise);
bool json_bool(const struct json *v, bool otherwise);
/** Finite number, else @otherwise. */
double json_num(const struct json *v, double otherwise);
/** 0 or -EINVAL.  Whole number up to 2^53 as a number, any uint64 as a string. */
int json_u64(const struct json *v, uint64_t *out);
bool json_is_object(const struct json *v);
bool json_is_array(const struct json *v);
bool json_is_string(const struct json *v);
bool json_is_number(const struct json *v);
size_t json_len(const struct json *arr);
const struct json *json_at(const struct json *arr, size_t i);
/** Iterate an object or an array: pass NULL first; gives the key (NULL in arrays). */
const struct json *json_next(const struct json *obj, const struct json *prev,
			     const char **out_key);
