/* fault_vfs - see the header; nothing here is used by the product. */
#include "tests/kill/fault_vfs.h"
#include "base/hash.h"
#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 16
#define SECTOR    512

struct op {
	int64_t at;
	size_t len;
	uint8_t *data; /* owned; NULL: truncate to @at */
};

struct tracked {
	char path[256];
	uint8_t *base; /* owned: what is on the disk for certain */
	size_t base_len;
	struct op *ops; /* owned */
	size_t n_ops;
	size_t cap;
};

/* SQLite allocates szOsFile bytes: ours, and the real file behind it. */
struct file {
	sqlite3_file base;
	sqlite3_file *real;
	struct tracked *tracked;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	enum fault_op ops;
	uint32_t countdown; /* 0: not armed */
	enum fault_kind kind;
	bool persistent;
	bool fired;
	struct tracked files[FILES_MAX];
	int n_files;
} fault;

static bool strikes(enum fault_op op)
{
	if (fault.countdown == 0 || !(fault.ops & op))
		return false;
	if (fault.fired)
		return fault.persistent;
	if (--fault.countdown > 0)
		return false;
	fault.countdown = 1; /* stays armed for the persistent kind */
	fault.fired = true;
	return true;
}

static struct file *file_of(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static void remember(struct tracked *t, int64_t at, const void *data, size_t len)
{
	struct op *op;

	if (!t)
		return;
	if (t->n_ops == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->ops = realloc(t->ops, t->cap * sizeof(*t->ops));
	}
	op = &t->ops[t->n_ops++];
	*op = (struct op){.at = at, .len = len};
	if (data) {
		op->data = malloc(len);
		memcpy(op->data, data, len);
	}
}

static void resize(struct tracked *t, size_t len)
{
	if (len > t->base_len) {
		t->base = realloc(t->base, len);
		memset(t->base + t->base_len, 0, len - t->base_len);
	}
	t->base_len = len;
}

static void apply(struct tracked *t, const struct op *op, size_t len)
{
	if (!op->data) {
		resize(t, (size_t)op->at);
		return;
	}
	if ((size_t)op->at + len > t->base_len)
		resize(t, (size_t)op->at + len);
	if (len > 0)
		memcpy(t->base + op->at, op->data, len);
}

static void forget_ops(struct tracked *t)
{
	for (size_t i = 0; i < t->n_ops; i++)
		free(t->ops[i].data);
	t->n_ops = 0;
}

static int on_close(sqlite3_file *f)
{
	return file_of(f)->real->pMethods->xClose(file_of(f)->real);
}

static int on_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	return file_of(f)->real->pMethods->xRead(file_of(f)->real, buf, n, at);
}

static int on_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	struct file *x = file_of(f);
	bool struck = strikes(FAULT_WRITE);
	int len = struck ? n / 2 : n;
	int rc = SQLITE_OK;

	if (len > 0) {
		rc = x->real->pMethods->xWrite(x->real, buf, len, at);
		remember(x->tracked, at, buf, (size_t)len);
	}
	if (!struck)
		return rc;
	return fault.kind == FAULT_ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct file *x = file_of(f);

	if (strikes(FAULT_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	remember(x->tracked, size, NULL, 0);
	return x->real->pMethods->xTruncate(x->real, size);
}

static int on_sync(sqlite3_file *f, int flags)
{
	struct file *x = file_of(f);

	(void)flags;
	if (strikes(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	/* The real sync is left out: this machine's power stays on. */
	if (x->tracked) {
		for (size_t i = 0; i < x->tracked->n_ops; i++)
			apply(x->tracked, &x->tracked->ops[i], x->tracked->ops[i].len);
		forget_ops(x->tracked);
	}
	return SQLITE_OK;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *out)
{
	return file_of(f)->real->pMethods->xFileSize(file_of(f)->real, out);
}

static int on_lock(sqlite3_file *f, int level)
{
	return file_of(f)->real->pMethods->xLock(file_of(f)->real, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	return file_of(f)->real->pMethods->xUnlock(file_of(f)->real, level);
}

static int on_reserved(sqlite3_file *f, int *out)
{
	return file_of(f)->real->pMethods->xCheckReservedLock(file_of(f)->real, out);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	return file_of(f)->real->pMethods->xFileControl(file_of(f)->real, op, arg);
}

static int on_sector(sqlite3_file *f)
{
	(void)f;
	return SECTOR;
}

static int on_traits(sqlite3_file *f)
{
	(void)f;
	return 0; /* promises nothing: no powersafe overwrite, no atomic writes */
}

/* Version 1 has no shared memory: exclusive WAL mode needs none. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
};

static void load_base(struct tracked *t)
{
	struct stat st;
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > 0) {
		t->base = malloc((size_t)st.st_size);
		if (read(fd, t->base, (size_t)st.st_size) == st.st_size)
			t->base_len = (size_t)st.st_size;
	}
	close(fd);
}

static struct tracked *track(const char *path)
{
	struct tracked *t;

	for (int i = 0; i < fault.n_files; i++)
		if (strcmp(fault.files[i].path, path) == 0)
			return &fault.files[i];
	assert(fault.n_files < FILES_MAX);
	t = &fault.files[fault.n_files++];
	*t = (struct tracked){0};
	(void)snprintf(t->path, sizeof(t->path), "%s", path);
	load_base(t);
	return t;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
		   int *out_flags)
{
	struct file *x = file_of(f);
	int rc;

	(void)vfs;
	*x = (struct file){.real = (sqlite3_file *)(void *)(x + 1)};
	/* Before it exists: a new file begins empty on the disk. */
	if (name)
		x->tracked = track(name);
	rc = fault.real->xOpen(fault.real, name, x->real, flags, out_flags);
	if (rc == SQLITE_OK)
		x->base.pMethods = &methods;
	return rc;
}

void fault_vfs_register(void)
{
	fault.real = sqlite3_vfs_find(NULL);
	fault.vfs = *fault.real;
	fault.vfs.zName = "fault";
	fault.vfs.pNext = NULL;
	fault.vfs.szOsFile = (int)sizeof(struct file) + fault.real->szOsFile;
	fault.vfs.xOpen = on_open;
	sqlite3_vfs_register(&fault.vfs, 0);
}

void fault_vfs_arm(enum fault_op ops, uint32_t nth, enum fault_kind kind,
		   bool persistent)
{
	fault.ops = ops;
	fault.countdown = nth;
	fault.kind = kind;
	fault.persistent = persistent;
	fault.fired = false;
}

void fault_vfs_disarm(void)
{
	fault.countdown = 0;
}

bool fault_vfs_fired(void)
{
	return fault.fired;
}

void fault_vfs_track(void)
{
	for (int i = 0; i < fault.n_files; i++) {
		forget_ops(&fault.files[i]);
		free(fault.files[i].ops);
		free(fault.files[i].base);
	}
	fault.n_files = 0;
}

static uint32_t random_below(uint64_t *state, uint64_t n)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((hash_mix(*state) >> 32) * n >> 32);
}

/* Part of a write, up to a sector's border in the file. */
static size_t torn(const struct op *op, uint64_t *rng)
{
	size_t cut = random_below(rng, op->len + 1);
	size_t end = ((size_t)op->at + cut) / SECTOR * SECTOR;

	return end <= (size_t)op->at ? 0 : end - (size_t)op->at;
}

static void lose(struct tracked *t, enum power_loss model, uint64_t *rng)
{
	size_t keep = model == LOSS_ALL    ? 0
		      : model == LOSS_TAIL ? random_below(rng, t->n_ops + 1)
					   : t->n_ops;

	for (size_t i = 0; i < keep; i++) {
		const struct op *op = &t->ops[i];
		size_t len = op->len;

		if (model == LOSS_TAIL && i + 1 == keep)
			len = torn(op, rng);
		if (model == LOSS_RANDOM && random_below(rng, 2) == 0)
			continue;
		if (model == LOSS_RANDOM && random_below(rng, 4) == 0)
			len = torn(op, rng);
		apply(t, op, len);
	}
	forget_ops(t);
}

void fault_vfs_power_loss(enum power_loss model, uint64_t seed)
{
	for (int i = 0; i < fault.n_files; i++) {
		struct tracked *t = &fault.files[i];
		int fd = open(t->path, O_WRONLY | O_CLOEXEC);

		lose(t, model, &seed);
		if (fd < 0)
			continue; /* removed meanwhile */
		if (ftruncate(fd, 0) < 0 ||
		    pwrite(fd, t->base ? t->base : (uint8_t *)"", t->base_len, 0) !=
			    (ssize_t)t->base_len)
			abort();
		close(fd);
	}
}
