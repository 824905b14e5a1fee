/* Pictures as tensors, and what is found in them, for lua/nnlua/io and vision. */
#include <stdlib.h>
#include <string.h>

#include "io/picture.h"
#include "io/regions.h"
#include "io/resample.h"
#include "lua/open.h"

/* The tensor at an index, whose elements a function reads. */
static const Tensor *elements_at(lua_State *L, int index, const char *function)
{
  const Tensor *t = tensor_check(L, index);
  need_elements(L, t, function);
  return t;
}

/* The bytes of a string, or of a contiguous uint8 tensor. */
static const void *bytes_at(lua_State *L, int index, const char *function, size_t *n)
{
  if (!tensor_test(L, index)) return luaL_checklstring(L, index, n);
  const Tensor *t = elements_at(L, index, function);
  *n = tensor_bytes(t);
  return tensor_data(t);
}

/* ------------------------------------------------------------------ pictures */

/* Whatever happens, the collector frees the pixels, which are malloc's, and what was encoded. */
static int release_picture(lua_State *L)
{
  Picture *picture = lua_touserdata(L, 1);
  free(picture->pixels);
  picture->pixels = NULL;
  return 0;
}

static Picture *push_picture(lua_State *L)
{
  Picture *picture = lua_newuserdatauv(L, sizeof *picture, 0);
  *picture = (Picture){0};
  push_gc_metatable(L, "nnlua.Picture", release_picture);
  lua_setmetatable(L, -2);
  return picture;
}

/* (height, width, channels), int32 of what has 16 bits. A copy: the collector knows of tensors' own memory alone. */
static Tensor *make_pixels(Call *call, void *data)
{
  const Picture *p = data;
  Tensor *t = tensor_new(call, p->is_16_bit ? DTYPE_i32 : DTYPE_u8, DEVICE_CPU, INTS(p->height, p->width, p->channels));
  if (!p->is_16_bit) memcpy(tensor_data(t), p->pixels, (size_t)t->numel);
  else
    for (int64_t i = 0; i < t->numel; i++) ((int32_t *)tensor_data(t))[i] = ((uint16_t *)p->pixels)[i];
  return t;
}

/* decode_picture(function, bytes, mode, by_orientation, what): a tensor (height, width, channels); `what` begins the
   error's text. */
static int decode_picture(lua_State *L)
{
  static const char *const modes[] = {"UNCHANGED", "GRAY", "GRAY_ALPHA", "RGB", "RGB_ALPHA", NULL};
  const char *function = luaL_checkstring(L, 1), *what = luaL_checkstring(L, 5);
  char error[ERROR_TEXT];
  size_t n;
  const void *bytes = bytes_at(L, 2, function, &n);
  PictureMode mode = (PictureMode)luaL_checkoption(L, 3, NULL, modes);
  bool by_orientation = lua_toboolean(L, 4);
  Picture *picture = push_picture(L);
  if (!picture_read(bytes, n, mode, by_orientation, picture, error, sizeof error)) {
    picture->pixels = NULL;
    return user_error(L, "%s: %s%s", function, what, error);
  }
  push_made(L, context_of(L), make_pixels, picture);
  free(picture->pixels);
  picture->pixels = NULL;
  return 1;
}

/* encode_picture(function, pixels, format, setting): a string; the pixels are contiguous uint8 (height, width,
   channels) */
static int encode_picture(lua_State *L)
{
  const char *function = luaL_checkstring(L, 1), *format = luaL_checkstring(L, 3);
  const Tensor *t = elements_at(L, 2, function);
  Picture pixels = {
    .height = t->shape[0], .width = t->shape[1], .channels = (int)t->shape[2], .pixels = tensor_data(t)};
  int setting = (int)luaL_checkinteger(L, 4);
  char error[ERROR_TEXT];
  PictureFile file = {0};
  Picture *kept = push_picture(L);
  bool ok = strcmp(format, "png") == 0 ? picture_write_png(&pixels, setting, &file, error, sizeof error)
                                       : picture_write_jpeg(&pixels, setting, &file, error, sizeof error);
  if (!ok) return user_error(L, "%s: %s", function, error);
  kept->pixels = file.bytes;
  lua_pushlstring(L, (const char *)file.bytes, file.n);
  free(file.bytes);
  kept->pixels = NULL;
  return 1;
}

/* ------------------------------------------------------------------ resizing */

typedef struct Resizing {
  const Tensor *from;
  int64_t height, width;
  ResampleFilter filter;
} Resizing;

static Tensor *make_resized(Call *call, void *data)
{
  const Resizing *r = data;
  Tensor *to = tensor_new(call, tensor_dtype(r->from), DEVICE_CPU, INTS(r->from->shape[0], r->height, r->width));
  resample(call, r->from, to, r->filter);
  return to;
}

/* resize_picture(image, height, width, filter): of a uint8 or float32 tensor (channels, height, width) */
static int resize_picture(lua_State *L)
{
  static const char *const filters[] = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos", NULL};
  Context *ctx = context_of(L);
  Resizing r = {
    .from = elements_at(L, 1, "nl.io.resize"), .height = luaL_checkinteger(L, 2), .width = luaL_checkinteger(L, 3)};
  r.filter = (ResampleFilter)luaL_checkoption(L, 4, NULL, filters);
  push_made(L, ctx, make_resized, &r);
  return 1;
}

/* ------------------------------------------------------------------- regions */

typedef struct Labelling {
  const Tensor *mask;
  Tensor *labels;
  bool diagonals;
} Labelling;

static Tensor *make_stats(Call *call, void *data)
{
  const Labelling *l = data;
  return label_regions(call, l->mask, l->diagonals, l->labels);
}

/* label_regions(mask, diagonals): labels and what is told of each region; the mask is contiguous, of booleans */
static int label_regions_of(lua_State *L)
{
  Context *ctx = context_of(L);
  Labelling l = {.mask = elements_at(L, 1, "nl.vision.connected_components"), .diagonals = lua_toboolean(L, 2)};
  l.labels = push_new_tensor(L, ctx, DTYPE_i64, DEVICE_CPU, tensor_shape(l.mask))->tensor;
  push_made(L, ctx, make_stats, &l);
  return 2;
}

const luaL_Reg picture_functions[] = {{"decode_picture", decode_picture},
                                      {"encode_picture", encode_picture},
                                      {"resize_picture", resize_picture},
                                      {"label_regions", label_regions_of},
                                      {NULL, NULL}};
