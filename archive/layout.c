/*
 * layout - paths, manifests, and replacing a file so that a crash leaves old or new.
 */
#include "archive/layout.h"
#include "base/err.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/sha256.h"
#include "base/timetext.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_NS INT64_C(86400000000000)

static const struct {
	const char *word;
	uint32_t seconds;
} units[] = {{"day", 86400}, {"hour", 3600}, {"min", 60}, {"sec", 1}};

int layout_folder_of(enum kinds kind, uint32_t step_s, char out[LAYOUT_FOLDER_MAX])
{
	const struct kind *k = &kinds_table[kind];

	if (!k->has_step) {
		snprintf(out, LAYOUT_FOLDER_MAX, "%s", k->folder);
		return step_s == 0 ? 0
				   : err_set(-EINVAL, "%s have no timeframe", k->name);
	}
	if (strcmp(timeframe_name(step_s), "?") == 0)
		return err_set(-EINVAL, "%u s is no timeframe", step_s);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (step_s % units[i].seconds != 0)
			continue;
		snprintf(out, LAYOUT_FOLDER_MAX, "%s%u%s", k->folder,
			 step_s / units[i].seconds, units[i].word);
		break;
	}
	return 0;
}

int layout_folder(uint32_t step_s, char out[LAYOUT_FOLDER_MAX])
{
	return layout_folder_of(KIND_BARS, step_s, out);
}

static uint32_t step_of(enum kinds kind, const char *folder)
{
	size_t head = strlen(kinds_table[kind].folder);
	char again[LAYOUT_FOLDER_MAX];
	unsigned n;
	char word[8];

	if (strncmp(folder, kinds_table[kind].folder, head) != 0 ||
	    sscanf(folder + head, "%4u%7[a-z]", &n, word) != 2)
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(word, units[i].word) == 0 &&
		    layout_folder_of(kind, n * units[i].seconds, again) == 0 &&
		    strcmp(again, folder) == 0)
			return n * units[i].seconds;
	return 0;
}

uint32_t layout_step(const char *folder)
{
	return step_of(KIND_BARS, folder);
}

static int64_t days_of(int64_t ns)
{
	return ns / DAY_NS - (ns % DAY_NS < 0);
}

int32_t layout_month(int64_t ns)
{
	unsigned month;
	unsigned day;
	int year;

	timetext_civil(days_of(ns), &year, &month, &day);
	return year * 100 + (int32_t)month;
}

/* Universes have small letters as well, and nothing that needs an escape. */
static bool name_valid(enum kinds kind, const char *name)
{
	size_t len = strlen(name);

	if (strcmp(kinds_table[kind].by, "symbol") == 0)
		return symbol_valid(name, len);
	return len > 0 && len < UNIVERSE_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_-") == len;
}

int layout_at(enum kinds kind, uint32_t step_s, const char *symbol, int64_t ns,
	      struct layout_part *out)
{
	/* Files count in nanoseconds of an int64: 1678 to 2262; years have 4 digits. */
	static const int64_t oldest = -9000000000 * INT64_C(1000000000);
	const struct kind *k = &kinds_table[kind];

	*out = (struct layout_part){.step_s = step_s, .kind = (uint8_t)kind};
	if (!name_valid(kind, symbol))
		return err_set(-EINVAL, "%s of '%.32s', which is no %s", k->name,
			       symbol, k->by);
	if (k->has_step && strcmp(timeframe_name(step_s), "?") == 0)
		return err_set(-EINVAL, "%s of %s over %u s, which is no timeframe",
			       k->name, symbol, step_s);
	if (ns < oldest || ns > -oldest)
		return err_set(-EINVAL, "%s of %s at %lld ns, which is out of range",
			       k->name, symbol, (long long)ns);
	memcpy(out->symbol, symbol, strlen(symbol));
	timetext_civil(days_of(ns), &out->year, &out->month, &out->day);
	if (!k->is_daily)
		out->day = 0;
	return 0;
}

int64_t layout_end(const struct layout_part *p)
{
	unsigned month = p->month % 12 + 1;
	int64_t days = p->day ? timetext_days(p->year, p->month, p->day) + 1
			      : timetext_days(p->year + (month == 1), month, 1);

	return days * DAY_NS;
}

int layout_path(struct buf *out, const char *dir, const struct layout_part *p)
{
	char name[3 * SYMBOL_MAX + 1];
	char folder[LAYOUT_FOLDER_MAX];
	enum kinds kind = (enum kinds)p->kind;
	int rc = layout_folder_of(kind, p->step_s, folder);

	if (rc < 0)
		return rc;
	if (!name_valid(kind, p->symbol))
		return err_set(-EINVAL, "'%s' is no %s", p->symbol,
			       kinds_table[kind].by);
	symbol_path(p->symbol, strlen(p->symbol), name);
	buf_printf(out, "%s/%s/%s=%s/year=%04d/month=%02u", dir, folder,
		   kinds_table[kind].by, name, p->year, p->month);
	if (p->day)
		buf_printf(out, "/day=%02u", p->day);
	return 0;
}

void layout_pattern(struct buf *out, const char *dir, enum kinds kind)
{
	const struct kind *k = &kinds_table[kind];

	buf_printf(out, "%s/%s%s/%s=*/year=*/month=*%s", dir, k->folder,
		   k->has_step ? "*" : "", k->by, k->is_daily ? "/day=*" : "");
}

/* The last @n components of @path; NULL: it has fewer. */
static const char *tail(const char *path, int n)
{
	const char *at = path + strlen(path);

	while (at > path && n > 0)
		if (*--at == '/')
			n--;
	return n == 0 ? at + 1 : NULL;
}

static int unpath_kind(const char *part_dir, enum kinds kind, struct layout_part *out)
{
	const struct kind *k = &kinds_table[kind];
	const char *at = tail(part_dir, k->is_daily ? 5 : 4);
	char name[3 * SYMBOL_MAX + 1];
	char folder[LAYOUT_FOLDER_MAX];
	char by[16];
	struct buf again = {0};
	int rc = -EINVAL;

	*out = (struct layout_part){.kind = (uint8_t)kind};
	if (!at ||
	    sscanf(at, "%31[^/]/%15[^=]=%96[^/]/year=%4d/month=%2u/day=%2u", folder, by,
		   name, &out->year, &out->month, &out->day) < 5 ||
	    strcmp(by, k->by) != 0)
		return -EINVAL;
	if (k->has_step)
		out->step_s = step_of(kind, folder);
	if (strcmp(k->by, "symbol") != 0)
		(void)snprintf(out->symbol, sizeof(out->symbol), "%.32s", name);
	else if (!symbol_unpath(name, out->symbol))
		return -EINVAL;
	/* What makes the same path again was ours. */
	if (layout_path(&again, "", out) == 0 && strcmp(buf_text(&again) + 1, at) == 0)
		rc = 0;
	buf_free(&again);
	return rc;
}

int layout_unpath(const char *part_dir, struct layout_part *out)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (unpath_kind(part_dir, (enum kinds)i, out) == 0)
			return 0;
	return err_set(-EINVAL, "%s is no folder of this archive", part_dir);
}

int layout_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc < 0 ? err_set(rc, "%s: sync: %s", path, strerror(-rc)) : 0;
}

static int sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc < 0 ? err_set(rc, "%s: sync: %s", path, strerror(-rc)) : 0;
}

/* The directory that @path lies in. */
static void parent(struct buf *out, const char *path)
{
	const char *slash = strrchr(path, '/');

	out->len = 0;
	if (!slash)
		buf_printf(out, ".");
	else
		buf_add(out, path, slash == path ? 1 : (size_t)(slash - path));
	buf_text(out);
}

static int make_dirs(const char *path, bool synced)
{
	struct buf up = {0};
	struct stat st;
	int rc = 0;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode)
			       ? 0
			       : err_set(-ENOTDIR, "%s is no directory", path);
	parent(&up, path);
	rc = make_dirs(buf_text(&up), synced);
	if (rc == 0 && mkdir(path, 0755) < 0 && errno != EEXIST)
		rc = err_set(-errno, "%s: %s", path, strerror(errno));
	else if (rc == 0 && synced)
		rc = layout_sync_dir(buf_text(&up));
	buf_free(&up);
	return rc;
}

int layout_mkdirs(const char *path)
{
	return make_dirs(path, true);
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int rename_over(const char *from, const char *to)
{
	struct buf up = {0};
	int rc = 0;

	if (rename(from, to) < 0)
		rc = err_set(-errno, "%s -> %s: %s", from, to, strerror(errno));
	parent(&up, to);
	if (rc == 0)
		rc = layout_sync_dir(buf_text(&up));
	buf_free(&up);
	return rc;
}

int layout_write(const char *path, const char *tmp, const void *data, size_t len)
{
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = fd < 0 ? -errno : write_all(fd, data, len);

	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		err_set(rc, "%s: write: %s", tmp, strerror(-rc));
	else
		rc = rename_over(tmp, path);
	if (rc < 0)
		unlink(tmp);
	return rc;
}

int layout_hash(const char *path, char out[65])
{
	uint8_t block[65536];
	uint8_t sum[32];
	struct sha256 s;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0)
		return err_set(-errno, "%s: %s", path, strerror(errno));
	sha256_init(&s);
	while ((n = read(fd, block, sizeof(block))) > 0)
		sha256_add(&s, block, (size_t)n);
	if (n < 0) {
		int rc = -errno;

		close(fd);
		return err_set(rc, "%s: read: %s", path, strerror(-rc));
	}
	close(fd);
	sha256_done(&s, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return 0;
}

static void print_state(struct jsonw *w, const char *key, const struct layout_state *s)
{
	char first[TIMETEXT_MAX];
	char last[TIMETEXT_MAX];

	if (!s->sha256[0]) {
		jsonw_null(w, key);
		return;
	}
	timetext_print(first, s->first_ns);
	timetext_print(last, s->last_ns);
	jsonw_object(w, key);
	jsonw_u64(w, "rows", s->rows);
	jsonw_str(w, "first", first);
	jsonw_str(w, "last", last);
	jsonw_str(w, "sha256", s->sha256);
	jsonw_end(w);
}

static int read_state(const struct json *v, struct layout_state *out)
{
	const char *first = json_str(json_get(v, "first"), "");
	const char *last = json_str(json_get(v, "last"), "");
	const char *sum = json_str(json_get(v, "sha256"), "");

	*out = (struct layout_state){0};
	if (!json_is_object(v))
		return 0;
	if (json_u64(json_get(v, "rows"), &out->rows) < 0 || strlen(sum) != 64 ||
	    timetext_parse(first, strlen(first), &out->first_ns) != 0 ||
	    timetext_parse(last, strlen(last), &out->last_ns) != 0)
		return -EBADMSG;
	memcpy(out->sha256, sum, 65);
	return 0;
}

int layout_read(const char *part_dir, struct layout_manifest *out)
{
	struct buf path = {0};
	struct json *root = NULL;
	char text[4096];
	ssize_t n = -1;
	int rc = 0;

	buf_printf(&path, "%s/_manifest.json", part_dir);
	int fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text));
		close(fd);
	} else if (errno == ENOENT) {
		rc = 1;
	}
	if (rc == 0 &&
	    (n < 0 || json_parse(text, (size_t)n, &root) < 0 ||
	     json_u64(json_get(root, "schema_version"), &out->version) < 0 ||
	     out->version == 0 || read_state(json_get(root, "now"), &out->now) < 0 ||
	     !out->now.sha256[0] ||
	     read_state(json_get(root, "before"), &out->before) < 0))
		rc = err_set(-EBADMSG,
			     "%s is no manifest: restore it, or remove its folder "
			     "and ingest the month again",
			     buf_text(&path));
	json_free(root);
	buf_free(&path);
	return rc;
}

static int write_manifest(const char *part_dir, const char *tmp,
			  const struct layout_manifest *m)
{
	struct buf path = {0};
	struct buf beside = {0};
	struct buf text = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &text);
	jsonw_object(&w, NULL);
	jsonw_u64(&w, "schema_version", m->version);
	print_state(&w, "now", &m->now);
	print_state(&w, "before", &m->before);
	jsonw_end(&w);
	buf_printf(&text, "\n");
	buf_printf(&path, "%s/_manifest.json", part_dir);
	buf_printf(&beside, "%s.manifest", tmp);
	rc = layout_write(buf_text(&path), buf_text(&beside), text.data, text.len);
	buf_free(&text);
	buf_free(&path);
	buf_free(&beside);
	return rc;
}

int layout_place(const char *part_dir, const char *tmp)
{
	struct buf path = {0};
	int rc = make_dirs(part_dir, false);

	buf_printf(&path, "%s/data.parquet", part_dir);
	if (rc == 0 && rename(tmp, buf_text(&path)) < 0)
		rc = err_set(-errno, "%s -> %s: %s", tmp, (char *)path.data,
			     strerror(errno));
	buf_free(&path);
	return rc;
}

int layout_replace(const char *part_dir, const char *tmp,
		   const struct layout_manifest *m)
{
	bool is_first = !m->before.sha256[0];
	struct buf path = {0};
	int rc = sync_file(tmp);

	buf_printf(&path, "%s/data.parquet", part_dir);
	if (rc == 0)
		rc = layout_mkdirs(part_dir);
	if (rc == 0 && !is_first)
		rc = write_manifest(part_dir, tmp, m);
	if (rc == 0)
		rc = rename_over(tmp, buf_text(&path));
	if (rc < 0)
		unlink(tmp);
	if (rc == 0 && is_first)
		rc = write_manifest(part_dir, tmp, m);
	buf_free(&path);
	return rc;
}
