/* options - ports count from port_base in the order of enum tickbus_port. */
#include "client/options.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PORT_BASE 7400

static int set_url(char out[OPTIONS_URL_MAX], const char *url, const char *host,
		   unsigned port)
{
	bool bare_ipv6 = strchr(host, ':') && host[0] != '[';
	int n;

	if (url)
		n = snprintf(out, OPTIONS_URL_MAX, "%s", url);
	else
		n = snprintf(out, OPTIONS_URL_MAX,
			     bare_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u", host, port);
	if (n >= OPTIONS_URL_MAX)
		return err_set(-ENAMETOOLONG, "the URL of '%.40s...' is too long",
			       url ? url : host);
	return 0;
}

static int set_path(char out[OPTIONS_PATH_MAX], const char *path, const char *otherwise)
{
	const char *p = path ? path : otherwise;

	if (strlen(p) >= OPTIONS_PATH_MAX)
		return err_set(-ENAMETOOLONG, "'%s' is too long for a unix socket", p);
	memcpy(out, p, strlen(p) + 1);
	return 0;
}

int options_init(struct options *o, const struct tickbus_options *given)
{
	static const struct tickbus_options none;
	const struct tickbus_options *g = given ? given : &none;
	const char *host = g->host ? g->host : "127.0.0.1";
	unsigned base = g->port_base ? g->port_base : PORT_BASE;
	int rc;

	*o = (struct options){
		.timeout_ms = g->timeout_ms > 0 ? g->timeout_ms : 5000,
		.heartbeat_ms = g->heartbeat_ms > 0 ? g->heartbeat_ms : 1000,
		.patience_ms = g->patience_ms > 0 ? g->patience_ms : 30000};
	for (unsigned i = 0; i < TICKBUS_PORTS; i++) {
		rc = set_url(o->url[i], g->url[i], host, base + i);
		if (rc < 0)
			return rc;
	}
	rc = set_path(o->admin_path, g->admin_path, "/run/tickbus/admin.sock");
	if (rc < 0)
		return rc;
	return set_path(o->ring_path, g->ring_path, "/run/tickbus/ring.sock");
}
