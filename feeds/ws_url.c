/* ws_url - see ws_url.h. */
#include "feeds/ws_url.h"
#include "base/err.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct scheme {
	const char *name;
	bool is_websocket, is_tls;
	uint16_t port; /* 0: must be said */
} schemes[] = {{"wss://", true, true, 443},
	       {"ws://", true, false, 80},
	       {"tcp://", false, false, 0}};

static int bad(const char *url, const char *why)
{
	return err_set(-EINVAL, "the stream's address %.200s %s", url, why);
}

/* Digits up to the end or the path; 0 if it is no port. */
static uint16_t read_port(const char *s, size_t len)
{
	uint32_t n = 0;

	if (len == 0 || len > 5)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		n = n * 10 + (uint32_t)(s[i] - '0');
	}
	return n <= UINT16_MAX ? (uint16_t)n : 0;
}

static int read_authority(const char *url, const char *s, size_t len,
			  struct ws_url *out)
{
	bool has_brackets = len > 0 && s[0] == '[';
	const char *end = has_brackets ? memchr(s, ']', len) : memchr(s, ':', len);
	const char *host = has_brackets ? s + 1 : s;
	size_t host_len, rest;

	if (end == NULL && has_brackets)
		return bad(url, "has a '[' without its ']'");
	if (end == NULL)
		end = s + len;
	host_len = (size_t)(end - host);
	if (host_len == 0 || host_len >= sizeof(out->host))
		return bad(url, "names no host, or too long a one");
	if (memchr(s, '@', len) != NULL)
		return bad(url, "has a user name in it: keys have places of their own");
	memcpy(out->host, host, host_len);
	memcpy(out->host_header, s, len);
	if (has_brackets)
		end++;
	rest = len - (size_t)(end - s);
	if (rest == 0 && out->port != 0)
		return 0;
	out->port = rest > 1 && *end == ':' ? read_port(end + 1, rest - 1) : 0;
	return out->port != 0 ? 0 : bad(url, "needs a port of 1 to 65535");
}

int ws_url_read(const char *url, bool plain_allowed, struct ws_url *out)
{
	const struct scheme *found = NULL;
	const char *rest, *path;
	int rc;

	*out = (struct ws_url){0};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i].name, strlen(schemes[i].name)) == 0)
			found = &schemes[i];
	if (found == NULL)
		return bad(url, "begins with none of wss://, ws:// and tcp://");
	if (found->is_websocket && !found->is_tls && !plain_allowed)
		return bad(url, "is not encrypted: say wss://, or allow plain ones");
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return bad(url, "has a blank or a control character in it");
	out->is_websocket = found->is_websocket;
	out->is_tls = found->is_tls;
	out->port = found->port;
	rest = url + strlen(found->name);
	path = strchr(rest, '/');
	if (path == NULL)
		path = rest + strlen(rest);
	if (strlen(path) >= sizeof(out->path) ||
	    (size_t)(path - rest) >= sizeof(out->host_header))
		return bad(url, "is too long");
	rc = read_authority(url, rest, (size_t)(path - rest), out);
	if (rc < 0)
		return rc;
	(void)snprintf(out->path, sizeof(out->path), "%s", *path != '\0' ? path : "/");
	return 0;
}
