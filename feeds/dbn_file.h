/*
 * dbn_file - ticks of a DBN file, a pipe or standard input, as it is or in zstd, which
 * its first bytes tell.  One thread at a time; blocks where the descriptor does.
 */
#pragma once
#include "feeds/dbn.h"

struct dbn_file;

/** Takes all ticks that are in it (DBN_TICKS).  @symbol: as in struct dbn_params. */
int dbn_file_open(const char *path, const char *symbol, struct dbn_file **out);
/** Reads @fd, which it owns from here on, also when it fails. */
int dbn_file_open_fd(int fd, const char *symbol, struct dbn_file **out);
void dbn_file_close(struct dbn_file *f);
/**
 * Read a piece.  0: more may come; FEED_END; what the sink returned; -EINVAL: bars are
 * in it, no ticks; -EBADMSG: damaged or cut off.  sink->bad gets a record's number.
 */
int dbn_file_step(struct dbn_file *f, const struct feed_sink *sink);
const struct dbn_counts *dbn_file_counts(const struct dbn_file *f);
/** Bytes consumed of the file as it lies on disk, and its size (0: unknown). */
void dbn_file_progress(const struct dbn_file *f, uint64_t *out_read,
		       uint64_t *out_total);
