/*
 * notify - what the service manager hears: READY, RELOADING, STOPPING, STATUS
 * and WATCHDOG.  Without a manager (no NOTIFY_SOCKET) every call does nothing.
 */
#pragma once
#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *text);
/** How often the watchdog wants to be fed: half its limit, in ms; 0: never. */
uint64_t notify_watchdog_ms(void);
void notify_watchdog(void);
