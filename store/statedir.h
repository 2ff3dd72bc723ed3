/*
 * statedir - the directory the state lives in: made, checked, opened.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/** Is this statfs f_type a network file system, on which WAL is not safe? */
bool statedir_is_network(uint64_t f_type);
/**
 * Make @path with mode 0700 if it is missing (its parent must exist) and open it.
 * -ENOTSUP: a network file system; -ENOTDIR, -EACCES (others may write), ...
 */
int statedir_open(const char *path, int *out_fd);
/** The file @name in @dirfd may be read by its owner only: make it so. */
int statedir_own_only(int dirfd, const char *name);
