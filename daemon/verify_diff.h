/*
 * verify_diff - two events that should be one: which field differs, in words.
 */
#pragma once
#include "proto/event.h"

#define VERIFY_FIELD_MAX 48
#define VERIFY_TEXT_MAX  480

/** Name and symbol (tier2: universe and timeframe) of an event, for people. */
struct verify_face {
	enum event_kind kind;
	char symbol[SYMBOL_MAX + 16];
	uint64_t seq, pos;
};

void verify_face_of(enum event_kind kind, const void *event, struct verify_face *out);
/**
 * The first field that differs, by its name in JSON ("close", "members[3].n_obs"), or
 * "byte N" where JSON does not show it; @out_text: both values in a sentence's half.
 */
void verify_diff(enum event_kind kind, const void *stored, size_t stored_len,
		 const void *derived, size_t derived_len, char field[VERIFY_FIELD_MAX],
		 char text[VERIFY_TEXT_MAX]);
