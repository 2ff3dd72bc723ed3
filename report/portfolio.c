/* portfolio - see portfolio.h. */
#include "report/portfolio.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const struct portfolio_position *portfolio_positions(const struct portfolio *p,
						     size_t *out_n)
{
	*out_n = p->positions.len / sizeof(struct portfolio_position);
	return (const struct portfolio_position *)(const void *)p->positions.data;
}

const struct portfolio_refusal *portfolio_refusals(const struct portfolio *p,
						   size_t *out_n)
{
	*out_n = p->refusals.len / sizeof(struct portfolio_refusal);
	return (const struct portfolio_refusal *)(const void *)p->refusals.data;
}

const struct portfolio_position *portfolio_find(const struct portfolio *p,
						const char *symbol)
{
	size_t n;
	const struct portfolio_position *all = portfolio_positions(p, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].symbol, symbol) == 0)
			return &all[i];
	return NULL;
}

int portfolio_add(struct portfolio *p, const char *symbol, double quantity, double cost)
{
	struct portfolio_position *known =
		(struct portfolio_position *)portfolio_find(p, symbol);
	struct portfolio_position x = {.quantity = quantity, .cost = cost};

	if (!symbol_valid(symbol, strlen(symbol)))
		return err_set(-EINVAL,
			       "'%.40s' is not a symbol [A-Z0-9._:/=%%-]{1,32}",
			       symbol);
	if (known != NULL) {
		x.quantity += known->quantity;
		x.cost += known->cost;
	}
	if (!(fabs(x.quantity) <= PORTFOLIO_NUMBER_MAX) ||
	    fabs(x.cost) > PORTFOLIO_NUMBER_MAX)
		return err_set(-EINVAL, "%s: a number is larger than %g", symbol,
			       PORTFOLIO_NUMBER_MAX);
	if (known != NULL) {
		known->quantity = x.quantity;
		known->cost = x.cost;
		return 0;
	}
	(void)snprintf(x.symbol, sizeof(x.symbol), "%s", symbol);
	buf_add(&p->positions, &x, sizeof(x));
	return 0;
}

void portfolio_refuse(struct portfolio *p, uint64_t line, const char *reason)
{
	struct portfolio_refusal x = {.line = line};

	(void)snprintf(x.reason, sizeof(x.reason), "%s", reason);
	buf_add(&p->refusals, &x, sizeof(x));
}

void portfolio_free(struct portfolio *p)
{
	buf_free(&p->positions);
	buf_free(&p->refusals);
}
