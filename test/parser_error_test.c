/* parser_error_test.c -- what is said of text that is no program: one finding for each mistake, at its place, in
 * the words of docs/language.md. */
#include "parser_fixture.h"

/* A text, and each finding as "line:column code: message"; a finding that is missing or too many fails. */
static const struct {
	const char *text;
	const char *said[4];
} golden[] = {
	{"netwrk f() { x = = ( }", {"1:1 syntax: unknown word 'netwrk'; did you mean 'network'?"}},
	{"hello",
	 {"1:1 syntax: expected an item such as 'op', 'network' or 'machine' or the end of the "
	  "file, found "
	  "name 'hello'"}},
	{"import blocks", {"1:8 syntax: expected a string, found name 'blocks'"}},
	{"op f(X[n] { y = ) }",
	 {"1:11 syntax: expected '=', ',', ';' or ')', found '{'",
	  "1:17 syntax: expected an expression, found ')'"}},
	{"op f(X, y) { }",
	 {"1:6 syntax: the tensor 'X' needs its dimensions, as in X[n, c]",
	  "1:6 note: attributes stand after a ';'",
	  "1:9 syntax: the tensor 'y' needs its dimensions, as in y[n, c]",
	  "1:9 note: attributes stand after a ';'"}},
	{"op in() { }", {"1:4 syntax: expected a name, but 'in' is a reserved word"}},
	{"train t {\n x = f(a\n y = 1\n}",
	 {"2:9 syntax: expected '=', ',' or ')', found the end of the line",
	  "2:7 note: to match this '('"}},
	{"train t {\n x = f(a b,\n       c)\n y = 1\n}",
	 {"2:10 syntax: expected '=', ',' or ')', found name 'b'"}},
	{"train t {\n x = (1 +\n y = 2 +\n}",
	 {"2:10 syntax: expected an expression, found the end of the line",
	  "3:9 syntax: expected an expression, found the end of the line"}},
	{"op f() {\n x = 1 +\n return x\n}",
	 {"2:9 syntax: expected an expression, found the end of the line"}},
	{"op f() {\n return\n}", {"2:8 syntax: expected an expression, found the end of the line"}},
	{"op f() { return }", {"1:17 syntax: expected an expression, found '}'"}},
	{"op f() { x = 1 2 }", {"1:16 syntax: expected the end of the line, found number '2'"}},
	{"op f() {\n if a = b { }\n}",
	 {"2:7 syntax: '=' binds a name at the start of a statement; to compare, write "
	  "'=='"}},
	{"op f() {\n if a { }\n else { }\n}",
	 {"3:2 syntax: 'else' stands on the line of the '}' before it"}},
	{"op f() { parm W[2] }", {"1:10 syntax: unknown word 'parm'; did you mean 'param'?"}},
	{"op f() { index = 2 }", {"1:10 syntax: 'index' is a reserved word and cannot be bound"}},
	{"op f() { x = index }",
	 {"1:14 syntax: expected an expression, but 'index' is a reserved word"}},
	{"op f() { x = a < b < c }",
	 {"1:20 syntax: comparisons do not chain: write a < b and b < c"}},
	{"op f() { x = [1, 2] }",
	 {"1:14 syntax: expected an expression, found '[': a list stands in ( )"}},
	{"op f() { f(x) }",
	 {"1:11 syntax: a call is no statement: bind its result, as in y = f(x)"}},
	{"op f() { O[n] -= 2 }",
	 {"1:15 syntax: no statement subtracts: add the negative, as in O[i] += -x"}},
	{"op f() { O[n] 2 }", {"1:15 syntax: expected '=', '+=' or 'max=', found number '2'"}},
	{"op f() { x = f(a = 1, 2) }",
	 {"1:23 syntax: an argument without a name stands behind one with a name"}},
	{"op f() { x = a && b }", {"1:16 foreign-operator: '&&' is written 'and'"}},
	{"op f() { param W: f33[n] }",
	 {"1:19 unknown-type: 'f33' is no element type; did you mean 'f32'?"}},
	{"op f() { param W: typo(X)[n] }",
	 {"1:19 unknown-type: expected 'type(X)' or 'accumulator(X)', found 'typo'"}},
	{"train t { return 1 }", {"1:11 syntax: a train block holds only lines of 'key = value'"}},
	{"op f() { x = 1 }\n}\nop g() { y = = }",
	 {"2:1 syntax: this '}' closes nothing", "3:14 syntax: expected an expression, found '='"}},
	{"op f() {\n x = 1\n\nop g() { y = = }",
	 {"4:1 syntax: expected '}' before the next item", "1:8 note: to match this '{'",
	  "4:14 syntax: expected an expression, found '='"}},
	{"machine m {\n array a[1] {\n\nnetwork n(x: f32[1]) {\n}",
	 {"4:1 syntax: expected '}' before the next item", "2:13 note: to match this '{'"}},
	{"op f() {\n if a {\n",
	 {"3:1 syntax: expected '}' before the end of the file", "2:7 note: to match this '{'"}},
	/* text */
	{"op f() {\n x = 1 $ 2 $\n y = 2\n $$$\n}",
	 {"2:8 bad-character: '$' cannot stand here", "4:2 bad-character: '$' cannot stand here"}},
	{"# comment", {"1:1 bad-character: '#' cannot stand here: comments begin with '//'"}},
	{"import \xe2\x80\x9c"
	 "a\xe2\x80\x9d",
	 {"1:8 bad-character: '\xe2\x80\x9c' cannot stand here: strings stand in straight quotes "
	  "'\"'"}},
	{"import\xc2\xa0\"a\"",
	 {"1:7 bad-character: character U+00A0 cannot stand here: this is a no-break space: write "
	  "a plain one"}},
	{"op f() { \xff\xfe }", {"1:10 bad-character: byte 0xff is not UTF-8"}},
	{"import \"a\xff\"", {"1:10 bad-character: byte 0xff of a string is not UTF-8"}},
	{"import \"a\nimport \"b\"",
	 {"1:8 unterminated-string: a string is not closed: expected '\"' before the end of the "
	  "line"}},
	{"import \"a\\",
	 {"1:8 unterminated-string: a string is not closed: expected '\"' before the end of the "
	  "line"}},
	{"import \"a\\q\"",
	 {"1:10 unknown-escape: unknown escape in a string: known are \\n \\t \\\" \\\\"}},
	{"import \"a\x01\"",
	 {"1:10 bad-character: a string cannot hold the control character 0x01"}},
	{"import \"a\" /* \n",
	 {"1:12 unterminated-comment: a comment is not closed: expected '*/' before the end of "
	  "the file"}},
	{"import \"a\"\rimport \"b\"\rimport \"c\"",
	 {"1:11 bad-character: a carriage return without a line feed: lines end with \\n or "
	  "\\r\\n"}},
	{"op f() { x = 3abc }", {"1:15 bad-number: a number is followed by 'abc' without a blank"}},
	{"op f() { x = 3KiB }",
	 {"1:15 bad-number: a number is followed by 'KiB' without a blank",
	  "1:15 note: units stand in machine descriptions only"}},
	{"op f() { x = 9007199254740992 }",
	 {"1:14 bad-number: the integer 9007199254740992 is too large: the greatest is "
	  "9007199254740991"}},
	{"op f() { x = 1e999 }", {"1:14 bad-number: the number 1e999 is too large"}},
	/* machines */
	{"machine m { size 3 kib }",
	 {"1:20 unknown-unit: unknown unit 'kib'; did you mean 'KiB'?"}},
	{"machine m { size 12 foo, cost 3 }", {"1:21 unknown-unit: unknown unit 'foo'"}},
	{"machine m { size 12 B/day }", {"1:21 unknown-unit: unknown unit 'B/day'"}},
	{"machine m {\n clok 200 MHz\n memroy glb { sise 3 }\n}",
	 {"2:2 unknown-word: 'clok' is no property and no block of a machine; did you mean "
	  "'clock'?",
	  "3:15 unknown-word: 'sise' is no property and no block of a machine; did you mean "
	  "'size'?",
	  "3:2 unknown-word: 'memroy' is no property and no block of a machine; did you mean "
	  "'memory'?"}},
	{"machine m { memory glb size 3 words }",
	 {"1:13 syntax: 'memory' is a block: expected '{' behind it"}},
	{"machine m { size { cost 3 } }",
	 {"1:13 syntax: 'size' is a property: it has values and no '{'"}},
	{"machine m { memory 3 { } }", {"1:20 syntax: expected a name for this memory"}},
	{"machine m { network torus(2) { } }",
	 {"1:21 syntax: expected a name for this network; its shape stands in [ ]"}},
	{"machine m { size 1 .. 4 step y2 }",
	 {"1:30 syntax: expected a step such as 'x2' or a quantity, found 'y2'"}},
	{"machine m { 3 }\ncpu { cost = 2 }",
	 {"1:13 syntax: expected a property, found number '3'",
	  "2:5 syntax: expected a name, found '{'",
	  "2:12 syntax: expected a value, a property or '{', found '='"}},
	/* mappings */
	{"map a on m { dram: kep I }", {"1:20 syntax: unknown word 'kep'; did you mean 'keep'?"}},
	{"map a on m { dram: 3 }",
	 {"1:20 syntax: expected 'for', 'parallel', 'keep', 'bypass', 'order' or 'stationary', "
	  "found number '3'"}},
	{"map a on m { dram for k }", {"1:19 syntax: expected ':', found 'for'"}},
	{"map a on { pe: parallel over r }",
	 {"1:10 syntax: expected a name, found '{'",
	  "1:25 syntax: expected a name, but 'over' is a reserved word"}},
};

Test(parser_error, each_error_says_what_was_found_and_what_was_expected)
{
	for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
		struct reading reading;
		read_text(&reading, golden[i].text);
		int expected = 0;
		while (expected < 4 && golden[i].said[expected])
			expected++;
		cr_expect_eq(reading.diag.count, expected, "%d findings, expected %d, for:\n%s",
			     reading.diag.count, expected, golden[i].text);
		for (int j = 0; j < reading.diag.count; j++) {
			const char *said = j < expected ? golden[i].said[j] : "nothing";
			char *found = finding_text(&reading, j);
			cr_expect_str_eq(found, said, "for:\n%s\nsaid:     %s\nexpected: %s",
					 golden[i].text, found, said);
			const struct span *span = &reading.diag.finding[j].span;
			cr_expect(span->begin <= span->end && span->end <= reading.source.size,
				  "a span within the text");
		}
		done(&reading);
	}
}

/* One statement with one error each; all are told, each on its line. */
static const char *const broken[] = {
	"x = = 1",       "x = (1, 2", "x = f(a",      "return",         "param",
	"param W[",      "index p",   "index p < ",   "require",        "x y",
	"O[n] *= 2",     "O[n] = ]",  "if { y = 1 }", "if a { y = = }", "for x { y = 1 }",
	"for in xs { }", "x = 1 $ 2", "x = \"abc",    "x = 3abc",       "x = a < b < c",
	"x = [1]",       "f(x)",      "x = )",        "else { y = 2 }", "x = a ? b",
	"x = f(,)",      "tensor 3",  "x = 1 +* 2",   "x = not",        "x = f(a = )",
};

Test(parser_error, independent_errors_are_all_told_once)
{
	enum { COUNT = sizeof broken / sizeof broken[0] };
	char text[4000] = "op f() {\n";
	for (int i = 0; i < COUNT; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "\tgood = %d\n\t%s\n", i,
			 broken[i]);
	strcat(text, "}\n");
	struct reading reading;
	read_text(&reading, text);
	int errors = 0;
	for (int i = 0; i < reading.diag.count; i++) {
		if (reading.diag.finding[i].severity == SEVERITY_NOTE)
			continue;
		int line, column;
		source_position(&reading.source, reading.diag.finding[i].span.begin, &line,
				&column);
		cr_expect_eq(line, 3 + 2 * errors, "error %d is told of line %d: %s", errors, line,
			     reading.diag.finding[i].message);
		errors++;
	}
	cr_expect_eq(errors, COUNT, "%d errors of %d", errors, COUNT);
	done(&reading);
}
