/* initialise.c -- first values of parameters that were given none. Element i of a parameter is
 * drawn with counter i from the stream of the parameter's name, so that it is the same whatever
 * order parameters and elements are drawn in, and whatever other parameters exist. He: He et
 * al., "Delving Deep into Rectifiers", 2015, eq. 10. Glorot: Glorot and Bengio, 2010, eq. 16. */
#include "frontend/network/network.h"
#include "runtime/random.h"

#include <math.h>
#include <string.h>

/* How many inputs feed one output and how many outputs one input feeds: a shape is
 * [out, in, kernel...]; a vector counts as both. */
static void fans(const struct tensor *t, double *in, double *out)
{
	double kernel = 1;
	for (int i = 2; i < t->rank; i++)
		kernel *= (double)t->extent[i];
	double first = t->rank > 0 ? (double)t->extent[0] : 1;
	double second = t->rank > 1 ? (double)t->extent[1] : first;
	*in = second * kernel;
	*out = first * kernel;
}

static void fill(struct array *a, const struct tensor *t, uint64_t seed)
{
	uint64_t stream = random_stream(t->name, strlen(t->name));
	int64_t count = array_count(a);
	double in, out, scale = t->init.value;
	fans(t, &in, &out);
	if (t->init.kind == INIT_HE)
		scale = sqrt(2 / in);
	if (t->init.kind == INIT_GLOROT)
		scale = sqrt(6 / (in + out));
	for (int64_t i = 0; i < count; i++) {
		double value = 1;
		if (t->init.kind == INIT_HE)
			value = random_normal(seed, stream, (uint64_t)i);
		else if (t->init.kind != INIT_CONSTANT)
			value = 2 * (double)random_uniform(seed, stream, (uint64_t)i) - 1;
		array_set(a, i, scale * value);
	}
}

static bool is_missing(const struct tensor *t)
{
	return tensor_takes_weights(t) && !t->data;
}

int network_missing(const struct network *net)
{
	int count = 0;
	for (int i = 0; i < net->tensor_count; i++)
		count += is_missing(net->tensor[i]);
	return count;
}

bool network_initialise(struct network *net, uint64_t seed)
{
	for (int i = 0; i < net->tensor_count; i++) {
		struct tensor *t = net->tensor[i];
		if (!is_missing(t))
			continue;
		t->data = array_new(t->type, t->rank, t->extent);
		if (!t->data)
			return false;
		fill(t->data, t, seed);
	}
	return true;
}
