/*
 * libraries - the versions of the libraries that are really loaded, which need not
 * be those of the build: for --version, and so for `tickbusctl doctor`.
 */
#pragma once
#include <stdio.h>

/** A line "NAME VERSION" per library. */
void libraries_print(FILE *out);
