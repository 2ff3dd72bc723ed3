#include "feeds/secret.h"
#include "base/err.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX  512
#define SECRET_PAGE 4096
#define PATH_LEN    1024
#define NAME_LEN    64

/* Alone on its page, because locking and leaving out of dumps go by pages. */
struct secret {
	size_t len;
	char bytes[SECRET_MAX];
};

static int page_new(struct secret **out)
{
	void *page = mmap(NULL, SECRET_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (page == MAP_FAILED)
		return err_set(-ENOMEM, "no memory for a key");
	if (mlock(page, SECRET_PAGE) != 0) {
		rc = err_set(-errno,
			     "a page for a key cannot be locked in memory: %s; raise "
			     "LimitMEMLOCK (ulimit -l) to at least 64 KiB",
			     strerror(errno));
		goto fail;
	}
	/* A child of ours has no business with keys: it sees zeros. */
	if (madvise(page, SECRET_PAGE, MADV_DONTDUMP) != 0 ||
	    madvise(page, SECRET_PAGE, MADV_WIPEONFORK) != 0) {
		rc = err_set(-errno, "a key cannot be kept out of core dumps: %s",
			     strerror(errno));
		goto fail;
	}
	*out = page;
	return 0;
fail:
	munmap(page, SECRET_PAGE);
	return rc;
}

int secret_new(const char *bytes, size_t len, struct secret **out)
{
	struct secret *s;
	int rc;

	while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	if (len == 0)
		return err_set(-EINVAL, "the key is empty");
	if (len > SECRET_MAX)
		return err_set(-EINVAL, "the key is longer than %d bytes", SECRET_MAX);
	for (size_t i = 0; i < len; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return err_set(-EINVAL,
				       "byte %zu of the key is a blank, a control "
				       "character or not ASCII",
				       i + 1);
	rc = page_new(&s);
	if (rc < 0)
		return rc;
	s->len = len;
	memcpy(s->bytes, bytes, len);
	*out = s;
	return 0;
}

void secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s, sizeof(*s));
	munmap(s, SECRET_PAGE);
}

/* Who may have put a file where only we should read? */
static int judge_file(const char *path, int fd, bool strict)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set(-errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(-EINVAL, "%s is not a regular file", path);
	if (!strict)
		return 0;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(-EPERM, "%s belongs to user %u, not to us or root", path,
			       (unsigned)st.st_uid);
	if ((st.st_mode & 07777) != 0600 && (st.st_mode & 07777) != 0400)
		return err_set(-EPERM,
			       "%s has mode %04o, so others could read it or more; "
			       "make it 0600 or 0400",
			       path, (unsigned)st.st_mode & 07777);
	return 0;
}

/* 0, 1: not there, or < 0. */
static int load_file(const char *dir, const char *name, bool strict,
		     struct secret **out)
{
	char path[PATH_LEN];
	char bytes[SECRET_MAX + 3]; /* a line end, and one to see that it is longer */
	ssize_t n;
	int rc;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return err_set(-ENAMETOOLONG,
			       "the folder of keys has a name that is too "
			       "long");
	/* Non-blocking, so that a pipe of that name holds up nobody. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd < 0)
		return err_set(-errno, "%s: %s", path, strerror(errno));
	rc = judge_file(path, fd, strict);
	if (rc == 0) {
		n = read(fd, bytes, sizeof(bytes));
		rc = n < 0 ? err_set(-errno, "%s: %s", path, strerror(errno))
			   : secret_new(bytes, (size_t)n, out);
		if (n >= 0 && rc < 0)
			err_prefix(rc, "%s", path);
		explicit_bzero(bytes, sizeof(bytes));
	}
	close(fd);
	return rc;
}

static int load_environment(const char *name, struct secret **out)
{
	char upper[NAME_LEN + sizeof("TICKBUS_")] = "TICKBUS_";
	size_t at = strlen(upper);
	const char *value;
	int rc;

	for (size_t i = 0; name[i] != '\0'; i++)
		upper[at++] = (char)toupper((unsigned char)name[i]);
	value = getenv(upper);
	if (value == NULL)
		return 1;
	rc = secret_new(value, strlen(value), out);
	return rc < 0 ? err_prefix(rc, "$%s", upper) : rc;
}

int secret_load(const char *name, const char *dir, struct secret **out)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	int rc = 1;

	if (name[0] == '\0' || strlen(name) > NAME_LEN || strchr(name, '/') != NULL ||
	    name[0] == '.')
		return err_set(-EINVAL, "'%.64s' is no name for a key", name);
	if (credentials != NULL && credentials[0] != '\0')
		rc = load_file(credentials, name, false, out);
	if (rc == 1)
		rc = load_environment(name, out);
	if (rc == 1 && dir != NULL)
		rc = load_file(dir, name, true, out);
	if (rc != 1)
		return rc;
	return err_set(
		-ENOENT,
		"there is no key '%s': neither in $CREDENTIALS_DIRECTORY "
		"(LoadCredential=), nor as $TICKBUS_ and its name in capitals, nor "
		"as a file in %s",
		name, dir != NULL ? dir : "a folder of keys (none is configured)");
}

void secret_add(const struct secret *s, struct buf *out)
{
	/*
	 * Growing would leave the old bytes behind in the heap, with keys that were
	 * added before.  So grow by hand and wipe what is left.
	 */
	if (out->cap - out->len < s->len + 1) {
		struct buf larger = {0};

		buf_reserve(&larger, out->len + s->len + 256);
		if (out->len > 0)
			buf_add(&larger, out->data, out->len);
		secret_wipe(out);
		*out = larger;
	}
	buf_add(out, s->bytes, s->len);
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	unsigned char differ = 0;

	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		differ |= (unsigned char)(a->bytes[i] ^ b->bytes[i]);
	return differ == 0;
}

const char *secret_print(const struct secret *s)
{
	(void)s;
	return "***";
}

void secret_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Does @text begin with the key, any of its bytes perhaps percent-encoded? */
static bool begins_with_key(const struct secret *s, const char *text, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < s->len; i++) {
		if (at < len && text[at] == s->bytes[i]) {
			at++;
			continue;
		}
		if (len - at < 3 || text[at] != '%' || hex_digit(text[at + 1]) < 0 ||
		    hex_digit(text[at + 2]) < 0 ||
		    (hex_digit(text[at + 1]) << 4 | hex_digit(text[at + 2])) !=
			    s->bytes[i])
			return false;
		at += 3;
	}
	return true;
}

/*
 * Base64 of "KEY:" or of "user:KEY": the letters that depend on the key alone, for
 * a key that begins at byte 0, 1 or 2 of a group of three.
 */
static size_t base64_core(const struct secret *s, unsigned shift, char *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	size_t bits = s->len * 8;
	size_t bit = shift == 0 ? 0 : shift == 1 ? 4 : 2; /* the first whole letter */
	size_t n = 0;

	for (; bit + 6 <= bits; bit += 6) {
		const unsigned char *b = (const unsigned char *)s->bytes + bit / 8;
		unsigned pair =
			(unsigned)b[0] << 8 | (bit / 8 + 1 < s->len ? b[1] : 0u);

		out[n++] = letters[pair >> (10 - bit % 8) & 63];
	}
	return n;
}

bool secret_in(const struct secret *s, const char *text, size_t len)
{
	char core[SECRET_MAX * 4 / 3 + 4];
	bool found = false;

	for (size_t i = 0; i < len && !found; i++)
		found = begins_with_key(s, text + i, len - i);
	for (unsigned shift = 0; shift < 3 && !found; shift++) {
		size_t n = base64_core(s, shift, core);

		/* A few letters are in every text; five bytes of a key are not. */
		found = n >= 6 && memmem(text, len, core, n) != NULL;
	}
	explicit_bzero(core, sizeof(core));
	return found;
}
