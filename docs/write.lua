-- Writes what comes from the descriptions in the sources.
--   nnlua docs/write.lua            docs/reference.md, from the project's root
--   nnlua docs/write.lua FOLDER     what editors and luacheck know of nnlua: nnlua.lua and nnlua.luacheck.lua
require "nnlua"

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local folder = ...
if folder then
  local stubs = require "nnlua.help.stubs"
  write(folder .. "/nnlua.lua", stubs.text())
  write(folder .. "/nnlua.luacheck.lua", stubs.luacheck())
else
  write("docs/reference.md", require "nnlua.help.page".text())
end
