/*
 * arrow_ipc - rows as an Arrow IPC file (Feather version 2), without a library.
 *
 * https://arrow.apache.org/docs/format/Columnar.html: "ARROW1", a schema, record
 * batches and a footer that says where these are; metadata are flatbuffers, which are
 * short enough here to be laid out by hand (archive/flat.h).  Types: Bool, Int 32 and
 * 64, FloatingPoint DOUBLE, Timestamp of nanoseconds with the zone UTC, Date of days,
 * Utf8. Not compressed, no dictionaries.
 */
#pragma once
#include "archive/duck_rows.h"
#include <stdio.h>

/** -EIO is of the file. */
int arrow_ipc_write(FILE *f, struct duck_rows *rows, uint64_t *out_rows);
