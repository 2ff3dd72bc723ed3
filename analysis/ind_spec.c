/* ind_spec - the registry as a whole, and specs as text. */
#include "analysis/ind_parts.h"
#include "base/err.h"
#include "base/jsonw.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const struct ind_def *defs;
	const size_t *n;
} families[] = {
	{ind_averages, &ind_averages_n}, {ind_places, &ind_places_n},
	{ind_ranges, &ind_ranges_n},     {ind_spreads, &ind_spreads_n},
	{ind_volumes, &ind_volumes_n},   {ind_features, &ind_features_n},
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const char *const flavour_names[IND_FLAVOURS] = {"talib", "pandas"};

size_t ind_count(void)
{
	size_t n = 0;

	for (size_t f = 0; f < FAMILIES; f++)
		n += *families[f].n;
	return n;
}

const struct ind_def *ind_at(size_t index)
{
	for (size_t f = 0; f < FAMILIES; f++) {
		if (index < *families[f].n)
			return &families[f].defs[index];
		index -= *families[f].n;
	}
	return NULL;
}

const char *ind_flavour_name(enum ind_flavour f)
{
	return flavour_names[f];
}

enum ind_flavour ind_flavour_default(const struct ind_def *d)
{
	return d->flavours & (1u << IND_TALIB) ? IND_TALIB : IND_PANDAS;
}

/* A piece of the text, without blanks around it. */
struct word {
	const char *at;
	size_t len;
};

static struct word trim(const char *at, const char *end)
{
	while (at < end && isspace((unsigned char)*at))
		at++;
	while (end > at && isspace((unsigned char)end[-1]))
		end--;
	return (struct word){at, (size_t)(end - at)};
}

static bool is(struct word w, const char *text)
{
	return strlen(text) == w.len && memcmp(w.at, text, w.len) == 0;
}

static const struct ind_def *find(struct word name)
{
	for (size_t i = 0; i < ind_count(); i++)
		if (is(name, ind_at(i)->name))
			return ind_at(i);
	return NULL;
}

static int take_flavour(struct ind_spec *s, struct word value)
{
	for (uint32_t f = 0; f < IND_FLAVOURS; f++) {
		if (!is(value, flavour_names[f]))
			continue;
		if (!(s->def->flavours & (1u << f)))
			break;
		s->flavour = (enum ind_flavour)f;
		return 0;
	}
	return err_set(-EINVAL, "indicator %s: it has no flavour '%.*s', only %s%s%s",
		       s->def->name, (int)value.len, value.at,
		       s->def->flavours & (1u << IND_TALIB) ? "talib" : "",
		       s->def->flavours == 3 ? " and " : "",
		       s->def->flavours & (1u << IND_PANDAS) ? "pandas" : "");
}

static int take_number(struct ind_spec *s, size_t which, struct word value)
{
	const struct ind_param *p = &s->def->param[which];
	char text[24], *end;
	double x;

	if (value.len == 0 || value.len >= sizeof(text))
		return err_set(-EINVAL, "indicator %s: '%.*s' is no number for %s",
			       s->def->name, (int)value.len, value.at, p->name);
	memcpy(text, value.at, value.len);
	text[value.len] = '\0';
	x = strtod(text, &end);
	if (*end != '\0' || strspn(text, "0123456789.eE+-") != value.len)
		return err_set(-EINVAL, "indicator %s: '%s' is no number for %s",
			       s->def->name, text, p->name);
	if (!(x >= p->min && x <= p->max) || (p->is_whole && x != floor(x)))
		return err_set(
			-EINVAL, "indicator %s: %s is %s; it takes %s from %g to %g",
			s->def->name, p->name, text,
			p->is_whole ? "whole numbers" : "numbers", p->min, p->max);
	s->param[which] = x + 0.0; /* of two zeros one: parameters are bytes */
	return 0;
}

/* One argument: a number for the parameter whose turn it is, or NAME=VALUE. */
static int take_argument(struct ind_spec *s, struct word arg, size_t turn)
{
	const char *equals = memchr(arg.at, '=', arg.len);
	struct word name, value;

	if (equals == NULL) {
		if (turn >= s->def->n_params)
			return err_set(
				-EINVAL,
				"indicator %s: '%.*s' is one too many; it takes %u",
				s->def->name, (int)arg.len, arg.at, s->def->n_params);
		return take_number(s, turn, arg);
	}
	name = trim(arg.at, equals);
	value = trim(equals + 1, arg.at + arg.len);
	if (is(name, "flavour"))
		return take_flavour(s, value);
	for (size_t k = 0; k < s->def->n_params; k++)
		if (is(name, s->def->param[k].name))
			return take_number(s, k, value);
	return err_set(-EINVAL, "indicator %s: it has no parameter '%.*s'",
		       s->def->name, (int)name.len, name.at);
}

static int take_arguments(struct ind_spec *s, const char *at, const char *end)
{
	for (size_t turn = 0;; turn++) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		int rc = take_argument(s, trim(at, comma != NULL ? comma : end), turn);

		if (rc < 0 || comma == NULL)
			return rc;
		at = comma + 1;
	}
}

int ind_parse(const char *text, struct ind_spec *out)
{
	const char *end = text + strlen(text), *open = strchr(text, '(');
	struct word whole = trim(text, end),
		    name = trim(text, open != NULL ? open : end);

	*out = (struct ind_spec){.def = find(name)};
	if (out->def == NULL)
		return err_set(-EINVAL,
			       "there is no indicator '%.*s'; `tickbusctl indicators "
			       "--list` names them",
			       name.len > 40 ? 40 : (int)name.len, name.at);
	out->flavour = ind_flavour_default(out->def);
	for (size_t k = 0; k < out->def->n_params; k++)
		out->param[k] = out->def->param[k].value;
	if (open == NULL)
		return 0;
	if (whole.at[whole.len - 1] != ')')
		return err_set(-EINVAL, "indicator %s: no ')' at its end",
			       out->def->name);
	end = whole.at + whole.len - 1;
	if (trim(open + 1, end).len == 0)
		return 0;
	return take_arguments(out, open + 1, end);
}

void ind_print(const struct ind_spec *s, char out[IND_TEXT_MAX])
{
	bool is_usual = s->flavour == ind_flavour_default(s->def);
	size_t len = (size_t)snprintf(out, IND_TEXT_MAX, "%s", s->def->name);
	const char *sep = "(";

	for (size_t k = 0; k < s->def->n_params; k++, sep = ",") {
		char number[32];

		(void)jsonw_print_f64(number, s->param[k]);
		len += (size_t)snprintf(out + len, IND_TEXT_MAX - len, "%s%s", sep,
					number);
	}
	if (!is_usual)
		len += (size_t)snprintf(out + len, IND_TEXT_MAX - len, "%sflavour=%s",
					sep, flavour_names[s->flavour]);
	if (s->def->n_params > 0 || !is_usual)
		(void)snprintf(out + len, IND_TEXT_MAX - len, ")");
}
