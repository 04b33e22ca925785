/* isa.h -- the instructions of a .dnx file, from the table isa.def.
 *
 * opcode   which instruction
 * field    one of its operands; FIELD names like LOOP_TILE are its place in the instruction
 * section  a list of instructions of a file: the machine, its tensors, the program, where that comes from
 * form     how a field is written, which says which member of its union is used
 *
 * As text an instruction is one line: its word, then `field=value` for each field in the order of the table, a text in double quotes (with
 * \" and \\). Blank lines and what follows `;` are skipped. Text and bytes say the same: each comes back from the other byte for byte, but
 * for blanks and remarks. */
#ifndef RUNTIME_ISA_H
#define RUNTIME_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum opcode {
#define INSTRUCTION(op, word, section, text) OP_##op,
#include "runtime/isa.def"
	OP_COUNT
};

#define INSTRUCTION(op, word, section, text) enum {
#define FIELD(op, name, word, form, text) op##_##name,
#define END(op) op##_FIELDS };
#include "runtime/isa.def"

enum isa_section { SECTION_MACHINE, SECTION_TENSORS, SECTION_PROGRAM, SECTION_DEBUG, ISA_SECTIONS };
enum isa_form { FORM_COUNT, FORM_NUMBER, FORM_REAL, FORM_TEXT, FORM_WORDS };
enum { ISA_MAX_FIELDS = 24 };

union field {
	int64_t whole;    /* COUNT, NUMBER; WORDS: the place of the word */
	double real;      /* REAL */
	const char *text; /* TEXT */
};

struct instruction {
	enum opcode op;
	union field field[ISA_MAX_FIELDS];
};

struct field_info {
	const char *word, *text; /* in the assembler; what it says, "" where the word does */
	enum isa_form form;
	const char *words; /* WORDS: with blanks between them */
};

struct instruction_info {
	const char *word, *text;
	enum isa_section section;
	int fields;
	const struct field_info *field;
};

const struct instruction_info *isa_info(enum opcode);
/* The word at this place of a list; how many there are. */
const char *isa_word(const char *words, int64_t place, size_t *length);
int64_t isa_words(const char *words);

/* A list of instructions that owns their texts. */
struct code {
	struct instruction *at;
	int count, room;
	char **text; /* owned */
	int texts, text_room;
};

/* Appends an instruction, all fields 0 or "": the place of its fields, until the next is appended. NULL when memory is out. */
union field *code_add(struct code *, enum opcode);
/* A copy of the text that lives as long as the code; NULL when memory is out. */
const char *code_text(struct code *, const char *text);
void code_free(struct code *);

/* The bytes of the instructions (malloc'd, the caller frees them); NULL when memory is out. Equal code gives equal bytes. */
uint8_t *code_encode(const struct code *, size_t *size);
/* Survives any bytes: NULL, or a sentence (malloc'd) that tells the place. Accepts what code_encode writes and nothing else: varints in
 * their shortest form, words that there are, texts of UTF-8, instructions of this section alone. */
char *code_decode(struct code *, enum isa_section, const uint8_t *, size_t);

/* One line for each instruction. */
void code_print(const struct code *, FILE *);
/* Instructions of any sections, in any order; NULL, or a sentence with line and column. */
char *code_parse(struct code *, const char *text, size_t);

/* docs/isa.md. */
void isa_print_document(FILE *);

#endif
