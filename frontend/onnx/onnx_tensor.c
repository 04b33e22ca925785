/* onnx_tensor.c -- TensorProto messages to constants, and the elements of constants.
 * The elements come from one of three places: a typed list, raw bytes (little-endian), or a file beside the
 * model. Types that tensors here do not have are widened: uint8 to i16, bool to i32, float16 to f32. */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>
#include "frontend/onnx/onnx_external.h"

/* How elements lie in raw bytes. */
enum layout {
	LAYOUT_NONE,
	LAYOUT_INTEGER,
	LAYOUT_UNSIGNED,
	LAYOUT_FLOAT,
	LAYOUT_DOUBLE,
	LAYOUT_HALF,
	LAYOUT_BRAIN
};
/* Which typed list of the message holds them. */
enum list { LIST_NONE, LIST_FLOAT, LIST_INT32, LIST_INT64, LIST_DOUBLE, LIST_UINT64 };

struct onnx_type {
	int32_t id;
	const char *name;
	enum type type;
	enum layout layout;
	int bytes;
	enum list list;
};

#define ID(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name
static const struct onnx_type types[] = {
	{ID(FLOAT), "float", TYPE_F32, LAYOUT_FLOAT, 4, LIST_FLOAT},
	{ID(DOUBLE), "double", TYPE_F64, LAYOUT_DOUBLE, 8, LIST_DOUBLE},
	{ID(INT8), "int8", TYPE_I8, LAYOUT_INTEGER, 1, LIST_INT32},
	{ID(INT16), "int16", TYPE_I16, LAYOUT_INTEGER, 2, LIST_INT32},
	{ID(INT32), "int32", TYPE_I32, LAYOUT_INTEGER, 4, LIST_INT32},
	{ID(INT64), "int64", TYPE_I64, LAYOUT_INTEGER, 8, LIST_INT64},
	{ID(UINT8), "uint8", TYPE_I16, LAYOUT_UNSIGNED, 1, LIST_INT32},
	{ID(UINT16), "uint16", TYPE_I32, LAYOUT_UNSIGNED, 2, LIST_INT32},
	{ID(UINT32), "uint32", TYPE_I64, LAYOUT_UNSIGNED, 4, LIST_UINT64},
	{ID(UINT64), "uint64", TYPE_I64, LAYOUT_UNSIGNED, 8, LIST_UINT64},
	{ID(BOOL), "bool", TYPE_I32, LAYOUT_UNSIGNED, 1, LIST_INT32},
	{ID(FLOAT16), "float16", TYPE_F32, LAYOUT_HALF, 2, LIST_INT32},
	{ID(BFLOAT16), "bfloat16", TYPE_F32, LAYOUT_BRAIN, 2, LIST_INT32},
	{ID(STRING), "string", TYPE_COUNT, LAYOUT_NONE, 0, LIST_NONE},
	{ID(COMPLEX64), "complex64", TYPE_COUNT, LAYOUT_NONE, 0, LIST_NONE},
	{ID(COMPLEX128), "complex128", TYPE_COUNT, LAYOUT_NONE, 0, LIST_NONE},
};
#undef ID

static const struct onnx_type *type_find(int32_t id)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].id == id)
			return &types[i];
	return NULL;
}

bool onnx_type_of(int32_t onnx_type, enum type *type)
{
	const struct onnx_type *t = type_find(onnx_type);
	if (!t || t->layout == LAYOUT_NONE)
		return false;
	*type = t->type;
	return true;
}

bool onnx_type_is_native(int32_t onnx_type, enum type *type)
{
	const struct onnx_type *t = type_find(onnx_type);
	if (!onnx_type_of(onnx_type, type))
		return false;
	return t->layout != LAYOUT_UNSIGNED && t->bytes == type_info(*type)->bytes;
}

const char *onnx_type_name(int32_t onnx_type)
{
	const struct onnx_type *t = type_find(onnx_type);
	return t ? t->name : "unknown";
}

/* ---- Elements -------------------------------------------------------------------------------------- */

/* IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
static double half(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	int fraction = bits & 1023;
	double size = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
		      : exponent     ? ldexp(1024 + fraction, exponent - 25)
				     : ldexp(fraction, -24);
	return bits >> 15 ? -size : size;
}

/* The upper half of a float. */
static double brain(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float value;
	memcpy(&value, &wide, sizeof value);
	return value;
}

static uint64_t little_endian(const uint8_t *bytes, int count)
{
	uint64_t value = 0;
	for (int i = 0; i < count; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

/* Stores element i, given as the bits of its type in the model. */
static void store(struct constant *c, int64_t i, const struct onnx_type *type, uint64_t bits)
{
	float single;
	double wide;
	uint32_t low = (uint32_t)bits;
	switch (type->layout) {
	case LAYOUT_FLOAT:
		memcpy(&single, &low, sizeof single);
		((float *)c->array->data)[i] = single;
		break;
	case LAYOUT_DOUBLE:
		memcpy(&wide, &bits, sizeof wide);
		((double *)c->array->data)[i] = wide;
		break;
	case LAYOUT_HALF:
		constant_set_number(c, i, half((uint16_t)bits));
		break;
	case LAYOUT_BRAIN:
		constant_set_number(c, i, brain((uint16_t)bits));
		break;
	case LAYOUT_UNSIGNED:
		constant_set_integer(c, i, bits > INT64_MAX ? INT64_MAX : (int64_t)bits);
		break;
	case LAYOUT_INTEGER:
		constant_set_integer(
			c, i, (int64_t)(bits << (64 - 8 * type->bytes)) >> (64 - 8 * type->bytes));
		break;
	case LAYOUT_NONE:
		break;
	}
}

bool constant_is_integer(const struct constant *c)
{
	return !type_info(c->type)->is_float;
}

int64_t constant_integer(const struct constant *c, int64_t i)
{
	if (c->type == TYPE_I64)
		return ((const int64_t *)c->array->data)[i];
	double value = array_get(c->array, i);
	if (isnan(value))
		return 0;
	return value >= 0x1p63 ? INT64_MAX : value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

double constant_number(const struct constant *c, int64_t i)
{
	return array_get(c->array, i);
}

void constant_set_integer(struct constant *c, int64_t i, int64_t value)
{
	if (c->type == TYPE_I64)
		((int64_t *)c->array->data)[i] = value;
	else
		array_set(c->array, i, (double)value);
}

void constant_set_number(struct constant *c, int64_t i, double value)
{
	array_set(c->array, i, value);
}

void constant_set_bits(struct constant *c, int64_t i, uint64_t bits)
{
	const struct onnx_type *type = type_find(c->onnx_type);
	if (type->bytes < 8)
		bits &= ((uint64_t)1 << 8 * type->bytes) - 1;
	store(c, i, type, bits);
}

/* ---- Constants ------------------------------------------------------------------------------------- */

/* The number of elements, 0 where a dimension has none; false after an error. */
static bool count_elements(struct onnx *o, const struct onnx_node *node, int rank,
			   const int64_t extent[], int64_t *count)
{
	bool empty = false;
	int64_t filled[MAX_RANK] = {0};
	if (rank > MAX_RANK) {
		onnx_error(o, node, "a tensor of %d dimensions; at most %d are supported", rank,
			   MAX_RANK);
		return false;
	}
	for (int i = 0; i < rank; i++) {
		if (extent[i] < 0) {
			onnx_error(o, node, "a dimension of %lld elements", (long long)extent[i]);
			return false;
		}
		empty |= extent[i] == 0;
		filled[i] = extent[i] ? extent[i] : 1;
	}
	if (!shape_count(rank, filled, count)) {
		onnx_error(o, node, "a tensor whose size does not fit 64 bits");
		return false;
	}
	*count = empty ? 0 : *count;
	return true;
}

struct constant *constant_new(struct onnx *o, const struct onnx_node *node, int32_t onnx_type,
			      int rank, const int64_t extent[])
{
	const struct onnx_type *type = type_find(onnx_type);
	int64_t count;
	if (!type || type->layout == LAYOUT_NONE) {
		onnx_error(o, node, "elements of type %s (%d) are not supported",
			   onnx_type_name(onnx_type), onnx_type);
		return NULL;
	}
	if (!count_elements(o, node, rank, extent, &count))
		return NULL;
	struct constant *c = ARENA_NEW(o->arena, struct constant);
	c->onnx_type = onnx_type;
	c->type = type->type;
	c->rank = rank;
	for (int i = 0; i < rank; i++)
		c->extent[i] = extent[i];
	c->count = count;
	if (count && !(c->array = array_new(c->type, rank, extent))) {
		onnx_error(o, node, "no memory for a tensor of %lld elements", (long long)count);
		return NULL;
	}
	c->next = o->constant;
	o->constant = c;
	return c;
}

/* Small files can ask for a lot: what folding makes is bounded by the size of the file and some room. */
struct constant *constant_made(struct onnx *o, const struct onnx_node *node, int32_t onnx_type,
			       int rank, const int64_t extent[])
{
	enum { ROOM = 1 << 26 };
	int64_t count = 1;
	bool fits = true;
	for (int i = 0; i < rank && rank <= MAX_RANK; i++)
		fits &= !__builtin_mul_overflow(count, extent[i] > 0 ? extent[i] : 1, &count);
	if (!fits || count > ROOM + o->file_size - o->folded) {
		onnx_unsupported(o, node, "folding the model's constants takes too many elements");
		return NULL;
	}
	o->folded += count;
	return constant_new(o, node, onnx_type, rank, extent);
}

/* The elements of a typed list; how many there are in *count. */
static uint64_t listed(const Onnx__TensorProto *t, enum list list, int64_t i)
{
	uint64_t bits = 0;
	switch (list) {
	case LIST_FLOAT:
		memcpy(&bits, &t->float_data[i], sizeof t->float_data[i]);
		break;
	case LIST_INT32:
		bits = (uint64_t)(int64_t)t->int32_data[i];
		break;
	case LIST_INT64:
		bits = (uint64_t)t->int64_data[i];
		break;
	case LIST_DOUBLE:
		memcpy(&bits, &t->double_data[i], sizeof t->double_data[i]);
		break;
	case LIST_UINT64:
		bits = t->uint64_data[i];
		break;
	case LIST_NONE:
		break;
	}
	return bits;
}

static size_t list_length(const Onnx__TensorProto *t, enum list list)
{
	const size_t length[] = {
		[LIST_NONE] = 0,
		[LIST_FLOAT] = t->n_float_data,
		[LIST_INT32] = t->n_int32_data,
		[LIST_INT64] = t->n_int64_data,
		[LIST_DOUBLE] = t->n_double_data,
		[LIST_UINT64] = t->n_uint64_data,
	};
	return length[list];
}

/* Dimensions that the message may have, and their product before memory is taken for it. */
static bool dimensions(struct onnx *o, const struct onnx_node *node, const Onnx__TensorProto *t,
		       const char *name, int64_t *count)
{
	*count = 1;
	if (t->n_dims > MAX_RANK) {
		onnx_error(o, node, "tensor '%s' has %zu dimensions; at most %d are supported",
			   name, t->n_dims, MAX_RANK);
		return false;
	}
	for (size_t i = 0; i < t->n_dims; i++) {
		if (t->dims[i] < 0 || __builtin_mul_overflow(*count, t->dims[i], count) ||
		    *count > INT64_MAX / 8) {
			onnx_error(o, node, "dimension %zu of tensor '%s' is %lld: not a size", i,
				   name, (long long)t->dims[i]);
			return false;
		}
	}
	return true;
}

/* Reads raw bytes, from the message or already from a file, into the constant. */
static void store_raw(struct constant *c, const struct onnx_type *type, const uint8_t *bytes)
{
	bool same = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && type->layout != LAYOUT_UNSIGNED &&
		    type->bytes == type_info(type->type)->bytes;
	if (same && c->count)
		memcpy(c->array->data, bytes, (size_t)array_bytes(c->array));
	if (same)
		return;
	for (int64_t i = 0; i < c->count; i++)
		store(c, i, type, little_endian(bytes + i * type->bytes, type->bytes));
}

/* Where the elements are: raw bytes (*bytes, to be freed if *external) or the typed list (*bytes NULL). */
static bool locate(struct onnx *o, const struct onnx_node *node, const Onnx__TensorProto *t,
		   const struct onnx_type *type, const char *name, int64_t count, uint8_t **bytes,
		   uint8_t **external)
{
	int64_t size = count * type->bytes;
	*bytes = *external = NULL;
	if (t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
		const char *path,
			*wrong = onnx_external_read(o->arena, o->path, t, size, external, &path);
		if (!wrong)
			onnx_file_read(o->program, path);
		else
			onnx_error(o, node, "tensor '%s': %s", name, wrong);
		*bytes = *external;
		return !wrong;
	}
	if (t->has_raw_data) {
		*bytes = t->raw_data.data;
		if (t->raw_data.len == (size_t)size)
			return true;
		onnx_error(o, node, "tensor '%s' needs %lld bytes of data, the model has %zu", name,
			   (long long)size, t->raw_data.len);
		return false;
	}
	if (list_length(t, type->list) == (size_t)count)
		return true;
	onnx_error(o, node, "tensor '%s' needs %lld elements, the model has %zu", name,
		   (long long)count, list_length(t, type->list));
	return false;
}

struct constant *onnx_tensor_decode(struct onnx *o, const struct onnx_node *node,
				    const Onnx__TensorProto *t)
{
	const char *name = onnx_shown(o->arena, t->name);
	const struct onnx_type *type = type_find(t->data_type);
	uint8_t *bytes, *external;
	int64_t count;
	if (!type || type->layout == LAYOUT_NONE || t->segment) {
		onnx_error(o, node, "tensor '%s' has elements of type %s%s, which is not supported",
			   name, onnx_type_name(t->data_type), t->segment ? " in segments" : "");
		return NULL;
	}
	if (!dimensions(o, node, t, name, &count) ||
	    !locate(o, node, t, type, name, count, &bytes, &external))
		return NULL;
	struct constant *c = constant_new(o, node, t->data_type, (int)t->n_dims, t->dims);
	if (c && bytes)
		store_raw(c, type, bytes);
	else if (c)
		for (int64_t i = 0; i < c->count; i++)
			store(c, i, type, listed(t, type->list, i));
	onnx_external_free(external);
	return c;
}
