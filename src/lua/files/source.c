/* Sources of bytes for what reads files in Lua, and tensors whose elements stand in them. */
#include "lua/files/source.h"

#include <string.h>

#include "core/chunk.h"
#include "io/files.h"
#include "lua/open.h"
#include "lua/files/path.h"

static const char SOURCE[] = "nnlua.Source";
enum { NAME = 1, KEPT = 2 }; /* user values: the name, and what the bytes belong to */

/* -------------------------------------------------------------- userdata */

typedef struct SourceBox {
  Source source; /* first: a source is its box */
  Chunks chunks; /* tensors that are copied from it */
} SourceBox;

static int close_source(lua_State *L)
{
  SourceBox *box = lua_touserdata(L, 1);
  source_close(&box->source);
  chunks_close(&box->chunks);
  return 0;
}

static Source *push_source(lua_State *L)
{
  SourceBox *box = lua_newuserdatauv(L, sizeof *box, 2);
  *box = (SourceBox){.source = NO_SOURCE};
  push_gc_metatable(L, SOURCE, close_source);
  lua_setmetatable(L, -2);
  return &box->source;
}

Source *source_check(lua_State *L, int index) { return luaL_checkudata(L, index, SOURCE); }

const char *source_name(lua_State *L, int index)
{
  lua_getiuservalue(L, index, NAME);
  const char *name = lua_tostring(L, -1);
  lua_pop(L, 1);
  return name ? name : "?";
}

Source *push_part(lua_State *L, int whole)
{
  whole = lua_absindex(L, whole);
  Source *part = push_source(L);
  lua_getiuservalue(L, whole, NAME);
  lua_setiuservalue(L, -2, NAME);
  lua_pushvalue(L, whole);
  lua_setiuservalue(L, -2, KEPT);
  return part;
}

/* open_source(path, mmap): a file's bytes, read when they are wanted, or mapped */
static int open_source(lua_State *L)
{
  const char *path = path_argument(L, "load", 1);
  bool is_mapped = lua_toboolean(L, 2);
  Source *s = push_source(L);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, NAME);
  if (!(is_mapped ? source_map(s, path, context_of(L)) : source_open(s, path)))
    return user_error(L, "load: %s: it can't be opened: %s", path, file_error());
  return 1;
}

/* text_source(text, name): the bytes of a string */
static int text_source(lua_State *L)
{
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  luaL_checkstring(L, 2);
  Source *s = push_source(L);
  *s = source_of_memory(text, size);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, NAME);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, KEPT);
  return 1;
}

/* source_size(source) */
static int size_of_source(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)source_check(L, 1)->size);
  return 1;
}

/* source_text(source, place, n): up to n bytes from a place on */
static int text_of_source(lua_State *L)
{
  const Source *s = source_check(L, 1);
  uint64_t place = (uint64_t)luaL_optinteger(L, 2, 0), n = s->size;
  if (!lua_isnoneornil(L, 3)) n = (uint64_t)luaL_checkinteger(L, 3);
  uint64_t left = place < s->size ? s->size - place : 0;
  if (n > left) n = left;
  luaL_Buffer b;
  char *text = luaL_buffinitsize(L, &b, (size_t)n);
  if (!source_read(s, text, n, place))
    return user_error(L, "load: %s: it can't be read: %s", source_name(L, 1), file_error());
  luaL_pushresultsize(&b, (size_t)n);
  return 1;
}

/* --------------------------------------------------------------- tensors */

/* Pages that are a tensor's elements. */
typedef struct Pages {
  char *data;
  size_t bytes;
  MappedFile *file;
  DType dtype;
  Ints shape;
} Pages;

static Tensor *make_over_pages(Call *call, void *data)
{
  const Pages *p = data;
  int64_t strides[MAX_DIMS], step = 1;
  for (int64_t d = p->shape.n - 1; d >= 0; d--) {
    strides[d] = step;
    step *= p->shape.v[d];
  }
  Tensor *t = tensor_from_memory(call, p->data, p->bytes, p->dtype, p->shape, (Ints){strides, p->shape.n},
                                 mapped_file_unlink, p->file);
  mapped_file_retain(p->file);
  return t;
}

/* The bytes of a number, of which a complex one has two: what elements are aligned to. */
static size_t number_size(DType dtype) { return dtype_is_complex(dtype) ? dtype_size(dtype) / 2 : dtype_size(dtype); }

void stored_turn(char *data, size_t bytes, size_t size)
{
  for (char *end = data + bytes; data < end; data += size)
    for (size_t i = 0; i < size / 2; i++) {
      char byte = data[i];
      data[i] = data[size - 1 - i];
      data[size - 1 - i] = byte;
    }
}

void stored_make_truths(unsigned char *data, size_t n)
{
  for (size_t i = 0; i < n; i++) data[i] = data[i] != 0;
}

typedef struct Copied {
  Chunks *chunks;
  DType dtype;
  Ints shape;
} Copied;

static Tensor *make_copied(Call *call, void *data)
{
  const Copied *c = data;
  return chunk_tensor(call, c->chunks, c->dtype, c->shape);
}

/* As push_stored_tensor; pages are taken where they are aligned as is asked. */
static void push_elements(lua_State *L, Context *ctx, int index, uint64_t place, DType dtype, Ints shape,
                          bool is_turned, size_t alignment)
{
  index = lua_absindex(L, index);
  const Source *s = source_check(L, index);
  size_t size = number_size(dtype), bytes = dtype_size(dtype);
  for (int64_t d = 0; d < shape.n; d++)
    if (__builtin_mul_overflow(bytes, (size_t)shape.v[d], &bytes)) bytes = SIZE_MAX;
  if (place > s->size || bytes > s->size - place)
    user_error(L, "load: %s: it is cut off: a tensor needs %I bytes from byte %I on", source_name(L, index),
               (LUAI_UACINT)bytes, (LUAI_UACINT)place);
  is_turned = is_turned && size > 1;
  if (s->mapped && bytes && !is_turned && dtype != DTYPE_b8 && (uintptr_t)(s->memory + place) % alignment == 0) {
    push_made(L, ctx, make_over_pages,
              &(Pages){s->mapped->data + (s->memory - s->mapped->data) + place, bytes, s->mapped, dtype, shape});
    return;
  }
  SourceBox *box = lua_touserdata(L, index);
  char *data = tensor_data(push_made(L, ctx, make_copied, &(Copied){&box->chunks, dtype, shape})->tensor);
  if (!source_read(s, data, bytes, place))
    user_error(L, "load: %s: its elements can't be read: %s", source_name(L, index), file_error());
  if (is_turned) stored_turn(data, bytes, size);
  if (dtype == DTYPE_b8) stored_make_truths((unsigned char *)data, bytes);
}

void push_stored_tensor(lua_State *L, Context *ctx, int index, uint64_t place, DType dtype, Ints shape, bool is_turned)
{
  push_elements(L, ctx, index, place, dtype, shape, is_turned, number_size(dtype));
}

/* stored_bytes(source, n): the first n bytes of a source, as a tensor of uint8 that any dtype's elements may lie in */
static int stored_bytes(lua_State *L)
{
  int64_t n = luaL_checkinteger(L, 2);
  if (n < 0) return user_error(L, "load: %s: a storage of %I bytes", source_name(L, 1), (LUAI_UACINT)n);
  push_elements(L, context_of(L), 1, 0, DTYPE_u8, INTS(n), false, sizeof(double));
  return 1;
}

const luaL_Reg source_functions[] = {{"open_source", open_source},    {"text_source", text_source},
                                     {"source_size", size_of_source}, {"source_text", text_of_source},
                                     {"stored_bytes", stored_bytes},  {NULL, NULL}};
