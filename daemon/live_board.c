/* live_board - see live_board.h. */
#include "daemon/live_board.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct notice {
	struct live_status status;
	struct buf ledger;
};

struct live_board {
	pthread_mutex_t lock; /* of all notices */
	size_t n;
	struct notice notice[];
};

int live_board_new(size_t n, struct live_board **out)
{
	struct live_board *b = calloc(1, sizeof(*b) + n * sizeof(b->notice[0]));

	if (b == NULL)
		return err_set(-ENOMEM, "out of memory for the state of %zu feeds", n);
	b->n = n;
	(void)pthread_mutex_init(&b->lock, NULL);
	*out = b;
	return 0;
}

void live_board_free(struct live_board *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		buf_free(&b->notice[i].ledger);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

size_t live_board_count(const struct live_board *b)
{
	return b != NULL ? b->n : 0;
}

void live_board_put(struct live_board *b, size_t i, const struct live_status *s,
		    const struct buf *ledger)
{
	struct notice *n = &b->notice[i];

	(void)pthread_mutex_lock(&b->lock);
	n->status = *s;
	if (ledger != NULL) {
		n->ledger.len = 0;
		buf_add(&n->ledger, ledger->data, ledger->len);
	}
	(void)pthread_mutex_unlock(&b->lock);
}

void live_board_get(struct live_board *b, size_t i, struct live_status *out)
{
	(void)pthread_mutex_lock(&b->lock);
	*out = b->notice[i].status;
	(void)pthread_mutex_unlock(&b->lock);
}

void live_board_ledger(struct live_board *b, size_t i, struct buf *out)
{
	(void)pthread_mutex_lock(&b->lock);
	buf_add(out, b->notice[i].ledger.data, b->notice[i].ledger.len);
	(void)pthread_mutex_unlock(&b->lock);
}
