/* exitcode - see exitcode.h. */
#include "daemon/exitcode.h"
#include <errno.h>

int exitcode_of(int rc)
{
	switch (-rc) {
	case 0:
		return EXITCODE_OK;
	case EBADMSG:
		return EXITCODE_DATA;
	case EBUSY:
		return EXITCODE_BUSY;
	case EIO:
	case ENOSPC:
		return EXITCODE_IO;
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOENT:
	case ENOTDIR:
		return EXITCODE_CANTCREATE;
	case EADDRINUSE:
	case EADDRNOTAVAIL:
		return EXITCODE_UNAVAILABLE;
	case EINVAL:
		return EXITCODE_CONFIG;
	default:
		return EXITCODE_INTERNAL;
	}
}
