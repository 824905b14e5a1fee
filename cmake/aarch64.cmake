# Compiles for aarch64 on another machine, and runs what is compiled by qemu: a toolchain file for CMake. The folder
# NNLUA_ARM64 holds Debian's arm64 packages, unpacked (docs/adding-an-instruction-set.md).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NNLUA_ARM64)
set(CMAKE_C_FLAGS_INIT "-isystem ${NNLUA_ARM64}/usr/include/aarch64-linux-gnu")
set(CMAKE_FIND_ROOT_PATH ${NNLUA_ARM64} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
