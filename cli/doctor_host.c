/* doctor_host - the machine: its clock, and what a process may have. */
#include "cli/doctor.h"
#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <time.h>

#define YEAR_2024 INT64_C(1704067200)
#define FDS_LEAST 4096u

static void check_clock(struct doctor *d)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	if ((int64_t)time(NULL) < YEAR_2024)
		doctor_add(d, DOCTOR_BAD, "clock", "set the clock",
			   "the wall clock stands before 2024");
	else if (state < 0)
		doctor_add(d, DOCTOR_WARN, "clock", "look at 'timedatectl'",
			   "the kernel does not say whether it is synchronised");
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		doctor_add(d, DOCTOR_WARN, "clock",
			   "install chrony or enable systemd-timesyncd; ticks of live "
			   "feeds are judged by this clock",
			   "no time server keeps it (the kernel says: unsynchronised)");
	else
		doctor_add(d, DOCTOR_GOOD, "clock", "",
			   "synchronised, at most %.1f ms off",
			   (double)t.maxerror / 1e3);
}

static void check_limits(struct doctor *d)
{
	struct rlimit fds;

	if (d->status != NULL || getrlimit(RLIMIT_NOFILE, &fds) < 0)
		return; /* of a running one: process_max_fds, and an alert on it */
	if (fds.rlim_max < FDS_LEAST)
		doctor_add(d, DOCTOR_WARN, "descriptors",
			   "LimitNOFILE=65536, or ulimit -Hn 65536",
			   "at most %llu here; a full house needs %u",
			   (unsigned long long)fds.rlim_max, FDS_LEAST);
	else
		doctor_add(d, DOCTOR_GOOD, "descriptors", "", "up to %llu",
			   (unsigned long long)fds.rlim_max);
}

void doctor_host(struct doctor *d)
{
	check_clock(d);
	check_limits(d);
}
