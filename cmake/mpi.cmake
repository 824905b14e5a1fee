# The modules that move bytes between processes (src/mpi), one for each MPI that is installed: Debian's packages
# libopenmpi-dev and libmpich-dev. nnlua itself knows none of them; it loads one when a process joins others.

set(NNLUA_MPI_FOLDER "lib/nnlua" CACHE STRING "Where the modules for MPI are installed, below the prefix or absolute")

function(add_mpi_modules)
  foreach(mpi IN ITEMS openmpi mpich)
    string(TOUPPER "NNLUA_${mpi}_COMPILER" compiler)
    find_program(${compiler} mpicc.${mpi} DOC "The compiler of ${mpi}, which knows where its headers and libraries are")
    mark_as_advanced(${compiler})
    if(${compiler})
      add_mpi_module(${mpi} "${${compiler}}")
    endif()
  endforeach()
endfunction()

# Their compilers differ in how they are asked, but not in what they take.
function(add_mpi_module mpi compiler)
  set(module "${PROJECT_BINARY_DIR}/nnlua_${mpi}.so")
  set(source "${PROJECT_SOURCE_DIR}/src/mpi/mpi.c")
  add_custom_command(OUTPUT "${module}"
    COMMAND "${compiler}" -std=gnu11 -O2 -Wall -Wextra -Wpedantic -Wshadow -fPIC -fvisibility=hidden -shared
      "-I${PROJECT_SOURCE_DIR}/src" "${source}" -o "${module}"
    DEPENDS "${source}" "${PROJECT_SOURCE_DIR}/src/distributed/transport.h" "${PROJECT_SOURCE_DIR}/src/core/half.h"
      "${PROJECT_SOURCE_DIR}/src/core/dtype.h" "${PROJECT_SOURCE_DIR}/src/core/dtypes.def"
    COMMENT "Building the module for ${mpi}" VERBATIM)
  add_custom_target(nnlua_${mpi} ALL DEPENDS "${module}")
  install(PROGRAMS "${module}" DESTINATION "${NNLUA_MPI_FOLDER}")
endfunction()
