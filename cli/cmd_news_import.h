/* cmd_news_import - `tickbusctl news import FILE...`, behind cmd_news.c. */
#pragma once
#include "cli/cli.h"

/** As a command's run(); @argv[0] is the word "import". */
int cmd_news_import(struct cli *c, int argc, char **argv);
