/* kernel.c -- one blocked product for each group of a layer.
 *
 * Of two inputs A and B, dimensions are of four kinds:
 *     group    they index A, B and the output
 *     pixel    they do not index B
 *     lane     they index B and the output, not A
 *     reduced  they do not index the output
 * For each group, B is packed lane by lane, and a few pixels at once meet all that is reduced. Values are doubles, in which sums of
 * products of 16 bits are exact to 2^53. What has other inputs, or more to sum, is done point by point. */
#include "runtime/simulator/kernel.h"
#include "runtime/simulator/box.h"
#include "runtime/simulator/place.h"

#include <stdlib.h>
#include <string.h>

enum { LANES_AT_ONCE = 8, PIXELS_AT_ONCE = 4, MOST_REDUCED = 1 << 22 };
enum kind { GROUP, PIXEL, LANE, REDUCED, KINDS };

/* The words of an operand as an array over the coordinates of its ranks, where the position of a dimension moves by its stride. */
struct words {
	int64_t first; /* of the point where all positions are 0 */
	int64_t stride[LAYER_DIMS];
	int64_t count;
};

static struct words words_of(const struct sim_layer *l, const struct layer_operand *o)
{
	struct words w = {.count = 1};
	for (int r = o->ranks - 1; r >= 0; r--) {
		w.first -= o->rank[r].least * w.count;
		for (int d = 0; d < l->dims; d++)
			w.stride[d] += o->rank[r].coef[d] * w.count;
		w.count *= o->rank[r].length;
	}
	return w;
}

static struct box box_of(const struct layer_operand *o)
{
	struct box box;
	for (int r = 0; r < MAX_RANK; r++) {
		box.first[r] = r < o->ranks ? o->rank[r].least : 0;
		box.extent[r] = r < o->ranks ? o->rank[r].length : 1;
	}
	return box;
}

/* Every word, those outside of the tensor as 0. */
static double *load(const struct tensors *tensors, const struct layer_operand *o, int64_t count)
{
	const struct sim_tensor *t = &tensors->tensor[o->tensor];
	double *value = malloc((size_t)count * sizeof *value), *to = value;
	struct box box = box_of(o);
	int64_t coordinate[MAX_RANK];
	if (!value)
		return NULL;
	memcpy(coordinate, box.first, sizeof coordinate);
	do {
		int64_t element = place_in_tensor(o, t, coordinate);
		*to++ = element < 0 ? 0 : (double)tensor_word(tensors, t, element);
	} while (box_next(&box, coordinate));
	return value;
}

static void add_to_tensor(const struct tensors *tensors, const struct layer_operand *o,
			  const int64_t *sum)
{
	const struct sim_tensor *t = &tensors->tensor[o->tensor];
	struct box box = box_of(o);
	int64_t coordinate[MAX_RANK];
	memcpy(coordinate, box.first, sizeof coordinate);
	do {
		int64_t element = place_in_tensor(o, t, coordinate);
		if (element >= 0)
			tensor_set_word(tensors, t, element,
					(int64_t)((uint64_t)tensor_word(tensors, t, element) +
						  (uint64_t)*sum));
		sum++;
	} while (box_next(&box, coordinate));
}

/* ---- All points of some dimensions ---------------------------------------------------------------------------------------------- */

/* For each point of the dimensions of one kind: how far it lies in A, B and the output. */
struct points {
	int64_t count;
	int64_t *offset[3];
};

static void points_free(struct points *p)
{
	for (int i = 0; i < 3; i++)
		free(p->offset[i]);
}

static bool points_make(struct points *p, const struct sim_layer *l, const int dim[], int dims,
			const struct words words[3])
{
	int64_t position[LAYER_DIMS] = {0};
	*p = (struct points){.count = 1};
	for (int i = 0; i < dims; i++)
		p->count *= l->extent[dim[i]];
	for (int i = 0; i < 3; i++) {
		p->offset[i] = malloc((size_t)p->count * sizeof(int64_t));
		if (!p->offset[i])
			return false;
	}
	for (int64_t point = 0; point < p->count; point++) {
		for (int i = 0; i < 3; i++) {
			p->offset[i][point] = 0;
			for (int k = 0; k < dims; k++)
				p->offset[i][point] += position[k] * words[i].stride[dim[k]];
		}
		for (int k = dims - 1; k >= 0 && ++position[k] == l->extent[dim[k]]; k--)
			position[k] = 0;
	}
	return true;
}

/* ---- The product ------------------------------------------------------------------------------------------------------------------ */

struct product {
	const struct tensors *tensors;
	const struct sim_tensor *lane_tensor; /* B, where it lies; NULL: its words are in b */
	const double *a, *b;
	double *packed; /* [reduced][LANES_AT_ONCE] */
	int64_t *sum;
	struct points points[KINDS];
};

typedef double lanes_of_8 __attribute__((vector_size(LANES_AT_ONCE * sizeof(double))));

#if defined __x86_64__
#define FOR_THIS_COMPUTER __attribute__((target_clones("arch=haswell", "default")))
#else
#define FOR_THIS_COMPUTER
#endif

/* sum[pixel][lane] = sum over what is reduced of a * packed */
FOR_THIS_COMPUTER static void multiply(const double *const a[PIXELS_AT_ONCE],
				       const int64_t *reduced, int64_t count, const double *packed,
				       double sum[PIXELS_AT_ONCE][LANES_AT_ONCE])
{
	lanes_of_8 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
	for (int64_t r = 0; r < count; r++) {
		lanes_of_8 b;
		int64_t at = reduced[r];
		memcpy(&b, packed + r * LANES_AT_ONCE, sizeof b);
		s0 += a[0][at] * b;
		s1 += a[1][at] * b;
		s2 += a[2][at] * b;
		s3 += a[3][at] * b;
	}
	memcpy(sum[0], &s0, sizeof s0);
	memcpy(sum[1], &s1, sizeof s1);
	memcpy(sum[2], &s2, sizeof s2);
	memcpy(sum[3], &s3, sizeof s3);
}

/* The words of some lanes; of lanes beyond the last, zeros. */
static void pack(const struct product *p, int64_t group, int64_t lane, int64_t lanes)
{
	const struct points *reduced = &p->points[REDUCED];
	const uint8_t *data = p->lane_tensor ? p->tensors->image + p->lane_tensor->address : NULL;
	memset(p->packed, 0, (size_t)reduced->count * LANES_AT_ONCE * sizeof(double));
	for (int64_t k = 0; k < lanes; k++) {
		int64_t first =
			p->points[GROUP].offset[1][group] + p->points[LANE].offset[1][lane + k];
		double *to = p->packed + k;
		if (!data)
			for (int64_t r = 0; r < reduced->count; r++)
				to[r * LANES_AT_ONCE] = p->b[first + reduced->offset[1][r]];
		else if (p->lane_tensor->type == TYPE_I8)
			for (int64_t r = 0; r < reduced->count; r++)
				to[r * LANES_AT_ONCE] =
					((const int8_t *)data)[first + reduced->offset[1][r]];
		else
			for (int64_t r = 0; r < reduced->count; r++)
				to[r * LANES_AT_ONCE] =
					((const int16_t *)data)[first + reduced->offset[1][r]];
	}
}

static void run_lanes(const struct product *p, int64_t group, int64_t lane, int64_t lanes)
{
	const struct points *pixel = &p->points[PIXEL];
	const double *a[PIXELS_AT_ONCE];
	double sum[PIXELS_AT_ONCE][LANES_AT_ONCE];
	pack(p, group, lane, lanes);
	for (int64_t first = 0; first < pixel->count; first += PIXELS_AT_ONCE) {
		int64_t pixels = pixel->count - first < PIXELS_AT_ONCE ? pixel->count - first
								       : PIXELS_AT_ONCE;
		for (int64_t x = 0; x < PIXELS_AT_ONCE; x++)
			a[x] = p->a + p->points[GROUP].offset[0][group] +
			       pixel->offset[0][first + (x < pixels ? x : 0)];
		multiply(a, p->points[REDUCED].offset[0], p->points[REDUCED].count, p->packed, sum);
		for (int64_t x = 0; x < pixels; x++)
			for (int64_t k = 0; k < lanes; k++)
				p->sum[p->points[GROUP].offset[2][group] +
				       pixel->offset[2][first + x] +
				       p->points[LANE].offset[2][lane + k]] += (int64_t)sum[x][k];
	}
}

static void run_product(const struct product *p)
{
	int64_t lanes = p->points[LANE].count;
	for (int64_t group = 0; group < p->points[GROUP].count; group++)
		for (int64_t lane = 0; lane < lanes; lane += LANES_AT_ONCE)
			run_lanes(p, group, lane,
				  lanes - lane < LANES_AT_ONCE ? lanes - lane : LANES_AT_ONCE);
}

static enum kind kind_of(const struct layer_operand *a, const struct layer_operand *b,
			 const struct layer_operand *output, int dim)
{
	if (!(output->relevant >> dim & 1))
		return REDUCED;
	if (!(b->relevant >> dim & 1))
		return PIXEL;
	return a->relevant >> dim & 1 ? GROUP : LANE;
}

static int64_t count_of(const struct sim_layer *l, const struct layer_operand *a,
			const struct layer_operand *b, enum kind kind)
{
	int64_t count = 1;
	for (int d = 0; d < l->dims; d++)
		if (kind_of(a, b, &l->operand[l->operands - 1], d) == kind)
			count *= l->extent[d];
	return count;
}

/* B where it lies, if all its words are there: the same strides, counted in elements of the tensor. */
static bool find_in_place(const struct sim_layer *l, const struct layer_operand *o,
			  const struct sim_tensor *t, struct words *w)
{
	int64_t stride[MAX_RANK], first = 0, elements = 1;
	if (o->is_zero_outside || (t->type != TYPE_I8 && t->type != TYPE_I16))
		return false;
	for (int axis = t->rank - 1; axis >= 0; axis--) {
		stride[axis] = elements;
		elements *= t->extent[axis];
		first += o->offset[axis] * stride[axis];
	}
	*w = (struct words){.first = first, .count = elements};
	for (int r = 0; r < o->ranks; r++)
		for (int d = 0; d < l->dims; d++)
			w->stride[d] +=
				o->rank[r].coef[d] * o->rank[r].scale * stride[o->rank[r].axis];
	return true;
}

/* Begins each group where all positions are 0. */
static void shift(struct points *group, const struct words words[3])
{
	for (int i = 0; i < 3; i++)
		for (int64_t g = 0; g < group->count; g++)
			group->offset[i][g] += words[i].first;
}

static bool multiply_operands(const struct sim_layer *l, const struct tensors *tensors, int first,
			      int64_t *sum)
{
	const struct layer_operand *operand[3] = {&l->operand[first], &l->operand[1 - first],
						  &l->operand[2]};
	const struct sim_tensor *t = &tensors->tensor[operand[1]->tensor];
	struct words words[3] = {words_of(l, operand[0]), words_of(l, operand[1]),
				 words_of(l, operand[2])};
	struct product p = {.tensors = tensors, .sum = sum};
	double *b = NULL;
	if (find_in_place(l, operand[1], t, &words[1]))
		p.lane_tensor = t;
	else
		p.b = b = load(tensors, operand[1], words[1].count);
	double *a = load(tensors, operand[0], words[0].count);
	p.a = a;
	bool ok = a && (p.lane_tensor || b);
	for (enum kind kind = GROUP; kind < KINDS && ok; kind++) {
		int dim[LAYER_DIMS], dims = 0;
		for (int d = 0; d < l->dims; d++)
			if (kind_of(operand[0], operand[1], operand[2], d) == kind)
				dim[dims++] = d;
		ok = points_make(&p.points[kind], l, dim, dims, words);
	}
	if (ok) {
		shift(&p.points[GROUP], words);
		p.packed = aligned_alloc(64, (size_t)p.points[REDUCED].count * LANES_AT_ONCE *
						     sizeof(double));
	}
	if (p.packed)
		run_product(&p);
	ok &= p.packed != NULL;
	for (enum kind kind = GROUP; kind < KINDS; kind++)
		points_free(&p.points[kind]);
	free(p.packed);
	free(a);
	free(b);
	return ok;
}

/* ---- Point by point ---------------------------------------------------------------------------------------------------------------- */

static int64_t word_at(const struct sim_layer *l, const struct tensors *tensors,
		       const struct layer_operand *o, const int64_t position[])
{
	const struct sim_tensor *t = &tensors->tensor[o->tensor];
	int64_t coordinate[MAX_RANK] = {0};
	for (int r = 0; r < o->ranks; r++)
		for (int d = 0; d < l->dims; d++)
			coordinate[r] += o->rank[r].coef[d] * position[d];
	int64_t element = place_in_tensor(o, t, coordinate);
	return element < 0 ? 0 : tensor_word(tensors, t, element);
}

static void multiply_points(const struct sim_layer *l, const struct tensors *tensors, int64_t *sum)
{
	struct words output = words_of(l, &l->operand[l->operands - 1]);
	int64_t position[LAYER_DIMS] = {0};
	int d;
	do {
		uint64_t product = 1;
		int64_t at = output.first;
		for (int i = 0; i < l->operands - 1; i++)
			product *= (uint64_t)word_at(l, tensors, &l->operand[i], position);
		for (d = 0; d < l->dims; d++)
			at += output.stride[d] * position[d];
		sum[at] = (int64_t)((uint64_t)sum[at] + product);
		for (d = l->dims - 1; d >= 0 && ++position[d] == l->extent[d]; d--)
			position[d] = 0;
	} while (d >= 0);
}

static bool is_narrow(const struct tensors *tensors, const struct layer_operand *o)
{
	enum type type = tensors->tensor[o->tensor].type;
	return type == TYPE_I8 || type == TYPE_I16;
}

bool kernel_run(const struct sim_layer *l, const struct tensors *tensors)
{
	const struct layer_operand *o = l->operand, *output = &o[l->operands - 1];
	int64_t *sum = calloc((size_t)words_of(l, output).count, sizeof *sum);
	bool ok = sum != NULL;
	if (!ok)
		return false;
	bool is_product = l->operands == 3 && is_narrow(tensors, &o[0]) &&
			  is_narrow(tensors, &o[1]) &&
			  count_of(l, &o[0], &o[1], REDUCED) <= MOST_REDUCED;
	/* The input that gives more lanes. */
	if (is_product)
		ok = multiply_operands(l, tensors,
				       count_of(l, &o[0], &o[1], LANE) < LANES_AT_ONCE &&
					       count_of(l, &o[1], &o[0], LANE) >
						       count_of(l, &o[0], &o[1], LANE),
				       sum);
	else
		multiply_points(l, tensors, sum);
	if (ok)
		add_to_tensor(tensors, output, sum);
	free(sum);
	return ok;
}
