/* notify - see notify.h; the keeper of systemd's header. */
#include "daemon/notify.h"
#include "base/clock.h"
#include <systemd/sd-daemon.h>

void notify_ready(void)
{
	(void)sd_notify(0, "READY=1\nSTATUS=ready");
}

void notify_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
			 (long long)(clock_mono_ns() / NS_PER_US));
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=draining");
}

void notify_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}

uint64_t notify_watchdog_ms(void)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	return usec / 2000;
}

void notify_watchdog(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
