/*
 * portfolio_fuzz - any bytes as a file of holdings.  Every position has a symbol and
 * finite numbers, every refusal a line that is behind the one before, and a reason.
 */
#include "cli/portfolio_file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct portfolio *p)
{
	size_t n;
	const struct portfolio_position *x = portfolio_positions(p, &n);
	const struct portfolio_refusal *bad;
	uint64_t last = 0;

	for (size_t i = 0; i < n; i++)
		if (!symbol_valid(x[i].symbol, strlen(x[i].symbol)) ||
		    !(fabs(x[i].quantity) <= PORTFOLIO_NUMBER_MAX) ||
		    fabs(x[i].cost) > PORTFOLIO_NUMBER_MAX ||
		    portfolio_find(p, x[i].symbol) != &x[i])
			abort();
	bad = portfolio_refusals(p, &n);
	for (size_t i = 0; i < n; i++) {
		if (bad[i].line <= last || bad[i].reason[0] == '\0')
			abort();
		last = bad[i].line;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct portfolio p = {{0}, {0}};
	char path[40];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (write(fd, data, size) == (ssize_t)size) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		(void)portfolio_file_read(path, &p);
		check(&p);
	}
	portfolio_free(&p);
	(void)close(fd);
	return 0;
}
