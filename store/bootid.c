/* bootid - see bootid.h. */
#include "store/bootid.h"
#include "base/hash.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "/proc/sys/kernel/random/boot_id"
#define ID_MAX    64

/* The service manager writes it without dashes, the kernel with them. */
static uint64_t hash_id(const char *id, size_t len)
{
	uint64_t h = HASH_SEED;

	for (size_t i = 0; i < len && id[i] != '\n'; i++)
		if (id[i] != '-')
			h = hash_bytes(h, &id[i], 1);
	return h == HASH_SEED ? 0 : h;
}

uint64_t bootid_read(void)
{
	const char *given = getenv("TICKBUS_BOOT_ID");
	char id[ID_MAX];
	ssize_t n;
	int fd;

	if (given != NULL && given[0] != '\0')
		return hash_id(given, strlen(given));
	fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, id, sizeof(id));
	close(fd);
	return n > 0 ? hash_id(id, (size_t)n) : 0;
}
