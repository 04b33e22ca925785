/* runtime_array_test.c -- type.h and array.h: how types meet, how sizes are checked, how values are
 * stored. */
#include "runtime/array.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

Test(type, table_describes_each_type)
{
	const struct type_info *f32 = type_info(TYPE_F32), *i8 = type_info(TYPE_I8);
	cr_expect_str_eq(f32->name, "f32", "as in .dnn");
	cr_expect_str_eq(f32->c_name, "float", "as in C");
	cr_expect_str_eq(f32->npy, "<f4", "as in .npy");
	cr_expect(f32->bytes == 4 && f32->is_float && f32->accumulator == TYPE_F32, "f32");
	cr_expect_str_eq(i8->c_name, "int8_t", "as in C");
	cr_expect(i8->bytes == 1 && !i8->is_float && i8->accumulator == TYPE_I32, "i8");
}

Test(type, names_lead_back_to_types)
{
	for (enum type t = 0; t < TYPE_COUNT; t++) {
		const char *name = type_info(t)->name;
		cr_expect_eq(type_of_name(name, strlen(name)), t, "%s", name);
	}
	cr_expect_eq(type_of_name("f32x", 3), TYPE_F32, "the length ends the name");
	cr_expect_eq(type_of_name("f32x", 4), TYPE_COUNT, "no such type");
	cr_expect_eq(type_of_name("f32", 2), TYPE_COUNT, "a beginning is not enough");
	cr_expect_eq(type_of_name("f32", 4), TYPE_COUNT, "a NUL is no part of a name");
	cr_expect_eq(type_of_name("", 0), TYPE_COUNT, "nothing is no type");
}

static const struct {
	enum type a, b, common;
} meetings[] = {
	{TYPE_F32, TYPE_F32, TYPE_F32}, {TYPE_F32, TYPE_F64, TYPE_F64},
	{TYPE_F32, TYPE_I8, TYPE_F32},  {TYPE_F32, TYPE_I64, TYPE_F32},
	{TYPE_F64, TYPE_I32, TYPE_F64}, {TYPE_I8, TYPE_I8, TYPE_I32},
	{TYPE_I8, TYPE_I16, TYPE_I32},  {TYPE_I16, TYPE_I16, TYPE_I32},
	{TYPE_I16, TYPE_I32, TYPE_I32}, {TYPE_I8, TYPE_I64, TYPE_I64},
	{TYPE_I32, TYPE_I64, TYPE_I64},
};

Test(type, common_type_is_float_then_wider_and_at_least_i32)
{
	for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
		enum type a = meetings[i].a, b = meetings[i].b;
		cr_expect_eq(type_common(a, b), meetings[i].common, "%s with %s",
			     type_info(a)->name, type_info(b)->name);
		cr_expect_eq(type_common(b, a), meetings[i].common, "%s with %s",
			     type_info(b)->name, type_info(a)->name);
	}
}

/* The greatest count whose bytes fit an int64_t in the widest type. */
#define GREATEST (INT64_MAX / 8)

static const struct {
	int rank;
	int64_t extent[MAX_RANK + 1];
	int64_t count; /* 0: refused */
} shapes[] = {
	{0, {0}, 1},
	{1, {7}, 7},
	{3, {2, 3, 4}, 24},
	{8, {2, 2, 2, 2, 2, 2, 2, 2}, 256},
	{1, {GREATEST}, GREATEST},
	{1, {GREATEST + 1}, 0},
	{2, {GREATEST, 1}, GREATEST},
	{2, {GREATEST, 2}, 0},
	{2, {1ll << 32, 1ll << 32}, 0},
	{3, {1ll << 22, 1ll << 22, 1ll << 22}, 0},
	{8,
	 {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
	 0},
	{2, {3, 0}, 0},
	{2, {3, -1}, 0},
	{2, {-3, -3}, 0},
	{1, {INT64_MIN}, 0},
	{9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 0},
	{-1, {0}, 0},
};

Test(array, shape_count_refuses_what_does_not_fit)
{
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		int64_t count = -5;
		bool fits = shape_count(shapes[i].rank, shapes[i].extent, &count);
		cr_expect_eq(fits, shapes[i].count != 0, "shape %zu", i);
		cr_expect_eq(count, fits ? shapes[i].count : -5, "shape %zu: %" PRId64, i, count);
	}
}

Test(array, new_is_zero_and_aligned)
{
	for (enum type t = 0; t < TYPE_COUNT; t++) {
		struct array *a = array_new(t, 2, (int64_t[]){3, 5});
		cr_assert_not_null(a, "%s", type_info(t)->name);
		cr_expect_eq((uintptr_t)a->data % 64, 0, "%s", type_info(t)->name);
		cr_expect_eq(array_count(a), 15, "%s", type_info(t)->name);
		cr_expect_eq(array_bytes(a), 15 * type_info(t)->bytes, "%s", type_info(t)->name);
		for (int64_t i = 0; i < 15; i++)
			cr_expect_eq(array_get(a, i), 0, "%s at %" PRId64, type_info(t)->name, i);
		array_free(a);
	}
	array_free(NULL);
}

Test(array, new_refuses_a_size_that_overflows)
{
	cr_expect_null(array_new(TYPE_I8, 2, (int64_t[]){1ll << 32, 1ll << 32}), "2^64 elements");
	cr_expect_null(array_new(TYPE_I8, 1, (int64_t[]){-1}), "-1 elements");
	cr_expect_null(array_new(TYPE_I8, -1, NULL), "rank -1");
}

Test(array, a_scalar_has_one_element)
{
	struct array *a = array_new(TYPE_F64, 0, NULL);
	array_set(a, 0, 0.1);
	cr_expect_eq(array_count(a), 1, "count");
	cr_expect_eq(array_get(a, 0), 0.1, "value");
	array_free(a);
}

Test(array, copy_shares_nothing)
{
	struct array *a = array_new(TYPE_I16, 2, (int64_t[]){2, 2});
	array_set(a, 3, 7);
	struct array *b = array_copy(a);
	array_set(a, 3, 8);
	cr_expect_eq(array_get(b, 3), 7, "the copy keeps its value");
	cr_expect(b->type == TYPE_I16 && b->rank == 2 && b->extent[1] == 2, "type and shape");
	array_free(a);
	array_free(b);
}

static const struct {
	enum type type;
	double stored;
	int64_t found;
} stores[] = {
	/* to nearest, ties to even */
	{TYPE_I32, 0.5, 0},
	{TYPE_I32, 1.5, 2},
	{TYPE_I32, 2.5, 2},
	{TYPE_I32, -0.5, 0},
	{TYPE_I32, -1.5, -2},
	{TYPE_I32, -2.5, -2},
	{TYPE_I32, 0.49999999999999994, 0},
	{TYPE_I32, 2.5000000000000004, 3},
	{TYPE_I64, 4503599627370495.5, 4503599627370496},
	/* saturated at the ends of each type */
	{TYPE_I8, 127.4, 127},
	{TYPE_I8, 127.5, 127},
	{TYPE_I8, 1e9, 127},
	{TYPE_I8, -128.5, -128},
	{TYPE_I8, -129, -128},
	{TYPE_I16, 32767.5, INT16_MAX},
	{TYPE_I16, -32769, INT16_MIN},
	{TYPE_I32, 2147483647, INT32_MAX},
	{TYPE_I32, 2147483647.5, INT32_MAX},
	{TYPE_I32, -2147483648.5, INT32_MIN},
	{TYPE_I32, -2147483650, INT32_MIN},
	{TYPE_I64, 0x1p63, INT64_MAX},
	{TYPE_I64, 0x1.fffffffffffffp62, 0x7ffffffffffffc00},
	{TYPE_I64, -0x1p63, INT64_MIN},
	{TYPE_I64, -0x1.0000000000001p63, INT64_MIN},
	{TYPE_I64, 1e300, INT64_MAX},
	/* not finite */
	{TYPE_I8, INFINITY, 127},
	{TYPE_I64, INFINITY, INT64_MAX},
	{TYPE_I64, -INFINITY, INT64_MIN},
	{TYPE_I8, NAN, 0},
	{TYPE_I64, NAN, 0},
	{TYPE_I64, -NAN, 0},
};

static int64_t integer(const struct array *a, int64_t i)
{
	switch (type_info(a->type)->bytes) {
	case 1:
		return ((int8_t *)a->data)[i];
	case 2:
		return ((int16_t *)a->data)[i];
	case 4:
		return ((int32_t *)a->data)[i];
	default:
		return ((int64_t *)a->data)[i];
	}
}

Test(array, set_rounds_to_even_and_saturates)
{
	for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
		struct array *a = array_new(stores[i].type, 1, (int64_t[]){3});
		array_set(a, 1, stores[i].stored);
		cr_expect_eq(integer(a, 1), stores[i].found, "%.17g as %s is %" PRId64,
			     stores[i].stored, type_info(a->type)->name, integer(a, 1));
		cr_expect_eq(array_get(a, 1), (double)stores[i].found, "read back, row %zu", i);
		cr_expect(integer(a, 0) == 0 && integer(a, 2) == 0, "the neighbours of row %zu", i);
		array_free(a);
	}
}

Test(array, set_of_a_float_keeps_what_a_float_can)
{
	struct array *a = array_new(TYPE_F32, 1, (int64_t[]){4});
	array_set(a, 0, 0.1);
	array_set(a, 1, 1e300);
	array_set(a, 2, NAN);
	array_set(a, 3, -0.0);
	cr_expect_eq(array_get(a, 0), (double)0.1f, "the nearest float");
	cr_expect_eq(array_get(a, 1), (double)INFINITY, "out of range");
	cr_expect(isnan(array_get(a, 2)), "NaN");
	cr_expect(signbit(array_get(a, 3)), "the sign of zero");
	array_free(a);
}
