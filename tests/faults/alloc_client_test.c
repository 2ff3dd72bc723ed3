/* alloc_client_test - every allocation of libtickbus fails once, without a daemon. */
#include "client/tickbus.h"
#include "tests/faults/alloc_fork.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

static int open_clients(void)
{
	static const struct tickbus_options options = {.port_base = 1,
						       .timeout_ms = 20,
						       .admin_path = "/nonexistent",
						       .ring_path = "/nonexistent"};
	const struct tickbus_filter filter = {.kinds = 2};
	struct tickbus_sub *sub = NULL;
	struct tickbus_pub *pub = NULL;
	struct tickbus_tick t;
	struct tickbus_event e;
	int rc, rc2;

	alloc_fork_arm();
	rc = tickbus_sub_open(&options, &filter, &sub);
	if (rc == 0)
		(void)tickbus_sub_next(sub, 0, &e);
	tickbus_sub_close(sub);
	rc2 = tickbus_pub_open(&options, "test", "sim", 1, &pub);
	if (rc2 == 0) {
		alloc_fork_check(tickbus_tick_init(&t, "AAPL", 1700000000000000000) ==
				 0);
		t.price_e9 = 1;
		alloc_fork_check(tickbus_pub_add(pub, &t) >= 0);
	}
	tickbus_pub_close(pub);
	alloc_fork_disarm();
	alloc_fork_check(rc >= 0 || tickbus_error()[0] != '\0');
	return rc < 0 ? rc : rc2;
}

static void every_allocation_of_a_client_may_fail(void **state)
{
	(void)state;
	alloc_fork_loop("client", open_clients, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_client_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
