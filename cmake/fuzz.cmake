# The harnesses of libFuzzer (tests/fuzz/readers), one for each reader of files, for clang alone: they are all that the
# preset "fuzz" builds.

if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "libFuzzer is clang's: install clang and libclang-rt-dev, and give -DCMAKE_C_COMPILER=clang")
endif()

# What the readers need of core is little: an archive, of which the linker takes no more than that.
file(GLOB reader_sources CONFIGURE_DEPENDS src/core/*.c src/io/*.c)
add_library(readers STATIC ${reader_sources})
target_link_libraries(readers PRIVATE nnlua_settings)
target_include_directories(readers PRIVATE ${NNLUA_ZLIB_INCLUDE_DIR})

file(GLOB harnesses CONFIGURE_DEPENDS tests/fuzz/readers/*.c)
foreach(harness IN LISTS harnesses)
  get_filename_component(name ${harness} NAME_WE)
  add_executable(fuzz_${name} ${harness})
  target_link_libraries(fuzz_${name} PRIVATE nnlua_settings readers ${NNLUA_ZLIB_LIBRARY} Threads::Threads m
    ${CMAKE_DL_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endforeach()
