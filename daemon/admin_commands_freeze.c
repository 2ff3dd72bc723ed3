/* admin_commands_freeze - the kill switch as it is asked for (kill_switch.h). */
#include "daemon/admin_commands_parts.h"
#include "daemon/kill_switch.h"
#include <stdio.h>
#include <string.h>

ON_LOOP static bool refuse(struct admin_call *call, const char *code, const char *text)
{
	admin_fail(call, code, text);
	return false;
}

/* A symbol or source by its name; false: refused. */
ON_LOOP static bool find_name(const struct symtab *names, const char *name,
			      const char *what, struct admin_call *call,
			      uint32_t *out_id)
{
	char text[96];

	if (name[0] != '\0' && symtab_find(names, name, strlen(name), out_id) == 0)
		return true;
	(void)snprintf(text, sizeof(text), "there is no %s '%.40s'", what, name);
	return refuse(call, name[0] == '\0' ? "bad_request" : "not_found", text);
}

/* {level, name, tier}; false: refused. */
ON_LOOP static bool read_target(struct daemon *d, const struct json *request,
				struct admin_call *call, struct freeze_entry *out)
{
	const char *level = json_str(json_get(request, "level"), "");
	const char *name = json_str(json_get(request, "name"), "");
	uint64_t tier = 0;

	*out = (struct freeze_entry){.uid = admin_uid(call)};
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	if (strcmp(level, "symbol") == 0) {
		out->what.level = FREEZE_SYMBOL;
		return find_name(d->symbols, name, "symbol", call, &out->what.id);
	}
	if (strcmp(level, "source") == 0) {
		out->what.level = FREEZE_SOURCE;
		return find_name(d->sources, name, "source", call, &out->what.id);
	}
	if (strcmp(level, "all") == 0) {
		out->what.level = FREEZE_ALL;
		return true;
	}
	if (strcmp(level, "tier") != 0)
		return refuse(call, "bad_request",
			      "level is symbol, source, tier or all");
	if (!admin_number(request, "tier", 0, call, &tier))
		return false;
	if (tier != 1 && tier != 2)
		return refuse(call, "bad_request",
			      "tier is 1 (features) or 2 (matrices)");
	out->what.level = FREEZE_TIER;
	out->what.tier = (uint8_t)tier;
	return true;
}

/* So many sources can be frozen at once: every shard holds a table of them. */
static bool too_many_sources(const struct freezes *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n; i++)
		n += f->entries[i].what.level == FREEZE_SOURCE;
	return n >= FREEZE_SOURCES_MAX;
}

void admin_freeze(struct daemon *d, const struct json *request, struct admin_call *call)
{
	const char *reason = json_str(json_get(request, "reason"), "");
	struct freeze_entry e;

	if (!read_target(d, request, call, &e))
		return;
	if (reason[0] == '\0' || strlen(reason) >= sizeof(e.reason)) {
		admin_fail(call, "bad_request",
			   "a reason is needed, of less than 160 bytes");
		return;
	}
	if (e.what.level == FREEZE_SOURCE && too_many_sources(d->freezes)) {
		admin_fail(call, "failed", "64 sources are frozen; kill all instead");
		return;
	}
	e.what.is_quarantine = json_bool(json_get(request, "quarantine"), false);
	if (e.what.is_quarantine && e.what.level > FREEZE_SOURCE) {
		admin_fail(call, "bad_request",
			   "a quarantine is of a symbol or a source");
		return;
	}
	memcpy(e.reason, reason, strlen(reason) + 1);
	(void)kill_switch_freeze(d, &e, call);
}

void admin_release(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	struct freeze_entry e;

	if (!read_target(d, request, call, &e))
		return;
	/* Who resumes a symbol means whatever it is that stops it. */
	if (e.what.level == FREEZE_SYMBOL && freezes_find(d->freezes, &e.what) == NULL)
		control_symbol(d, e.what.id, CONTROL_RESUME, call);
	else
		kill_switch_release(d, &e.what, call);
}

void admin_freezes(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	(void)request;
	freezes_print(d->freezes, admin_result(call));
	admin_done(call);
}
