/* Drawings as userdata, for lua/nnlua/plot/png.lua: system.drawing(function, width, height, scale) and its methods. */
#include "io/drawing.h"

#include <stdlib.h>

#include "lua/open.h"

typedef struct DrawingBox {
  Drawing *drawing;
  uint8_t *bytes; /* what was encoded, until Lua has it */
} DrawingBox;

static DrawingBox *box_at(lua_State *L) { return luaL_checkudata(L, 1, "nnlua.Drawing"); }

static Drawing *drawing_at(lua_State *L) { return box_at(L)->drawing; }

static int release_drawing(lua_State *L)
{
  DrawingBox *box = lua_touserdata(L, 1);
  drawing_free(box->drawing);
  free(box->bytes);
  *box = (DrawingBox){0};
  return 0;
}

/* The i-th number of the list at an index. */
static double number_at(lua_State *L, int list, lua_Integer i)
{
  lua_rawgeti(L, list, i);
  double value = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

/* d:color(red, green, blue, alpha): parts from 0 to 1 */
static int color(lua_State *L)
{
  drawing_color(drawing_at(L), luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4),
                luaL_checknumber(L, 5));
  return 0;
}

/* d:line(points, width, dashes): through the points of a flat list; `dashes` is a list of lengths, or nil. In pieces:
   cairo looks at all segments of a path for where they cross. */
static int line(lua_State *L)
{
  enum { MOST_DASHES = 8, PIECE = 256 };
  Drawing *d = drawing_at(L);
  double width = luaL_checknumber(L, 3), dashes[MOST_DASHES];
  lua_Integer n = (lua_Integer)lua_rawlen(L, 2) / 2;
  int n_dashes = 0;
  for (; lua_istable(L, 4) && n_dashes < MOST_DASHES && n_dashes < (int)lua_rawlen(L, 4); n_dashes++)
    dashes[n_dashes] = number_at(L, 4, n_dashes + 1);
  for (lua_Integer i = 0; i < n; i++) {
    double x = number_at(L, 2, 2 * i + 1), y = number_at(L, 2, 2 * i + 2);
    if (i == 0) drawing_move(d, x, y);
    else drawing_line(d, x, y);
    if (i % PIECE == PIECE - 1 && i < n - 1 && n_dashes == 0) {
      drawing_stroke(d, width, true, dashes, 0);
      drawing_move(d, x, y);
    }
  }
  drawing_stroke(d, width, n_dashes == 0, dashes, n_dashes);
  return 0;
}

/* d:dots(points, radius): each a stroke without length, with round ends */
static int dots(lua_State *L)
{
  Drawing *d = drawing_at(L);
  double radius = luaL_checknumber(L, 3);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 2) / 2;
  for (lua_Integer i = 0; i < n; i++) {
    double x = number_at(L, 2, 2 * i + 1), y = number_at(L, 2, 2 * i + 2);
    drawing_move(d, x, y);
    drawing_line(d, x, y);
    drawing_stroke(d, 2 * radius, true, NULL, 0);
  }
  return 0;
}

/* d:rectangle(x, y, width, height, line): filled, or its edge of a width */
static int rectangle(lua_State *L)
{
  Drawing *d = drawing_at(L);
  drawing_rectangle(d, luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4), luaL_checknumber(L, 5));
  if (lua_isnoneornil(L, 6)) drawing_fill(d);
  else drawing_stroke(d, luaL_checknumber(L, 6), false, NULL, 0);
  return 0;
}

/* d:text(x, y, text, size, is_bold, anchor, angle) */
static int text(lua_State *L)
{
  drawing_text(drawing_at(L), luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checkstring(L, 4),
               luaL_checknumber(L, 5), lua_toboolean(L, 6), luaL_checknumber(L, 7), luaL_checknumber(L, 8));
  return 0;
}

/* d:picture(x, y, width, height, bytes, columns, rows) */
static int picture(lua_State *L)
{
  size_t n;
  const char *bytes = luaL_checklstring(L, 6, &n);
  lua_Integer columns = luaL_checkinteger(L, 7), rows = luaL_checkinteger(L, 8);
  luaL_argcheck(L, columns > 0 && rows > 0 && columns <= 32767 && rows <= 32767 && n == 3 * (size_t)(columns * rows), 6,
                "bytes of all pixels");
  if (!drawing_picture(drawing_at(L), luaL_checknumber(L, 2), luaL_checknumber(L, 3), luaL_checknumber(L, 4),
                       luaL_checknumber(L, 5), (const uint8_t *)bytes, (int)columns, (int)rows))
    return user_error(L, "not enough memory for a picture of %d x %d pixels", (int)columns, (int)rows);
  return 0;
}

/* d:png(function): the bytes of a file */
static int png(lua_State *L)
{
  DrawingBox *box = box_at(L);
  PictureFile file;
  char error[ERROR_TEXT];
  if (!drawing_png(box->drawing, &file, error, sizeof error))
    return user_error(L, "%s: %s", luaL_checkstring(L, 2), error);
  box->bytes = file.bytes;
  lua_pushlstring(L, (const char *)file.bytes, file.n);
  free(file.bytes);
  box->bytes = NULL;
  return 1;
}

/* drawing(function, width, height, scale): width x height units, each of so many pixels */
static int new_drawing(lua_State *L)
{
  static const luaL_Reg methods[] = {{"color", color}, {"line", line},       {"dots", dots}, {"rectangle", rectangle},
                                     {"text", text},   {"picture", picture}, {"png", png},   {NULL, NULL}};
  const char *function = luaL_checkstring(L, 1);
  char error[ERROR_TEXT];
  DrawingBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (DrawingBox){0};
  push_gc_metatable(L, "nnlua.Drawing", release_drawing);
  if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
    luaL_newlib(L, methods);
    lua_setfield(L, -3, "__index");
  }
  lua_pop(L, 1);
  lua_setmetatable(L, -2);
  box->drawing = drawing_new((int)luaL_checkinteger(L, 2), (int)luaL_checkinteger(L, 3), luaL_checknumber(L, 4), error,
                             sizeof error);
  if (!box->drawing) return user_error(L, "%s: %s", function, error);
  return 1;
}

const luaL_Reg drawing_functions[] = {{"drawing", new_drawing}, {NULL, NULL}};
