/* lookup - see lookup.h. */
#include "feeds/lookup.h"
#include "base/err.h"
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES (256u << 10)
#define HOST_MAX    256

/* Two own it, the asker and the resolving thread; who comes last frees it. */
struct lookup {
	atomic_uint owners;
	atomic_bool done; /* the thread writes what follows, then this */
	char host[HOST_MAX];
	char port[8];
	int error; /* of getaddrinfo() */
	size_t n;
	struct lookup_address address[LOOKUP_ADDRESSES_MAX];
};

static void disown(struct lookup *l)
{
	if (atomic_fetch_sub(&l->owners, 1) == 1)
		free(l);
}

static void resolve(struct lookup *l, int flags)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *all = NULL;

	l->error = getaddrinfo(l->host, l->port, &hints, &all);
	if (l->error != 0)
		return;
	for (const struct addrinfo *a = all; a != NULL && l->n < LOOKUP_ADDRESSES_MAX;
	     a = a->ai_next) {
		struct lookup_address *to = &l->address[l->n];

		if (a->ai_addrlen > sizeof(to->sa))
			continue;
		memcpy(&to->sa, a->ai_addr, a->ai_addrlen);
		to->len = a->ai_addrlen;
		l->n++;
	}
	freeaddrinfo(all);
}

static void *body(void *arg)
{
	struct lookup *l = arg;

	resolve(l, AI_ADDRCONFIG);
	atomic_store(&l->done, true);
	disown(l);
	return NULL;
}

static int start_thread(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return ENOMEM;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	atomic_store(&l->owners, 2);
	rc = pthread_create(&t, &attr, body, l);
	(void)pthread_attr_destroy(&attr);
	return rc;
}

int lookup_start(const char *host, uint16_t port, struct lookup **out)
{
	struct lookup *l;

	if (strlen(host) >= HOST_MAX)
		return err_set(-EINVAL, "a host name of %zu characters is too long",
			       strlen(host));
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return err_set(-ENOMEM, "out of memory for looking up %s", host);
	memcpy(l->host, host, strlen(host));
	(void)snprintf(l->port, sizeof(l->port), "%u", port);
	atomic_store(&l->owners, 1);
	resolve(l, AI_NUMERICHOST);
	if (l->error == 0) {
		atomic_store(&l->done, true);
	} else if (start_thread(l) != 0) {
		free(l);
		return err_set(-EAGAIN, "cannot start a thread to look up %s", host);
	}
	*out = l;
	return 0;
}

int lookup_poll(struct lookup *l, const struct lookup_address **out, size_t *out_n)
{
	if (!atomic_load(&l->done))
		return LOOKUP_WAITS;
	if (l->error != 0 || l->n == 0)
		return err_set(-ENOENT, "cannot find the address of %s: %s", l->host,
			       l->error != 0 ? gai_strerror(l->error) : "it has none");
	*out = l->address;
	*out_n = l->n;
	return 0;
}

void lookup_end(struct lookup *l)
{
	if (l != NULL)
		disown(l);
}
