/* cmd_doctor - see doctor.h. */
#include "base/jsonw.h"
#include "cli/doctor.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_JSON = 1, OPT_CONFIG, OPT_DAEMON };

static const char *const words[] = {"ok", "warn", "bad"};

void doctor_add(struct doctor *d, enum doctor_state state, const char *name,
		const char *todo, const char *fmt, ...)
{
	struct doctor_check *c;
	va_list ap;

	if (d->n == DOCTOR_CHECKS_MAX)
		return;
	c = &d->check[d->n++];
	c->state = state;
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	(void)snprintf(c->todo, sizeof(c->todo), "%s", todo);
	va_start(ap, fmt);
	(void)vsnprintf(c->found, sizeof(c->found), fmt, ap);
	va_end(ap);
}

static unsigned count(const struct doctor *d, enum doctor_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->n; i++)
		n += d->check[i].state == state;
	return n;
}

static void print_text(const struct doctor *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		const struct doctor_check *c = &d->check[i];

		printf("%-5s %-16s %s\n", words[c->state], c->name, c->found);
		if (c->todo[0] != '\0')
			printf("%-5s %-16s -> %s\n", "", "", c->todo);
	}
	printf("%u checks: %u ok, %u warn, %u bad\n", d->n, count(d, DOCTOR_GOOD),
	       count(d, DOCTOR_WARN), count(d, DOCTOR_BAD));
}

static void print_json(const struct doctor *d, enum doctor_state worst)
{
	struct buf out = {0};
	struct jsonw w;

	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "verdict", words[worst]);
	jsonw_bool(&w, "running", d->status != NULL);
	jsonw_array(&w, "checks");
	for (unsigned i = 0; i < d->n; i++) {
		const struct doctor_check *c = &d->check[i];

		jsonw_object(&w, NULL);
		jsonw_str(&w, "name", c->name);
		jsonw_str(&w, "state", words[c->state]);
		jsonw_str(&w, "found", c->found);
		jsonw_str(&w, "do", c->todo);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_end(&w);
	puts(buf_text(&out));
	buf_free(&out);
}

int cmd_doctor(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"config", required_argument, NULL, OPT_CONFIG},
		{"daemon", required_argument, NULL, OPT_DAEMON},
		{0}};
	enum doctor_state worst;
	struct doctor *d = calloc(1, sizeof(*d));
	bool json = false;
	int option;

	if (d == NULL)
		return cli_error(CLI_INTERNAL, "out of memory");
	d->cli = c;
	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		if (option == OPT_JSON)
			json = true;
		else if (option == OPT_CONFIG)
			d->config_path = optarg;
		else
			(void)snprintf(d->daemon_path, sizeof(d->daemon_path), "%s",
				       optarg);
	}
	if (option != CLI_OPTION_END || optind != argc) {
		free(d);
		if (option == CLI_OPTION_HELP)
			return CLI_OK;
		return option == CLI_OPTION_END
			       ? cli_usage_error(c, "unexpected argument '%s'",
						 argv[optind])
			       : CLI_USAGE;
	}
	doctor_daemon(d);
	doctor_files(d);
	doctor_ports(d);
	doctor_host(d);
	worst = count(d, DOCTOR_BAD) > 0    ? DOCTOR_BAD
		: count(d, DOCTOR_WARN) > 0 ? DOCTOR_WARN
					    : DOCTOR_GOOD;
	if (json)
		print_json(d, worst);
	else
		print_text(d);
	json_free(d->status);
	buf_free(&d->config);
	free(d);
	return worst == DOCTOR_BAD ? CLI_NEGATIVE : CLI_OK;
}
