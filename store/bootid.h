/*
 * bootid - which run of the machine this is: what was written and not synced is still
 * there after a crash of the process, but not after one of the machine.
 */
#pragma once
#include <stdint.h>

/**
 * Differs between any two boots; 0: cannot be known.  From the environment
 * (TICKBUS_BOOT_ID, which the unit sets because it hides /proc/sys) or the kernel.
 */
uint64_t bootid_read(void);
