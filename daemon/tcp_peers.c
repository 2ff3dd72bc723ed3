/* tcp_peers - see tcp_peers.h. */
#include "daemon/tcp_peers.h"
#include "base/err.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ESTABLISHED 1u /* TCP_ESTABLISHED of the kernel */

/* "0100007F:1D38": words of 8 digits in the machine's order, then the port. */
static bool read_end(const char *text, struct in6_addr *address, unsigned *words,
		     unsigned *port)
{
	size_t digits = strspn(text, "0123456789ABCDEF");

	if ((digits != 8 && digits != 32) || text[digits] != ':')
		return false;
	*words = (unsigned)digits / 8;
	memset(address, 0, sizeof(*address));
	for (unsigned k = 0; k < *words; k++) {
		unsigned word;

		if (sscanf(text + (size_t)k * 8, "%8x", &word) != 1)
			return false;
		memcpy((uint8_t *)address + (size_t)k * 4, &word, 4);
	}
	return sscanf(text + digits + 1, "%4x", port) == 1;
}

bool tcp_peer_parse(const char *line, struct tcp_peer *out)
{
	char ours[48], theirs[48], host[INET6_ADDRSTRLEN];
	unsigned state, words, port, waiting;
	struct in6_addr address;

	if (sscanf(line, " %*u: %47s %47s %2x %8x", ours, theirs, &state, &waiting) !=
		    4 ||
	    state != ESTABLISHED || !read_end(ours, &address, &words, &port))
		return false;
	out->port = (uint16_t)port;
	out->waiting_b = waiting;
	if (!read_end(theirs, &address, &words, &port) ||
	    inet_ntop(words == 1 ? AF_INET : AF_INET6, &address, host, sizeof(host)) ==
		    NULL)
		return false;
	(void)snprintf(out->address, sizeof(out->address),
		       words == 1 ? "%s:%u" : "[%s]:%u", host, port);
	return true;
}

/* @lines_left goes down by those read. */
static int read_file(const char *path, unsigned *lines_left, tcp_peer_fn fn, void *arg)
{
	FILE *f = fopen(path, "re");
	struct tcp_peer peer;
	char line[512];
	int rc = 0;

	if (f == NULL)
		return err_set(-errno, "cannot read %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		if (*lines_left == 0) {
			rc = TCP_PEERS_MORE;
			break;
		}
		--*lines_left;
		if (tcp_peer_parse(line, &peer))
			fn(arg, &peer);
	}
	(void)fclose(f);
	return rc;
}

int tcp_peers_each(unsigned lines_max, tcp_peer_fn fn, void *arg)
{
	int rc = read_file("/proc/net/tcp", &lines_max, fn, arg);

	/* A kernel without IPv6 has no second file. */
	if (rc == 0 && read_file("/proc/net/tcp6", &lines_max, fn, arg) > 0)
		rc = TCP_PEERS_MORE;
	return rc;
}
