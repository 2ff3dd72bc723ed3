/* cli - options, errors and signals that the commands share. */
#include "cli/cli.h"
#include "base/err.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { OPT_ADMIN = 1000, OPT_HOST, OPT_PORT, OPT_TIMEOUT, OPT_HELP };

#define OPTIONS_MAX 48

static const struct option common[] = {
	{"admin", required_argument, NULL, OPT_ADMIN},
	{"host", required_argument, NULL, OPT_HOST},
	{"port", required_argument, NULL, OPT_PORT},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"help", no_argument, NULL, OPT_HELP},
};

#define COMMON (sizeof(common) / sizeof(common[0]))

bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || v < min || v > max)
		return false;
	*out = v;
	return true;
}

__attribute__((format(printf, 2, 0))) static void say(const char *what, const char *fmt,
						      va_list ap)
{
	char text[ERR_TEXT_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)fflush(stdout);
	(void)fprintf(stderr, "tickbusctl%s%s: %s\n", *what ? " " : "", what, text);
}

int cli_error(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
	return code;
}

int cli_usage_error(const struct cli *c, const char *fmt, ...)
{
	const char *name = c->command ? c->command->name : "";
	va_list ap;

	va_start(ap, fmt);
	say(name, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "Try: tickbusctl %s%s--help\n", name, *name ? " " : "");
	return CLI_USAGE;
}

int cli_unavailable(const struct cli *c, int rc)
{
	const char *path =
		c->options.admin_path ? c->options.admin_path : CLI_ADMIN_PATH;

	switch (rc) {
	case -EACCES:
	case -EPERM:
		return cli_error(CLI_UNAVAILABLE,
				 "%s: only root and the daemon's own user may ask it",
				 path);
	case -ENOENT:
	case -ECONNREFUSED:
	case -ETIMEDOUT:
	case -ECONNRESET:
	case -EPIPE:
		return cli_error(
			CLI_UNAVAILABLE,
			"tickbusd does not answer on %s (%s): start it with "
			"'systemctl start tickbusd' or 'tickbusd --demo', or name "
			"its socket with --admin PATH",
			path, tickbus_error());
	case -EINVAL:
	case -ENAMETOOLONG:
		return cli_error(CLI_USAGE, "%s", tickbus_error());
	case -EIO:
		return cli_error(CLI_IO, "%s", tickbus_error());
	default:
		return cli_error(CLI_INTERNAL, "%s", tickbus_error());
	}
}

void cli_print_help(const struct command *command)
{
	printf("usage: tickbusctl %s%s%s\n\n%s.\n", command->name,
	       *command->args ? " " : "", command->args, command->summary);
	if (*command->help)
		printf("\n%s", command->help);
	printf("\nEverywhere: --admin PATH, --host NAME, --port N, --timeout MS, "
	       "--help\n");
}

/* One of the common options: 0, or CLI_OPTION_x. */
static int take_common(struct cli *c, int option)
{
	uint64_t v;

	switch (option) {
	case OPT_ADMIN:
		c->options.admin_path = optarg;
		return 0;
	case OPT_HOST:
		c->options.host = optarg;
		return 0;
	case OPT_PORT:
		if (!cli_number(optarg, 1, 65500, &v)) {
			(void)cli_usage_error(c, "--port: '%s' is not in 1..65500",
					      optarg);
			return CLI_OPTION_BAD;
		}
		c->options.port_base = (uint16_t)v;
		return 0;
	case OPT_TIMEOUT:
		if (!cli_number(optarg, 1, 3600000, &v)) {
			(void)cli_usage_error(
				c, "--timeout: '%s' is not in 1..3600000 ms", optarg);
			return CLI_OPTION_BAD;
		}
		c->options.timeout_ms = (int)v;
		return 0;
	default:
		(void)cli_usage_error(c, "see the options above");
		return CLI_OPTION_BAD;
	}
}

int cli_option(struct cli *c, int argc, char **argv, const struct option *longs)
{
	struct option all[OPTIONS_MAX] = {0};
	size_t n = 0;

	for (; longs != NULL && longs[n].name != NULL; n++)
		all[n] = longs[n];
	memcpy(all + n, common, sizeof(common));
	for (;;) {
		int option = getopt_long(argc, argv, "", all, NULL), rc;

		if (option == OPT_HELP) {
			cli_print_help(c->command);
			return CLI_OPTION_HELP;
		}
		if (option < OPT_ADMIN && option != '?')
			return option;
		rc = take_common(c, option);
		if (rc != 0)
			return rc;
	}
}

int cli_global_option(struct cli *c, int argc, char **argv)
{
	static const struct option version = {"version", no_argument, NULL, 'v'};
	struct option all[OPTIONS_MAX] = {0};

	memcpy(all, common, sizeof(common));
	all[COMMON] = version;
	for (;;) {
		int option = getopt_long(argc, argv, "+hv", all, NULL), rc;

		if (option == OPT_HELP || option == 'h')
			return CLI_OPTION_HELP;
		if (option == -1 || option == 'v')
			return option;
		rc = take_common(c, option);
		if (rc != 0)
			return rc;
	}
}

void cli_lengthen(int argc, char **argv)
{
	static char out[] = "--out";

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = out;
}

int cli_no_options(struct cli *c, int argc, char **argv, int min, int max)
{
	int option = cli_option(c, argc, argv, NULL);

	if (option != CLI_OPTION_END)
		return option;
	if (argc - optind >= min && argc - optind <= max)
		return CLI_OPTION_END;
	(void)cli_usage_error(c,
			      argc - optind < min ? "an argument is missing: %s"
						  : "too many arguments: %s",
			      *c->command->args ? c->command->args : "there are none");
	return CLI_OPTION_BAD;
}

int cli_catch_stop(struct cli *c)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	c->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->stop_fd < 0 ? -errno : 0;
}

bool cli_stopped(const struct cli *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->stop_fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}

unsigned cli_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

int cli_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return cli_error(CLI_IO, "cannot write the output: %s", strerror(errno));
}
