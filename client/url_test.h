/* url_test - sockets of a test's own: one process of it does not meet another. */
#pragma once
#include <stdio.h>
#include <unistd.h>

#define URL_TEST_MAX 64

static inline void url_test(char out[URL_TEST_MAX], const char *name)
{
	(void)snprintf(out, URL_TEST_MAX, "ipc:///tmp/tickbus-test-%ld-%s",
		       (long)getpid(), name);
}
