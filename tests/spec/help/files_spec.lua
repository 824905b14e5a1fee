-- What is written from the help: the reference page, the definitions for editors and for luacheck.
local nl = require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local page = require "nnlua.help.page"
local stubs = require "nnlua.help.stubs"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

describe("docs/reference.md", function()
  it("is what the sources say: otherwise run nnlua docs/write.lua", function()
    assert.is_true(page.text() == read "docs/reference.md")
  end)
end)

describe("the definitions for lua-language-server", function()
  local text = stubs.text()

  it("are Lua", function()
    assert(load(text))
  end)

  it("have annotations of the forms that the server knows", function()
    local known = {"^@meta ", "^@class [%w_.]+$", "^@class [%w_.]+: [%w_.]+$", "^@field %S+ .+", "^@operator %l+.*: [%w_.]+$",
      "^@param [%w_.]+%?? .+", "^@return .+", "^@overload fun%(.*%): .+", "^@type .+"}
    for annotation in text:gmatch "\n%-%-%-(@[^\n]*)" do
      local fits = false
      for _, pattern in ipairs(known) do fits = fits or annotation:find(pattern) ~= nil end
      assert.is_true(fits, annotation)
    end
  end)

  it("have each parameter of a function once, and no other", function()
    local given = {}
    for line in text:gmatch "[^\n]+" do
      local parameter = line:match "^%-%-%-@param ([%w_.]+)"
      local arguments = line:match "^function [%w_.:]+%((.*)%) end$"
      if parameter then
        table.insert(given, parameter)
      elseif arguments then
        if #given > 0 then assert.equal(table.concat(given, ", "), arguments) end
        given = {}
      end
    end
  end)

  it("have all ops, layers, optimizers, schedules and data", function()
    for _, row in ipairs(nl.ops()) do
      if row.method and row.name:find "^[%w_]+$" and row.name ~= "repeat" then
        assert.truthy(text:find("function Tensor:" .. row.name .. "(", 1, true), row.name)
      end
      if row.in_nl then assert.truthy(text:find("function nl." .. row.name .. "(", 1, true), row.name) end
    end
    for _, entry in ipairs(catalogue.all()) do
      if entry.kind == "class" then assert.truthy(text:find("\n---@class nnlua." .. entry.name, 1, true), entry.name) end
    end
  end)
end)

describe("the definitions for luacheck", function()
  it("are a table of what the prompt defines", function()
    local std = assert(load(stubs.luacheck()))()
    for _, name in ipairs {"nl", "nn", "F", "optim", "help"} do assert.is_table(std.read_globals[name]) end
    assert.is_table(std.read_globals.nl.fields.randn)
    assert.is_table(std.read_globals.nn.fields.Linear)
  end)
end)
