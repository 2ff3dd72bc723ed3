/* conditions - one table of letters, one from numbers to letters. */
#include "feeds/conditions.h"
#include "base/clock.h"
#include "proto/record.h"

#define NO_PRICE   (TICK_NO_LAST | TICK_NO_RANGE)
#define NO_COUNT   (NO_PRICE | TICK_NO_VOLUME)
#define RANGE_ONLY TICK_NO_LAST

/* clang-format off */
static const uint8_t forbids[128] = {
	['C'] = NO_PRICE,   /* cash */
	['H'] = NO_PRICE,   /* price variation */
	['I'] = NO_PRICE,   /* odd lot */
	['M'] = NO_COUNT,   /* a market centre's official close */
	['N'] = NO_PRICE,   /* next day */
	['Q'] = NO_COUNT,   /* a market centre's official open */
	['R'] = NO_PRICE,   /* seller */
	['U'] = NO_PRICE,   /* out of hours and of sequence */
	['V'] = NO_PRICE,   /* contingent */
	['W'] = NO_PRICE,   /* average price */
	['7'] = NO_PRICE,   /* qualified contingent */
	['9'] = NO_COUNT,   /* corrected consolidated close */
	['4'] = RANGE_ONLY, /* derivatively priced */
	['G'] = RANGE_ONLY, /* bunched, sold late */
	['P'] = RANGE_ONLY, /* prior reference price */
	['Z'] = RANGE_ONLY, /* sold out of sequence */
};

/* Polygon's numbers for the same; those that forbid nothing are left out. */
static const char letters[64] = {
	[2] = 'W', [5] = 'G', [7] = 'C', [10] = '4', [12] = 'T', [13] = 'U', [15] = 'M',
	[16] = 'Q', [20] = 'N', [21] = 'H', [22] = 'P', [29] = 'R', [32] = 'Z', [33] = 'Z',
	[37] = 'I', [38] = '9', [52] = 'V', [53] = '7',
};
/* clang-format on */

unsigned conditions_letter(char tape, char letter, bool is_regular)
{
	if (letter == 'T')
		return is_regular ? NO_PRICE : 0;
	if (letter == 'B')
		return tape == 'A' || tape == 'B' ? NO_PRICE : 0;
	return (unsigned char)letter < 128 ? forbids[(unsigned char)letter] : 0;
}

unsigned conditions_number(unsigned tape, uint64_t number, bool is_regular)
{
	char letter = number < sizeof(letters) ? letters[number] : '\0';

	return conditions_letter((char)('A' + (tape + 2) % 3), letter, is_regular);
}

bool conditions_is_regular(const struct tz *newyork, int64_t ns)
{
	int64_t s = ns / NS_PER_S - (ns % NS_PER_S < 0);
	int64_t of_day = (s + tz_offset_s(newyork, s)) % 86400;

	if (of_day < 0)
		of_day += 86400;
	return of_day >= 9 * 3600 + 1800 && of_day < 16 * 3600;
}
