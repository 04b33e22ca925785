/* show.c -- a whole program around an emitted network: reads a picture, runs LeNet-5 on it and shows both.
 *
 * Standard input: 28 * 28 brightnesses from 0 to 1, row by row, separated by white space.
 * This is all the C that a network needs: its header, its object, memory for its inputs, outputs and scratch. */
#include <math.h>
#include <stdio.h>
#include "lenet.h"

enum { SIDE = 28, CLASSES = 10, BAR = 16 };

static _Alignas(64) unsigned char scratch[LENET_SCRATCH_BYTES + 1];

/* Two rows of the picture make one line, since letters are twice as high as wide. */
static void draw_line(const float *pixel, int line)
{
	static const char shade[] = " .:-=+*#%@";
	for (int x = 0; x < SIDE; x++) {
		float light = (pixel[2 * line * SIDE + x] + pixel[(2 * line + 1) * SIDE + x]) / 2;
		putchar(shade[(int)(light * 9 + 0.5f)]);
	}
}

/* One output: its number, value and a bar from the middle to the left or right. */
static void draw_output(int number, const float *output, float greatest)
{
	int length = greatest > 0 ? (int)(fabsf(output[number]) / greatest * BAR + 0.5f) : 0;
	printf("   %d %+8.4f  ", number, output[number]);
	for (int i = -BAR; i <= BAR; i++) {
		int filled = output[number] < 0 ? i < 0 && -i <= length : i > 0 && i <= length;
		putchar(i == 0 ? '|' : filled ? '#' : ' ');
	}
}

int main(void)
{
	float pixel[SIDE * SIDE], output[CLASSES];
	for (int i = 0; i < SIDE * SIDE; i++) {
		if (scanf("%f", &pixel[i]) != 1 || !(pixel[i] >= 0 && pixel[i] <= 1)) {
			fprintf(stderr,
				"show: brightness %d of 784 is missing or not from 0 to 1\n",
				i + 1);
			return 1;
		}
	}

	struct lenet_inputs in = {pixel};
	struct lenet_outputs out = {output};
	lenet_run(&in, &out, scratch);

	float greatest = 0;
	for (int i = 0; i < CLASSES; i++)
		greatest = fmaxf(greatest, fabsf(output[i]));
	for (int line = 0; line < SIDE / 2; line++) {
		printf("  ");
		draw_line(pixel, line);
		if (line >= 2 && line < 2 + CLASSES)
			draw_output(line - 2, output, greatest);
		putchar('\n');
	}
	return 0;
}
