/* Archives and arrays for what reads and writes files in Lua: zip, NumPy's .npy, storages of PyTorch's. */
#include <stdlib.h>
#include <string.h>

#include "io/files.h"
#include "io/npy.h"
#include "io/zip.h"
#include "lua/open.h"
#include "lua/files/output.h"
#include "lua/files/source.h"

/* ------------------------------------------------------------- zip, reading */

static const char ZIP[] = "nnlua.ZipArchive";

static int close_zip(lua_State *L)
{
  zip_close(lua_touserdata(L, 1));
  return 0;
}

/* open_zip(source): an archive, and the list of its members' names */
static int open_zip(lua_State *L)
{
  const Source *source = source_check(L, 1);
  ZipArchive *z = lua_newuserdatauv(L, sizeof *z, 1);
  *z = (ZipArchive){0};
  push_gc_metatable(L, ZIP, close_zip);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  if (!zip_open(z, source_name(L, 1), source)) return user_error(L, "load: %s", z->problem.text);
  lua_newtable(L);
  for (size_t i = 0; i < z->count; i++) {
    lua_pushlstring(L, z->members[i].name, z->members[i].name_size);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 2;
}

/* zip_member(archive, i): a source of the bytes of the i-th member */
static int member_of_zip(lua_State *L)
{
  ZipArchive *z = luaL_checkudata(L, 1, ZIP);
  lua_Integer i = luaL_checkinteger(L, 2);
  luaL_argcheck(L, i >= 1 && (size_t)i <= z->count, 2, "there is no such member");
  lua_getiuservalue(L, 1, 1);
  Source *part = push_part(L, -1);
  if (!zip_member(z, &z->members[i - 1], part)) {
    *part = NO_SOURCE;
    return user_error(L, "load: %s", z->problem.text);
  }
  return 1;
}

/* ------------------------------------------------------------------ writing */

static int abandon_zip(lua_State *L)
{
  zip_abandon(lua_touserdata(L, 1));
  return 0;
}

/* What stands at the top of the stack as bytes: a string, or a contiguous tensor's elements. Its table keeps it. */
static ZipPiece piece_at_top(lua_State *L)
{
  ZipPiece piece = {0};
  const Tensor *t = tensor_test(L, -1);
  if (!t) {
    piece.data = luaL_checklstring(L, -1, &piece.size);
    return piece;
  }
  if (!t->is_contiguous || t->device != DEVICE_CPU) user_error(L, "save: a contiguous tensor was expected");
  return (ZipPiece){tensor_data(t), tensor_bytes(t)};
}

static ZipPiece *push_pieces(lua_State *L, int list, size_t *count)
{
  luaL_checktype(L, list, LUA_TTABLE);
  *count = lua_rawlen(L, list);
  ZipPiece *pieces = lua_newuserdatauv(L, (*count + 1) * sizeof *pieces, 0);
  for (size_t i = 0; i < *count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    pieces[i] = piece_at_top(L);
    lua_pop(L, 1);
  }
  return pieces;
}

/* write_zip(path, names, members): an archive; a member is a list of strings and tensors. Without a path the bytes are
   returned. */
static int write_zip(lua_State *L)
{
  lua_settop(L, 3);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  Output *o = push_output(L, 1);
  ZipWriter *w = lua_newuserdatauv(L, sizeof *w, 0);
  zip_begin(w, o);
  push_gc_metatable(L, "nnlua.ZipWriter", abandon_zip);
  lua_setmetatable(L, -2);
  int top = lua_gettop(L);
  bool well = true;
  for (lua_Integer i = 1; well && lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
    size_t n, count;
    const char *name = luaL_checklstring(L, -1, &n);
    lua_rawgeti(L, 3, i);
    const ZipPiece *pieces = push_pieces(L, lua_gettop(L), &count);
    well = zip_add(w, name, n, pieces, count);
    lua_settop(L, top);
  }
  if (!well || !zip_end(w)) return user_error(L, "save: %s: it can't be written: %s", output_name(L, 1), file_error());
  return finish_output(L, 1, o);
}

/* write_pieces(path, pieces): a file of strings and tensors, one after the other; likewise */
static int write_pieces(lua_State *L)
{
  size_t count;
  lua_settop(L, 2);
  const ZipPiece *pieces = push_pieces(L, 2, &count);
  Output *o = push_output(L, 1);
  for (size_t i = 0; i < count; i++)
    if (!output_write(o, pieces[i].data, pieces[i].size))
      return user_error(L, "save: %s: it can't be written: %s", output_name(L, 1), file_error());
  return finish_output(L, 1, o);
}

/* ---------------------------------------------------------------------- npy */

/* read_npy(source): an array's elements as they lie in the file, and whether the dimensions are the other way round */
static int read_npy(lua_State *L)
{
  NpyArray a;
  if (!npy_read(&a, source_name(L, 1), source_check(L, 1))) return user_error(L, "load: %s", a.problem.text);
  if (a.is_fortran)
    for (int i = 0; i < a.ndim / 2; i++) {
      int64_t size = a.shape[i];
      a.shape[i] = a.shape[a.ndim - 1 - i];
      a.shape[a.ndim - 1 - i] = size;
    }
  push_stored_tensor(L, context_of(L), 1, a.elements, a.dtype, (Ints){a.shape, a.ndim}, a.is_turned);
  lua_pushboolean(L, a.is_fortran);
  return 2;
}

/* npy_text(dtype): NumPy's text of a dtype, or nil */
static int npy_text(lua_State *L)
{
  DType dtype;
  luaL_argcheck(L, dtype_test(L, 1, &dtype), 1, "a dtype expected");
  lua_pushstring(L, npy_dtype_text(dtype));
  return 1;
}

/* npy_dtype(text): the dtype of such a text and whether it is of the other byte order; nil if there is none */
static int dtype_of_npy(lua_State *L)
{
  bool is_turned;
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  DType dtype = npy_dtype(text, n, &is_turned);
  if (dtype == DTYPE_NONE) return 0;
  push_dtype(L, dtype);
  lua_pushboolean(L, is_turned);
  return 2;
}

/* ----------------------------------------------------------------- storages */

/* A tensor over a storage's bytes. */
typedef struct Over {
  const Tensor *bytes;
  DType dtype;
  int ndim;
  int64_t shape[MAX_DIMS], strides[MAX_DIMS], offset;
} Over;

static Tensor *make_over(Call *call, void *data)
{
  const Over *o = data;
  Tensor *t = tensor_view(call, o->bytes, (Ints){o->shape, o->ndim}, (Ints){o->strides, o->ndim}, o->offset);
  t->dtype = (uint8_t)o->dtype;
  return t;
}

/* Whether all elements lie among so many. */
static bool lies_within(const Over *o, int64_t elements)
{
  int64_t last = o->offset, reach;
  for (int i = 0; i < o->ndim; i++)
    if (o->shape[i] == 0) return o->offset >= 0;
  for (int i = 0; i < o->ndim; i++)
    if (__builtin_mul_overflow(o->shape[i] - 1, o->strides[i], &reach) || __builtin_add_overflow(last, reach, &last))
      return false;
  return o->offset >= 0 && last < elements;
}

static int read_dims(lua_State *L, int index, int64_t *dims)
{
  luaL_checktype(L, index, LUA_TTABLE);
  size_t n = lua_rawlen(L, index);
  if (n > MAX_DIMS) return -1;
  for (size_t i = 0; i < n; i++) {
    int is_integer;
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    dims[i] = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || dims[i] < 0) return -1;
    lua_pop(L, 1);
  }
  return (int)n;
}

/* tensor_over(bytes, dtype, offset, shape, strides): a tensor over the memory of one of uint8, counted in elements; nil
   if it doesn't lie within it */
static int tensor_over(lua_State *L)
{
  Over o = {.bytes = tensor_check(L, 1), .offset = luaL_checkinteger(L, 3)};
  luaL_argcheck(L, dtype_test(L, 2, &o.dtype), 2, "a dtype expected");
  o.ndim = read_dims(L, 4, o.shape);
  if (o.ndim < 0 || read_dims(L, 5, o.strides) != o.ndim) return 0;
  size_t size = dtype_size(o.dtype), alignment = dtype_is_complex(o.dtype) ? size / 2 : size;
  if (!lies_within(&o, o.bytes->numel / (int64_t)size)) return 0;
  if (o.bytes->numel && (uintptr_t)tensor_data(o.bytes) % alignment) return 0;
  int64_t most = (int64_t)size; /* bytes, were no element shared */
  for (int i = 0; i < o.ndim; i++)
    if (__builtin_mul_overflow(most, o.shape[i] > 0 ? o.shape[i] : 1, &most)) return 0;
  push_made(L, context_of(L), make_over, &o);
  return 1;
}

static Tensor *make_whole(Call *call, void *data)
{
  const Tensor *t = data;
  int64_t n = t->storage ? (int64_t)(t->storage->bytes / dtype_size(tensor_dtype(t))) : 0;
  return tensor_view(call, t, INTS(n), INTS(1), 0);
}

/* storage_of(tensor): all elements of its storage, and a string that is the same for all of the dtype over it */
static int storage_of(lua_State *L)
{
  Tensor *t = tensor_check(L, 1);
  const void *key[2] = {t->storage, (void *)(uintptr_t)t->dtype};
  push_made(L, context_of(L), make_whole, t);
  lua_pushlstring(L, (const char *)key, sizeof key);
  return 2;
}

/* turn_bytes(tensor, size): each so many bytes of one of uint8, in the other order, in place */
static int turn_bytes(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 1 && size <= 8 && tensor_dtype(t) == DTYPE_u8 && t->is_contiguous, 1, "bytes expected");
  stored_turn(tensor_data(t), (size_t)(t->numel / size * size), (size_t)size);
  return 0;
}

/* make_truths(tensor): each byte of one of uint8 becomes 0 or 1, in place */
static int make_truths(lua_State *L)
{
  const Tensor *t = tensor_check(L, 1);
  luaL_argcheck(L, tensor_dtype(t) == DTYPE_u8 && t->is_contiguous, 1, "bytes expected");
  stored_make_truths(tensor_data(t), (size_t)t->numel);
  return 0;
}

/* read_into(source, place, tensor): bytes of a source as the elements of one of uint8 */
static int read_into(lua_State *L)
{
  const Source *s = source_check(L, 1);
  uint64_t place = (uint64_t)luaL_checkinteger(L, 2);
  const Tensor *t = tensor_check(L, 3);
  luaL_argcheck(L, tensor_dtype(t) == DTYPE_u8 && t->is_contiguous, 3, "bytes expected");
  if (!source_read(s, tensor_data(t), (uint64_t)t->numel, place))
    return user_error(L, "load: %s: its elements can't be read: %s", source_name(L, 1), file_error());
  return 0;
}

const luaL_Reg archive_functions[] = {{"open_zip", open_zip},
                                      {"zip_member", member_of_zip},
                                      {"write_zip", write_zip},
                                      {"write_pieces", write_pieces},
                                      {"read_npy", read_npy},
                                      {"npy_text", npy_text},
                                      {"npy_dtype", dtype_of_npy},
                                      {"tensor_over", tensor_over},
                                      {"storage_of", storage_of},
                                      {"turn_bytes", turn_bytes},
                                      {"make_truths", make_truths},
                                      {"read_into", read_into},
                                      {NULL, NULL}};
