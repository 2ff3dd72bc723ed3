/*
 * polygon - the parts of its adapter: questions in polygon.c, answers in
 * polygon_rows.c.  Outside, feeds/vendor.h's polygon_ops is all there is.
 */
#pragma once
#include "feeds/vendor_parts.h"

/** As vendor_ops.parse. */
int polygon_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		  const char *next, const char *body, size_t len,
		  struct vendor_page *out);
/**
 * The path and query of a next_url, without its host and without any key in it; false
 * when it is no URL or does not fit.
 */
bool polygon_next(const char *url, char out[VENDOR_NEXT_MAX]);
