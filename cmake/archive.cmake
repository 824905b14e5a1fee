# One archive of all objects, in which nothing is visible from outside but what nnlua.h declares: the objects are linked
# into one, and its hidden symbols made local.

function(add_archive target objects)
  set(one ${PROJECT_BINARY_DIR}/nnlua_all.o)
  set(archive ${PROJECT_BINARY_DIR}/libnnlua.a)
  set(list ${PROJECT_BINARY_DIR}/generated/objects.txt)
  file(GENERATE OUTPUT ${list} CONTENT "$<JOIN:${objects},\n>\n")
  add_custom_command(OUTPUT ${archive} VERBATIM
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${one} @${list}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${one}
    COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
    COMMAND ${CMAKE_AR} rcs ${archive} ${one}
    DEPENDS ${objects} ${list}
    COMMENT "Archiving libnnlua.a")
  add_custom_target(${target}_archive ALL DEPENDS ${archive})
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${archive})
  add_dependencies(${target} ${target}_archive)
  install(FILES ${archive} DESTINATION lib)
endfunction()
