# cmake -DFOLDER=lua -DLIST=names.txt -DOUTPUT=embedded.c -P write_embedded.cmake
#
# Writes the sources as string literals, a line each: a compiler reads a megabyte of them in a fraction of a second,
# where an array of numbers takes many.

function(c_literal text result)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "?" "\\?" text "${text}") # no trigraphs
  string(REPLACE "\r" "\\r" text "${text}")
  string(REPLACE "\n" "\\n\"\n\"" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

# nnlua/nn.lua is nnlua.nn; nnlua/init.lua is nnlua.
function(module_name file result)
  string(REGEX REPLACE "(/init)?\\.lua$" "" name "${file}")
  string(REPLACE "/" "." name "${name}")
  set(${result} ${name} PARENT_SCOPE)
endfunction()

file(STRINGS ${LIST} files)
set(sources "")
set(rows "")
foreach(file IN LISTS files)
  file(READ ${FOLDER}/${file} text)
  c_literal("${text}" literal)
  module_name(${file} name)
  string(MAKE_C_IDENTIFIER "source_${file}" variable)
  string(APPEND sources "static const unsigned char ${variable}[] =\n${literal};\n\n")
  string(APPEND rows "  {\"${name}\", \"@${file}\", ${variable}, sizeof ${variable} - 1},\n")
endforeach()

file(WRITE ${OUTPUT} "/* Written by cmake/write_embedded.cmake. */
#include \"lua/embedded.h\"

#pragma GCC diagnostic ignored \"-Woverlength-strings\"

${sources}const EmbeddedModule embedded_modules[] = {
${rows}  {0, 0, 0, 0},
};
")
