/*
 * schema - the tables, their version, and the way from an older version.
 *
 * user_version holds the version, application_id says "this is ours".  A newer
 * or foreign database is refused and left untouched; an older one is copied
 * beside itself first and upgraded in one transaction.
 *
 * To change the tables: add a step at the end of the list in schema.c, raise
 * SCHEMA_VERSION, never edit an old step, keep a fixture of the old version.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sq;

#define SCHEMA_VERSION        3
#define SCHEMA_APPLICATION_ID 0x74627573 /* "tbus" */

/** Step i leads from version i to i + 1; NULL-terminated SQL statements. */
typedef const char *const *schema_step;

/** What a database of ours is: its application id and its way from nothing. */
struct schema {
	int32_t application_id;
	const schema_step *steps;
	int n_steps;
};

/**
 * Bring @db (at @path) to version @s->n_steps.  *out_created: there was nothing.
 * -EBADMSG: newer, foreign or damaged.  The copy is @path.vN.bak.
 */
int schema_bring(struct sq *db, const char *path, const struct schema *s,
		 bool *out_created);
/** The same with the steps of the tick log. */
int schema_open(struct sq *db, const char *path, bool *out_created);
