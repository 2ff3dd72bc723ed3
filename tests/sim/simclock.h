/*
 * simclock - the virtual clock: a program that links simclock.c has base/clock.h read
 * from here.  Wall and monotonic differ by a constant; neither moves by itself.
 */
#pragma once
#include "base/clock.h"

/** Where it begins: 2026-01-05 14:00 UTC. */
#define SIMCLOCK_START (INT64_C(1767621600) * NS_PER_S)

void simclock_set(int64_t wall_ns);
void simclock_advance(int64_t ns);
