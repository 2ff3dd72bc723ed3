/* webref - see webref.h. */
#include "feeds/webref.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of the scheme with its "://"; 0: no web address. */
static size_t scheme_len(const char *url)
{
	if (strncasecmp(url, "https://", 8) == 0)
		return 8;
	return strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
}

bool webref_is_url(const char *url)
{
	size_t n = scheme_len(url);

	if (n == 0 || strcspn(url + n, "/?#") == 0)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("\"<>\\", *c))
			return false;
	return true;
}

/* "scheme:" at the beginning, whatever the scheme. */
static bool has_scheme(const char *link, size_t len)
{
	size_t n = 0;

	while (n < len && ((link[n] >= 'a' && link[n] <= 'z') ||
			   (link[n] >= 'A' && link[n] <= 'Z') ||
			   (n > 0 && ((link[n] >= '0' && link[n] <= '9') ||
				      strchr("+-.", link[n]) != NULL))))
		n++;
	return n > 0 && n < len && link[n] == ':';
}

/* Take "." and ".." out of the path at @path, in place; @path begins with '/'. */
static void remove_dots(char *path)
{
	char *at = path, *to = path, rest[WEBREF_MAX];
	size_t end = strcspn(path, "?#");

	(void)snprintf(rest, sizeof(rest), "%s", path + end);
	path[end] = '\0';
	while (*at == '/') {
		size_t n = 1 + strcspn(at + 1, "/");
		bool is_last = at[n] == '\0';

		if (n == 2 && at[1] == '.') {
			if (is_last)
				*to++ = '/';
		} else if (n == 3 && at[1] == '.' && at[2] == '.') {
			while (to > path && *--to != '/')
				continue;
			if (is_last)
				*to++ = '/';
		} else {
			memmove(to, at, n);
			to += n;
		}
		at += n;
	}
	memmove(to, rest, strlen(rest) + 1); /* it was there, and further right */
}

/* How much of @base stays before a link that begins so. */
static size_t kept(const char *base, size_t scheme, const char *link, size_t len)
{
	size_t host = scheme + strcspn(base + scheme, "/?#");
	size_t path = host + strcspn(base + host, "?#");
	size_t n = path;

	if (len >= 2 && link[0] == '/' && link[1] == '/')
		return scheme - 2;
	if (len == 0)
		return path + strcspn(base + path, "#");
	if (link[0] == '/')
		return host;
	if (link[0] == '?')
		return path;
	if (link[0] == '#')
		return path + strcspn(base + path, "#");
	while (n > host && base[n - 1] != '/')
		n--;
	return n;
}

static bool make(const char *base, const char *link, size_t len, char out[WEBREF_MAX])
{
	size_t scheme = scheme_len(base), keep = 0;
	const char *between = "";
	char *path;

	if (!has_scheme(link, len)) {
		if (scheme == 0)
			return false;
		keep = kept(base, scheme, link, len);
		if (base[keep - 1] != '/' && len > 0 && strchr("/?#", link[0]) == NULL)
			between = "/"; /* "http://host" and "a" */
	}
	if (snprintf(out, WEBREF_MAX, "%.*s%s%.*s", (int)keep, base, between, (int)len,
		     link) >= WEBREF_MAX ||
	    scheme_len(out) == 0)
		return false;
	path = out + scheme_len(out);
	path += strcspn(path, "/?#");
	if (keep > 0 && *path == '/')
		remove_dots(path);
	return webref_is_url(out);
}

bool webref_resolve(const char *base, const char *link, char *out, size_t cap)
{
	char url[WEBREF_MAX];
	size_t len, n;

	link += strspn(link, " \t\r\n");
	len = strlen(link);
	while (len > 0 && strchr(" \t\r\n", link[len - 1]) != NULL)
		len--;
	out[0] = '\0';
	if (len >= WEBREF_MAX || !make(base, link, len, url))
		return false;
	n = strlen(url);
	if (n >= cap)
		return false;
	memcpy(out, url, n + 1);
	return true;
}
