/*
 * replay - runs a fuzz target without a fuzzer.
 *
 * Every file of a corpus goes in whole, then cut off at every length, then with
 * single bits flipped, always in the same order.  A finding is a crash or a
 * sanitizer's report; an absent or empty corpus is a failure too, so the test
 * cannot pass by doing nothing.  Inputs lie in blocks of exactly their size:
 * one byte read too far is seen by AddressSanitizer.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1 << 20)
#define CUTS_MAX       2000
#define FLIPS_MAX      8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t runs;

static void run(const uint8_t *data, size_t len)
{
	/* malloc(0) may be NULL, and a target may hand its input to memcmp. */
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (!copy)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	runs++;
}

static void run_variants(uint8_t *data, size_t len)
{
	size_t cut_step = len / CUTS_MAX + 1;
	size_t flip_step = len * 8 / FLIPS_MAX + 1;

	run(data, len);
	for (size_t cut = 0; cut < len; cut += cut_step)
		run(data, cut);
	/* A step that shares no factor with 8 visits every bit position. */
	flip_step |= 1;
	for (size_t bit = 0; bit < len * 8; bit += flip_step) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		run(data, len);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static int run_file(const char *path)
{
	uint8_t *data = malloc(FILE_MAX_BYTES);
	FILE *f = fopen(path, "rb");
	size_t len = 0;
	int rc = 0;

	if (!data || !f ||
	    (len = fread(data, 1, FILE_MAX_BYTES, f)) == FILE_MAX_BYTES || ferror(f)) {
		(void)fprintf(stderr, "replay: cannot read %s (or it is too big)\n",
			      path);
		rc = -1;
	}
	if (f)
		(void)fclose(f);
	if (rc == 0)
		run_variants(data, len);
	free(data);
	return rc;
}

static int run_dir(const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort), files = 0, rc = 0;

	if (n < 0) {
		(void)fprintf(stderr, "replay: %s: %s\n", dir, strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char path[4096];
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (rc == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			rc = run_file(path);
			files++;
		}
		free(names[i]);
	}
	free(names);
	if (rc == 0 && files == 0) {
		(void)fprintf(stderr, "replay: %s holds no file\n", dir);
		rc = -1;
	}
	(void)printf("%s: %d files, %llu inputs\n", dir, files,
		     (unsigned long long)runs);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
		return 2;
	}
	return run_dir(argv[1]) == 0 ? 0 : 1;
}
