/*
 * webref - a link of a page, made whole: RFC 3986, section 5.2.
 *
 * Only what can stand in a browser's address comes out: http or https, a host, no
 * blanks, quotes or control characters.
 *
 * Pure.  Any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define WEBREF_MAX 2048

/** May this be fetched and shown: http(s)://HOST..., of printable characters? */
bool webref_is_url(const char *url);
/**
 * Resolve @link against @base ("": only a whole link will do) into @out; blanks around
 * it do not count.  False: it makes no URL, or one of @cap bytes or more; then @out is
 * empty.
 */
bool webref_resolve(const char *base, const char *link, char *out, size_t cap);
