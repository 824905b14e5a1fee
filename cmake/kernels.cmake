# Kernel templates: every file of src/kernels/typed is compiled once per (instruction set, dtype), every file of
# src/kernels/isa once per instruction set.
#
# Each object sees  ISA     the instruction set's name, a token to paste: base, avx2, avx512
#                   ISA_<isa>=1  the same, to ask with #if (typed ones)
# a typed one also  DTYPE   the dtype's name, a token to paste: f32 f64 i8 i16 i32 i64 u8 b8 (bool) c64 c128
#                   T_<dtype>=1  the same, to ask with #if
# and the library's own sources see NNLUA_HAVE_<ISA>=1 for each set that is in the binary.

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(known_isa_sets base avx2 avx512)
else()
  set(known_isa_sets base) # on aarch64 the baseline has NEON and fused multiply-add
endif()
set(NNLUA_ISA_SETS "${known_isa_sets}" CACHE STRING "Instruction sets to build kernels for, of ${known_isa_sets}")
set(isa_sets base ${NNLUA_ISA_SETS}) # what a better set has no kernel for is base's
list(REMOVE_DUPLICATES isa_sets)

set(avx2_flags -mavx2 -mfma -mf16c -mbmi2)
set(isa_flags_base "")
set(isa_flags_avx2 ${avx2_flags})
set(isa_flags_avx512 ${avx2_flags} -mavx512f -mavx512vl -mavx512dq -mavx512bw -mprefer-vector-width=512)

set(isa_dtypes_base f32 f64 i8 i16 i32 i64 u8 b8 c64 c128)
set(isa_dtypes_avx2 f32 f64 i8 i16 i32 i64 u8 b8)
set(isa_dtypes_avx512 f32 f64)

# Lets the compiler vectorise loops over mathematical functions without giving up IEEE arithmetic: never -ffast-math.
# Integers wrap, as in PyTorch. A multiply and an add are fused where the set has an instruction for it.
function(kernel_flags isa result)
  if(isa STREQUAL "base" AND "avx2" IN_LIST known_isa_sets)
    set(contract off)
  else()
    set(contract fast)
  endif()
  set(${result} $<$<CONFIG:Release>:-O3> -fno-math-errno -fno-trapping-math -fwrapv -ffp-contract=${contract}
    ${isa_flags_${isa}}
    # one text for all types: what is odd for bool or unsigned ones is right for the others
    -Wno-type-limits -Wno-int-in-bool-context
    $<$<C_COMPILER_ID:GNU>:-Wno-bool-compare> PARENT_SCOPE)
endfunction()

# Defines NNLUA_HAVE_<ISA> on the library and returns the typed kernels' objects.
function(add_typed_kernels library result)
  file(GLOB templates CONFIGURE_DEPENDS src/kernels/typed/*.c)
  file(GLOB isa_sources CONFIGURE_DEPENDS src/kernels/isa/*.c)
  set(objects)
  foreach(isa IN LISTS isa_sets)
    if(NOT isa IN_LIST known_isa_sets)
      message(FATAL_ERROR "NNLUA_ISA_SETS: '${isa}' is not one of ${known_isa_sets}")
    endif()
    string(TOUPPER ${isa} macro)
    target_compile_definitions(${library} PRIVATE NNLUA_HAVE_${macro}=1)
    kernel_flags(${isa} flags)
    add_library(kernels_${isa} OBJECT ${isa_sources})
    target_link_libraries(kernels_${isa} PRIVATE nnlua_settings)
    target_compile_options(kernels_${isa} PRIVATE ${flags} -ffp-contract=off) # all sets give the same numbers
    target_compile_definitions(kernels_${isa} PRIVATE ISA=${isa})
    list(APPEND objects $<TARGET_OBJECTS:kernels_${isa}>)
    if(templates)
      foreach(dtype IN LISTS isa_dtypes_${isa})
        set(target kernels_${isa}_${dtype})
        add_library(${target} OBJECT ${templates})
        target_link_libraries(${target} PRIVATE nnlua_settings)
        target_compile_options(${target} PRIVATE ${flags})
        target_compile_definitions(${target} PRIVATE ISA=${isa} ISA_${isa}=1 DTYPE=${dtype} T_${dtype}=1)
        list(APPEND objects $<TARGET_OBJECTS:${target}>)
      endforeach()
    endif()
  endforeach()
  set(${result} ${objects} PARENT_SCOPE)
endfunction()
