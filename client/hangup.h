/*
 * hangup - nng_close() that cannot hang its caller.
 *
 * nng 1.5.2 sometimes never returns from nng_close() when connections break at that
 * moment.  So a thread of its own closes, and is waited for only so long; one that
 * hangs is left behind with its socket, which nobody uses any more.
 */
#pragma once
#include <nng/nng.h>

#define HANGUP_MS 1000

void hangup(nng_socket socket);
