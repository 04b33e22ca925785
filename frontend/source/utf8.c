/* utf8.c -- characters of UTF-8 text whose bytes nobody vouches for (Unicode 15, table 3-7). */
#include "frontend/source/utf8.h"

int utf8_decode(const char *text, size_t left, uint32_t *character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (left == 0)
		return 0;
	unsigned char lead = (unsigned char)text[0];
	if (lead < 0x80) {
		*character = lead;
		return 1;
	}
	int bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || left < (size_t)bytes)
		return 0;
	uint32_t value = lead & (0xffu >> (bytes + 1));
	for (int i = 1; i < bytes; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
	if (value < least[bytes] || value > 0x10ffff || is_surrogate)
		return 0;
	*character = value;
	return bytes;
}

bool utf8_is_shown(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		if (character >= hidden[i].first && character <= hidden[i].last)
			return false;
	return true;
}
