/* ws_url - the address of a stream, taken apart; for ws.c and its tests. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct ws_url {
	bool is_websocket; /* else plain TCP */
	bool is_tls;
	char host[256];        /* without the brackets of an IPv6 address */
	char host_header[272]; /* as in the URL: "[::1]:8443", "example.com" */
	uint16_t port;
	char path[512]; /* begins with '/' */
};

/** 0 or -EINVAL: the sentence names the URL, so none may hold a key. */
int ws_url_read(const char *url, bool plain_allowed, struct ws_url *out);
