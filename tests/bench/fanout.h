/*
 * fanout - what fanout.c needs of a library that carries messages; every function
 * ends the process when the library fails.
 */
#pragma once
#include <stddef.h>

#define FANOUT_QUEUE 8192 /* messages; as daemon/serve_pub.h */

struct way {
	/** Listen at @url and wait until @n_subscribers are there. */
	void *(*pub_open)(const char *url, unsigned n_subscribers);
	/** One message: topic and data. */
	void (*pub_send)(void *pub, const char *topic, size_t topic_len,
			 const void *data, size_t len);
	void *(*sub_open)(const char *url, const char *topic, size_t topic_len);
	/** Bytes of the next message, 0: none came in 200 ms; @out until the next call.
	 */
	size_t (*sub_take)(void *sub, const void **out);
};

extern const struct way fanout_nng;
#ifdef HAVE_ZMQ
extern const struct way fanout_zmq;
#endif
_Noreturn void fanout_die(const char *what);
