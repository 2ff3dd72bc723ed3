/* serve_put - the requests that bring rows (archive/pipeframe.h). */
#pragma once
#include "archive/archive.h"
#include "archive/pipeframe.h"
#include "base/jsonw.h"

int serve_put_bars(struct archive *a, const struct pipeframe *f, struct jsonw *w);
int serve_put_events(struct archive *a, const struct pipeframe *f, struct jsonw *w);
int serve_put_frames(struct archive *a, const struct pipeframe *f, struct jsonw *w);
int serve_live_frames(struct archive *a, const struct pipeframe *f, struct jsonw *w);
