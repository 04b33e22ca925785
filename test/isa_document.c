/* isa_document.c -- writes docs/isa.md to its standard output; test/isa.test holds the one in docs to it. */
#include "runtime/isa.h"

int main(void)
{
	isa_print_document(stdout);
	return fflush(stdout) != 0;
}
