/*
 * mailbox - the way a small letter crosses into a thread: many posters, one
 * reader, bounded, never blocks.  After a successful post the owner's wake
 * function runs on the poster's thread (uv_async_send, parker_wake).
 */
#pragma once
#include <stddef.h>

struct mailbox;

enum { MAILBOX_FULL = 1, MAILBOX_EMPTY = 2 };

typedef void (*mailbox_wake_fn)(void *arg);

/** @slots is rounded up to a power of two; letters are @letter_size bytes. */
int mailbox_new(size_t slots, size_t letter_size, mailbox_wake_fn wake, void *arg,
		struct mailbox **out);
void mailbox_free(struct mailbox *m);
/** Copy a letter in.  0 or MAILBOX_FULL, which the caller handles and counts. */
int mailbox_post(struct mailbox *m, const void *letter);
/** Copy the next letter out.  0 or MAILBOX_EMPTY.  One reader. */
int mailbox_take(struct mailbox *m, void *out);
