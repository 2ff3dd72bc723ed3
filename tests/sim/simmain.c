/*
 * simmain - simulations by seed.
 *
 *	sim [--seeds A..B | --seeds A+N | --seed N] [--list FILE] [--ticks N] [--twice]
 *[--say]
 *	    [--write CHRONICLE]
 *
 * Every seed is a world of its own (simrun.h) and ends before the invariant checker.  A
 * seed that fails is printed with the command that repeats it.  --list: the seeds of a
 * file, one a line, '#' begins a remark.  --twice: run each seed again and compare the
 * traces.  --write: leave the chronicle of the last seed as a file (chronicle_file.h).
 * Under TICKBUS_SLOW (a sanitizer) a range is cut to a twentieth.
 */
#include "base/log.h"
#include "tests/check/check.h"
#include "tests/check/chronicle_file.h"
#include "tests/kill/fault_vfs.h"
#include "tests/sim/simdir.h"
#include "tests/sim/simrun.h"

struct totals {
	unsigned long long seeds, bad, steps, records, events, crashes, cuts, faults,
		restored;
	unsigned long long looked[CHECK_N];
};

struct options {
	struct simrun_options run;
	bool twice;
	const char *program;
	const char *write;
};

static void say_bad(const struct options *o, const char *what)
{
	printf("seed %llu: %s\n", (unsigned long long)o->run.seed, what);
	printf("repeat with: %s --seed %llu", o->program,
	       (unsigned long long)o->run.seed);
	if (o->run.ticks > 0)
		printf(" --ticks %u", o->run.ticks);
	printf(" --say\n");
}

static bool is_same_again(const struct options *o, uint64_t trace)
{
	struct chronicle c;
	struct simrun_result again;

	chronicle_init(&c);
	simrun(&o->run, &c, &again);
	chronicle_free(&c);
	return again.trace == trace;
}

static void add_up(struct totals *t, const struct simrun_result *r,
		   const struct chronicle *c, const struct check_report *rep)
{
	t->steps += r->steps;
	t->crashes += r->crashes;
	t->cuts += r->power_cuts;
	t->faults += r->faults;
	t->restored += r->restored;
	t->records += c->n_records;
	t->events += c->n_events;
	for (int i = 0; i < CHECK_N; i++)
		t->looked[i] += rep->looked[i];
}

static void write_chronicle(const struct options *o, const struct chronicle *c)
{
	FILE *out = o->write != NULL ? fopen(o->write, "w") : NULL;

	if (out == NULL)
		return;
	chronicle_write(c, out);
	(void)fclose(out);
}

static void one(const struct options *o, struct totals *t)
{
	struct check_report rep = {0};
	struct simrun_result r;
	struct chronicle c;

	chronicle_init(&c);
	simrun(&o->run, &c, &r);
	write_chronicle(o, &c);
	if (r.failure[0] == '\0')
		check_chronicle(&c, &rep);
	t->seeds++;
	add_up(t, &r, &c, &rep);
	if (r.failure[0] != '\0') {
		say_bad(o, r.failure);
		t->bad++;
	} else if (rep.total > 0) {
		say_bad(o, buf_text(&rep.text));
		t->bad++;
	} else if (o->twice && !is_same_again(o, r.trace)) {
		say_bad(o, "run again it took another way");
		t->bad++;
	}
	if (o->run.say)
		printf("seed %llu: trace %016llx, %llu steps\n",
		       (unsigned long long)o->run.seed, (unsigned long long)r.trace,
		       (unsigned long long)r.steps);
	check_report_free(&rep);
	chronicle_free(&c);
}

static void listed(struct options *o, struct totals *t, const char *path)
{
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;

	if (in == NULL) {
		fprintf(stderr, "sim: cannot read %s\n", path);
		t->bad++;
		return;
	}
	while (getline(&line, &cap, in) > 0) {
		if (line[0] < '0' || line[0] > '9')
			continue;
		o->run.seed = strtoull(line, NULL, 10);
		one(o, t);
	}
	free(line);
	(void)fclose(in);
}

static void report(const struct totals *t)
{
	printf("%llu seeds, %llu bad: %llu steps, %llu crashes (%llu power cuts), %llu "
	       "disk faults, %llu starts from a snapshot, %llu records, %llu events\n",
	       t->seeds, t->bad, t->steps, t->crashes, t->cuts, t->faults, t->restored,
	       t->records, t->events);
	printf("looked at:");
	for (int i = 0; i < CHECK_N; i++)
		printf(" %s %llu", check_name((enum check_rule)i), t->looked[i]);
	printf("\n");
}

/* "A..B"; "A+N": N seeds from A on; "+N": from 1 on. */
static void parse_range(const char *s, unsigned long long *from, unsigned long long *to)
{
	unsigned long long n;

	if (sscanf(s, "%llu..%llu", from, to) != 2 &&
	    (sscanf(s, "%llu+%llu", from, &n) == 2 ||
	     (*from = 1, sscanf(s, "+%llu", &n) == 1)))
		*to = *from + n - 1;
}

int main(int argc, char **argv)
{
	struct options o = {.program = argv[0]};
	unsigned long long from = 0, to = 0;
	const char *list = NULL;
	struct totals t = {0};
	char dir[TEMPDIR_MAX];

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--say") == 0)
			o.run.say = true;
		else if (strcmp(argv[i], "--twice") == 0)
			o.twice = true;
		else if (strcmp(argv[i], "--seed") == 0 && argv[++i] != NULL)
			from = to = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--ticks") == 0 && argv[++i] != NULL)
			o.run.ticks = (uint32_t)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--list") == 0 && argv[++i] != NULL)
			list = value;
		else if (strcmp(argv[i], "--write") == 0 && argv[++i] != NULL)
			o.write = value;
		else if (strcmp(argv[i], "--seeds") == 0 && argv[++i] != NULL)
			parse_range(value, &from, &to);
	}
	if (getenv("TICKBUS_SLOW") != NULL)
		to = from + (to - from) / 20;
	fault_vfs_register();
	log_level_set(o.run.say ? LOG_WARN : (enum log_level)0);
	simdir_new(dir);
	o.run.dir = dir;
	if (list != NULL)
		listed(&o, &t, list);
	for (o.run.seed = from; o.run.seed <= to && to > 0; o.run.seed++)
		one(&o, &t);
	tempdir_remove(dir);
	report(&t);
	return t.bad > 0 || t.seeds == 0;
}
