/* network.c -- what can be asked of a network: how many points and elements there are, how far a
 * subscript reaches. Sums and products stop at the ends of int64_t instead of wrapping; network_check
 * refuses networks that reach them. */
#include "frontend/network/network.h"

static int64_t sum(int64_t a, int64_t b)
{
	int64_t result;
	if (__builtin_add_overflow(a, b, &result))
		return b < 0 ? INT64_MIN : INT64_MAX;
	return result;
}

static int64_t product(int64_t a, int64_t b)
{
	int64_t result;
	if (__builtin_mul_overflow(a, b, &result))
		return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
	return result;
}

int64_t statement_points(const struct statement *s)
{
	int64_t points = 1;
	for (int i = 0; i < s->loops; i++)
		points = product(points, s->loop[i].extent);
	return points;
}

struct tensor *tensor_storage(const struct tensor *t)
{
	return t->view_of ? t->view_of : (struct tensor *)t;
}

bool tensor_takes_weights(const struct tensor *t)
{
	return (t->role == ROLE_PARAM || t->role == ROLE_STATE) && !t->view_of;
}

bool tensor_takes(const struct tensor *t, const struct array *a)
{
	if (a->type != t->type || a->rank != t->rank)
		return false;
	for (int i = 0; i < t->rank; i++)
		if (a->extent[i] != t->extent[i])
			return false;
	return true;
}

int64_t statement_macs(const struct statement *s)
{
	const struct scalar *value = s->value;
	if (s->reduce != REDUCE_SUM || value->kind != SCALAR_APPLY || value->fn != FN_MUL)
		return 0;
	const struct scalar *a = value->arg[0], *b = value->arg[1];
	if (a->kind != SCALAR_READ || b->kind != SCALAR_READ)
		return 0;
	if (tensor_storage(a->access->tensor) == tensor_storage(b->access->tensor))
		return 0;
	return statement_points(s);
}

int64_t tensor_count(const struct tensor *t)
{
	int64_t count = 1;
	for (int i = 0; i < t->rank; i++)
		count = product(count, t->extent[i]);
	return count;
}

int64_t subscript_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void subscript_range(const struct statement *s, const struct subscript *sub, int64_t *least,
		     int64_t *greatest)
{
	int64_t low = sub->offset, high = sub->offset;
	for (int i = 0; i < s->loops; i++) {
		int64_t reach = product(sub->coef[i], s->loop[i].extent - 1);
		if (reach < 0)
			low = sum(low, reach);
		else
			high = sum(high, reach);
	}
	*least = subscript_divide(low, sub->divisor);
	*greatest = subscript_divide(high, sub->divisor);
}

bool subscript_fits(const struct statement *s, const struct subscript *sub)
{
	struct subscript undivided = *sub;
	int64_t least, greatest;
	undivided.divisor = 1;
	subscript_range(s, &undivided, &least, &greatest);
	return least >= INT64_MIN / 2 && greatest <= INT64_MAX / 2;
}

void network_free(struct network *net)
{
	if (!net)
		return;
	for (int i = 0; i < net->tensor_count; i++) {
		array_free(net->tensor[i]->data);
		net->tensor[i]->data = NULL;
	}
}
