/*
 * alloc_shim - preloaded: allocations of a whole process fail by chance, its libraries'
 * as well.  TICKBUS_ALLOC_PPM of a million fail, once TICKBUS_ALLOC_AFTER have worked;
 * TICKBUS_ALLOC_SEED chooses which.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);

static _Atomic uint64_t calls;
static uint64_t ppm, after = UINT64_MAX, seed;

static uint64_t number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	ppm = number("TICKBUS_ALLOC_PPM");
	seed = number("TICKBUS_ALLOC_SEED");
	after = number("TICKBUS_ALLOC_AFTER");
}

static int strikes(void)
{
	uint64_t x = atomic_fetch_add(&calls, 1);

	if (x < after)
		return 0;
	x = (x ^ seed << 32) * UINT64_C(0x9e3779b97f4a7c15);
	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	if ((x >> 32) % 1000000 >= ppm)
		return 0;
	errno = ENOMEM;
	return 1;
}

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	return strikes() ? NULL : __libc_malloc(n);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	return strikes() ? NULL : __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	return strikes() ? NULL : __libc_realloc(p, n);
}
