/*
 * secret - a key that leaves by one door: into a request's headers.
 *
 * Its bytes lie in locked memory that no core dump holds, are wiped at the end,
 * and are printed by nobody: secret_print() writes "***".
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

struct secret;

/**
 * Find the key called @name ("alpaca_key"), first that is there:
 *
 *	$CREDENTIALS_DIRECTORY/NAME    what systemd's LoadCredential= made
 *	$TICKBUS_NAME                  the environment, upper case
 *	@dir/NAME                      a regular file of ours or root's, mode 0600 or
 *0400
 *
 * A trailing line end is cut off.  0; -ENOENT: nowhere; -EPERM: others could read
 * the file; -EINVAL: empty, longer than 512, or with blanks or control characters.
 * Sentences name where it was looked for, never the bytes.
 */
int secret_load(const char *name, const char *dir, struct secret **out);
/** The same from bytes at hand: for tests, and to read again (rotation). */
int secret_new(const char *bytes, size_t len, struct secret **out);
void secret_free(struct secret *s);

/** Add the bytes to @out; whoever calls this wipes @out. */
void secret_add(const struct secret *s, struct buf *out);
size_t secret_len(const struct secret *s);
bool secret_equal(const struct secret *a, const struct secret *b);
/** Always "***". */
const char *secret_print(const struct secret *s);
/** Wipe a buffer that held secrets, then free it. */
void secret_wipe(struct buf *b);
/** Does @text hold the key (also percent-encoded or in Base64)?  For tests and the
    log's last look. */
bool secret_in(const struct secret *s, const char *text, size_t len);
