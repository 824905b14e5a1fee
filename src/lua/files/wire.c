/* Messages of Protocol Buffers as Lua tables, and the tensors of ONNX: the C part of lua/nnlua/onnx. */
#include <limits.h>
#include <string.h>

#include "io/onnx_elements.h"
#include "lua/open.h"
#include "lua/parse.h"
#include "lua/files/source.h"

/* Where on the stack the arguments are. */
enum { SOURCE = 1, BEGIN = 2, END = 3, SCHEMA = 4, ROOM = 5, RESULT = 6 };

/* The bytes [begin, end) of a source that is in memory, as a message; they start at *start. */
static WireReader reader_of(lua_State *L, const uint8_t **start)
{
  static const uint8_t nothing;
  const Source *s = source_check(L, SOURCE);
  lua_Integer begin = luaL_checkinteger(L, BEGIN), end = luaL_checkinteger(L, END);
  if (!s->memory && s->size) luaL_error(L, "the source is not in memory");
  if (begin < 0 || begin > end || (uint64_t)end > s->size) luaL_error(L, "there are no such bytes");
  *start = s->memory ? (const uint8_t *)s->memory : &nothing;
  return (WireReader){*start + begin, *start + end};
}

/* Of a schema fields with smaller numbers are read. */
enum { MOST_FIELDS = 64 };

static WireType wire_of(char kind)
{
  return kind == 'i' ? WIRE_VARINT : kind == 'f' ? WIRE_4_BYTES : kind == 'd' ? WIRE_8_BYTES : WIRE_BYTES;
}

static void push_number_of(lua_State *L, char kind, uint64_t bits)
{
  if (kind == 'i') lua_pushinteger(L, (lua_Integer)bits);
  else if (kind == 'f') {
    const uint32_t low = (uint32_t)bits;
    float f;
    memcpy(&f, &low, sizeof f);
    lua_pushnumber(L, (lua_Number)f);
  } else {
    double d;
    memcpy(&d, &bits, sizeof d);
    lua_pushnumber(L, d);
  }
}

/* How often each field stands in a message, by its number, and how many there are besides. */
typedef struct Counts {
  int of[MOST_FIELDS];
  int distinct;
} Counts;

static bool count_fields(WireReader r, Counts *counts)
{
  WireField field;
  WireResult result;
  *counts = (Counts){{0}, 0};
  while ((result = wire_next(&r, &field)) == WIRE_FIELD)
    if (field.number < MOST_FIELDS && counts->of[field.number] < INT_MAX / 2)
      counts->distinct += !counts->of[field.number]++;
  return result == WIRE_END;
}

/* Pushes the list that a field of a message is collected in; made where there is none. */
static void push_list_of(lua_State *L, const char *name, int size)
{
  if (lua_getfield(L, RESULT, name) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, size, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, RESULT, name);
}

/* Pushes a number or text; false if the field is of another wire type. */
static bool push_single(lua_State *L, char kind, const WireField *field)
{
  if (field->type != wire_of(kind)) return false;
  if (kind == 's') lua_pushlstring(L, (const char *)field->inside.at, (size_t)field->bits);
  else push_number_of(L, kind, field->bits);
  return true;
}

/* Appends to the list on top: a number, those of a packed list, a text, or where bytes begin and end. */
static bool append(lua_State *L, char kind, WireField *field, const uint8_t *start)
{
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  if (kind != 'm' && push_single(L, kind, field)) {
    lua_rawseti(L, -2, n + 1);
    return true;
  }
  if (field->type != WIRE_BYTES) return false;
  if (kind == 'm') {
    lua_pushinteger(L, field->inside.at - start);
    lua_rawseti(L, -2, n + 1);
    lua_pushinteger(L, field->inside.end - start);
    lua_rawseti(L, -2, n + 2);
    return true;
  }
  uint64_t bits;
  while (wire_number(&field->inside, wire_of(kind), &bits)) {
    push_number_of(L, kind, bits);
    lua_rawseti(L, -2, ++n);
  }
  return field->inside.at == field->inside.end;
}

/*
 * wire_fields(source, begin, end, schema, room): the message in bytes [begin, end) of a source as a table, or nil if it
 * is damaged. schema has a text for each number (below 64) of a field that is wanted: its kind (i varints, f floats,
 * d doubles, s texts, m messages) and name. Each field is a list, of messages the flat list of where each begins and
 * ends; of a kind in upper case, which stands once, it is the number or text itself, the last if there are several.
 * Tables are made as large as they become, with room for so many more fields: so they take at most some 40 bytes a byte
 * of the file, and nothing recurses.
 */
static int wire_fields(lua_State *L)
{
  const uint8_t *start;
  lua_settop(L, ROOM);
  WireReader r = reader_of(L, &start);
  luaL_checktype(L, SCHEMA, LUA_TTABLE);
  Counts counts;
  if (!count_fields(r, &counts)) return 0;
  lua_createtable(L, 0, counts.distinct + (int)luaL_optinteger(L, ROOM, 0));
  WireField field;
  while (wire_next(&r, &field) == WIRE_FIELD) {
    if (field.number >= MOST_FIELDS || lua_rawgeti(L, SCHEMA, field.number) != LUA_TSTRING) {
      lua_settop(L, RESULT);
      continue;
    }
    const char *text = lua_tostring(L, -1), kind = text[0];
    if (kind >= 'a') {
      push_list_of(L, text + 1, counts.of[field.number] * (kind == 'm' ? 2 : 1));
      if (!append(L, kind, &field, start)) return 0;
    } else {
      if (!push_single(L, (char)(kind - 'A' + 'a'), &field)) return 0;
      lua_setfield(L, RESULT, text + 1);
    }
    lua_settop(L, RESULT);
  }
  return 1;
}

/* ----------------------------------------------------------------- tensors */

enum { DATA_TYPE = 4, DIMS = 5 };

/* The sizes in the table, and how many elements they make; pushes nil and what is wrong with them, and is -1, else. */
static int64_t shape_of(lua_State *L, int64_t *shape, int *ndim)
{
  int64_t n = 1;
  const lua_Unsigned dims = lua_rawlen(L, DIMS);
  lua_pushnil(L);
  if (dims > MAX_DIMS) {
    lua_pushfstring(L, "it has %d dimensions, more than %d", (int)dims, MAX_DIMS);
    return -1;
  }
  bool is_empty = false;
  for (int i = 0; i < (int)dims; i++) {
    lua_rawgeti(L, DIMS, i + 1);
    shape[i] = (int64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (shape[i] < 0 || __builtin_mul_overflow(n, shape[i] ? shape[i] : 1, &n)) {
      lua_pushliteral(L, "its sizes are negative or too large");
      return -1;
    }
    is_empty = is_empty || shape[i] == 0;
  }
  lua_pop(L, 1);
  *ndim = (int)dims;
  return is_empty ? 0 : n;
}

static int fail(lua_State *L, const char *problem)
{
  lua_pushnil(L);
  lua_pushstring(L, problem);
  return 2;
}

/* Numbers that stand in a message as those of a type, or elements that must be converted. */
static void push_converted(lua_State *L, const OnnxType *type, WireReader r, bool is_message, int64_t n, Ints shape)
{
  uint64_t bytes = 0;
  Tensor *t = push_new_tensor(L, context_of(L), type->dtype, DEVICE_CPU, shape)->tensor;
  if (!is_message) {
    onnx_convert(type, r.at, n, tensor_data(t));
    return;
  }
  onnx_bytes(type, n, &bytes);
  uint8_t *gathered = lua_newuserdatauv(L, (size_t)bytes + 1, 0);
  onnx_gather_numbers(type, r, gathered);
  onnx_convert(type, gathered, n, tensor_data(t));
  lua_pop(L, 1);
}

/* wire_tensor(source, begin, end, data_type, dims, is_message): the tensor whose elements are these bytes, left where
   they lie if they can be, or stand as numbers in the TensorProto there; or nil and what is wrong. */
static int wire_tensor(lua_State *L)
{
  int64_t shape[MAX_DIMS], numbers = 0;
  int ndim = 0;
  uint64_t bytes;
  const uint8_t *start;
  lua_settop(L, 6);
  WireReader r = reader_of(L, &start);
  const bool is_message = lua_toboolean(L, 6);
  const OnnxType *type = onnx_type((int64_t)luaL_checkinteger(L, DATA_TYPE));
  luaL_checktype(L, DIMS, LUA_TTABLE);
  if (!type) return fail(L, "its data type is unknown");
  if (type->dtype == DTYPE_NONE) return fail(L, "tensors of strings are not taken");
  const int64_t n = shape_of(L, shape, &ndim);
  if (n < 0) return 2;
  uint64_t there = (uint64_t)(r.end - r.at);
  if (!onnx_bytes(type, n, &bytes)) return fail(L, "its sizes are too large");
  if (is_message) {
    numbers = onnx_count_numbers(type, r);
    if (numbers < 0) return fail(L, "its numbers are damaged");
    there = (uint64_t)numbers * (uint64_t)onnx_bytes_of_number(type);
  }
  if (there != bytes) {
    lua_pushnil(L);
    lua_pushfstring(L, "it has %I bytes of elements, and its shape wants %I", (LUAI_UACINT)there, (LUAI_UACINT)bytes);
    return 2;
  }
  const Ints sizes = {shape, ndim};
  if (type->as_it_is && !is_message)
    push_stored_tensor(L, context_of(L), SOURCE, (uint64_t)(r.at - start), type->dtype, sizes, false);
  else push_converted(L, type, r, is_message, n, sizes);
  return 1;
}

/* wire_type(data_type): its name, and our dtype for it, nil for none. */
static int wire_type(lua_State *L)
{
  const OnnxType *type = onnx_type((int64_t)luaL_checkinteger(L, 1));
  if (!type) return 0;
  lua_pushstring(L, type->name);
  if (type->dtype == DTYPE_NONE) lua_pushnil(L);
  else push_dtype(L, type->dtype);
  return 2;
}

const luaL_Reg wire_functions[] = {
  {"wire_fields", wire_fields}, {"wire_tensor", wire_tensor}, {"wire_type", wire_type}, {NULL, NULL}};
