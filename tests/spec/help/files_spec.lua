-- What is written from the help: the reference page, the definitions for editors and for luacheck.
local lfs = require "lfs"
local nl = require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local core = require "nnlua.nn.core"
local page = require "nnlua.help.page"
local process = require "support.process"
local stubs = require "nnlua.help.stubs"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- A new folder, which is removed when the spec ends.
local function new_folder()
  local folder = os.tmpname()
  os.remove(folder)
  assert(lfs.mkdir(folder))
  finally(function() os.execute("rm -r '" .. folder .. "'") end)
  return folder
end

--- Runs docs/write.lua and says what each of these files then has.
local function written(arguments, paths)
  local result = process.run {process.nnlua, "docs/write.lua", table.unpack(arguments)}
  assert.equal(0, result.code, result.stderr)
  local texts = {}
  for i, path in ipairs(paths) do texts[i] = read(path) end
  return texts
end

describe("docs/write.lua", function()
  it("writes the same each time, all to one folder or the page to another", function()
    local folder, docs = new_folder(), new_folder()
    local all = {folder .. "/nnlua.lua", folder .. "/nnlua.luacheck.lua", folder .. "/reference.md"}
    local expected = {stubs.text(), stubs.luacheck(), page.text()}
    for i, text in ipairs(written({folder}, all)) do assert.is_true(text == expected[i], all[i]) end
    local new = folder .. "/not/there's yet"
    assert.is_true(written({new}, {new .. "/nnlua.lua"})[1] == expected[1])
    os.remove(all[3])
    assert.is_true(written({folder, docs}, {docs .. "/reference.md"})[1] == expected[3])
    assert.is_nil(lfs.attributes(all[3]))
  end)
end)

describe("the reference page", function()
  local text = page.text()
  local headings = {}
  for level, title in text:gmatch "\n(##+) ([^\n]+)" do
    local name = level .. " " .. title:gsub("\\", "")
    headings[name] = (headings[name] or 0) + 1
  end

  it("has each entry once", function()
    local missing = {}
    for name, count in pairs(headings) do assert.equal(1, count, name) end
    for _, entry in ipairs(catalogue.all()) do
      if not headings["### " .. entry.name] then table.insert(missing, entry.name) end
    end
    assert.same({}, missing)
  end)

  it("has every form of every public op", function()
    local prefixes = {in_nl = "nl.%s(", functional = "F.%s(", method = "x:%s(", in_place = "x:%s_("}
    local missing = {}
    for _, row in ipairs(nl.ops()) do
      for form, prefix in pairs(prefixes) do
        local call = prefix:format(row.name)
        if row[form] and not text:find("\n" .. call, 1, true) then table.insert(missing, call) end
      end
      local call = ("%s.%s("):format(row.space, row.name)
      if row.space and not text:find("\n" .. call, 1, true) then table.insert(missing, call) end
    end
    assert.same({}, missing)
  end)

  it("has every class of layers, optimizers, schedules and data", function()
    local parts = {["nn."] = nl.nn, ["optim."] = nl.optim, ["optim.lr_scheduler."] = nl.optim.lr_scheduler,
      ["utils.data."] = nl.utils.data}
    local missing = {}
    for prefix, part in pairs(parts) do
      local classes = 0
      for name, value in pairs(part) do
        if core.is_class(value) or type(value) == "table" and rawget(value, "__name") then
          classes = classes + 1
          if not headings["### " .. prefix .. name] then table.insert(missing, prefix .. name) end
        end
      end
      assert.is_true(classes > 0, prefix)
    end
    assert.same({}, missing)
  end)

  it("begins with a list of its parts", function()
    for title, anchor in text:gmatch "\n%- %[([^\n]+)%]%(#([^\n]+)%)" do
      assert.equal(1, headings["## " .. title])
      assert.equal((title:lower():gsub(" ", "-"):gsub(",", "")), anchor)
    end
  end)
end)

describe("the definitions for lua-language-server", function()
  local text = stubs.text()

  it("are Lua, in which each table is there before something is put into it", function()
    local made = assert(load(text, "=stubs", "t", {}))()
    assert.is_function(made.help.find)
    assert.is_function(made.autograd.graph.saved_tensors_hooks)
    assert.is_table(made.nn.Linear)
  end)

  it("have annotations of the forms that the server knows", function()
    local known = {"^@meta ", "^@class [%w_.]+$", "^@class [%w_.]+: [%w_.]+$", "^@field %S+ .+",
      "^@operator %l+.*: [%w_.]+$",
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
      local arguments = line:match "^function [%w_.:]+%((.*)%) end$" or line:match " = function%(self, (.*)%) end$"
      if parameter then
        table.insert(given, parameter)
      elseif arguments then
        if #given > 0 then assert.equal(table.concat(given, ", "), arguments) end
        given = {}
      end
    end
  end)

  it("have every entry of the help", function()
    local defined, missing = {}, {}
    for line in text:gmatch "[^\n]+" do
      local owner, keyword = line:match '^(%w+)%["(%l+)"%] = function'
      local name = owner and owner .. ":" .. keyword or line:match "^function ([%w_.:]+)%("
        or line:match "^([%w_.]+) = "
      if name then defined[name] = true end
    end
    for _, entry in ipairs(catalogue.all()) do
      if not defined[(entry.name:gsub("^nl%.nn%.functional%.", "F."))] then table.insert(missing, entry.name) end
    end
    assert.same({}, missing)
  end)

  it("have all forms of ops", function()
    for _, row in ipairs(nl.ops()) do
      if row.method and row.name:find "^[%w_]+$" and row.name ~= "repeat" then -- a keyword
        assert.truthy(text:find("function Tensor:" .. row.name .. "(", 1, true), row.name)
      end
      if row.in_nl then assert.truthy(text:find("function nl." .. row.name .. "(", 1, true), row.name) end
    end
  end)

  it("have the type of every class", function()
    for _, entry in ipairs(catalogue.all()) do
      if entry.kind == "class" then
        assert.truthy(text:find("\n---@class nnlua." .. entry.name, 1, true), entry.name)
      end
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
