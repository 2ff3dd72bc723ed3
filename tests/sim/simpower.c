/*
 * simpower - the power goes at every disk operation of a run, in three ways.
 *
 *	sim_power [--ticks N] [--every N] [--seed N] [--at K MODEL full|normal]
 *
 * A run of N ticks (500) is counted: so many writes, truncations, syncs and renames.
 * Then it is run again and again, and after operation 1, 2, 3 ... the power goes; what
 * was not synced is lost wholly, but for a torn beginning, or in any part.  The daemon
 * starts on what is left and the run goes on to its end.  Under `full` nothing that was
 * acknowledged may be missing, under `normal` only what is younger than the sync
 * interval on the virtual clock, and it must have been reported: the invariant checker
 * (rules ACKED and LOSS) judges this and everything else.
 *
 * --every N: only every N-th operation.  Under TICKBUS_SLOW every 40th of those.
 */
#include "base/log.h"
#include "tests/check/check.h"
#include "tests/kill/fault_vfs.h"
#include "tests/sim/simdir.h"
#include "tests/sim/simrun.h"

static const char *const models[] = {"all", "tail", "random"};

struct tally {
	unsigned long long runs, bad, acked, lost;
};

static void say_bad(const struct simrun_options *o, const char *what)
{
	printf("%sfails: sim_power --ticks %u --seed %llu --at %llu %s %s\n", what,
	       o->ticks, (unsigned long long)o->seed, (unsigned long long)o->cut_after,
	       models[o->cut_model], o->is_normal ? "normal" : "full");
}

static uint64_t one(const struct simrun_options *o, struct tally *t)
{
	struct check_report rep = {0};
	struct simrun_result r;
	struct chronicle c;

	chronicle_init(&c);
	simrun(o, &c, &r);
	if (r.failure[0] == '\0')
		check_chronicle(&c, &rep);
	t->runs++;
	t->bad += r.failure[0] != '\0' || rep.total > 0;
	t->acked += rep.looked[CHECK_ACKED];
	t->lost += rep.looked[CHECK_LOSS];
	if (r.failure[0] != '\0') {
		say_bad(o, r.failure);
		printf("\n");
	} else if (rep.total > 0) {
		say_bad(o, buf_text(&rep.text));
	}
	check_report_free(&rep);
	chronicle_free(&c);
	return r.disk_ops;
}

/* The operations of the run itself; what comes after its end cuts nothing short. */
static void all_points(struct simrun_options o, uint64_t every)
{
	struct tally count = {0}, t = {0};
	uint64_t ops;

	o.cut_after = UINT64_MAX;
	ops = one(&o, &count);
	for (o.cut_after = 1; o.cut_after <= ops; o.cut_after += every)
		for (int m = 0; m < LOSS_MODELS; m++) {
			o.cut_model = (enum power_loss)m;
			(void)one(&o, &t);
		}
	printf("durability %s: %llu disk operations, %llu power cuts, %llu "
	       "acknowledgements, %llu of them lost within the promise, %llu bad\n",
	       o.is_normal ? "normal" : "full", (unsigned long long)ops, t.runs,
	       t.acked, t.lost, t.bad + count.bad);
	/* A run that loses nothing under normal has cut nothing worth a cut. */
	if (t.bad + count.bad > 0 || t.acked == 0 ||
	    (o.is_normal ? t.lost == 0 && t.runs > 30 : t.lost > 0))
		exit(1);
}

static int one_point(struct simrun_options o, char **argv)
{
	struct tally t = {0};

	o.cut_after = strtoull(argv[0], NULL, 10);
	for (int m = 0; m < LOSS_MODELS; m++)
		if (strcmp(argv[1], models[m]) == 0)
			o.cut_model = (enum power_loss)m;
	o.is_normal = strcmp(argv[2], "normal") == 0;
	o.say = true;
	(void)one(&o, &t);
	return t.bad > 0;
}

int main(int argc, char **argv)
{
	struct simrun_options o = {.power_only = true, .ticks = 500, .seed = 7};
	uint64_t every = 1;
	char dir[TEMPDIR_MAX];
	int point = 0, rc = 0;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--ticks") == 0)
			o.ticks = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--every") == 0)
			every = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0)
			o.seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--at") == 0 && i + 3 < argc)
			point = i + 1;
	}
	if (getenv("TICKBUS_SLOW") != NULL)
		every *= 40;
	fault_vfs_register();
	log_level_set(point > 0 ? LOG_WARN : (enum log_level)0);
	simdir_new(dir);
	o.dir = dir;
	if (point > 0) {
		rc = one_point(o, &argv[point]);
	} else {
		all_points(o, every > 0 ? every : 1);
		o.is_normal = true;
		all_points(o, every > 0 ? every : 1);
	}
	tempdir_remove(dir);
	return rc;
}
