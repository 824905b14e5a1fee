# The Lua sources in the binary: lua/**/*.lua become two C files (the tables of src/lua/embedded.h), written anew when one
# of them changes. The list of files is a file too, so that a removed one is noticed.
#
# One file has their texts, the other has them compiled, which takes a Lua to run while building: where there is none,
# that one has nothing for each, and the texts are compiled when they are loaded.

function(embed_lua_sources result)
  set(folder ${PROJECT_SOURCE_DIR}/lua)
  set(list ${PROJECT_BINARY_DIR}/generated/embedded.txt)
  set(output ${PROJECT_BINARY_DIR}/generated/embedded.c)
  set(chunks ${PROJECT_BINARY_DIR}/generated/chunks.c)
  set(script ${PROJECT_SOURCE_DIR}/cmake/write_embedded.cmake)

  file(GLOB_RECURSE files RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/*.lua)
  list(JOIN files "\n" lines)
  file(CONFIGURE OUTPUT ${list} CONTENT "${lines}" @ONLY)

  list(LENGTH files count)
  list(TRANSFORM files PREPEND "${folder}/")
  add_custom_command(OUTPUT ${output} VERBATIM
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DLIST=${list} -DOUTPUT=${output} -P ${script}
    DEPENDS ${list} ${script} ${files}
    COMMENT "Embedding the Lua sources")

  if(NNLUA_LUA_LIBRARY AND NOT CMAKE_CROSSCOMPILING)
    add_executable(compile_lua ${PROJECT_SOURCE_DIR}/cmake/compile_lua.c)
    target_link_libraries(compile_lua PRIVATE nnlua_settings ${NNLUA_LUA_LIBRARY} m ${CMAKE_DL_LIBS})
    target_include_directories(compile_lua PRIVATE ${NNLUA_LUA_INCLUDE_DIR})
    add_custom_command(OUTPUT ${chunks} VERBATIM
      COMMAND compile_lua ${folder} ${list} ${chunks}
      DEPENDS compile_lua ${list} ${files}
      COMMENT "Compiling the Lua sources")
  else()
    file(CONFIGURE OUTPUT ${chunks} @ONLY CONTENT
      "#include \"lua/embedded.h\"\n\nconst EmbeddedChunk embedded_chunks[@count@] = {{0}};\n")
  endif()
  set(${result} ${output} ${chunks} PARENT_SCOPE)
endfunction()
