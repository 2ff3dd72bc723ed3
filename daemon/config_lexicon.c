/* config_lexicon - the words that headlines are scored by, from the file that `news`
 * names. */
#include "base/buf.h"
#include "base/err.h"
#include "daemon/config.h"
#include <stdio.h>
#include <string.h>

#define LEXICON_BYTES_MAX (8u << 20)

int config_lexicon(struct config *c)
{
	struct news_params *p = &c->derive.news;
	struct sentiment *scorer;
	struct buf text = {0};
	bool has = c->news_vader[0] != '\0';
	int rc = has ? buf_read_file(&text, c->news_vader, LEXICON_BYTES_MAX) : 0;

	if (rc == 0)
		rc = sentiment_new(p->flavour, has ? (char *)text.data : NULL, text.len,
				   &scorer);
	if (rc < 0) {
		buf_free(&text);
		return err_prefix(rc, "the configuration's section news");
	}
	(void)snprintf(p->lexicon, sizeof(p->lexicon), "%s",
		       sentiment_lexicon_version(scorer));
	sentiment_free(scorer);
	p->vader = (char *)text.data; /* a buf's memory is malloc's */
	p->vader_len = text.len;
	return 0;
}
