/*
 * past_retain - whole events that are older than asked go, whole chunks at a time.
 *
 * First the manifest says that they are gone, then their files are removed, oldest
 * first: what a crash leaves in between has a number that counts as gone, and the next
 * retain removes it.
 */
#include "archive/layout.h"
#include "archive/past_own.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The position from which on everything stays. */
static int find_first(struct past *p, int64_t before_ns, uint64_t until_pos,
		      uint64_t *out, bool *is_cut)
{
	uint64_t most = past_newest(p)->to_pos; /* which says where to go on */
	int rc = past_find_time(p, UINT32_MAX, before_ns, out);

	if (rc < 0)
		return rc;
	if (until_pos > 0 && until_pos < most)
		most = until_pos;
	*is_cut = rc == 1 || *out > most;
	if (*is_cut)
		*out = most;
	return 0;
}

/* Chunks that end before @pos, but for the last one, which carries the streams on. */
static void drop_entries(struct past_kind *k, uint64_t pos, struct past_retained *sum)
{
	size_t n = past_chunk_of(k, pos), had = past_n_chunks(k);

	if (n == had && n > 0)
		n--;
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		sum->chunks++;
		sum->events += past_entry_at(k, i)->n_events;
		sum->bytes += past_entry_at(k, i)->bytes;
	}
	memmove(k->entries.data, past_entry_at(k, n),
		k->entries.len - n * sizeof(struct past_entry));
	k->entries.len -= n * sizeof(struct past_entry);
	k->retired += n;
	k->cached = 0;
}

/* Files whose number counts as gone. */
static int sweep(const struct past *p, const struct past_kind *k)
{
	struct buf path = {0};
	size_t oldest = k->retired;
	int rc = 0;

	for (; oldest > 0; oldest--) {
		past_path_of(p, k->kind, oldest, &path);
		if (access((const char *)path.data, F_OK) < 0)
			break;
	}
	for (size_t i = oldest + 1; i <= k->retired && rc == 0; i++) {
		past_path_of(p, k->kind, i, &path);
		if (unlink((const char *)path.data) < 0 && errno != ENOENT)
			rc = err_set(-errno, "%s: %s", (char *)path.data,
				     strerror(errno));
	}
	buf_free(&path);
	return rc;
}

static int retain(struct past *p, int64_t before_ns, uint64_t until_pos,
		  struct past_retained *out)
{
	uint64_t pos;
	int rc = find_first(p, before_ns, until_pos, &pos, &out->is_cut);

	if (rc < 0)
		return rc;
	out->first_pos = past_first_pos(p);
	if (pos > out->first_pos) {
		out->first_pos = p->retired_pos = pos;
		for (unsigned k = 0; k < EVENT_KINDS; k++) {
			drop_entries(&p->kinds[k], pos, out);
			p->said[k] = past_n_chunks(&p->kinds[k]);
		}
		rc = past_manifest_write(p);
	}
	for (unsigned k = 0; k < EVENT_KINDS && rc == 0; k++)
		rc = sweep(p, &p->kinds[k]);
	return rc;
}

int past_retain(struct past *p, int64_t before_ns, uint64_t until_pos,
		struct past_retained *out)
{
	int rc = past_load(p);

	*out = (struct past_retained){0};
	if (rc < 0 || past_newest(p) == NULL)
		return rc;
	rc = retain(p, before_ns, until_pos, out);
	if (rc < 0)
		past_forget(p);
	return rc;
}
