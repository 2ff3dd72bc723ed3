/* fault_vfs - see the header; nothing here is used by the product. */
#include "tests/kill/fault_vfs.h"
#include "base/hash.h"
#include <sqlite3.h>

#define SECTOR 512

/* SQLite allocates szOsFile bytes: ours, and the real file behind it. */
struct file {
	sqlite3_file base;
	sqlite3_file *real;
	struct fault_file *disk; /* NULL: temporary */
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	enum fault_op ops;
	uint32_t countdown; /* 0: not armed */
	enum fault_kind kind;
	bool persistent;
	bool fired;
	uint64_t chance;
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

	if (x->disk && !fault_disk_begin())
		return SQLITE_IOERR_WRITE;
	if (len > 0) {
		rc = x->real->pMethods->xWrite(x->real, buf, len, at);
		if (x->disk)
			fault_disk_wrote(x->disk, at, buf, (size_t)len);
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
	if (x->disk && !fault_disk_begin())
		return SQLITE_IOERR_TRUNCATE;
	if (x->disk)
		fault_disk_cut(x->disk, size);
	return x->real->pMethods->xTruncate(x->real, size);
}

static int on_sync(sqlite3_file *f, int flags)
{
	struct file *x = file_of(f);

	(void)flags;
	if (strikes(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	if (x->disk && !fault_disk_begin())
		return SQLITE_IOERR_FSYNC;
	/* The real sync is left out: this machine's power stays on. */
	if (x->disk)
		fault_disk_synced(x->disk);
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

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags,
		   int *out_flags)
{
	struct file *x = file_of(f);
	int rc;

	(void)vfs;
	*x = (struct file){.real = (sqlite3_file *)(void *)(x + 1)};
	/* Before it exists: a new file begins empty on the disk. */
	if (name)
		x->disk = fault_disk_file(name);
	rc = fault.real->xOpen(fault.real, name, x->real, flags, out_flags);
	if (rc == SQLITE_OK)
		x->base.pMethods = &methods;
	return rc;
}

/* What SQLite seeds its generator with. */
static int on_chance(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	for (int i = 0; i < n; i++)
		out[i] = (char)hash_mix(fault.chance + (uint64_t)i);
	return n;
}

void fault_vfs_seed(uint64_t seed)
{
	fault.chance = seed;
	fault.vfs.xRandomness = on_chance;
	/* It asks the default layer, once, until it is told to forget. */
	(void)sqlite3_vfs_register(&fault.vfs, 1);
	sqlite3_randomness(0, NULL);
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
