/*
 * compile_lua FOLDER LIST OUTPUT: runs while nnlua is built. Compiles the Lua files of a folder that a list names, with
 * their lines, and writes them as a C file (the table of src/lua/embedded.h), in the order of the list.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Writer {
  FILE *out;
  size_t column;
} Writer;

/* As a string literal; an escape has three digits, so that what follows is no part of it. */
static int write_bytes(lua_State *L, const void *bytes, size_t size, void *data)
{
  Writer *w = data;
  (void)L;
  for (size_t i = 0; i < size; i++) {
    const int c = ((const unsigned char *)bytes)[i];
    if (w->column++ % 64 == 0) fputs("\"\n\"", w->out);
    if (c < ' ' || c > '~' || strchr("\"\\?", c)) fprintf(w->out, "\\%03o", (unsigned)c);
    else putc(c, w->out);
  }
  return 0;
}

static void push_text_of(lua_State *L, const char *path)
{
  FILE *in = fopen(path, "rb");
  if (!in) luaL_error(L, "%s can't be read", path);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  size_t n;
  do {
    n = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, in);
    luaL_addsize(&text, n);
  } while (n > 0);
  fclose(in);
  luaL_pushresult(&text);
}

/* Debugging and errors know a file as "nnlua/nn.lua". */
static void write_chunk(lua_State *L, FILE *out, const char *folder, const char *file, int number)
{
  size_t size;
  push_text_of(L, lua_pushfstring(L, "%s/%s", folder, file));
  const char *text = lua_tolstring(L, -1, &size), *name = lua_pushfstring(L, "@%s", file);
  if (luaL_loadbufferx(L, text, size, name, "t") != LUA_OK) lua_error(L);
  fprintf(out, "static const char chunk_%d[] = \"", number);
  lua_dump(L, write_bytes, &(Writer){out, 0}, 0);
  fputs("\";\n\n", out);
}

static int write_chunks(lua_State *L)
{
  const char *folder = luaL_checkstring(L, 1), *result = luaL_checkstring(L, 3);
  FILE *list = fopen(luaL_checkstring(L, 2), "r"), *out = fopen(result, "w");
  if (!list || !out) return luaL_error(L, "%s or %s can't be opened", lua_tostring(L, 2), result);
  fputs("/* Written by cmake/compile_lua.c. */\n#include \"lua/embedded.h\"\n\n"
        "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n",
        out);
  char file[256];
  int count = 0;
  while (fgets(file, sizeof file, list)) {
    file[strcspn(file, "\n")] = 0;
    if (file[0]) write_chunk(L, out, folder, file, count++);
    lua_settop(L, 3);
  }
  fputs("const EmbeddedChunk embedded_chunks[] = {\n", out);
  for (int i = 0; i < count; i++) fprintf(out, "  {chunk_%d, sizeof chunk_%d - 1},\n", i, i);
  fputs("};\n", out);
  fclose(list);
  return fclose(out) == 0 ? 0 : luaL_error(L, "%s can't be written", result);
}

int main(int argc, char **argv)
{
  lua_State *L = luaL_newstate();
  if (!L) return EXIT_FAILURE;
  lua_pushcfunction(L, write_chunks);
  for (int i = 1; i < argc; i++) lua_pushstring(L, argv[i]);
  int status = lua_pcall(L, argc - 1, 0, 0);
  if (status != LUA_OK) fprintf(stderr, "compile_lua: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
