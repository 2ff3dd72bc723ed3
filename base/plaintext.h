/*
 * plaintext - what a reader sees of a headline or summary that holds HTML.
 *
 * Tags become blanks, the entities of HTML 4 (and all numeric ones) their characters,
 * runs of blanks and line ends one blank.  What only looks like HTML stays: "P/E < 5",
 * "AT&T", an entity that nobody knows.  Valid UTF-8 stays valid.
 */
#pragma once
#include <stddef.h>

#define PLAINTEXT_ROUNDS 5

/** In place, NUL-terminated; the text never grows.  Returns its new length. */
size_t plaintext(char *text);
/** The same again until nothing changes: feeds hold HTML that was escaped twice. */
size_t plaintext_all(char *text);
/** Copy as much of @text as fits @cap with its NUL, whole characters only. */
void plaintext_cut(const char *text, char *out, size_t cap);
