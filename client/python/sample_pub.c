/*
 * sample_pub - publishes one frame of every kind, over and over, for the test of
 * the Python subscriber.  Prints its port; ends when standard input does.
 */
#include "proto/frame.h"
#include "proto/sample_test.h"
#include "proto/topic.h"
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static void send_frame(nng_socket s, enum event_kind topic, const void *frame,
		       size_t len)
{
	char text[TOPIC_MAX];
	size_t topic_len = topic_kind(text, topic);
	nng_msg *msg;

	if (nng_msg_alloc(&msg, 0) != 0)
		return;
	if (nng_msg_append(msg, text, topic_len) != 0 ||
	    nng_msg_append(msg, frame, len) != 0 || nng_sendmsg(s, msg, 0) != 0)
		nng_msg_free(msg);
}

static void send_event(nng_socket s, enum event_kind kind, const void *event, int n)
{
	static uint8_t data[8192];
	struct frame f;

	frame_begin(&f, data, sizeof(data), kind, 77);
	for (int i = 0; i < n; i++)
		(void)frame_add(&f, event);
	send_frame(s, kind, data, frame_seal(&f, 5, SAMPLE_NS));
}

static void send_all(nng_socket s)
{
	struct event_tick tick = sample_tick();
	struct event_bar bar = sample_bar();
	struct event_tier1 tier1 = sample_tier1();
	struct sample_matrix m = sample_matrix();
	struct event_status status = sample_status();
	struct event_news news = sample_news();
	struct frame_heartbeat hb = {.last_seq = 9, .pos = 1010, .symbol = "AAPL"};
	uint8_t data[256];
	struct frame f;

	send_event(s, EVENT_TICK, &tick, 2);
	send_event(s, EVENT_BAR, &bar, 1);
	send_event(s, EVENT_TIER1, &tier1, 1);
	send_event(s, EVENT_TIER2, &m, 1);
	send_event(s, EVENT_STATUS, &status, 1);
	send_event(s, EVENT_NEWS, &news, 1);
	frame_heartbeat_begin(&f, data, sizeof(data), EVENT_BAR, 77, 1010);
	(void)frame_heartbeat_add(&f, &hb);
	send_frame(s, EVENT_HEARTBEAT, data, frame_heartbeat_seal(&f, 5, SAMPLE_NS));
}

int main(void)
{
	struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
	nng_listener listener;
	nng_socket s;
	int port = 0;

	if (nng_pub0_open(&s) != 0 ||
	    nng_listen(s, "tcp://127.0.0.1:0", &listener, 0) != 0 ||
	    nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) != 0)
		return 1;
	printf("%d\n", port);
	(void)fflush(stdout);
	while (poll(&end, 1, 20) == 0)
		send_all(s);
	return 0;
}
