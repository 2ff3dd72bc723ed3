/*
 * feed_options - what `tickbusctl feed` was told, checked.
 */
#pragma once
#include "cli/feeder.h"
#include "feeds/mapping.h"

#define FEED_FILES_MAX 256

enum feed_format { FORMAT_BY_NAME = 0, FORMAT_CSV, FORMAT_JSONL, FORMAT_DBN };

/** Texts are borrowed from argv. */
struct feed_options {
	const char *map, *symbol, *time, *date, *zone;
	enum feed_format format;
	char delimiter;
	uint64_t speed_milli;
	int64_t settle_ns;
	bool quiet;
	struct feeder_params feeder;
};

/** -1: go on, files begin at optind; else the exit code, said already. */
int feed_options_parse(struct feed_options *o, struct cli *c, int argc, char **argv);
/** How the file called @name is read, by the options or by its name. */
enum feed_format feed_options_format(const struct feed_options *o, const char *name);
/** The mapping of one file; mapping_deinit() it also when this fails. */
int feed_options_mapping(const struct feed_options *o, struct mapping *m);
