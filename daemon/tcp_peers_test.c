/* tcp_peers_test - lines as proc(5) shows them, and connections of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/tcp_peers.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void lines_are_read(void **state)
{
	struct tcp_peer p;

	(void)state;
	assert_true(
		tcp_peer_parse("   3: 0100007F:1CE9 0100007F:9D78 01 00012345:00000000 "
			       "01:00000014 00000000     0        0 12345 1",
			       &p));
	assert_string_equal(p.address, "127.0.0.1:40312");
	assert_int_equal(p.port, 7401);
	assert_int_equal(p.waiting_b, 0x12345);
	assert_true(tcp_peer_parse("   0: 00000000000000000000000001000000:1CE9 "
				   "00000000000000000000000001000000:9D78 01 "
				   "00000000:00000000 00:00000000 00000000 0 0 1 1",
				   &p));
	assert_string_equal(p.address, "[::1]:40312");
	/* A listener, the head line, and rubbish. */
	assert_false(tcp_peer_parse("   0: 0100007F:1CE9 00000000:0000 0A "
				    "00000000:00000000 00:00000000",
				    &p));
	assert_false(
		tcp_peer_parse("  sl  local_address rem_address   st tx_queue", &p));
	assert_false(
		tcp_peer_parse("   0: 01007F:1CE9 0100007F:9D78 01 00000000:0", &p));
	assert_false(tcp_peer_parse("", &p));
}

struct search {
	uint16_t port;
	char address[64];
	unsigned found;
	uint64_t waiting;
};

static void look(void *arg, const struct tcp_peer *p)
{
	struct search *s = arg;

	if (p->port == s->port && strcmp(p->address, s->address) == 0) {
		s->found++;
		s->waiting = p->waiting_b;
	}
}

static void who_does_not_read_is_seen(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int server = socket(AF_INET, SOCK_STREAM, 0), client, conn;
	char data[4096] = {0};
	struct search s = {0};

	(void)state;
	assert_int_equal(bind(server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&a, &len), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
	conn = accept(server, NULL, NULL);
	assert_true(conn >= 0);
	while (send(conn, data, sizeof(data), MSG_DONTWAIT) > 0)
		; /* until both buffers are full */
	s.port = ntohs(a.sin_port);
	assert_int_equal(getsockname(client, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(s.address, sizeof(s.address), "127.0.0.1:%u", ntohs(a.sin_port));
	/* The kernel's table is read in pieces: what opens and closes meanwhile may
	 * hide a line. */
	for (int i = 0; i < 1000 && s.found == 0; i++)
		assert_int_equal(tcp_peers_each(100000, look, &s), 0);
	assert_int_equal(s.found, 1);
	assert_true(s.waiting > 0);
	/* The head of the table and one line of two. */
	s.found = 0;
	assert_int_equal(tcp_peers_each(2, look, &s), TCP_PEERS_MORE);
	assert_int_equal(tcp_peers_each(0, look, &s), TCP_PEERS_MORE);
	close(conn);
	close(client);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(who_does_not_read_is_seen),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
