/*
 * fault_disk - what a power cut could take: per file its contents at the last
 * sync and every write since, and a switch that turns the power off.
 *
 * The files are real ones, and until the power goes everybody sees the newest
 * contents, as through a page cache.  When it goes, at an operation of the test's
 * choice, every later one fails and leaves no trace: so whatever the code does in
 * its dismay, the disk does not hear of it.  fault_disk_on() then rewrites the
 * files as one of the states they could be in.
 *
 * Unsynced writes outlive a killed process, as they do in a page cache: a later
 * power cut may still take them.  One thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What unsynced writes become. */
enum power_loss {
	LOSS_ALL,    /* none of them reached the disk */
	LOSS_TAIL,   /* the first ones did, the last of those torn */
	LOSS_RANDOM, /* any subset did, some of those torn */
	LOSS_MODELS,
	LOSS_NONE, /* the process was killed: the page cache is as it was */
};

struct fault_file;

/** The file at @path (absolute); remembered as synced when it is new here. */
struct fault_file *fault_disk_file(const char *path);
/** Forget all files; power is on. */
void fault_disk_forget(void);

/** An operation is about to change the disk.  False: the power is off. */
bool fault_disk_begin(void);
/** ... and has: written into the page cache, cut off, made durable, renamed. */
void fault_disk_wrote(struct fault_file *f, int64_t at, const void *data, size_t len);
void fault_disk_cut(struct fault_file *f, int64_t size);
void fault_disk_synced(struct fault_file *f);
void fault_disk_renamed(const char *from, const char *to);
/** The directory was synced: renames are durable. */
void fault_disk_dir_synced(void);

/** Operations begun since fault_disk_forget(). */
uint64_t fault_disk_ops(void);
/** The power goes after @n more operations; 0: now. */
void fault_disk_off_after(uint64_t n);
bool fault_disk_is_off(void);
/** The machine's run: 1, and another one after each cut. */
uint64_t fault_disk_boot(void);
/** Power is back: the files are what @model, drawn by @seed, left of them. */
void fault_disk_on(enum power_loss model, uint64_t seed);
