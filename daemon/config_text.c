/*
 * config_text - the two configurations that are built in, byte for byte as they lie
 * in the source tree (daemon/meson.build turns them into numbers).
 */
#include "daemon/config.h"

/* Each ends in a NUL that its length does not count. */
static const unsigned char default_text[] = {
#include "tickbusd_yaml.inc"
	0};

static const unsigned char demo_text[] = {
#include "demo_yaml.inc"
	0};

const char *config_default_text(size_t *out_len)
{
	*out_len = sizeof(default_text) - 1;
	return (const char *)default_text;
}

const char *config_demo_text(size_t *out_len)
{
	*out_len = sizeof(demo_text) - 1;
	return (const char *)demo_text;
}
