/* flat_test - what a reader of flatbuffers finds where the layout says. */
#include "archive/flat.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t u32(const struct buf *b, size_t at)
{
	uint32_t v;

	assert_true(at + 4 <= b->len);
	memcpy(&v, b->data + at, 4);
	return v;
}

/* Where field @i of the table at @at is; 0: absent.  As the format's text says it. */
static size_t field(const struct buf *b, size_t at, size_t i)
{
	size_t vtable = at - u32(b, at);
	uint16_t size;
	uint16_t offset;

	memcpy(&size, b->data + vtable, 2);
	if (4 + 2 * i >= size)
		return 0;
	memcpy(&offset, b->data + vtable + 4 + 2 * i, 2);
	return offset ? at + offset : 0;
}

static void tables_texts_and_vectors_are_where_their_offsets_lead(void **state)
{
	static const uint8_t sizes[] = {2, 1, 0, 4, 8, 4, 4};
	static const uint8_t child[] = {4};
	struct buf b = {0};
	size_t out[7];
	size_t one[1];
	size_t at;
	size_t root;
	uint64_t wide;

	(void)state;
	flat_root(&b, sizes, 7, out);
	flat_set(&b, out[0], 4, 2);
	flat_set(&b, out[1], 3, 1);
	flat_set(&b, out[4], INT64_C(0x123456789), 8);
	flat_text(&b, out[3], "seven b");
	at = flat_structs(&b, out[5], 2, 16);
	flat_set(&b, at + 16, 99, 8);
	at = flat_offsets(&b, out[6], 1);
	flat_table(&b, at, child, 1, one);
	flat_set(&b, one[0], 77, 4);
	flat_pad(&b, 8);
	assert_int_equal(b.len % 8, 0);

	root = u32(&b, 0);
	assert_int_equal(b.data[field(&b, root, 0)], 4);
	assert_int_equal(b.data[field(&b, root, 1)], 3);
	assert_int_equal(field(&b, root, 2), 0);
	assert_int_equal(field(&b, root, 4) % 8, 0);
	memcpy(&wide, b.data + field(&b, root, 4), 8);
	assert_true(wide == 0x123456789);
	at = field(&b, root, 3);
	at += u32(&b, at);
	assert_int_equal(u32(&b, at), 7);
	assert_string_equal((char *)b.data + at + 4, "seven b");
	at = field(&b, root, 5);
	at += u32(&b, at);
	assert_int_equal(u32(&b, at), 2);
	assert_int_equal((at + 4) % 8, 0);
	assert_int_equal(u32(&b, at + 4 + 16), 99);
	at = field(&b, root, 6);
	at += u32(&b, at);
	assert_int_equal(u32(&b, at), 1);
	at += 4;
	at += u32(&b, at);
	assert_int_equal(u32(&b, field(&b, at, 0)), 77);
	assert_int_equal(field(&b, at, 1), 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_texts_and_vectors_are_where_their_offsets_lead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
