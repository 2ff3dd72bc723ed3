/* analysis_blame - see analysis_blame.h. */
#include "daemon/analysis_blame.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CROWD_DEATHS 2 /* with all threads; bad luck, mostly, is over by then */
#define TO_CONDEMN   2 /* deaths that a row was suspected of */

enum { AT_REST = 0, AT_WORK, AT_END };

struct analysis_at {
	uint8_t now;    /* AT_x */
	uint8_t deaths; /* it was suspected of */
	bool is_aside;
};

static struct analysis_at *rows_of(const struct analysis_blame *b)
{
	return (struct analysis_at *)(void *)b->at.data;
}

void analysis_blame_job(struct analysis_blame *b, uint32_t rows)
{
	size_t len = rows * sizeof(struct analysis_at);

	b->at.len = 0;
	memset(buf_reserve(&b->at, len), 0, len);
	b->rows = rows;
	b->told = 0;
	b->deaths = b->in_a_row = 0;
	b->is_alone = false;
	b->n_aside = 0;
}

void analysis_blame_process(struct analysis_blame *b)
{
	for (uint32_t i = 0; i < b->rows; i++)
		rows_of(b)[i].now = AT_REST;
	b->told = 0;
}

int analysis_blame_line(struct analysis_blame *b, const struct analysis_line *line)
{
	static const struct {
		uint8_t from, to;
	} steps[] = {[ROW_BEGIN] = {AT_REST, AT_WORK},
		     [ROW_LEAVE] = {AT_WORK, AT_REST},
		     [ROW_DONE] = {AT_WORK, AT_END},
		     [ROW_FAILED] = {AT_WORK, AT_END}};
	struct analysis_at *at;

	if (line->row == 0 || line->row > b->rows)
		return err_set(-EINVAL, "it told of symbol %u of %u", line->row,
			       b->rows);
	at = &rows_of(b)[line->row - 1];
	if (at->now != steps[line->word].from)
		return err_set(-EINVAL,
			       "it told of symbol %u of %u again, or too early",
			       line->row, b->rows);
	at->now = steps[line->word].to;
	b->told += at->now == AT_END;
	return 0;
}

/* Those that are set aside cannot be blamed: no process has their values. */
static uint32_t suspect(struct analysis_blame *b, uint32_t *out_last)
{
	struct analysis_at *at = rows_of(b);
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->rows; i++) {
		if (at[i].now != AT_WORK || at[i].is_aside)
			continue;
		if (at[i].deaths < UINT8_MAX)
			at[i].deaths++;
		*out_last = i;
		n++;
	}
	return n;
}

static void set_aside(struct analysis_blame *b, uint32_t i, const char *why)
{
	struct analysis_aside *a = &b->aside[b->n_aside++];

	a->row = i + 1;
	(void)snprintf(a->reason, sizeof(a->reason),
		       "set aside, the process died at it %u times: %.300s",
		       rows_of(b)[i].deaths, why);
	rows_of(b)[i].is_aside = true;
	b->in_a_row = 0;
	b->is_alone = false;
}

enum analysis_next analysis_blame_death(struct analysis_blame *b, const char *why)
{
	uint32_t last = 0, n = suspect(b, &last);

	b->deaths++;
	b->in_a_row++;
	if (n == 1 && rows_of(b)[last].deaths >= TO_CONDEMN) {
		if (b->n_aside == ANALYSIS_ASIDE_MAX)
			return ANALYSIS_OVER;
		set_aside(b, last, why);
		return ANALYSIS_WITHOUT;
	}
	b->is_alone = n > 0 && b->deaths >= CROWD_DEATHS;
	return b->in_a_row >= (n > 0 ? ANALYSIS_HUNT_MAX : ANALYSIS_DEATHS_MAX)
		       ? ANALYSIS_OVER
		       : ANALYSIS_AGAIN;
}

void analysis_blame_free(struct analysis_blame *b)
{
	buf_free(&b->at);
}
