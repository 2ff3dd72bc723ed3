/*
 * ind - technical indicators: one registry, and one piece of code for each of them that
 * works on a bar or on a million.
 *
 *	struct ind_spec spec;
 *	struct ind *rsi;
 *
 *	ind_parse("rsi(14)", &spec);
 *	ind_new(&spec, &rsi);
 *	ind_step(rsi, &bar, &value);           bar by bar
 *	ind_batch(&spec, &columns, n, outs);   or all at once: the same bits
 *
 * Flavours: `talib` has the seeds, lookbacks and conventions of TA-Lib and agrees with
 * it to 1e-9; `pandas` is what the usual pandas expression gives (the entry's `formula`
 * names it).  The first flavour that an entry has is its default.
 *
 * A bar in which an input that the indicator reads is NULL (NaN or infinite) is
 *skipped: its outputs are NULL and it leaves no trace, as if it had never been. Outputs
 *are NULL until `lookback` bars were taken before one, and wherever they divide by
 *nothing (TA-Lib's own conventions for that, 0 mostly, are kept by its flavour).
 *
 * What an indicator remembers is a fixed number of bytes without pointers; all zeros is
 * "nothing seen yet", and any bytes at all are safe to load.  Sums over windows are
 * built of the sum of a finished block and of a running one (ind_window.h): nothing is
 * ever subtracted from them, so that they neither drift nor remember a bad value.
 *
 * Pure: no clock, no thread, no I/O.  A struct ind belongs to one thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IND_PARAMS_MAX  3
#define IND_OUTPUTS_MAX 10
/** Bytes of a spec as text, with the NUL. */
#define IND_TEXT_MAX 64
/** The longest window. */
#define IND_BARS_MAX 10000

enum ind_flavour { IND_TALIB = 0, IND_PANDAS, IND_FLAVOURS };
enum { /* inputs, OR-ed */
       IND_OPEN = 1,
       IND_HIGH = 2,
       IND_LOW = 4,
       IND_CLOSE = 8,
       IND_VOLUME = 16,
       IND_SPREAD = 32, /* relative, 0.01 = 1 % */
       IND_TIME = 64,   /* the end of the bar */
};

struct ind_param {
	const char *name;
	double value, min, max; /* value: the default */
	bool is_whole;
};

struct ind_spec;
struct ind_stretch;

/** An entry of the registry. */
struct ind_def {
	const char *name, *title;
	const char *formula; /* what it is and whose definition */
	struct ind_param param[IND_PARAMS_MAX];
	const char *output[IND_OUTPUTS_MAX];
	uint32_t n_params, n_outputs;
	uint32_t inputs;   /* IND_OPEN ... */
	uint32_t flavours; /* bit 1 << enum ind_flavour */
	bool on_price;     /* its outputs are prices, to be drawn over the bars */
	/** Bars taken before the first that has all outputs. */
	uint32_t (*lookback)(const struct ind_spec *s);
	/** What it remembers, in words of 8 bytes. */
	size_t (*words)(const struct ind_spec *s);
	/** Take bars without NULL; see ind_parts.h. */
	void (*run)(const struct ind_spec *s, void *state, const struct ind_stretch *r);
};

/** An indicator with its parameters; made by ind_parse(). */
struct ind_spec {
	const struct ind_def *def;
	double param[IND_PARAMS_MAX];
	enum ind_flavour flavour;
};

/** Inputs that the indicator does not read may be NULL pointers. */
struct ind_columns {
	const double *open, *high, *low, *close, *volume, *spread;
	const int64_t *time_ns;
};

struct ind_bar {
	double open, high, low, close, volume, spread;
	int64_t time_ns;
};

/** The registry: entries 0 .. ind_count() - 1, by family. */
size_t ind_count(void);
const struct ind_def *ind_at(size_t index);
const char *ind_flavour_name(enum ind_flavour f);
/** The flavour that is meant when none is named. */
enum ind_flavour ind_flavour_default(const struct ind_def *d);

/**
 * "rsi", "rsi(14)", "bbands(20,2)", "bbands(20, k=2.5, flavour=pandas)".
 *
 * -EINVAL: no such indicator, parameter or flavour, or out of its range.
 */
int ind_parse(const char *text, struct ind_spec *out);
/** The one text of a spec: all parameters, the flavour unless it is the default. */
void ind_print(const struct ind_spec *s, char out[IND_TEXT_MAX]);
uint32_t ind_lookback(const struct ind_spec *s);

struct ind;

/** -ENOMEM. */
int ind_new(const struct ind_spec *s, struct ind **out);
void ind_free(struct ind *i);
/** Take one bar; @out has def->n_outputs values. */
void ind_step(struct ind *i, const struct ind_bar *bar, double *out);
/** Take @n bars; @out[k] is an array of @n for output k. */
void ind_run(struct ind *i, const struct ind_columns *in, size_t n, double *const *out);
/** ind_new(), ind_run() and ind_free() in one.  -ENOMEM. */
int ind_batch(const struct ind_spec *s, const struct ind_columns *in, size_t n,
	      double *const *out);

/** Bytes of what the indicator remembers: the same for the same spec. */
size_t ind_state_bytes(const struct ind_spec *s);
/** Copy it out, or in; ind_load() takes what ind_save() gave for the same spec. */
void ind_save(const struct ind *i, void *out);
void ind_load(struct ind *i, const void *state);
