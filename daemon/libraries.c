/*
 * libraries - see libraries.h.  It includes headers that others keep, and asks each
 * for nothing but its version.
 */
#include "daemon/libraries.h"
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <expat.h>
#include <libwebsockets.h>
#include <microhttpd.h>
#include <nng/nng.h>
#include <sqlite3.h>
#include <string.h>
#include <uv.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>

void libraries_print(FILE *out)
{
	/* "4.1.6" or "4.1.6-..." with where it was built. */
	const XML_Expat_Version expat = XML_ExpatVersionInfo();
	const char *lws = lws_get_library_version();

	(void)fprintf(out,
		      "SQLite %s\nnng %s\nlibuv %s\nlibmicrohttpd %s\nlibcurl %s\n"
		      "libwebsockets %.*s\nlibyaml %s\ncJSON %s\nzlib %s\nzstd "
		      "%s\nexpat %d.%d.%d\n",
		      sqlite3_libversion(), nng_version(), uv_version_string(),
		      MHD_get_version(), curl_version_info(CURLVERSION_NOW)->version,
		      (int)strcspn(lws, "-"), lws, yaml_get_version_string(),
		      cJSON_Version(), zlibVersion(), ZSTD_versionString(), expat.major,
		      expat.minor, expat.micro);
}
