/*
 * cmd_backup - backup: the daemon makes one in its state directory, here it is carried
 * away and compared; restore: tickbusd puts one back, for it has the locks.
 */
#include "base/json.h"
#include "base/sha256.h"
#include "cli/doctor.h"
#include "cli/query.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST     "manifest.json"
#define MANIFEST_MAX 65536u
#define PIECE        (size_t)(1 << 20)
#define LOOK_MS      100

enum { OPT_CONFIG = 1, OPT_STATE, OPT_DAEMON };

struct carry {
	int from, to; /* owned; directories */
	uint8_t *piece;
	uint64_t bytes;
};

static int cannot(const char *what)
{
	return cli_error(CLI_IO, "%s: %s", what, strerror(errno));
}

/* Copy one file, synced; @hash "": whatever it is. */
static int carry_file(struct carry *k, const char *name, const char *hash)
{
	int in = openat(k->from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = openat(k->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct sha256 s;
	uint8_t digest[32];
	char hex[65];
	ssize_t n = -1;
	int rc = CLI_OK;

	sha256_init(&s);
	while (in >= 0 && out >= 0 && (n = read(in, k->piece, PIECE)) > 0) {
		sha256_add(&s, k->piece, (size_t)n);
		k->bytes += (uint64_t)n;
		errno = ENOSPC;
		if (write(out, k->piece, (size_t)n) != n) {
			n = -1;
			break;
		}
	}
	if (n < 0 || fsync(out) < 0)
		rc = cannot(name);
	sha256_done(&s, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	if (rc == CLI_OK && hash[0] != '\0' && strcmp(hex, hash) != 0)
		rc = cli_error(CLI_IO, "%s changed under way (SHA-256)", name);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

/* Everything that the manifest names, then the manifest: without it, it is none. */
static int carry_all(struct carry *k, const struct json *manifest)
{
	const struct json *files = json_get(manifest, "files");
	int rc = CLI_OK;

	for (size_t i = 0; rc == CLI_OK && i < json_len(files); i++) {
		const struct json *f = json_at(files, i);
		const char *name = json_str(json_get(f, "name"), "");

		if (name[0] == '\0' || strchr(name, '/') != NULL)
			return cli_error(CLI_INTERNAL, "the manifest names '%s'", name);
		rc = carry_file(k, name, json_str(json_get(f, "sha256"), "?"));
	}
	if (rc == CLI_OK)
		rc = carry_file(k, MANIFEST, "");
	return rc == CLI_OK && fsync(k->to) < 0 ? cannot("sync") : rc;
}

static int carry(const char *from, const char *to)
{
	struct carry k = {.to = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			  .from = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct json *manifest = NULL;
	ssize_t n = -1;
	int fd, rc = CLI_INTERNAL;

	k.piece = malloc(PIECE);
	fd = k.from < 0 ? -1 : openat(k.from, MANIFEST, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && k.piece != NULL)
		n = read(fd, k.piece, MANIFEST_MAX);
	if (k.to < 0)
		rc = cannot(to);
	else if (n < 0)
		rc = cannot(from);
	else if (json_parse((const char *)k.piece, (size_t)n, &manifest) == 0)
		rc = carry_all(&k, manifest);
	else
		rc = cli_error(CLI_INTERNAL, "%s/" MANIFEST " is no JSON", from);
	if (rc == CLI_OK)
		printf("%s: log up to position %.0f, epoch %.0f; %.1f MB\n", to,
		       json_num(json_get(manifest, "position"), 0),
		       json_num(json_get(manifest, "epoch"), 0), (double)k.bytes / 1e6);
	json_free(manifest);
	free(k.piece);
	if (fd >= 0)
		close(fd);
	if (k.from >= 0)
		close(k.from);
	if (k.to >= 0)
		close(k.to);
	return rc;
}

/* A folder of ours alone, with nothing in it. */
static int make_folder(const char *path)
{
	const struct dirent *e;
	bool is_empty = true;
	DIR *list;

	if (mkdir(path, 0700) == 0)
		return CLI_OK;
	if (errno != EEXIST)
		return cannot(path);
	list = opendir(path);
	if (list == NULL)
		return cannot(path);
	while ((e = readdir(list)) != NULL)
		is_empty = is_empty && (strcmp(e->d_name, ".") == 0 ||
					strcmp(e->d_name, "..") == 0);
	closedir(list);
	return is_empty ? CLI_OK
			: cli_error(CLI_IO, "%s is not empty: name a new folder", path);
}

/* Until the daemon has made it; its folder into @dir. */
static int wait_for(struct cli *c, char *dir, size_t cap)
{
	struct json_token running, good, text;
	char error[512];
	struct query q;

	for (;;) {
		int rc = query_ask(c, "backup_status", NULL, NULL, &q);

		if (rc != CLI_OK)
			return rc;
		if (query_member(&q.result, "running", &running) &&
		    running.type != JSON_TRUE)
			break;
		query_free(&q);
		if (cli_stopped(c, LOOK_MS))
			return cli_error(CLI_UNFINISHED, "interrupted");
	}
	if (!query_member(&q.result, "good", &good) || good.type != JSON_TRUE) {
		(void)query_member(&q.result, "error", &text);
		(void)cli_error(CLI_NEGATIVE, "%s",
				query_text(&text, error, sizeof(error)));
		query_free(&q);
		return CLI_NEGATIVE;
	}
	(void)query_member(&q.result, "dir", &text);
	(void)query_text(&text, dir, cap);
	query_free(&q);
	return CLI_OK;
}

int cmd_backup(struct cli *c, int argc, char **argv)
{
	char dir[PATH_MAX];
	struct query q;
	int rc = cli_no_options(c, argc, argv, 1, 1);

	if (rc != CLI_OPTION_END)
		return rc == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	rc = make_folder(argv[optind]);
	if (rc == CLI_OK)
		rc = query_ask(c, "backup", NULL, NULL, &q);
	if (rc != CLI_OK)
		return rc;
	query_free(&q);
	if (cli_catch_stop(c) < 0)
		return cli_error(CLI_INTERNAL, "signals: %s", strerror(errno));
	rc = wait_for(c, dir, sizeof(dir));
	if (rc == CLI_OK)
		rc = carry(dir, argv[optind]);
	/* Also of one that was interrupted: it takes room. */
	if (query_ask(c, "backup_end", NULL, NULL, &q) == CLI_OK)
		query_free(&q);
	return rc;
}

int cmd_restore(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, OPT_CONFIG},
		{"state-dir", required_argument, NULL, OPT_STATE},
		{"daemon", required_argument, NULL, OPT_DAEMON},
		{0}};
	char path[PATH_MAX] = "";
	char *args[8] = {path, "--restore", NULL};
	size_t n = 3;
	int option;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		if (option == OPT_DAEMON) {
			(void)snprintf(path, sizeof(path), "%s", optarg);
		} else if (n + 2 < sizeof(args) / sizeof(args[0])) {
			args[n++] = option == OPT_CONFIG ? "--config" : "--state-dir";
			args[n++] = optarg;
		}
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind + 1 != argc)
		return cli_usage_error(c, "which backup?");
	if (n == 3)
		return cli_usage_error(c, "where to: --state-dir DIR, or the --config "
					  "FILE that names it");
	args[2] = argv[optind];
	doctor_find_daemon(path);
	(void)execv(path, args);
	return cli_error(CLI_INTERNAL, "%s: %s", path, strerror(errno));
}
