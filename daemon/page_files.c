/* page_files - see page_files.h. */
#include "daemon/page_files.h"
#include <string.h>

static const unsigned char index_html[] = {
#include "index_html.inc"
};
static const unsigned char page_css[] = {
#include "page_css.inc"
};
static const unsigned char page_js[] = {
#include "page_js.inc"
};
static const unsigned char heat_js[] = {
#include "heat_js.inc"
};
static const unsigned char table_js[] = {
#include "table_js.inc"
};
static const unsigned char candle_js[] = {
#include "candle_js.inc"
};
static const unsigned char study_js[] = {
#include "study_js.inc"
};
static const unsigned char news_js[] = {
#include "news_js.inc"
};
/* The chart library, or one byte when it was not fetched (tools/setup-page). */
static const unsigned char charts_js[] = {
#include "charts_js.inc"
};

#define HTML "text/html; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define JS   "text/javascript; charset=utf-8"

static const struct page_file files[] = {
	{"/", HTML, index_html, sizeof(index_html)},
	{"/page.css", CSS, page_css, sizeof(page_css)},
	{"/page.js", JS, page_js, sizeof(page_js)},
	{"/heat.js", JS, heat_js, sizeof(heat_js)},
	{"/table.js", JS, table_js, sizeof(table_js)},
	{"/candle.js", JS, candle_js, sizeof(candle_js)},
	{"/study.js", JS, study_js, sizeof(study_js)},
	{"/news.js", JS, news_js, sizeof(news_js)},
	{"/charts.js", JS, charts_js, sizeof(charts_js)},
};

const struct page_file *page_file_find(const char *path)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strcmp(path, files[i].path) == 0)
			return &files[i];
	}
	return NULL;
}
