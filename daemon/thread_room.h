/* thread_room - may this process start the threads that it is going to need? */
#pragma once

/**
 * Start @n threads at once and let them go again.  0, or -EAGAIN with a sentence.
 * nng 1.5.2 hangs or crashes when one of its own cannot be started, so this is asked
 * before it is touched.
 */
int thread_room_check(unsigned n);
