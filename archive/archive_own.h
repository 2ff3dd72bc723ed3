/* archive_own - what the files of the archive share with each other alone. */
#pragma once
#include "archive/archive.h"
#include "archive/kinds.h"
#include "archive/layout.h"
#include "archive/stage.h"

struct part { /* a file of a put */
	struct layout_part key;
	uint64_t rows; /* staged */
	int64_t last_at;
	bool is_plain; /* see struct stage_order */
	uint8_t rest_len;
	uint8_t rest[STAGE_REST_MAX];
};

struct stage {                  /* of a kind */
	struct duck_bulk *bulk; /* open while rows are staged */
	uint64_t rows;
};

struct archive {
	char *dir;
	char *tmp; /* our place in .tmp */
	int tmp_fd;
	int lock; /* -1: we only read */
	bool is_writer;
	uint64_t memory_bytes;
	unsigned threads;
	_Atomic uint64_t made; /* names in tmp */
	struct duck *writer;
	struct duck *reader;
	bool has_views; /* in the reader */
	struct past *past;
	struct stage stages[KINDS];
	struct part *parts;
	size_t n_parts;
	size_t at_part;  /* of the row before */
	uint32_t *index; /* of parts, by hash */
	size_t index_cap;
	uint64_t staged;
	char *live_new; /* the generation in the making, or NULL */
	int live_fd;    /* the one that we read, locked; -1: none */
};

/** The engine for writing, opened when it is first asked for; -EROFS: we only read. */
int archive_writer(struct archive *a, struct duck **out);
