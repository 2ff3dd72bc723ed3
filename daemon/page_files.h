/* page_files - the page and its scripts, built into the program (share/page). */
#pragma once
#include <stddef.h>

struct page_file {
	const char *path;
	const char *type;
	const unsigned char *data;
	size_t len;
};

/** NULL: there is none at this path. */
const struct page_file *page_file_find(const char *path);
