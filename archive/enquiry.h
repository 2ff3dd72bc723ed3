/*
 * enquiry - a question to the archive: an export of aligned bars, or a SELECT.
 *
 * The same keys and texts come from the command line (--align ffill) and from a framed
 * request ({"align": "ffill"}).
 */
#pragma once
#include "archive/archive.h"
#include <stdbool.h>

#define ENQUIRY_SYMBOLS_MAX 1024
#define ENQUIRY_FIELDS_MAX  16
#define ENQUIRY_NAME_MAX    64

enum enquiry_align {
	ENQUIRY_OUTER = 0, /* every timestamp of any symbol */
	ENQUIRY_INNER,     /* timestamps that all symbols have */
	ENQUIRY_FFILL,     /* outer, each cell's last value carried on */
	ENQUIRY_LONG, /* not aligned: a symbol column, one symbol after the other */
};
enum enquiry_format {
	ENQUIRY_CSV = 0,
	ENQUIRY_JSON,
	ENQUIRY_PARQUET,
	ENQUIRY_ARROW, /* archive/arrow_ipc.h */
	ENQUIRY_TABLE, /* for people */
	ENQUIRY_JSONL, /* an object per line */
};

struct readset;

struct enquiry {
	char symbols[ENQUIRY_SYMBOLS_MAX][SYMBOL_MAX + 1]; /* in the order asked for */
	size_t n_symbols;
	unsigned fields[ENQUIRY_FIELDS_MAX]; /* numbers of enquiry_field_name() */
	size_t n_fields;
	char index[ENQUIRY_NAME_MAX + 1]; /* "": the symbols are named */
	int64_t as_of_ns;                 /* its members of then */
	uint32_t step_s;
	uint32_t resample_s; /* coarser bars, made of these; 0: not */
	int64_t start_ns;    /* of bar_start, inclusive */
	int64_t end_ns;      /* exclusive */
	enum enquiry_align align;
	int64_t tolerance_ns;        /* of ffill: no value is carried further */
	bool age;                    /* SYMBOL_age_ms columns; ffill alone */
	char source[SOURCE_MAX + 1]; /* "": the one that there is */
	char feed[HIST_FEED_MAX + 1];
	char adjust[8];                  /* "": as they are; "raw", "split", "all" */
	char zone[ENQUIRY_NAME_MAX + 1]; /* of times as text; "": UTC */
	enum enquiry_format format;
	bool is_frugal;   /* the slower way, for what does not fit into memory */
	const char *live; /* root of what is not closed yet, or NULL; set by the run */
	const struct readset *reads; /* likewise, what is closed */
	const char *out;             /* borrowed */
	const char *sql;             /* borrowed; of a query */
	uint64_t max_rows;           /* of a query */
	uint64_t limit_ms;
};

/** All of time, outer, close, 1m, CSV, 100,000 rows, 60 s. */
void enquiry_init(struct enquiry *q);
/**
 * Set one of: symbols ("A,B"), index, as-of, fields, start, end (RFC 3339 or a date),
 * timeframe, resample, align, tolerance ("5m"), age, long ("true"), source, feed,
 * adjust, zone, format, out, sql, rows, limit ("60s").  -EINVAL: a sentence.  The texts
 * out and sql are kept.
 */
int enquiry_set(struct enquiry *q, const char *key, const char *value);
/** A column that can be asked for, and its type in SQL; NULL behind the last. */
const char *enquiry_field_name(unsigned field);
const char *enquiry_field_type(unsigned field);

struct enquiry_answer {
	uint64_t rows;
	uint64_t bytes;
	bool cut;     /* a query had more rows than it may */
	uint64_t raw; /* symbols without known actions, though adjust was asked for */
};

/** Write the answer to q->out.  The old file stays when there is an error.  The symbols
    of an index become those of @q.  -EAGAIN: files were replaced while they were read,
    again and again. */
int enquiry_export(struct archive *a, struct enquiry *q, struct enquiry_answer *out);
/**
 * The raw bars of one symbol, whoever made them, one for each time: of a time that
 * several have, the one that tickbus made of ticks, unless it is missing, then the
 * first source by name; the newest revision.  So a vendor's past goes on in what was
 * seen live, without seam or doubles.  Numbers are texts, times are of bar_start.
 */
int enquiry_bars(struct archive *a, struct enquiry *q, struct enquiry_answer *out);
/** One SELECT over the views; EXPLAIN [ANALYZE] SELECT gives its plan, in any format.
 */
int enquiry_query(struct archive *a, struct enquiry *q, struct enquiry_answer *out);

/** The SELECT of an export (archive/align.c); -ENOENT: a symbol has no bars. @out_raw:
    see enquiry_answer. */
int enquiry_align_sql(struct archive *a, const struct enquiry *q, struct buf *sql,
		      uint64_t *out_raw);
