/*
 * job_result - brings the result of a job that computes to where somebody wants it: the
 * daemon leaves it in a folder of its own, and only root and the daemon's user get
 * here.
 */
#pragma once
#include "cli/query.h"

/**
 * Copy the result of job @id to @path ("-": standard output), whole or not at all.
 * CLI_OK, or an exit code after a sentence: CLI_NEGATIVE, there is none.
 */
int job_result_bring(struct cli *c, uint64_t id, const char *path);
