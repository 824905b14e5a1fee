-- Writes what comes from the descriptions in the sources.
--   nnlua docs/write.lua                  reference.md, a page of all there is, to docs/; from the project's root
--   nnlua docs/write.lua FOLDER [DOCS]    what editors and luacheck know of nnlua, nnlua.lua and nnlua.luacheck.lua, to
--                                         a folder, and the page to it or another
require "nnlua"

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local folder, docs = ...
if folder then
  local stubs = require "nnlua.help.stubs"
  write(folder .. "/nnlua.lua", stubs.text())
  write(folder .. "/nnlua.luacheck.lua", stubs.luacheck())
end
write((docs or folder or "docs") .. "/reference.md", require "nnlua.help.page".text())
