/* runtime_random_test.c -- random.h against the published vectors. */
#include "runtime/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

/* Random123's kat_vectors, rows "philox4x32 10". The counter's words are counter low, counter high,
 * stream low, stream high; the key's are seed low, seed high. */
static const struct {
	uint32_t counter[4], key[2], words[4];
} known[] = {
	{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
	{{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
	{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
	 {0xa4093822, 0x299f31d0},
	 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static uint64_t join(const uint32_t pair[2])
{
	return (uint64_t)pair[1] << 32 | pair[0];
}

Test(random, words_equal_random123_kat_vectors)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		uint32_t words[4];
		random_words(join(known[i].key), join(known[i].counter + 2), join(known[i].counter),
			     words);
		for (int k = 0; k < 4; k++)
			cr_expect_eq(words[k], known[i].words[k], "vector %zu, word %d: %08" PRIx32,
				     i, k, words[k]);
	}
}

Test(random, uniform_is_the_top_24_bits_of_word_0)
{
	cr_expect_eq(random_uniform(0, 0, 0), 0x6627e8 * 0x1p-24f, "from 6627e8d5");
	cr_expect_eq(random_uniform(~0ull, ~0ull, ~0ull), 0x408f27 * 0x1p-24f, "from 408f276d");
}

Test(random, uniform_stays_in_0_to_1_with_mean_one_half)
{
	enum { DRAWS = 100000 };
	double sum = 0;
	for (uint64_t i = 0; i < DRAWS; i++) {
		float u = random_uniform(1, 2, i);
		cr_assert(u >= 0 && u < 1, "draw %" PRIu64 " is %a", i, (double)u);
		sum += (double)u;
	}
	/* the mean of so many has a standard deviation of 0.0009 */
	cr_expect(sum / DRAWS > 0.495 && sum / DRAWS < 0.505, "mean %f", sum / DRAWS);
}

Test(random, seed_stream_and_counter_each_matter)
{
	uint32_t at[4][4];
	random_words(1, 1, 1, at[0]);
	random_words(2, 1, 1, at[1]);
	random_words(1, 2, 1, at[2]);
	random_words(1, 1, 2, at[3]);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			cr_expect(memcmp(at[i], at[k], sizeof at[i]) != 0, "draws %d and %d", i, k);
}

/* Test vectors of the FNV draft (draft-eastlake-fnv), 64-bit FNV-1a. */
Test(random, stream_is_fnv_1a)
{
	cr_expect_eq(random_stream("", 0), 0xcbf29ce484222325, "the empty name");
	cr_expect_eq(random_stream("a", 1), 0xaf63dc4c8601ec8c, "a");
	cr_expect_eq(random_stream("foobar", 6), 0x85944171f73967e8, "foobar");
	cr_expect_eq(random_stream("foobar.W", 6), random_stream("foobar", 6), "length is obeyed");
	cr_expect_eq(random_stream("\xff", 1), 0xaf64724c8602eb6e, "bytes are unsigned");
}
