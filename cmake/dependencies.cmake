# Lua, zlib and threads. Each path can be given on the command line (-DNNLUA_LUA_LIBRARY=...). OpenBLAS is none of them:
# it is loaded at its first use (src/kernels/openblas.c).

find_path(NNLUA_LUA_INCLUDE_DIR lua.h PATH_SUFFIXES lua5.4 lua54 lua-5.4 lua
  DOC "Folder of lua.h (Lua 5.4)")
find_library(NNLUA_LUA_LIBRARY NAMES liblua5.4.a liblua54.a lua5.4 lua54 lua
  DOC "Lua 5.4, static where there is one, for the interpreter; nnlua.so takes its host's")

find_library(NNLUA_ZLIB_LIBRARY NAMES z DOC "zlib, which reads compressed data")
find_path(NNLUA_ZLIB_INCLUDE_DIR zlib.h DOC "Folder of zlib.h")

set(needed NNLUA_LUA_INCLUDE_DIR NNLUA_ZLIB_LIBRARY NNLUA_ZLIB_INCLUDE_DIR)
option(NNLUA_MODULE_ONLY "Build nnlua.so only, which a stock Lua loads" OFF)
if(NOT NNLUA_MODULE_ONLY)
  list(APPEND needed NNLUA_LUA_LIBRARY)
endif()
set(packages "liblua5.4-dev and zlib1g-dev")
foreach(name IN LISTS needed)
  if(NOT ${name})
    message(FATAL_ERROR "${name} was not found: install ${packages} (./bootstrap install-deps) "
      "or give -D${name}=<path>")
  endif()
endforeach()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
