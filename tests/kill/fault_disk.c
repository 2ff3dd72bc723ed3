/* fault_disk - see the header; nothing here is used by the product. */
#include "tests/kill/fault_disk.h"
#include "base/hash.h"
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 16

struct op {
	int64_t at;
	size_t len;
	uint8_t *data; /* owned; NULL: cut to @at */
};

struct fault_file {
	char path[256];
	uint8_t *base; /* owned: what is on the disk for certain */
	size_t base_len;
	struct op *ops; /* owned */
	size_t n_ops;
	size_t cap;
	/* A file of another content waits under this name for a sync of the directory.
	 */
	bool renamed;
	uint8_t *old_base; /* owned */
	size_t old_len;
};

static struct {
	struct fault_file files[FILES_MAX];
	int n_files;
	uint64_t n_ops;
	uint64_t boot;   /* cuts so far */
	uint64_t off_at; /* operations that still pass; UINT64_MAX: all */
} disk = {.off_at = UINT64_MAX};

static void resize(struct fault_file *f, size_t len)
{
	if (len > f->base_len) {
		f->base = realloc(f->base, len);
		memset(f->base + f->base_len, 0, len - f->base_len);
	}
	f->base_len = len;
}

static void apply(struct fault_file *f, const struct op *op, size_t from, size_t to)
{
	if (!op->data) {
		resize(f, (size_t)op->at);
		return;
	}
	if (to == from)
		return;
	if ((size_t)op->at + to > f->base_len)
		resize(f, (size_t)op->at + to);
	memcpy(f->base + op->at + from, op->data + from, to - from);
}

static void forget_ops(struct fault_file *f)
{
	for (size_t i = 0; i < f->n_ops; i++)
		free(f->ops[i].data);
	f->n_ops = 0;
}

static void load_base(struct fault_file *f)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		f->base = malloc((size_t)st.st_size);
		if (read(fd, f->base, (size_t)st.st_size) == st.st_size)
			f->base_len = (size_t)st.st_size;
	}
	close(fd);
}

struct fault_file *fault_disk_file(const char *path)
{
	struct fault_file *f;

	for (int i = 0; i < disk.n_files; i++)
		if (strcmp(disk.files[i].path, path) == 0)
			return &disk.files[i];
	assert(disk.n_files < FILES_MAX);
	f = &disk.files[disk.n_files++];
	*f = (struct fault_file){0};
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	load_base(f);
	return f;
}

void fault_disk_forget(void)
{
	for (int i = 0; i < disk.n_files; i++) {
		forget_ops(&disk.files[i]);
		free(disk.files[i].ops);
		free(disk.files[i].base);
		free(disk.files[i].old_base);
	}
	disk.n_files = 0;
	disk.n_ops = 0;
	disk.boot = 0;
	disk.off_at = UINT64_MAX;
}

bool fault_disk_begin(void)
{
	if (disk.off_at == 0)
		return false;
	disk.off_at -= disk.off_at != UINT64_MAX;
	disk.n_ops++;
	return true;
}

static void remember(struct fault_file *f, int64_t at, const void *data, size_t len)
{
	struct op *op;

	if (f->n_ops == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->ops = realloc(f->ops, f->cap * sizeof(*f->ops));
	}
	op = &f->ops[f->n_ops++];
	*op = (struct op){.at = at, .len = len};
	if (data) {
		op->data = malloc(len);
		memcpy(op->data, data, len);
	}
}

void fault_disk_wrote(struct fault_file *f, int64_t at, const void *data, size_t len)
{
	if (len > 0)
		remember(f, at, data, len);
}

void fault_disk_cut(struct fault_file *f, int64_t size)
{
	remember(f, size, NULL, 0);
}

void fault_disk_synced(struct fault_file *f)
{
	for (size_t i = 0; i < f->n_ops; i++)
		apply(f, &f->ops[i], 0, f->ops[i].len);
	forget_ops(f);
}

void fault_disk_renamed(const char *from, const char *to)
{
	struct fault_file *a = fault_disk_file(from), *b = fault_disk_file(to);
	struct fault_file was = *b;

	/* What stood under the name is what a lost rename leaves there. */
	*b = *a;
	memcpy(b->path, was.path, sizeof(b->path));
	b->old_base = was.renamed ? was.old_base : was.base;
	b->old_len = was.renamed ? was.old_len : was.base_len;
	b->renamed = true;
	if (was.renamed)
		free(was.base);
	forget_ops(&was);
	free(was.ops);
	*a = (struct fault_file){0};
	(void)snprintf(a->path, sizeof(a->path), "%s", from);
}

void fault_disk_dir_synced(void)
{
	for (int i = 0; i < disk.n_files; i++) {
		struct fault_file *f = &disk.files[i];

		free(f->old_base);
		f->old_base = NULL;
		f->renamed = false;
	}
}

uint64_t fault_disk_ops(void)
{
	return disk.n_ops;
}

void fault_disk_off_after(uint64_t n)
{
	disk.off_at = n;
}

uint64_t fault_disk_boot(void)
{
	return disk.boot + 1;
}

bool fault_disk_is_off(void)
{
	return disk.off_at == 0;
}

/* ---- the power cut ---- */

static uint32_t random_below(uint64_t *state, uint64_t n)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((hash_mix(*state) >> 32) * n >> 32);
}

/* Some of a write's sectors: a drive promises whole ones, in no order. */
static void apply_torn(struct fault_file *f, const struct op *op, size_t sector,
		       uint64_t *rng)
{
	size_t from = 0;

	if (!op->data)
		return; /* a size changes or it does not */
	while (from < op->len) {
		size_t end = ((size_t)op->at + from) / sector * sector + sector;
		size_t to = end - (size_t)op->at;

		to = to < op->len ? to : op->len;
		if (random_below(rng, 2) == 0)
			apply(f, op, from, to);
		from = to;
	}
}

static void lose(struct fault_file *f, enum power_loss model, uint64_t *rng)
{
	size_t keep = model == LOSS_ALL    ? 0
		      : model == LOSS_TAIL ? random_below(rng, f->n_ops + 1)
					   : f->n_ops;
	size_t sector = random_below(rng, 2) == 0 ? 512 : 4096;

	if (f->renamed && (model == LOSS_ALL || random_below(rng, 2) == 0)) {
		free(f->base);
		f->base = f->old_base;
		f->base_len = f->old_len;
		keep = 0;
	} else {
		free(f->old_base);
	}
	f->old_base = NULL;
	f->renamed = false;
	for (size_t i = 0; i < keep; i++) {
		const struct op *op = &f->ops[i];
		bool is_last = model == LOSS_TAIL && i + 1 == keep;

		if (model == LOSS_RANDOM && random_below(rng, 2) == 0)
			continue;
		if (is_last || (model == LOSS_RANDOM && random_below(rng, 4) == 0))
			apply_torn(f, op, sector, rng);
		else
			apply(f, op, 0, op->len);
	}
	forget_ops(f);
}

static void rewrite(const struct fault_file *f)
{
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* removed meanwhile */
	if (ftruncate(fd, 0) < 0 || pwrite(fd, f->base ? f->base : (const uint8_t *)"",
					   f->base_len, 0) != (ssize_t)f->base_len)
		abort();
	close(fd);
}

void fault_disk_on(enum power_loss model, uint64_t seed)
{
	disk.off_at = UINT64_MAX;
	if (model == LOSS_NONE)
		return;
	disk.boot++;
	for (int i = 0; i < disk.n_files; i++) {
		struct fault_file *f = &disk.files[i];
		bool never = f->renamed && f->old_base == NULL;

		lose(f, model, &seed);
		if (never && f->base == NULL)
			(void)unlink(f->path);
		else
			rewrite(f);
	}
}
