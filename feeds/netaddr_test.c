/* netaddr_test - which addresses are of the public Internet. */
#include "feeds/feed_test.h"
#include "feeds/netaddr.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_public(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return netaddr_public((const struct sockaddr *)&v4, sizeof(v4));
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return netaddr_public((const struct sockaddr *)&v6, sizeof(v6));
}

static void addresses_of_the_internet_pass(void **state)
{
	static const char *const good[] = {
		"1.1.1.1",         "8.8.8.8",
		"9.255.255.255",   "11.0.0.0",
		"100.63.255.255",  "100.128.0.0",
		"126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0",
		"172.15.255.255",  "172.32.0.0",
		"192.0.1.0",       "192.167.255.255",
		"192.169.0.0",     "198.17.255.255",
		"198.20.0.0",      "223.255.255.255",
		"2606:4700::1111", "2001:4860:4860::8888",
		"2001:200::1",     "2001:db9::1",
		"2003::1",         "2a00:1450::1",
		"3ffe::1",         "64:ff9b::808:808",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!is_public(good[i]))
			fail_msg("%s was called private", good[i]);
}

static void everything_special_is_refused(void **state)
{
	static const char *const bad[] = {
		"0.0.0.0",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.170",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::ffff:8.8.8.8",
		"::ffff:10.0.0.1",
		"fe80::1",
		"fc00::1",
		"fdff::1",
		"ff02::1",
		"2001::1",
		"2001:1ff::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"3fff::1",
		"3fff:fff::1",
		"2620:4f:8000::1",
		"64:ff9b::7f00:1",
		"64:ff9b:1::1",
		"100::1",
		"4000::1",
		"::8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_public(bad[i]))
			fail_msg("%s was called public", bad[i]);
}

static void other_families_and_short_addresses_are_refused(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr other = {.sa_family = AF_UNIX};
	char text[NETADDR_TEXT_MAX];

	(void)state;
	inet_pton(AF_INET, "8.8.8.8", &v4.sin_addr);
	assert_true(netaddr_public((const struct sockaddr *)&v4, sizeof(v4)));
	assert_false(netaddr_public((const struct sockaddr *)&v4, sizeof(v4) - 1));
	assert_false(netaddr_public(&other, sizeof(other)));
	netaddr_print(text, (const struct sockaddr *)&v4, sizeof(v4));
	assert_string_equal(text, "8.8.8.8");
	netaddr_print(text, &other, sizeof(other));
	assert_string_equal(text, "an address of family 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_internet_pass),
		cmocka_unit_test(everything_special_is_refused),
		cmocka_unit_test(other_families_and_short_addresses_are_refused),
	};

	return cmocka_run_group_tests_name("netaddr", tests, NULL, NULL);
}
