/*
 * netaddr - may a vendor live at this address?
 *
 * A name that a vendor's DNS, or somebody in between, points at our own network
 * would have us send requests (with keys) to a neighbour.  So only addresses of the
 * public Internet pass: what IANA's registries of special addresses call globally
 * reachable, and of IPv6 only what has been given out (2000::/3).
 *
 * Pure; any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NETADDR_TEXT_MAX 64

/** False for every family but IPv4 and IPv6, and for IPv4 written as IPv6. */
bool netaddr_public(const struct sockaddr *sa, size_t len);
/** "10.1.2.3", "[fe80::1]"; "an address of family 17".  Returns its length. */
size_t netaddr_print(char buf[NETADDR_TEXT_MAX], const struct sockaddr *sa, size_t len);
