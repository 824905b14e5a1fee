# Kernel templates: every file of src/kernels/typed is compiled once per (instruction set, dtype), every file of
# src/kernels/isa once per instruction set. What sets there are says src/kernels/isa.def, what dtypes src/core/dtypes.def.
#
# Each object sees  ISA     the instruction set's name, a token to paste: base, avx2, avx512
#                   ISA_<isa>=1  the same, to ask with #if (typed ones)
# a typed one also  T_SUFFIX  the dtype's name, a token to paste: f32 f64 i8 i16 i32 i64 u8 b8 (bool) c64 c128
#                   T_<dtype>=1, T_<category>=1  the same, and its category, to ask with #if
#                   the set's sizes of blocks
# and src/kernels/select.c sees what is in the binary:
#                   NNLUA_BUILT_SETS     SET(isa) for each set
#                   NNLUA_BUILT_KERNELS  KERNELS(isa, dtype) for each pair

set(dtypes_file ${PROJECT_SOURCE_DIR}/src/core/dtypes.def)
set(isa_file ${PROJECT_SOURCE_DIR}/src/kernels/isa.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${dtypes_file} ${isa_file})

# kernel_dtypes, and dtype_category_<dtype>: those that are computed in themselves.
file(STRINGS ${dtypes_file} rows REGEX "^DTYPE\\(")
foreach(row IN LISTS rows)
  if(NOT row MATCHES "^DTYPE\\(([a-z0-9]+), [a-z0-9]+, \"[a-z]*\", [A-Za-z0-9_ ]+, ([A-Z]+), ([a-z0-9]+), [0-9]+, [0-9]+\\)$")
    message(FATAL_ERROR "${dtypes_file}: '${row}' is no row of this form")
  endif()
  if(CMAKE_MATCH_1 STREQUAL CMAKE_MATCH_3)
    list(APPEND kernel_dtypes ${CMAKE_MATCH_1})
    set(dtype_category_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
  endif()
endforeach()

# known_isa_sets, and isa_flags_<isa>, isa_dtypes_<isa>, isa_products_<isa>, isa_blocks_<isa>: those of this machine,
# from the plainest on.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(machine X86_64)
else()
  set(machine OTHER)
endif()
set(row_form "${machine}\\(([a-z0-9]+),[ \n]*\"([^\"]*)\",[ \n]*\"([^\"]*)\",[ \n]*\"([^\"]*)\"")
file(READ ${isa_file} text)
string(REGEX MATCHALL "${row_form}" rows "${text}")
foreach(row IN LISTS rows)
  string(REGEX MATCH "${row_form}" row "${row}")
  set(isa ${CMAKE_MATCH_1})
  set(categories "${CMAKE_MATCH_3}")
  list(APPEND known_isa_sets ${isa})
  separate_arguments(isa_flags_${isa} UNIX_COMMAND "${CMAKE_MATCH_2}")
  separate_arguments(isa_blocks_${isa} UNIX_COMMAND "${CMAKE_MATCH_4}")
  separate_arguments(categories UNIX_COMMAND "${categories}")
  foreach(dtype IN LISTS kernel_dtypes)
    if(dtype_category_${dtype} IN_LIST categories)
      list(APPEND isa_dtypes_${isa} ${dtype})
    elseif("PRODUCTS:${dtype_category_${dtype}}" IN_LIST categories OR "PRODUCTS:${dtype}" IN_LIST categories)
      list(APPEND isa_products_${isa} ${dtype})
    endif()
  endforeach()
endforeach()

option(NNLUA_PLAIN_AVX512 "AVX-512's kernels with its intrinsics written out, for tests on machines without" OFF)
if(NNLUA_PLAIN_AVX512)
  set(isa_flags_avx512 ${isa_flags_avx2} -include ${PROJECT_SOURCE_DIR}/tests/support/avx512.h -Wno-psabi -O1)
  list(REMOVE_ITEM known_isa_sets avx512vnni avx512bf16)
  unset(isa_products_avx512) # bytes' instructions aren't written out
endif()

set(NNLUA_ISA_SETS "" CACHE STRING "Instruction sets to build kernels for, of ${known_isa_sets}; none: all")
foreach(isa IN LISTS NNLUA_ISA_SETS)
  if(NOT isa IN_LIST known_isa_sets)
    message(FATAL_ERROR "NNLUA_ISA_SETS: '${isa}' is not one of ${known_isa_sets}")
  endif()
endforeach()
set(isa_sets base ${NNLUA_ISA_SETS}) # what a better set has no kernel for is base's
if(NOT NNLUA_ISA_SETS)
  set(isa_sets ${known_isa_sets})
endif()
list(REMOVE_DUPLICATES isa_sets)

# Lets the compiler vectorise loops over mathematical functions without giving up IEEE arithmetic: never -ffast-math.
# Integers wrap, as in PyTorch.
set(kernel_flags $<$<CONFIG:Release>:-O3> -fno-math-errno -fno-trapping-math -fwrapv
  # one text for all types: what is odd for bool or unsigned ones is right for the others
  -Wno-type-limits -Wno-int-in-bool-context
  $<$<C_COMPILER_ID:GNU>:-Wno-bool-compare>)

# The templates of a set's kernels for products alone.
set(product_templates table.c matmul.c matvec.c whole_products.c byte_products.c bfloat_products.c conv_bytes.c)
list(TRANSFORM product_templates PREPEND src/kernels/typed/)

# Tells src/kernels/select.c what is built and returns the typed kernels' objects.
function(add_typed_kernels result)
  file(GLOB templates CONFIGURE_DEPENDS src/kernels/typed/*.c)
  file(GLOB isa_sources CONFIGURE_DEPENDS src/kernels/isa/*.c)
  set(objects)
  foreach(isa IN LISTS isa_sets)
    string(APPEND built_sets " SET(${isa})")
    add_library(kernels_${isa} OBJECT ${isa_sources})
    target_link_libraries(kernels_${isa} PRIVATE nnlua_settings)
    # all sets give the same numbers: nothing is fused
    target_compile_options(kernels_${isa} PRIVATE ${kernel_flags} ${isa_flags_${isa}} -ffp-contract=off)
    target_compile_definitions(kernels_${isa} PRIVATE ISA=${isa})
    list(APPEND objects $<TARGET_OBJECTS:kernels_${isa}>)
    foreach(dtype IN LISTS isa_dtypes_${isa} isa_products_${isa})
      string(APPEND built_kernels " KERNELS(${isa}, ${dtype})")
      set(target kernels_${isa}_${dtype})
      if(dtype IN_LIST isa_products_${isa})
        add_library(${target} OBJECT ${product_templates})
        target_compile_definitions(${target} PRIVATE PRODUCTS_ALONE=1)
      else()
        add_library(${target} OBJECT ${templates})
      endif()
      target_link_libraries(${target} PRIVATE nnlua_settings)
      target_compile_options(${target} PRIVATE ${kernel_flags} ${isa_flags_${isa}})
      target_compile_definitions(${target} PRIVATE ISA=${isa} ISA_${isa}=1 T_SUFFIX=${dtype} T_${dtype}=1
        T_${dtype_category_${dtype}}=1 ${isa_blocks_${isa}})
      list(APPEND objects $<TARGET_OBJECTS:${target}>)
    endforeach()
  endforeach()
  # A short loop of these that crosses a line of the instruction cache can take twice as long on a Zen 3.
  set_source_files_properties(src/kernels/typed/arithmetic.c src/kernels/typed/activation.c
    src/kernels/typed/comparison.c src/kernels/isa/copy.c PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-falign-loops=64>")
  # These loops wait for memory. Whole lines of the cache at a time, as AVX-512 has them, take a tenth longer on a Zen 4
  # where the third cache or memory has the elements, and as long where the first one has.
  if(machine STREQUAL X86_64)
    set_property(SOURCE src/kernels/typed/arithmetic.c src/kernels/typed/comparison.c
      APPEND PROPERTY COMPILE_OPTIONS -mprefer-vector-width=256)
  endif()
  # its loops are worth vectors
  set_source_files_properties(src/launch/math/generate.c PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O3>")
  set_source_files_properties(src/kernels/select.c PROPERTIES COMPILE_DEFINITIONS
    "NNLUA_BUILT_SETS=${built_sets};NNLUA_BUILT_KERNELS=${built_kernels};NNLUA_PLAIN_AVX512=$<BOOL:${NNLUA_PLAIN_AVX512}>")
  set(${result} ${objects} PARENT_SCOPE)
endfunction()
