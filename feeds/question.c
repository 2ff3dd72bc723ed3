#include "feeds/question.h"
#include "base/hash.h"
#include <string.h>

void question_add(struct question_list *l, struct question *q)
{
	q->prev = l->last;
	q->next = NULL;
	if (l->last != NULL)
		l->last->next = q;
	else
		l->first = q;
	l->last = q;
	l->n++;
}

void question_remove(struct question_list *l, struct question *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		l->first = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		l->last = q->prev;
	l->n--;
}

struct question *question_find(const struct question_list *l, uint64_t id)
{
	struct question *q = l->first;

	while (q != NULL && q->id != id)
		q = q->next;
	return q;
}

bool question_token_repeats(struct question *q, const char *token)
{
	uint64_t hash = hash_bytes(HASH_SEED, token, strlen(token));
	const uint64_t *seen = (const uint64_t *)(const void *)q->tokens.data;

	for (size_t i = 0; i < q->tokens.len / sizeof(hash); i++)
		if (seen[i] == hash)
			return true;
	buf_add(&q->tokens, &hash, sizeof(hash));
	return false;
}
