/*
 * show_event - one event as a line for the eye, or as a row of CSV.
 *
 * Prices are printed exactly; CSV rows hold every value, NULL as nothing.  A row of a
 * tick has the column names that `tickbusctl feed` looks for, so what was written by
 * one can be read by the other.  A matrix is a row per pair.
 */
#pragma once
#include "base/buf.h"
#include "client/tickbus.h"
#include "proto/record.h"

/** Append the line, ended, to @out. */
void show_event_pretty(struct buf *out, const struct tickbus_event *e);
/** The header of @kind's rows. */
void show_event_csv_header(struct buf *out, enum event_kind kind);
void show_event_csv(struct buf *out, const struct tickbus_event *e);
