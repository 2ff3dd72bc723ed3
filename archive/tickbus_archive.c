/* tickbus-archive - the process: options, then one of its commands. */
#include "archive/actions.h"
#include "archive/archive.h"
#include "archive/enquiry.h"
#include "archive/serve.h"
#include "archive/serve_keep.h"
#include "archive/symbolmeta.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: tickbus-archive --archive DIR [--memory MIB] [--threads N] COMMAND\n"
	"  serve    answer framed requests on standard input\n"
	"  export   --symbols A,B | --index I [--as-of T] [--fields close,volume]\n"
	"           [--start T] [--end T] [--timeframe 1m] [--resample 15m]\n"
	"           [--align outer|inner|ffill] [--tolerance 5m] [--age] [--long]\n"
	"           [--source S] [--feed F] [--adjust raw|split|all] [--zone Z]\n"
	"           [--format csv|json|parquet|arrow|table] [--limit 60s] [--out "
	"FILE]\n"
	"  bars     [--start T] [--end T] [--timeframe 1m] [--source S] [--format F] "
	"SYMBOL\n"
	"  query    [--format csv|json|parquet|arrow|table] [--rows N] [--limit 60s] "
	"[--out FILE] "
	"SQL\n"
	"  compact  write anew what would be written otherwise today\n"
	"  retain   KIND --before T   remove the partitions that end before, or "
	"whole\n"
	"           events (KIND events) that happened before\n"
	"  import   actions SYMBOL FILE | symbols FILE\n"
	"  status   what is there\n"
	"  verify   every file against its manifest\n";

static int usage(void)
{
	fputs(usage_text, stderr);
	return EX_USAGE;
}

static int failed(int rc)
{
	fprintf(stderr, "tickbus-archive: %s\n", err_text());
	switch (rc) {
	case -EINVAL:
		return EX_USAGE;
	case -ENOENT:
		return EX_NOINPUT;
	case -EBUSY:
	case -EAGAIN:
		return EX_TEMPFAIL;
	default:
		return EX_IOERR;
	}
}

static int to_stdout(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t block[65536];
	ssize_t n = fd < 0 ? -1 : 0;

	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0)
		if (fwrite(block, 1, (size_t)n, stdout) != (size_t)n)
			break;
	if (fd >= 0)
		close(fd);
	unlink(path);
	if (n != 0 || fflush(stdout) != 0)
		return err_set(-EIO, "writing the answer: %s", strerror(errno));
	return 0;
}

/* "--long" and "--age" have no value; every other option of a question has one. */
static int parse_ask(int argc, char **argv, struct enquiry *q)
{
	enquiry_init(q);
	for (int i = 1; i < argc; i++) {
		bool is_flag =
			strcmp(argv[i], "--long") == 0 || strcmp(argv[i], "--age") == 0;
		bool is_option = strncmp(argv[i], "--", 2) == 0;
		int rc;

		if (is_option && strcmp(argv[i], "--sql") == 0)
			return err_set(-EINVAL, "the SQL is the argument of query");
		if (is_flag)
			rc = enquiry_set(q, argv[i] + 2, "true");
		else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
			rc = enquiry_set(q, "out", argv[i + 1]), i++;
		else if (is_option && i + 1 < argc)
			rc = enquiry_set(q, argv[i] + 2, argv[i + 1]), i++;
		else if (!is_option && strcmp(argv[0], "query") == 0 && !q->sql)
			rc = enquiry_set(q, "sql", argv[i]);
		else if (!is_option && strcmp(argv[0], "bars") == 0 && !q->n_symbols)
			rc = enquiry_set(q, "symbols", argv[i]);
		else
			rc = err_set(-EINVAL, "'%.64s' is not understood", argv[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int run_ask(struct archive *a, int argc, char **argv)
{
	bool is_query = strcmp(argv[0], "query") == 0;
	bool is_bars = strcmp(argv[0], "bars") == 0;
	struct enquiry_answer got;
	struct buf tmp = {0};
	struct enquiry q;
	int rc = parse_ask(argc, argv, &q);
	bool is_pipe = rc == 0 && (!q.out || strcmp(q.out, "-") == 0);

	if (is_pipe) {
		archive_tmp(a, &tmp, ".stdout");
		q.out = buf_text(&tmp);
	}
	if (rc == 0)
		rc = (is_query  ? enquiry_query
		      : is_bars ? enquiry_bars
				: enquiry_export)(a, &q, &got);
	if (rc == 0 && is_pipe)
		rc = to_stdout(q.out);
	if (rc == 0 && got.cut)
		fprintf(stderr,
			"tickbus-archive: only the first %llu rows are here; "
			"--rows N gives more\n",
			(unsigned long long)got.rows);
	if (rc == 0 && got.raw > 0)
		fprintf(stderr,
			"tickbus-archive: no corporate actions are known of %llu of "
			"these symbols: their prices are raw\n",
			(unsigned long long)got.raw);
	buf_free(&tmp);
	return rc < 0 ? failed(rc) : 0;
}

static int run_check(struct archive *a, bool deep)
{
	struct archive_check c;
	int rc = archive_verify(a, deep, &c);

	if (rc < 0)
		return failed(rc);
	printf("%llu files, %llu rows, %llu bytes, %llu interrupted, %llu bad\n",
	       (unsigned long long)c.files, (unsigned long long)c.rows,
	       (unsigned long long)c.bytes, (unsigned long long)c.interrupted,
	       (unsigned long long)c.bad);
	if (c.bad > 0)
		fprintf(stderr, "tickbus-archive: %s\n", c.first_bad);
	return c.bad > 0 ? EX_DATAERR : 0;
}

/* "import actions SYMBOL FILE": a table as it is kept (archive/actions.h), merged. */
static int import_actions(struct archive *a, const char *tmp, const char *symbol,
			  const char *file, size_t *out)
{
	struct buf list = {0};
	int rc = actions_read_file(file, &list);

	if (rc == 1)
		rc = err_set(-ENOENT, "%s: there is no such file", file);
	if (rc == 0)
		rc = actions_put(archive_dir(a), symbol, tmp, (const void *)list.data,
				 list.len / sizeof(struct action), out);
	buf_free(&list);
	return rc;
}

/* "import symbols FILE": likewise (archive/symbolmeta.h). */
static int import_symbols(struct archive *a, const char *tmp, const char *file,
			  size_t *out)
{
	struct buf list = {0};
	int rc = symbolmeta_read(file, &list);

	if (rc == 1)
		rc = err_set(-ENOENT, "%s: there is no such file", file);
	if (rc == 0)
		rc = symbolmeta_put(archive_dir(a), tmp, (const void *)list.data,
				    list.len / sizeof(struct symbolmeta), out);
	buf_free(&list);
	return rc;
}

static int run_import(struct archive *a, int argc, char **argv)
{
	struct buf tmp = {0};
	size_t n = 0;
	int rc;

	archive_tmp(a, &tmp, ".csv");
	if (argc == 4 && strcmp(argv[1], "actions") == 0)
		rc = import_actions(a, buf_text(&tmp), argv[2], argv[3], &n);
	else if (argc == 3 && strcmp(argv[1], "symbols") == 0)
		rc = import_symbols(a, buf_text(&tmp), argv[2], &n);
	else
		rc = err_set(-EINVAL, "import actions SYMBOL FILE, or symbols FILE");
	buf_free(&tmp);
	if (rc < 0)
		return failed(rc);
	printf("%zu %s are known now\n", n, argv[1]);
	return 0;
}

static int run_compact(struct archive *a)
{
	struct archive_compacted c;
	int rc = archive_compact(a, &c);

	if (rc < 0)
		return failed(rc);
	printf("%llu files, %llu of them made anew: %llu rows, %llu bytes, now %llu\n",
	       (unsigned long long)c.files, (unsigned long long)c.rewritten,
	       (unsigned long long)c.rows, (unsigned long long)c.bytes_before,
	       (unsigned long long)c.bytes_after);
	return 0;
}

static int run_retain(struct archive *a, int argc, char **argv)
{
	struct archive_retained r;
	int rc;

	if (argc != 4 || strcmp(argv[2], "--before") != 0)
		return usage();
	rc = serve_retain_texts(a, argv[1], argv[3], 0, &r);
	if (rc < 0)
		return failed(rc);
	printf("%llu files removed: %llu rows, %llu bytes\n",
	       (unsigned long long)r.files, (unsigned long long)r.rows,
	       (unsigned long long)r.bytes);
	return 0;
}

static int command(struct archive *a, int argc, char **argv)
{
	if (strcmp(argv[0], "export") == 0 || strcmp(argv[0], "query") == 0 ||
	    strcmp(argv[0], "bars") == 0)
		return run_ask(a, argc, argv);
	if (strcmp(argv[0], "import") == 0)
		return run_import(a, argc, argv);
	if (strcmp(argv[0], "retain") == 0)
		return run_retain(a, argc, argv);
	if (argc > 1)
		return usage();
	if (strcmp(argv[0], "compact") == 0)
		return run_compact(a);
	if (strcmp(argv[0], "serve") == 0) {
		int rc = serve_run(a, STDIN_FILENO, STDOUT_FILENO);

		return rc < 0 ? failed(rc) : 0;
	}
	return run_check(a, strcmp(argv[0], "verify") == 0);
}

/*
 * DuckDB keeps to its own limit, which is not all of its memory and none of ours. Twice
 * that, and what threads, libraries and mapped files take of the address space without
 * filling it, is what the process may have: past it an allocation fails, here alone.
 */
#ifdef __SANITIZE_ADDRESS__
/* A sanitizer's shadow takes terabytes of the address space. */
static int bound_memory(uint64_t memory_bytes)
{
	(void)memory_bytes;
	return 0;
}
#else
static int bound_memory(uint64_t memory_bytes)
{
	rlim_t most = 2 * memory_bytes + ((rlim_t)4 << 30);
	struct rlimit r;

	if (getrlimit(RLIMIT_AS, &r) < 0)
		return err_set(-errno, "the limit of memory: %s", strerror(errno));
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
		r.rlim_max = most;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_AS, &r) < 0)
		return err_set(-errno, "the limit of memory: %s", strerror(errno));
	return 0;
}
#endif

static bool is_command(const char *word)
{
	static const char *const words[] = {"serve",   "export", "bars",
					    "query",   "status", "verify",
					    "compact", "retain", "import"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"archive", required_argument, NULL, 'a'},
					      {"memory", required_argument, NULL, 'm'},
					      {"threads", required_argument, NULL, 't'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'v'},
					      {0}};
	struct archive_options o = {.memory_bytes = 512u << 20, .threads = 2};
	struct archive *a;
	int c;

	signal(SIGPIPE, SIG_IGN);
	/* "+": what stands behind the command is the command's. */
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			o.dir = optarg;
			break;
		case 'm':
			o.memory_bytes = strtoull(optarg, NULL, 10) << 20;
			break;
		case 't':
			o.threads = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'v':
			printf("tickbus-archive %s, DuckDB %s\n", TICKBUS_VERSION,
			       duck_version());
			return 0;
		default:
			return usage();
		}
	}
	if (!o.dir || optind == argc || !is_command(argv[optind]) || o.threads < 1 ||
	    o.threads > 64 || o.memory_bytes < 64u << 20)
		return usage();
	o.writer = strcmp(argv[optind], "serve") == 0 ||
		   strcmp(argv[optind], "import") == 0 ||
		   strcmp(argv[optind], "compact") == 0 ||
		   strcmp(argv[optind], "retain") == 0;
	int rc = bound_memory(o.memory_bytes);

	if (rc == 0)
		rc = archive_open(&o, &a);
	if (rc < 0)
		return failed(rc);
	rc = command(a, argc - optind, argv + optind);
	archive_close(a);
	return rc;
}
