/* fuzz.c -- gives dnnc damaged files and watches how it ends.
 *
 *     fuzz DNNC FOLDER SEED COUNT TEXT-OR-MODEL...
 *
 * Each case takes one of the files, damages it in one to six places, writes it into FOLDER and runs dnnc on it: on all
 * of them `-summary`, on small ones also `-o` with a machine. dnnc must end by itself with 0 (the damage did no harm),
 * 1 (a diagnostic), 2 (the machine is no cpu any more) or 5 (memory is out), must say something where it does not end
 * with 0, and must leave an object exactly where it ends with 0. A case that does otherwise is kept as
 * FOLDER/bad.NUMBER.* and told with its seed. The same seed gives the same cases. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

enum { MOST_BYTES = 16 << 20, SMALL = 3000, SECONDS = 60, ROOM = 64 };

struct bytes {
	unsigned char *data; /* malloc'd, MOST_BYTES */
	size_t size;
};

static uint64_t state;

/* Marsaglia's xorshift64*. */
static uint64_t number(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717u;
}

static size_t below(size_t bound)
{
	return bound ? (size_t)(number() % bound) : 0;
}

/* ---- Damage ---------------------------------------------------------------------------------------- */

static const char *const words[] = {
	"0",
	"-1",
	"1",
	"2147483648",
	"9223372036854775807",
	"9223372036854775808",
	"1e308",
	"1e-308",
	"(",
	")",
	"[",
	"]",
	"{",
	"}",
	"{{{{{{{{",
	"((((((((",
	",",
	";",
	"\n",
	"=",
	"+=",
	"max=",
	"..",
	"...",
	":",
	"/",
	"%",
	"\"",
	"/*",
	"//",
	"\\",
	"else",
	"if",
	"for",
	"in",
	"each",
	"op",
	"network",
	"machine",
	"cpu",
	"return",
	"require",
	"index",
	"param",
	"tensor",
	"import \"\"",
	"import \"case.dnn\"",
	"KiB",
	"MHz",
	"f32",
	"i8",
	"conv(",
	"floor(",
	"by",
	"I[",
	"relu(image)",
	"N",
	"native",
	"\xef\xbb\xbf",
	"\xff",
	"\r\n",
};

static void replace(struct bytes *file, size_t at, size_t gone, const void *with, size_t size)
{
	if (file->size - gone + size > MOST_BYTES)
		return;
	memmove(file->data + at + size, file->data + at + gone, file->size - at - gone);
	memcpy(file->data + at, with, size);
	file->size += size - gone;
}

static void flip_bit(struct bytes *file)
{
	if (file->size > 0)
		file->data[below(file->size)] ^= (unsigned char)(1u << below(8));
}

static void set_byte(struct bytes *file)
{
	static const unsigned char extreme[] = {0, 1, 0x7f, 0x80, 0xff, '\n', '"', '('};
	if (file->size > 0)
		file->data[below(file->size)] = extreme[below(sizeof extreme)];
}

static void insert_word(struct bytes *file)
{
	const char *word = words[below(sizeof words / sizeof *words)];
	replace(file, below(file->size + 1), 0, word, strlen(word));
}

/* The word or number at a random place becomes another. */
static void change_word(struct bytes *file)
{
	static const char inside[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.";
	size_t from = below(file->size), to = from;
	while (from > 0 && file->data[from - 1] && strchr(inside, file->data[from - 1]))
		from--;
	while (to < file->size && file->data[to] && strchr(inside, file->data[to]))
		to++;
	const char *word = words[below(sizeof words / sizeof *words)];
	replace(file, from, to - from, word, strlen(word));
}

static void remove_range(struct bytes *file)
{
	size_t at = below(file->size);
	size_t length = below(file->size - at < ROOM ? file->size - at + 1 : ROOM);
	replace(file, at, length, "", 0);
}

static void repeat_range(struct bytes *file)
{
	unsigned char range[ROOM];
	size_t at = below(file->size);
	size_t length = below(file->size - at < ROOM ? file->size - at + 1 : ROOM);
	memcpy(range, file->data + at, length);
	for (size_t times = 1 + below(3); times > 0; times--)
		replace(file, below(file->size), 0, range, length);
}

static void cut(struct bytes *file)
{
	file->size = below(file->size + 1);
}

static void damage(struct bytes *file)
{
	static void (*const ways[])(struct bytes *) = {
		flip_bit,    set_byte,    insert_word,  insert_word,  change_word,
		change_word, change_word, remove_range, repeat_range, cut,
	};
	size_t places = 1 + below(6);
	for (size_t i = 0; i < places; i++)
		ways[below(sizeof ways / sizeof *ways - (i > 0))](file); /* cut only first */
}

/* ---- Files ----------------------------------------------------------------------------------------- */

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void read_file(const char *path, struct bytes *file)
{
	FILE *stream = fopen(path, "rb");
	if (stream == NULL)
		give_up(path);
	file->size = fread(file->data, 1, MOST_BYTES, stream);
	fclose(stream);
}

static void write_file(const char *path, const struct bytes *file)
{
	FILE *stream = fopen(path, "wb");
	if (stream == NULL || fwrite(file->data, 1, file->size, stream) != file->size ||
	    fclose(stream) != 0)
		give_up(path);
}

/* ---- Cases ----------------------------------------------------------------------------------------- */

/* Runs dnnc with its output in `log`; the status as waitpid has it. */
static int run(char *const arguments[], const char *log)
{
	pid_t child = fork();
	if (child < 0)
		give_up("fork");
	if (child == 0) {
		int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		dup2(out, 1);
		dup2(out, 2);
		setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
		alarm(2 * SECONDS);
		if (getenv("DNNC_NO_LIMIT") == NULL) /* sanitizers reserve terabytes */
			setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)4 << 30, (rlim_t)4 << 30});
		execv(arguments[0], arguments);
		_exit(127);
	}
	int status;
	if (waitpid(child, &status, 0) != child)
		give_up("waitpid");
	return status;
}

static int is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* What is wrong with how dnnc ended, or NULL. `object` is the file that it was to write, or NULL. */
static const char *judge(int status, const char *log, const char *object)
{
	static char text[80];
	struct stat said;
	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof text, "ended by signal %d", WTERMSIG(status));
		return text;
	}
	int code = WEXITSTATUS(status);
	if (code != 0 && code != 1 && code != 2 && code != 5) {
		snprintf(text, sizeof text, "ended with %d", code);
		return text;
	}
	if (code != 0 && (stat(log, &said) != 0 || said.st_size == 0))
		return "failed without a word";
	if (object && is_there(object) != (code == 0))
		return code == 0 ? "ended with 0 and left no object" : "failed and left an object";
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: fuzz DNNC FOLDER SEED COUNT FILE...\n");
		return 2;
	}
	char *dnnc = argv[1], *folder = argv[2];
	uint64_t seed = strtoull(argv[3], NULL, 10);
	long count = strtol(argv[4], NULL, 10), accepted = 0, bad = 0;
	struct bytes file = {malloc(MOST_BYTES), 0};
	if (file.data == NULL)
		give_up("memory");
	for (long i = 0; i < count; i++) {
		state = (seed << 32) + (uint64_t)i * 2 + 1;
		number();
		const char *from = argv[5 + below((size_t)argc - 5)], *ending = strrchr(from, '.');
		char path[4096], log[4096], object[4096], header[4096];
		snprintf(path, sizeof path, "%s/case%s", folder, ending ? ending : "");
		snprintf(log, sizeof log, "%s/log", folder);
		snprintf(object, sizeof object, "%s/case.o", folder);
		snprintf(header, sizeof header, "%s/case.h", folder);
		read_file(from, &file);
		int compiles = file.size < SMALL && below(4) == 0;
		damage(&file);
		write_file(path, &file);
		unlink(object);
		unlink(header);
		char *summary[] = {dnnc, "-summary", path, NULL};
		char *compile[] = {dnnc, path, "-hw", "examples/host.hw", "-o", object, NULL};
		int status = run(compiles ? compile : summary, log);
		const char *wrong = judge(status, log, compiles ? object : NULL);
		accepted += status == 0;
		if (wrong == NULL)
			continue;
		snprintf(log, sizeof log, "%s/bad.%ld%s", folder, i, ending ? ending : "");
		write_file(log, &file);
		printf("case %ld of seed %s (%s%s): %s; kept as %s\n", i, argv[3], from,
		       compiles ? ", compiled" : "", wrong, log);
		bad++;
	}
	printf("%ld damaged files: %ld accepted, %ld rejected, %ld handled wrongly\n", count,
	       accepted, count - accepted - bad, bad);
	free(file.data);
	return bad > 0;
}
