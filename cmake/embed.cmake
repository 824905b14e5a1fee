# The Lua sources in the binary: lua/**/*.lua become one C file (the table of src/lua/embedded.h), written anew when one
# of them changes. The list of files is a file too, so that a removed one is noticed.

function(embed_lua_sources result)
  set(folder ${PROJECT_SOURCE_DIR}/lua)
  set(list ${PROJECT_BINARY_DIR}/generated/embedded.txt)
  set(output ${PROJECT_BINARY_DIR}/generated/embedded.c)
  set(script ${PROJECT_SOURCE_DIR}/cmake/write_embedded.cmake)

  file(GLOB_RECURSE files RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/*.lua)
  list(JOIN files "\n" lines)
  file(CONFIGURE OUTPUT ${list} CONTENT "${lines}" @ONLY)

  list(TRANSFORM files PREPEND "${folder}/")
  add_custom_command(OUTPUT ${output} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DLIST=${list} -DOUTPUT=${output} -P ${script}
    DEPENDS ${list} ${script} ${files}
    COMMENT "Embedding the Lua sources")
  set(${result} ${output} PARENT_SCOPE)
endfunction()
