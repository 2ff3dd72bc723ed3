/* offline - see offline.h. */
#include "daemon/offline.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "bus/symtab.h"
#include "daemon/exitcode.h"
#include "daemon/verify.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DIFFERS 1 /* exit code */

/* More than any configuration allows: the names are there already. */
#define SYMBOLS_MAX   1000000u
#define SOURCES_MAX   65535u
#define PRODUCERS_MAX 65535u
#define DB_NAME       "tickbus.db"

struct offline {
	char dir[CONFIG_TEXT_MAX];
	struct tickstore *store;          /* owned */
	struct symtab *symbols, *sources; /* owned */
	struct config config;
	bool has_config;
};

/* The directory of @path, which is it or its database; there must be one already. */
static int find_dir(struct offline *f, const char *path)
{
	char db[CONFIG_TEXT_MAX + 16];
	size_t len = strlen(path), name = strlen(DB_NAME);
	struct stat st;
	int n;

	if (len > name && strcmp(path + len - name, DB_NAME) == 0 &&
	    path[len - name - 1] == '/')
		len -= name + 1;
	else if (strcmp(path, DB_NAME) == 0)
		path = ".", len = 1;
	n = snprintf(f->dir, sizeof(f->dir), "%.*s", (int)len, path);
	if (n >= (int)sizeof(f->dir))
		return err_set(-ENOENT, "%s: the path is too long", path);
	(void)snprintf(db, sizeof(db), "%s/%s", f->dir, DB_NAME);
	if (stat(db, &st) != 0)
		return err_set(-ENOENT, "there is no log in %s: %s", f->dir,
			       strerror(errno));
	return 0;
}

/* With --config, else as the daemon that wrote it had it. */
static int load_config(struct offline *f, const char *path)
{
	struct config_errors *errs = calloc(1, sizeof(*errs));
	const void *text;
	size_t len;
	int rc;

	role_assert_store(); /* the only thread */
	if (errs == NULL)
		return err_set(-ENOMEM, "out of memory for the configuration");
	if (path != NULL)
		rc = config_load(path, true, &f->config, errs);
	else if (tickstore_meta_get(f->store, "config.text", &text, &len) == 0)
		rc = config_parse(text, len, &f->config, errs);
	else
		rc = err_set(-EINVAL,
			     "no configuration is stored in %s: name one with "
			     "--config FILE",
			     f->dir);
	f->has_config = rc == 0;
	free(errs);
	return rc == 0 ? config_lexicon(&f->config) : rc;
}

static int open_store(struct offline *f)
{
	const struct store_params p = {.dir = f->dir,
				       .durability = DURABILITY_FULL,
				       .symbols_max = SYMBOLS_MAX,
				       .sources_max = SOURCES_MAX,
				       .producers_max = PRODUCERS_MAX};
	const struct store_names symbols = {f->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {f->sources, symtab_add, symtab_name,
					    symtab_count, 1};

	role_assert_store(); /* the only thread */
	return tickstore_open(&p, &symbols, &sources, clock_wall_ns(), &f->store);
}

static int open_offline(struct offline *f, const struct offline_options *o)
{
	int rc = find_dir(f, o->dir);

	if (rc == 0)
		rc = symtab_new(SYMBOLS_MAX, 0, &f->symbols);
	if (rc == 0)
		rc = symtab_new(SOURCES_MAX, 1, &f->sources);
	if (rc == 0)
		rc = open_store(f);
	if (rc == 0)
		rc = load_config(f, o->config);
	if (rc == 0 && symtab_count(f->symbols) > f->config.limits.symbols_max)
		rc = err_set(-EINVAL,
			     "the log has %u symbols, limits.symbols of the "
			     "configuration is %u",
			     symtab_count(f->symbols), f->config.limits.symbols_max);
	return rc;
}

static void close_offline(struct offline *f)
{
	role_assert_store(); /* the only thread */
	if (f->has_config)
		config_deinit(&f->config);
	(void)tickstore_close(f->store); /* nothing was written */
	symtab_free(f->symbols);
	symtab_free(f->sources);
}

static int failed(int rc)
{
	fprintf(stderr, "tickbusd: %s\n", err_text());
	return exitcode_of(rc);
}

/* ---- --verify ---- */

/*
 * A sealed snapshot says that everything up to it is stored; what is newer may be
 * waiting for the next start after a kill.
 */
static void note_stored(struct offline *f, struct verify_env *env)
{
	struct store_snapshot s;

	role_assert_store(); /* the only thread */
	if (tickstore_snapshot_find(f->store, UINT64_MAX, &s) != 0)
		return;
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		env->stored_to[k] = s.pos;
}

static void print_result(const struct verify_result *r, bool json)
{
	struct buf out = {0};
	struct jsonw w;

	if (json) {
		jsonw_init(&w, &out);
		jsonw_object(&w, NULL);
		verify_json(&w, r);
		jsonw_end(&w);
		buf_printf(&out, "\n");
	} else {
		verify_text(&out, r);
	}
	fputs(buf_text(&out), stdout);
	buf_free(&out);
}

int offline_verify(const struct offline_options *o)
{
	struct verify_progress progress = {0};
	struct verify_env env = {.from = o->from,
				 .to = o->to != 0 ? o->to : UINT64_MAX,
				 .n_workers = o->n_workers,
				 .progress = &progress};
	struct verify_result r;
	struct offline f = {0};
	int rc = open_offline(&f, o), code;

	if (rc < 0) {
		code = failed(rc);
		close_offline(&f);
		return code;
	}
	env.params = &f.config.derive;
	env.symbols = f.symbols;
	env.sources = f.sources;
	env.symbols_max = f.config.limits.symbols_max;
	env.access = (struct store_access){.store = f.store};
	note_stored(&f, &env);
	verify_run(&env, &r);
	print_result(&r, o->json);
	code = r.verdict == VERIFY_EQUAL     ? EXITCODE_OK
	       : r.verdict == VERIFY_DIFFERS ? DIFFERS
					     : EXITCODE_DATA;
	verify_result_free(&r);
	close_offline(&f);
	return fflush(stdout) == 0 ? code : EXITCODE_IO;
}

/* ---- --replay ---- */

int offline_replay(const struct offline_options *o)
{
	struct offline f = {0};
	struct replay_result r = {0};
	int rc = open_offline(&f, o), code = EXITCODE_OK;

	if (rc == 0) {
		const struct replay_env env = {.store = f.store,
					       .params = &f.config.derive,
					       .symbols = f.symbols,
					       .sources = f.sources,
					       .symbols_max =
						       f.config.limits.symbols_max,
					       .n_workers = o->n_workers,
					       .dir = o->out,
					       .format = o->format};

		role_assert_store(); /* the only thread */
		rc = replay_run(&env, &r);
	}
	if (rc < 0)
		code = failed(rc);
	close_offline(&f);
	if (rc < 0)
		return code;
	printf("%llu ticks in %.2f s, %.2f M/s\n", (unsigned long long)r.ticks,
	       (double)r.elapsed_ns / 1e9,
	       (double)r.ticks * 1e3 / (double)(r.elapsed_ns > 0 ? r.elapsed_ns : 1));
	for (size_t i = 0; i < REPLAY_FILES; i++)
		printf("%s/%s: %llu events, %llu bytes\n", o->out, r.files[i].name,
		       (unsigned long long)r.files[i].events,
		       (unsigned long long)r.files[i].bytes);
	return fflush(stdout) == 0 ? EXITCODE_OK : EXITCODE_IO;
}
