/* tempdir - a directory for one test, under TMPDIR, removed with what is in it. */
#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPDIR_MAX 300

static inline void tempdir_new(char out[TEMPDIR_MAX])
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(out, TEMPDIR_MAX, "%s/tickbus-test-XXXXXX",
		       base != NULL ? base : "/tmp");
	if (mkdtemp(out) == NULL)
		abort();
}

static inline void tempdir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d != NULL)
		closedir(d);
	(void)rmdir(dir);
}
