/*
 * err - one error currency: 0 done, < 0 a negated errno to forward unchanged,
 * > 0 an outcome named by the callee's header, to be handled by its caller.
 *
 * The origin of an error writes one sentence with err_set(); whoever gives up
 * or retries logs err_text().  The text is per thread and lives until the next
 * err_set() on that thread.
 */
#pragma once

#define ERR_TEXT_MAX 512

/** Remember a sentence (truncated to ERR_TEXT_MAX) and return @rc. */
int err_set(int rc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* It sees no body: an error is negative, or every caller seems to go on behind one. */
#define err_set(rc, ...)                                                               \
	__extension__({                                                                \
		int err_rc = (rc);                                                     \
		(err_set)(err_rc, __VA_ARGS__);                                        \
		err_rc < 0 ? err_rc : -1;                                              \
	})
#endif

/** Put "prefix: " before the present sentence and return @rc. */
int err_prefix(int rc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** The last sentence of this thread, "" if there was none. */
const char *err_text(void);
