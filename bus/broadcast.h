/*
 * broadcast - the writing side of a broadcast ring in shared memory.
 *
 * The one writer never waits and does not know its readers: a reader that is
 * too slow is overtaken, notices it and is told how much it lost
 * (proto/broadcast_read.h; the layout is proto/broadcast_layout.h).  The memory
 * is a sealed memory file: whoever is handed broadcast_fd() can map it for
 * reading only, and it leaves nothing behind when the last one is gone.
 */
#pragma once
#include "proto/broadcast_layout.h"

struct broadcast;

/**
 * A ring of at least @bytes (rounded up to a power of two, at least 4,096) that
 * carries events of @kind.  0, -EINVAL, or the errno of memfd_create, mmap, fcntl.
 */
int broadcast_new(size_t bytes, uint32_t kind, struct broadcast **out);
void broadcast_free(struct broadcast *b);

/** To be handed to readers; stays the ring's. */
int broadcast_fd(const struct broadcast *b);
/** The longest frame: a quarter of the ring less its head. */
size_t broadcast_write_max(const struct broadcast *b);

/** Write one frame and show it.  0 or -EMSGSIZE.  One thread. */
int broadcast_write(struct broadcast *b, const void *data, size_t len);

/** Sequence of the next frame; frames written so far are this less 1. */
uint64_t broadcast_next_seq(const struct broadcast *b);
