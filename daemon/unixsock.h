/*
 * unixsock - unix stream sockets that only our own uid and root may use.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/**
 * A path is free for us when nothing is there, or a socket that nobody answers
 * on (which is removed).  A file or a live socket is never touched: -EADDRINUSE.
 */
int unixsock_clear(const char *path);
/** Non-blocking listener of mode 0600 at @path (unixsock_clear() included). */
int unixsock_listen(const char *path, int *out_fd);
/** The peer's uid; UINT32_MAX: the kernel does not say. */
uint32_t unixsock_peer_uid(int fd);
/** Is the peer of @fd root or our own uid? */
bool unixsock_peer_allowed(int fd);
