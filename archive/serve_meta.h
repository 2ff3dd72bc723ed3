/* serve_meta - requests that put what stands beside the bars (metadata/). */
#pragma once
#include "archive/archive.h"
#include "archive/pipeframe.h"
#include "base/jsonw.h"

/** {"do": "put_index", "name": "sp500", "members": {"AAPL": "2016-01-04T00:00:00Z"}} */
int serve_put_index(struct archive *a, const struct pipeframe *f, struct jsonw *w);
/** {"do": "put_actions", "symbol": "AAPL", "zone": "America/New_York", "actions":
    [{"ex_date": "2014-06-09", "kind": "split", "value": "7"}]} (archive/actions.h) */
int serve_put_actions(struct archive *a, const struct pipeframe *f, struct jsonw *w);
/** {"do": "put_metadata", "symbols": {"AAPL": {"sector": "Technology"}}} */
int serve_put_metadata(struct archive *a, const struct pipeframe *f, struct jsonw *w);
