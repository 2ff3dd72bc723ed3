/* analysis_order - see analysis_order.h. */
#include "daemon/analysis_order.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 128

enum { OF_FEATURES = 1, OF_REPORT = 2, OF_BOTH = 3 };

static const struct option {
	const char *name;
	unsigned of;
	bool is_flag;
} options[] = {
	{"field", OF_FEATURES, false},     {"window", OF_BOTH, false},
	{"set", OF_FEATURES, false},       {"flavour", OF_FEATURES, false},
	{"impute", OF_FEATURES, true},     {"timeframe", OF_BOTH, false},
	{"start", OF_BOTH, false},         {"end", OF_BOTH, false},
	{"source", OF_BOTH, false},        {"adjust", OF_REPORT, false},
	{"news-window", OF_REPORT, false}, {"half-life", OF_REPORT, false},
	{"repeat", OF_REPORT, false},      {"articles", OF_REPORT, false},
	{"charts", OF_REPORT, false},      {"history", OF_REPORT, true},
};

static const struct format {
	enum histjobs_what what;
	const char *name;
	const char *word;
} formats[] = {
	{JOB_FEATURES, "csv", "--format=csv"}, /* the first of each is the default */
	{JOB_FEATURES, "json", "--format=json"},
	{JOB_REPORT, "json", "--json"},
	{JOB_REPORT, "html", "--html=-"},
};

static const char *const flows[] = {"technical", "news", "pricing", "comprehensive",
				    "combined"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int read_what(const struct json *request, struct analysis_order *o)
{
	const char *what = json_str(json_get(request, "what"), "");
	const char *flow = json_str(json_get(request, "flow"), "");

	if (strcmp(what, "features") == 0) {
		o->what = JOB_FEATURES;
		buf_printf(&o->words, "features\nextract\n");
		return 0;
	}
	if (strcmp(what, "report") != 0)
		return err_set(-EINVAL, "what is not features or report");
	o->what = JOB_REPORT;
	for (size_t i = 0; i < COUNT(flows); i++)
		if (strcmp(flows[i], flow) == 0) {
			buf_printf(&o->words, "report\n%s\n", flow);
			return 0;
		}
	return err_set(-EINVAL, "flow is not technical, news, pricing, comprehensive "
				"or combined");
}

static int read_format(const struct json *request, struct analysis_order *o)
{
	const char *wish = json_str(json_get(request, "format"), "");

	for (size_t i = 0; i < COUNT(formats); i++) {
		if (formats[i].what != o->what ||
		    (*wish != '\0' && strcmp(wish, formats[i].name) != 0))
			continue;
		(void)snprintf(o->format, sizeof(o->format), "%s", formats[i].name);
		buf_printf(&o->words, "%s\n", formats[i].word);
		return 0;
	}
	return err_set(-EINVAL, "format: '%.20s' is not %s", wish,
		       o->what == JOB_FEATURES ? "csv or json" : "json or html");
}

static int read_value(const struct option *option, const struct json *value,
		      struct analysis_order *o)
{
	const char *text = json_str(value, "");
	size_t len = strlen(text);

	if (option->is_flag) {
		if (json_bool(value, false))
			buf_printf(&o->words, "--%s\n", option->name);
		else if (json_bool(value, true))
			return err_set(-EINVAL, "%s is not true or false",
				       option->name);
		return 0;
	}
	if (len == 0 || len > VALUE_MAX ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._:+,-") != len)
		return err_set(-EINVAL,
			       "%s is not a text of 1 to %d of "
			       "A-Z a-z 0-9 . _ : + , -",
			       option->name, VALUE_MAX);
	buf_printf(&o->words, "--%s=%s\n", option->name, text);
	return 0;
}

static int read_options(const struct json *request, struct analysis_order *o)
{
	unsigned of = o->what == JOB_FEATURES ? OF_FEATURES : OF_REPORT;
	const struct json *all = json_get(request, "options"), *value = NULL;
	const char *key;
	int rc = 0;

	if (all != NULL && !json_is_object(all))
		return err_set(-EINVAL, "options is not an object");
	while (rc == 0 && all != NULL && (value = json_next(all, value, &key))) {
		size_t i = 0;

		while (i < COUNT(options) &&
		       (strcmp(options[i].name, key) != 0 || (options[i].of & of) == 0))
			i++;
		if (i == COUNT(options))
			return err_set(-EINVAL, "there is no option '%.40s' of %s", key,
				       o->what == JOB_FEATURES ? "features" : "report");
		rc = read_value(&options[i], value, o);
	}
	return rc;
}

static int read_holdings(const struct json *request, struct analysis_order *o)
{
	const struct json *v = json_get(request, "holdings");
	const char *text = json_str(v, "");

	if (v == NULL)
		return 0;
	if (o->what != JOB_REPORT || !json_is_string(v))
		return err_set(-EINVAL, "holdings is a text, and of a report alone");
	if (strlen(text) > ANALYSIS_HOLDINGS_MAX)
		return err_set(-EINVAL, "holdings is longer than %d bytes",
			       ANALYSIS_HOLDINGS_MAX);
	buf_add(&o->holdings, text, strlen(text));
	return 0;
}

int analysis_order_read(const struct json *request, struct analysis_order *out)
{
	int rc;

	*out = (struct analysis_order){.what = JOB_FEATURES};
	rc = read_what(request, out);
	if (rc == 0)
		rc = read_format(request, out);
	if (rc == 0)
		rc = read_options(request, out);
	if (rc == 0)
		rc = read_holdings(request, out);
	if (rc < 0)
		analysis_order_free(out);
	return rc;
}

void analysis_order_free(struct analysis_order *o)
{
	buf_free(&o->words);
	buf_free(&o->holdings);
}
