/*
 * simsub - a subscriber that loses messages and gets them back: it hands events to its
 * user (the chronicle) in order per stream, asks catch-up for every hole that a later
 * event or a heartbeat shows, and on a new epoch begins again under a new name.
 */
#pragma once
#include "tests/check/chronicle.h"
#include "tests/sim/simrng.h"

struct simsub;

struct simsub_env {
	const char *name;
	uint32_t drop_percent; /* of live messages */
	struct chronicle *chronicle;
	struct simrng *rng;
	uint64_t *trace;
};

void simsub_new(const struct simsub_env *env, struct simsub **out);
void simsub_free(struct simsub *s);
/** A live frame or heartbeat. */
void simsub_frame(struct simsub *s, enum event_kind kind, const void *data, size_t len);
/** Ask for something that is missing, if anything is; one question at a time. */
bool simsub_step(struct simsub *s);
/** The connection broke. */
void simsub_lost(struct simsub *s);
/** Lose nothing any more; read everything from the oldest on, then be complete. */
void simsub_finish(struct simsub *s);
/** No hole is known, and nothing is under way. */
bool simsub_is_whole(const struct simsub *s);
/** In the chronicle, of the present epoch. */
uint32_t simsub_id(const struct simsub *s);
