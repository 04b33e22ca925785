/* isa.c -- the table of instructions as data, and lists of them. */
#include "runtime/isa.h"

#include <stdlib.h>
#include <string.h>

/* The forms as isa.def writes them; WORDS with its list. */
#define COUNT FORM_COUNT, ""
#define NUMBER FORM_NUMBER, ""
#define REAL FORM_REAL, ""
#define TEXT FORM_TEXT, ""
#define WORDS(list) FORM_WORDS, list
#define INSTRUCTION(op, word, section, text) static const struct field_info fields_of_##op[] = {
#define FIELD(op, name, word, form, text) {word, text, form},
#define END(op)                                                                                    \
	}                                                                                          \
	;
#include "runtime/isa.def"

#define INSTRUCTION(op, word, section, text)                                                       \
	[OP_##op] = {word, text, SECTION_##section, op##_FIELDS, fields_of_##op},
static const struct instruction_info infos[OP_COUNT] = {
#include "runtime/isa.def"
};

#define INSTRUCTION(op, word, section, text)                                                       \
	_Static_assert((int)op##_FIELDS <= (int)ISA_MAX_FIELDS, word " has too many fields");
#include "runtime/isa.def"

const struct instruction_info *isa_info(enum opcode op)
{
	return &infos[op];
}

const char *isa_word(const char *words, int64_t place, size_t *length)
{
	for (; place > 0 && *words; place--) {
		words += strcspn(words, " ");
		words += *words == ' ';
	}
	*length = strcspn(words, " ");
	return words;
}

int64_t isa_words(const char *words)
{
	int64_t count = *words != '\0';
	for (; *words; words++)
		count += *words == ' ';
	return count;
}

/* ---- Lists ------------------------------------------------------------------------------------------------------------------ */

/* Room for one more; doubles. */
static bool grow(void **list, size_t element, int count, int *room)
{
	if (count < *room)
		return true;
	int more = *room ? 2 * *room : 64;
	void *grown = realloc(*list, element * (size_t)more);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

union field *code_add(struct code *code, enum opcode op)
{
	if (!grow((void **)&code->at, sizeof *code->at, code->count, &code->room))
		return NULL;
	struct instruction *i = &code->at[code->count++];
	memset(i, 0, sizeof *i);
	i->op = op;
	for (int k = 0; k < infos[op].fields; k++)
		if (infos[op].field[k].form == FORM_TEXT)
			i->field[k].text = "";
	return i->field;
}

const char *code_text(struct code *code, const char *text)
{
	char *copy = strdup(text);
	if (!copy ||
	    !grow((void **)&code->text, sizeof *code->text, code->texts, &code->text_room)) {
		free(copy);
		return NULL;
	}
	return code->text[code->texts++] = copy;
}

void code_free(struct code *code)
{
	for (int i = 0; i < code->texts; i++)
		free(code->text[i]);
	free(code->text);
	free(code->at);
	*code = (struct code){0};
}
