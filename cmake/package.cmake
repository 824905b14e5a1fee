# A Debian package, by CPack: `cpack --config build/release/CPackConfig.cmake` writes nnlua_VERSION_ARCHITECTURE.deb
# into build/release. `./bootstrap package` does that, and docs/deploying.md tells of it.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nnlua)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "the nnlua project <nnlua@localhost>") # Debian demands an address; the project has none
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "deep learning for Lua 5.4")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/package_files.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION interpreters)
# What the binary is linked to. Not by dpkg-shlibdeps, which would demand what is loaded at its first use, too.
execute_process(COMMAND getconf GNU_LIBC_VERSION OUTPUT_VARIABLE libc_version)
string(REGEX MATCH "[0-9.]+" libc_version "${libc_version}")
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= ${libc_version}), zlib1g")
# Libraries that are loaded at their first use, and what `nnlua test` runs: busted wants a Lua, and without lua5.4 it would
# bring 5.2 along. A C host needs Lua's own package, too.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libopenblas0-pthread, lua5.4, lua-busted")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "liblua5.4-dev, zlib1g-dev, libpng16-16, libturbojpeg0, libcairo2, graphviz, libopenmpi3, libmpich12")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "Tensors, automatic differentiation, neural networks and optimizers with
PyTorch's names and meanings: an interpreter with a prompt, a module for
lua5.4, and a library for C programs.")
include(CPack)
