/* serve - answers framed requests, one at a time, until their stream ends. */
#pragma once
#include "archive/archive.h"

/** 0 when @in ended between two frames; -EPROTO: it could not be read on. */
int serve_run(struct archive *a, int in, int out);
