#include "feeds/netaddr.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct range4 {
	uint32_t net;
	unsigned bits;
};

/* IANA IPv4 Special-Purpose Address Registry, and multicast. */
static const struct range4 special4[] = {
	{0x00000000, 8},  /* this network */
	{0x0a000000, 8},  /* private */
	{0x64400000, 10}, /* shared by a carrier's customers */
	{0x7f000000, 8},  /* loopback */
	{0xa9fe0000, 16}, /* link-local: metadata services of clouds */
	{0xac100000, 12}, /* private */
	{0xc0000000, 24}, /* protocol assignments */
	{0xc0000200, 24}, /* documentation */
	{0xc0586300, 24}, /* 6to4 relays, given up */
	{0xc0a80000, 16}, /* private */
	{0xc6120000, 15}, /* benchmarks */
	{0xc6336400, 24}, /* documentation */
	{0xcb007100, 24}, /* documentation */
	{0xe0000000, 4},  /* multicast */
	{0xf0000000, 4},  /* reserved, broadcast */
};

struct range6 {
	uint8_t net[6]; /* as much as the longest prefix here needs */
	unsigned bits;
};

/* The special ones inside 2000::/3, which is all that passes otherwise. */
static const struct range6 special6[] = {
	{{0x20, 0x01, 0x00, 0x00}, 23}, /* protocols: Teredo, ORCHID, benchmarks */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x20, 0x02}, 16},             /* 6to4: an IPv4 address inside */
	{{0x26, 0x20, 0x00, 0x4f, 0x80}, 48}, /* AS112 */
	{{0x3f, 0xff, 0x00, 0x00}, 20},       /* documentation */
};

/* NAT64 of RFC 6052: 64:ff9b::/96, judged by the IPv4 address at its end. */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

static bool public4(uint32_t a)
{
	for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++) {
		uint32_t mask = UINT32_MAX << (32 - special4[i].bits);

		if ((a & mask) == special4[i].net)
			return false;
	}
	return true;
}

static bool in_range6(const uint8_t *a, const struct range6 *r)
{
	unsigned whole = r->bits / 8;
	uint8_t mask = (uint8_t)(0xff << (8 - r->bits % 8));

	return memcmp(a, r->net, whole) == 0 &&
	       (r->bits % 8 == 0 || ((a[whole] ^ r->net[whole]) & mask) == 0);
}

static bool public6(const uint8_t *a)
{
	if (memcmp(a, nat64, sizeof(nat64)) == 0)
		return public4((uint32_t)a[12] << 24 | (uint32_t)a[13] << 16 |
			       (uint32_t)a[14] << 8 | a[15]);
	if ((a[0] & 0xe0) != 0x20)
		return false;
	for (size_t i = 0; i < sizeof(special6) / sizeof(special6[0]); i++)
		if (in_range6(a, &special6[i]))
			return false;
	return true;
}

bool netaddr_public(const struct sockaddr *sa, size_t len)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, sa, sizeof(v4));
		return public4(ntohl(v4.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(v6)) {
		memcpy(&v6, sa, sizeof(v6));
		return public6(v6.sin6_addr.s6_addr);
	}
	return false;
}

size_t netaddr_print(char buf[NETADDR_TEXT_MAX], const struct sockaddr *sa, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	int n;

	if (sa->sa_family == AF_INET && len >= sizeof(v4)) {
		memcpy(&v4, sa, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
		n = snprintf(buf, NETADDR_TEXT_MAX, "%s", text);
	} else if (sa->sa_family == AF_INET6 && len >= sizeof(v6)) {
		memcpy(&v6, sa, sizeof(v6));
		inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
		n = snprintf(buf, NETADDR_TEXT_MAX, "[%s]", text);
	} else {
		n = snprintf(buf, NETADDR_TEXT_MAX, "an address of family %d",
			     sa->sa_family);
	}
	return (size_t)n;
}
