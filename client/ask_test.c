#include "client/tickbus.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* One connection: read a line, write @reply in two pieces, hang up. */
static struct {
	char dir[64];
	char path[96];
	int fd;
	pthread_t thread;
	const char *reply;
	char heard[256];
} server;

static void *serve(void *arg)
{
	int fd = accept(server.fd, NULL, NULL);
	size_t len = 0, half = strlen(server.reply) / 2;

	while (len < sizeof(server.heard) - 1 && !memchr(server.heard, '\n', len)) {
		ssize_t n =
			read(fd, server.heard + len, sizeof(server.heard) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (write(fd, server.reply, half) >= 0 &&
	    write(fd, server.reply + half, strlen(server.reply) - half) < 0)
		perror("write");
	close(fd);
	return arg;
}

static void start_with(void *(*fn)(void *arg), const char *reply)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	memset(&server, 0, sizeof(server));
	server.reply = reply;
	strncpy(server.dir, "/tmp/tickbus-ask-XXXXXX", sizeof(server.dir) - 1);
	assert_non_null(mkdtemp(server.dir));
	snprintf(server.path, sizeof(server.path), "%s/sock", server.dir);
	memcpy(addr.sun_path, server.path, strlen(server.path));
	server.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(server.fd, 1), 0);
	assert_int_equal(pthread_create(&server.thread, NULL, fn, NULL), 0);
}

static void start(const char *reply)
{
	start_with(serve, reply);
}

static void stop(void)
{
	pthread_join(server.thread, NULL);
	close(server.fd);
	unlink(server.path);
	rmdir(server.dir);
}

static void an_answer_is_one_line(void **state)
{
	struct tickbus_options o = {.admin_path = server.path, .timeout_ms = 2000};
	char *answer = NULL;

	(void)state;
	start("{\"ok\":true}\nmore");
	assert_int_equal(tickbus_ask(&o, "{\"cmd\":\"status\"}", &answer), 0);
	assert_string_equal(answer, "{\"ok\":true}");
	tickbus_free(answer);
	stop();
	assert_string_equal(server.heard, "{\"cmd\":\"status\"}\n");
}

static void a_daemon_that_hangs_up_is_an_error(void **state)
{
	struct tickbus_options o = {.admin_path = server.path, .timeout_ms = 2000};
	char *answer = NULL;

	(void)state;
	start("{\"ok\":");
	assert_int_equal(tickbus_ask(&o, "{}", &answer), -ECONNRESET);
	assert_null(answer);
	stop();
}

/* Two questions on one connection, to which the daemon answers in turn. */
static void *serve_twice(void *arg)
{
	int fd = accept(server.fd, NULL, NULL);
	char c = 0;

	for (char i = '1'; i <= '2'; i++) {
		char answer[] = {'[', i, ']', '\n'};

		while (read(fd, &c, 1) == 1 && c != '\n')
			;
		if (write(fd, answer, sizeof(answer)) < 0)
			perror("write");
	}
	close(fd);
	return arg;
}

static void a_connection_serves_many_questions(void **state)
{
	struct tickbus_options o = {.admin_path = server.path, .timeout_ms = 2000};
	struct tickbus_admin *admin = NULL;
	char *answer = NULL;

	(void)state;
	start_with(serve_twice, "");
	assert_int_equal(tickbus_admin_open(&o, &admin), 0);
	assert_int_equal(tickbus_admin_ask(admin, "a\nb", &answer), -EINVAL);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(tickbus_admin_ask(admin, "{}", &answer), 0);
		assert_string_equal(answer, i == 1 ? "[1]" : "[2]");
		tickbus_free(answer);
		answer = NULL;
	}
	stop();
	assert_true(tickbus_admin_ask(admin, "{}", &answer) < 0);
	assert_null(answer);
	tickbus_admin_close(admin);
	tickbus_admin_close(NULL);
	assert_int_equal(tickbus_admin_open(&o, &admin), -ENOENT);
}

static void no_daemon_is_an_error_with_its_path(void **state)
{
	struct tickbus_options o = {.admin_path = "/nonexistent/admin.sock"};
	char *answer = NULL;

	(void)state;
	assert_int_equal(tickbus_ask(&o, "{}", &answer), -ENOENT);
	assert_non_null(strstr(tickbus_error(), "/nonexistent/admin.sock"));
	assert_int_equal(tickbus_ask(&o, "two\nlines", &answer), -EINVAL);
	assert_int_equal(tickbus_request(&o, TICKBUS_TICK, "{}", &answer), -EINVAL);
	assert_null(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_one_line),
		cmocka_unit_test(a_daemon_that_hangs_up_is_an_error),
		cmocka_unit_test(a_connection_serves_many_questions),
		cmocka_unit_test(no_daemon_is_an_error_with_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
