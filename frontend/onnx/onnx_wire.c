/* onnx_wire.c -- checks the bytes of a protobuf message before they are unpacked.
 * In: bytes and the message's description. Out: the first thing wrong, with its offset. The unpacker calls
 * itself for messages in messages and joins messages given twice by copying: nesting is bounded here so
 * that the C stack is, and a second copy of a single message is refused so that the time is. */
#include "frontend/onnx/onnx_import.h"

/* A graph in a node's attribute costs three levels: far more than any real model nests. */
enum { MAX_DEPTH = 64 };

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

struct reader {
	struct arena *arena;
	const uint8_t *begin, *at, *end;
};

static const char *at(const struct reader *r, const char *what)
{
	return arena_printf(r->arena, "%s at byte %zu", what, (size_t)(r->at - r->begin));
}

/* Base 128, least significant group first, at most ten groups. */
static bool varint(struct reader *r, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < 70; shift += 7) {
		if (r->at == r->end)
			return false;
		uint8_t byte = *r->at++;
		*value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static int wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_LENGTH;
	default:
		return WIRE_VARINT;
	}
}

/* Numbers that are repeated may also come packed: all of them behind one length. */
static bool wire_fits(const ProtobufCFieldDescriptor *field, unsigned wire)
{
	unsigned expected = (unsigned)wire_of(field->type);
	return wire == expected ||
	       (wire == WIRE_LENGTH && field->label == PROTOBUF_C_LABEL_REPEATED);
}

static const char *packed(const struct reader *outer, const ProtobufCFieldDescriptor *field,
			  uint64_t length)
{
	struct reader r = *outer;
	uint64_t value;
	r.end = r.at + length;
	switch (wire_of(field->type)) {
	case WIRE_32:
		return length % 4 ? at(&r, "a broken list of numbers") : NULL;
	case WIRE_64:
		return length % 8 ? at(&r, "a broken list of numbers") : NULL;
	default:
		while (r.at < r.end)
			if (!varint(&r, &value))
				return at(&r, "a broken list of numbers");
		return NULL;
	}
}

static const char *message(struct reader *, const ProtobufCMessageDescriptor *, int depth);

/* Length and content of a field with wire type LENGTH; field is NULL for one that is not known. */
static const char *content(struct reader *r, const ProtobufCFieldDescriptor *field, int depth)
{
	uint64_t length;
	if (!varint(r, &length))
		return at(r, "a broken length");
	if (length > (uint64_t)(r->end - r->at))
		return at(r, "a field longer than what holds it");
	const char *wrong = NULL;
	if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
		struct reader inner = {r->arena, r->begin, r->at, r->at + length};
		wrong = message(&inner, field->descriptor, depth + 1);
	} else if (field && wire_of(field->type) != WIRE_LENGTH) {
		wrong = packed(r, field, length);
	}
	r->at += length;
	return wrong;
}

static const char *skip(struct reader *r, const ProtobufCFieldDescriptor *field, unsigned wire,
			int depth)
{
	uint64_t value;
	size_t width = wire == WIRE_64 ? 8 : 4;
	switch (wire) {
	case WIRE_VARINT:
		return varint(r, &value) ? NULL : at(r, "a broken number");
	case WIRE_LENGTH:
		return content(r, field, depth);
	case WIRE_64:
	case WIRE_32:
		if ((size_t)(r->end - r->at) < width)
			return at(r, "a number cut short");
		r->at += width;
		return NULL;
	default:
		return at(r, "a field of no known kind");
	}
}

static const char *message(struct reader *r, const ProtobufCMessageDescriptor *type, int depth)
{
	uint64_t seen = 0;
	if (depth > MAX_DEPTH)
		return at(r, "messages nested too deep");
	while (r->at < r->end) {
		uint64_t key;
		if (!varint(r, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
			return at(r, "a broken field number");
		unsigned wire = (unsigned)(key & 7);
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field(type, (unsigned)(key >> 3));
		if (field && !wire_fits(field, wire))
			return at(r, arena_printf(r->arena, "field '%s' of the wrong kind",
						  field->name));
		if (field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
		    field->label != PROTOBUF_C_LABEL_REPEATED) {
			uint64_t bit = (uint64_t)1 << ((field - type->fields) & 63);
			if (seen & bit)
				return at(r, arena_printf(r->arena, "a second '%s'", field->name));
			seen |= bit;
		}
		const char *wrong = skip(r, field, wire, depth);
		if (wrong)
			return wrong;
	}
	return NULL;
}

const char *onnx_wire_check(struct arena *arena, const ProtobufCMessageDescriptor *type,
			    const uint8_t *bytes, size_t size)
{
	struct reader r = {arena, bytes, bytes, bytes + size};
	return message(&r, type, 0);
}
