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

--- Makes a folder, and those that it is in, unless it is there.
local function make_folder(path)
  assert(os.execute("mkdir -p -- '" .. path:gsub("'", "'\\''") .. "'"))
end

local folder, docs = ...
make_folder(docs or folder or "docs")
if folder then
  make_folder(folder)
  local stubs = require "nnlua.help.stubs"
  write(folder .. "/nnlua.lua", stubs.text())
  write(folder .. "/nnlua.luacheck.lua", stubs.luacheck())
end
write((docs or folder or "docs") .. "/reference.md", require "nnlua.help.page".text())
