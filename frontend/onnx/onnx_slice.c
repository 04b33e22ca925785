/* onnx_slice.c -- operators that take parts of a tensor: Slice, Split, Gather with known indices. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

/* ---- Slice ------------------------------------------------------------------------------------------- */

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Ends may lie far outside: INT64_MAX stands for "to the end". */
static struct cut cut_of(int64_t extent, int64_t start, int64_t end, int64_t step)
{
	bool back = step < 0;
	start = clamp(start < 0 ? start + extent : start, 0, back ? extent - 1 : extent);
	end = clamp(end < 0 ? end + extent : end, back ? -1 : 0, extent);
	int64_t way = back ? start - end : end - start;
	int64_t stride = back ? (step == INT64_MIN ? INT64_MAX : -step) : step;
	int64_t count = way > 0 ? (way - 1) / stride + 1 : 0;
	return (struct cut){start, count, count > 1 ? step : 1};
}

bool onnx_cuts(struct onnx *o, const struct onnx_node *n, int rank, const int64_t extent[],
	       struct cut cuts[])
{
	struct integers starts, ends, axes, steps;
	bool marked[MAX_RANK] = {false};
	if (!onnx_list(o, n, "starts", 1, &starts) || !onnx_list(o, n, "ends", 2, &ends) ||
	    !onnx_list(o, n, "axes", 3, &axes) || !onnx_known(o, n, 4, "steps", &steps))
		return false;
	if (starts.count < 0 || starts.count != ends.count ||
	    (axes.count >= 0 ? axes.count != starts.count : starts.count > rank) ||
	    (steps.count >= 0 && steps.count != starts.count)) {
		onnx_error(o, n, "its starts, ends, axes and steps are not of one length");
		return false;
	}
	if (!onnx_marked_axes(o, n, axes, rank, marked))
		return false;
	for (int i = 0; i < rank; i++)
		cuts[i] = (struct cut){0, extent[i], 1};
	for (int i = 0; i < starts.count; i++) {
		int axis = axes.count >= 0 ? onnx_axis(o, n, axes.item[i], rank) : i;
		int64_t step = steps.count >= 0 ? steps.item[i] : 1;
		if (step == 0) {
			onnx_error(o, n, "a step of 0");
			return false;
		}
		cuts[axis] = cut_of(extent[axis], starts.item[i], ends.item[i], step);
	}
	return true;
}

/* One axis of a tensor cut; the tensor itself where nothing is cut off. */
static struct tensor *cut_axis(struct onnx *o, const struct onnx_node *n, struct tensor *tensor,
			       int axis, struct cut cut)
{
	if (!tensor || (cut.start == 0 && cut.count == tensor->extent[axis] && cut.step == 1))
		return tensor;
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, tensor);
	call_number(&call, "axis", axis);
	call_number(&call, "start", (double)cut.start);
	call_number(&call, "count", (double)cut.count);
	call_number(&call, "step", (double)cut.step);
	return call_result(&call, "slice");
}

static bool is_empty(struct onnx *o, const struct onnx_node *n, int64_t count)
{
	if (count <= 0)
		onnx_unsupported(o, n,
				 "its result has no elements: empty tensors are not supported");
	return count <= 0;
}

struct value import_slice(struct onnx *o, struct onnx_node *n)
{
	struct tensor *tensor = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct cut cut[MAX_RANK];
	if (!tensor || !onnx_cuts(o, n, tensor->rank, tensor->extent, cut))
		return value_poison();
	int rank = tensor->rank;
	for (int i = 0; i < rank; i++)
		if (is_empty(o, n, cut[i].count))
			return value_poison();
	for (int i = 0; i < rank; i++)
		tensor = cut_axis(o, n, tensor, i, cut[i]);
	return value_of(tensor);
}

/* ---- Split ------------------------------------------------------------------------------------------- */

/* The extents of the parts: a list, or as equal as they can be with the last one smaller. */
static bool part_sizes(struct onnx *o, const struct onnx_node *n, int64_t extent,
		       struct integers *sizes)
{
	if (!onnx_list(o, n, "split", 1, sizes))
		return false;
	if (sizes->count < 0) {
		int64_t wanted = onnx_integer(n, "num_outputs", n->output_count);
		int parts = n->output_count;
		int64_t each = parts > 0 ? (extent + parts - 1) / parts : 0;
		int64_t *item = ARENA_ARRAY(o->arena, (size_t)n->output_count + 1, int64_t);
		for (int i = 0; i < n->output_count; i++)
			item[i] = i < parts - 1 ? each : extent - each * (parts - 1);
		*sizes = (struct integers){wanted == parts ? parts : -1, item};
	}
	int64_t sum = 0;
	for (int i = 0; i < sizes->count; i++) {
		if (sizes->item[i] < 0 || sizes->item[i] > extent)
			sizes->count = -1;
		else
			sum += sizes->item[i];
	}
	if (sizes->count != n->output_count || sum != extent) {
		onnx_error(o, n, "%lld elements cannot be split in %d as asked", (long long)extent,
			   n->output_count);
		return false;
	}
	for (int i = 0; i < sizes->count; i++)
		if (is_empty(o, n, sizes->item[i]))
			return false;
	return true;
}

struct value import_split(struct onnx *o, struct onnx_node *n)
{
	struct tensor *tensor = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	int axis = tensor ? onnx_axis(o, n, onnx_integer(n, "axis", 0), tensor->rank) : -1;
	struct integers sizes;
	if (axis < 0 || !part_sizes(o, n, tensor->extent[axis], &sizes))
		return value_poison();
	int64_t at = 0;
	for (int i = 0; i < sizes.count; i++) {
		struct cut cut = {at, sizes.item[i], 1};
		if (n->output[i] && n->output[i]->reads)
			n->output[i]->tensor = cut_axis(o, n, tensor, axis, cut);
		at += sizes.item[i];
	}
	return (struct value){.kind = VALUE_NONE};
}

/* ---- Gather ------------------------------------------------------------------------------------------ */

/* The indices as cuts, as few as will do: runs of a common step. */
static int runs_of(const struct constant *indices, int64_t extent, struct cut runs[], int most)
{
	int count = 0;
	for (int64_t i = 0; i < indices->count; i++) {
		int64_t index = constant_integer(indices, i);
		if (index < -extent || index >= extent)
			return -1;
		index += index < 0 ? extent : 0;
		struct cut *last = count ? &runs[count - 1] : NULL;
		if (last && last->count == 1 && index != last->start) {
			last->step = index - last->start;
			last->count = 2;
		} else if (last && last->count > 1 &&
			   index == last->start + last->count * last->step) {
			last->count++;
		} else if (count == most) {
			return most + 1;
		} else {
			runs[count++] = (struct cut){index, 1, 1};
		}
	}
	return count;
}

static struct tensor *gather_runs(struct onnx *o, const struct onnx_node *n, struct tensor *tensor,
				  int axis, const struct cut runs[], int count)
{
	if (count == 1)
		return cut_axis(o, n, tensor, axis, runs[0]);
	struct onnx_call join = onnx_call(o, n);
	for (int i = 0; i < count; i++)
		call_tensor(&join, NULL, cut_axis(o, n, tensor, axis, runs[i]));
	call_number(&join, "axis", axis);
	return call_result(&join, "concat");
}

struct value import_gather(struct onnx *o, struct onnx_node *n)
{
	enum { MOST_RUNS = 64 };
	struct cut runs[MOST_RUNS];
	struct tensor *tensor = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	const struct constant *indices = onnx_constant(o, n, 1);
	int axis = tensor ? onnx_axis(o, n, onnx_integer(n, "axis", 0), tensor->rank) : -1;
	if (axis < 0)
		return value_poison();
	if (!indices) {
		onnx_unsupported(o, n,
				 "its indices are computed from inputs; they must be known while "
				 "compiling");
		return value_poison();
	}
	int count = runs_of(indices, tensor->extent[axis], runs, MOST_RUNS);
	if (count < 0)
		onnx_error(o, n, "an index outside %lld elements", (long long)tensor->extent[axis]);
	else if (count > MOST_RUNS)
		onnx_unsupported(o, n, "its indices are too irregular: more than %d runs",
				 MOST_RUNS);
	else if (tensor->rank - 1 + indices->rank > MAX_RANK)
		onnx_unsupported(o, n, "its result has more than %d dimensions", MAX_RANK);
	if (count < 0 || count > MOST_RUNS || tensor->rank - 1 + indices->rank > MAX_RANK ||
	    is_empty(o, n, count))
		return value_poison();
	int rank = 0;
	int64_t extent[MAX_RANK];
	for (int i = 0; i < axis; i++)
		extent[rank++] = tensor->extent[i];
	for (int i = 0; i < indices->rank; i++)
		extent[rank++] = indices->extent[i];
	for (int i = axis + 1; i < tensor->rank; i++)
		extent[rank++] = tensor->extent[i];
	return value_of(
		onnx_view(o, n, gather_runs(o, n, tensor, axis, runs, count), rank, extent));
}
