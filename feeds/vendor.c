/* vendor - the table of adapters. */
#include "feeds/vendor.h"
#include <string.h>

static const struct vendor_ops *const vendors[] = {&alpaca_ops, &databento_ops,
						   &polygon_ops, &yahoo_ops};

#define VENDORS (sizeof(vendors) / sizeof(vendors[0]))

const struct vendor_ops *vendor_at(size_t i)
{
	return i < VENDORS ? vendors[i] : NULL;
}

const struct vendor_ops *vendor_find(const char *name)
{
	for (size_t i = 0; i < VENDORS; i++)
		if (strcmp(vendors[i]->name, name) == 0)
			return vendors[i];
	return NULL;
}
