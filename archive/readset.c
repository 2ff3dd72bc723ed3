/* readset - see readset.h. */
#include "archive/readset.h"
#include "base/hash.h"
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

void readset_add(struct readset *r, const char *pattern)
{
	buf_add(&r->patterns, pattern, strlen(pattern) + 1);
}

/* Inode and times of a file say that it is the same; an inode alone comes back. */
static uint64_t add_file(uint64_t sum, const char *path)
{
	struct stat st;
	uint64_t id[4] = {0};

	if (stat(path, &st) == 0) {
		id[0] = (uint64_t)st.st_ino;
		id[1] = (uint64_t)st.st_size;
		id[2] = (uint64_t)st.st_mtim.tv_sec;
		id[3] = (uint64_t)st.st_mtim.tv_nsec;
	}
	return sum + hash_mix(hash_bytes(hash_bytes(HASH_SEED, path, strlen(path)), id,
					 sizeof(id)));
}

static uint64_t look(const struct readset *r)
{
	const char *at = (const char *)r->patterns.data;
	const char *end = at + r->patterns.len;
	uint64_t sum = 0;

	for (; at < end; at += strlen(at) + 1) {
		glob_t g = {0};

		if (glob(at, GLOB_NOSORT, NULL, &g) == 0)
			for (size_t i = 0; i < g.gl_pathc; i++)
				sum = add_file(sum, g.gl_pathv[i]);
		globfree(&g);
	}
	return sum;
}

void readset_mark(struct readset *r)
{
	r->mark = look(r);
}

bool readset_is_same(const struct readset *r)
{
	return look(r) == r->mark;
}

void readset_free(struct readset *r)
{
	buf_free(&r->patterns);
}
