# Compiler settings that every object of nnlua shares: build types, warnings, ccache, visibility.

set(build_types Release Debug Asan Tsan Fuzz)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "One of ${build_types}" FORCE)
endif()
if(NOT CMAKE_BUILD_TYPE IN_LIST build_types)
  message(FATAL_ERROR "CMAKE_BUILD_TYPE is '${CMAKE_BUILD_TYPE}'; it is one of ${build_types}")
endif()

set(sanitizers "-fsanitize=address,undefined -fno-sanitize-recover=all")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_C_FLAGS_ASAN "-O1 -g -fno-omit-frame-pointer ${sanitizers}")
set(CMAKE_C_FLAGS_FUZZ "-O1 -g -fno-omit-frame-pointer ${sanitizers} -fsanitize=fuzzer-no-link")
set(CMAKE_C_FLAGS_TSAN "-O1 -g -fno-omit-frame-pointer -fsanitize=thread")
set(CMAKE_EXE_LINKER_FLAGS_ASAN "${sanitizers}")
set(CMAKE_MODULE_LINKER_FLAGS_ASAN "${sanitizers}")
set(CMAKE_EXE_LINKER_FLAGS_FUZZ "${sanitizers}")
set(CMAKE_EXE_LINKER_FLAGS_TSAN "-fsanitize=thread")
set(CMAKE_MODULE_LINKER_FLAGS_TSAN "-fsanitize=thread")

set(CMAKE_C_STANDARD 11) # as gnu11
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(NNLUA_CCACHE ccache)
mark_as_advanced(NNLUA_CCACHE)
if(NNLUA_CCACHE AND NOT DEFINED CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${NNLUA_CCACHE}")
endif()

option(NNLUA_WERROR "Warnings are errors" ON)

add_library(nnlua_settings INTERFACE)
target_include_directories(nnlua_settings INTERFACE ${PROJECT_SOURCE_DIR}/src)
# Small blocks (core/blocks.h), so that the tensors of the specs cross the edges of all of them.
target_compile_definitions(nnlua_settings INTERFACE $<$<CONFIG:Debug,Asan,Tsan,Fuzz>:NNLUA_SMALL_BLOCKS=1>)
target_compile_options(nnlua_settings INTERFACE
  -fvisibility=hidden
  # A small call runs through some forty functions: where they began within cache lines moved it by up to a tenth.
  $<$<CONFIG:Release>:-falign-functions=64>
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wpointer-arith -Wvla
  $<$<BOOL:${NNLUA_WERROR}>:-Werror>
  # It takes what is inlined around _setjmp for variables of the function; docs/architecture.md has the rule that holds.
  $<$<C_COMPILER_ID:GNU>:-Wno-clobbered>
  # gcc's own manual: the sanitizers' code makes this warning speak of paths that do not exist.
  $<$<AND:$<CONFIG:Asan>,$<C_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>
  # One text of kernels for all types: what is odd for bool is right for the others; not every loop of it is vectorised.
  # Here, as -Wall would switch these on again.
  $<$<C_COMPILER_ID:Clang>:-Wno-tautological-constant-compare>
  $<$<C_COMPILER_ID:Clang>:-Wno-bitwise-instead-of-logical>
  $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed>)
