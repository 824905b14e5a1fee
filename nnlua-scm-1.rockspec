-- Builds with CMake; needs zlib (zlib1g-dev on Debian) and Lua's headers, and OpenBLAS (libopenblas0-pthread) where a
-- program calls what is LAPACK's.
-- Installs nnlua.so, which holds the Lua sources too, for require "nnlua" in a stock Lua. The interpreter is built by
-- ./bootstrap build.
rockspec_format = "3.0"
package = "nnlua"
version = "scm-1"

source = {
  url = "git+file://.", -- `luarocks make` in a clone; the project has no published address
}

description = {
  summary = "Deep learning for Lua 5.4",
  detailed = "Tensors, automatic differentiation, neural networks and optimizers with PyTorch's names and meanings.",
  license = "MIT",
}

dependencies = {"lua >= 5.4, < 5.5"}

build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    NNLUA_INSTALL_CMOD = "$(LIBDIR)",
    NNLUA_LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
    NNLUA_MODULE_ONLY = "ON",
    NNLUA_WERROR = "OFF", -- a compiler newer than the sources may warn of something new
  },
}
