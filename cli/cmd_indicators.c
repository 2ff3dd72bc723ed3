/* cmd_indicators - the registry of indicators (analysis/ind.h), as this build has it.
 */
#include "analysis/ind.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/cli.h"
#include <stdio.h>

enum { OPT_JSON = 1, OPT_LIST };

static const char *const input_names[] = {"open",   "high",   "low", "close",
					  "volume", "spread", "time"};
#define INPUTS (sizeof(input_names) / sizeof(input_names[0]))

/* An entry with its usual parameters. */
static struct ind_spec usual(const struct ind_def *d, enum ind_flavour flavour)
{
	struct ind_spec s = {.def = d, .flavour = flavour};

	for (size_t k = 0; k < d->n_params; k++)
		s.param[k] = d->param[k].value;
	return s;
}

static bool has_flavour(const struct ind_def *d, uint32_t f)
{
	return (d->flavours & (1u << f)) != 0;
}

static void list_json(struct jsonw *w, const struct ind_def *d)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "name", d->name);
	jsonw_str(w, "title", d->title);
	jsonw_str(w, "formula", d->formula);
	jsonw_array(w, "parameters");
	for (size_t k = 0; k < d->n_params; k++) {
		jsonw_object(w, NULL);
		jsonw_str(w, "name", d->param[k].name);
		jsonw_f64(w, "default", d->param[k].value);
		jsonw_f64(w, "min", d->param[k].min);
		jsonw_f64(w, "max", d->param[k].max);
		jsonw_bool(w, "whole", d->param[k].is_whole);
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_array(w, "inputs");
	for (size_t k = 0; k < INPUTS; k++)
		if (d->inputs & (1u << k))
			jsonw_str(w, NULL, input_names[k]);
	jsonw_end(w);
	jsonw_array(w, "outputs");
	for (size_t k = 0; k < d->n_outputs; k++)
		jsonw_str(w, NULL, d->output[k]);
	jsonw_end(w);
	jsonw_bool(w, "on_price", d->on_price);
	jsonw_object(w, "lookback"); /* by flavour: which there are, too */
	for (uint32_t f = 0; f < IND_FLAVOURS; f++) {
		struct ind_spec s = usual(d, f);

		if (has_flavour(d, f))
			jsonw_u64(w, ind_flavour_name(s.flavour), ind_lookback(&s));
	}
	jsonw_end(w);
	jsonw_end(w);
}

static void list_all_json(void)
{
	struct buf b = {0};
	struct jsonw w;

	jsonw_init(&w, &b);
	jsonw_array(&w, NULL);
	for (size_t i = 0; i < ind_count(); i++)
		list_json(&w, ind_at(i));
	jsonw_end(&w);
	(void)puts(buf_text(&b));
	buf_free(&b);
}

/* One line for a reader, and one for how it is computed. */
static void list_text(const struct ind_def *d)
{
	struct ind_spec s = usual(d, ind_flavour_default(d));
	char spec[IND_TEXT_MAX];

	ind_print(&s, spec);
	printf("%-18s %s\n%18s ", spec, d->title, "");
	for (size_t k = 0; k < d->n_params; k++)
		printf("%s%s", k == 0 ? "(" : ", ", d->param[k].name);
	printf("%sgives", d->n_params > 0 ? ") " : "");
	for (size_t k = 0; k < d->n_outputs; k++)
		printf("%s %s", k == 0 ? "" : ",", d->output[k]);
	printf("; bars needed:");
	for (uint32_t f = 0; f < IND_FLAVOURS; f++) {
		s.flavour = f;
		if (has_flavour(d, f))
			printf(" %u (%s)", ind_lookback(&s) + 1,
			       ind_flavour_name(s.flavour));
	}
	printf("\n%18s %s\n", "", d->formula);
}

int cmd_indicators(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
					      {"list", no_argument, NULL, OPT_LIST},
					      {0}};
	bool json = false;
	int option;

	while ((option = cli_option(c, argc, argv, longs)) > 0)
		json = json || option == OPT_JSON;
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind < argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	if (json)
		list_all_json();
	for (size_t i = 0; i < ind_count() && !json; i++)
		list_text(ind_at(i));
	return cli_finish(CLI_OK);
}
