-- The shape of the source tree: which folder may include which, who knows Lua, how long files and lines may be.
local lfs = require "lfs"

-- What each folder may include; docs/architecture.md has the same picture.
local may_include = {
  core = {"core"},
  kernels = {"core", "kernels"},
  launch = {"core", "kernels", "launch"},
  ops = {"core", "launch", "ops"},
  autograd = {"core", "ops", "autograd"},
  program = {"core", "launch", "ops", "autograd", "program"},
  io = {"core", "io"},
  distributed = {"core", "distributed"},
  mpi = {"core", "distributed"},
  lua = {"core", "kernels", "ops", "autograd", "program", "io", "distributed", "lua"},
  nn = {"core", "ops", "program", "lua", "nn"},
  cli = {"io", "lua", "cli"},
}
local knows_lua = {lua = true, nn = true, cli = true}
local lua_headers = {["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true}
local most_lines = 800
local most_columns = 120 -- as .clang-format, .editorconfig and .luacheckrc say

local function contains(list, value)
  for _, item in ipairs(list) do
    if item == value then return true end
  end
  return false
end

-- Calls visit(path) for every file below a folder.
local function walk(folder, visit)
  for name in lfs.dir(folder) do
    if name:sub(1, 1) ~= "." then
      local path = folder .. "/" .. name
      if lfs.attributes(path, "mode") == "directory" then
        walk(path, visit)
      else
        visit(path)
      end
    end
  end
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- What is wrong with the includes of a file in this folder of src, each as a text.
local function wrong_includes(folder, text)
  local wrong = {}
  for line in text:gmatch "[^\n]+" do
    local quoted = line:match '^%s*#%s*include%s+"([^"]+)"'
    local header = quoted or line:match "^%s*#%s*include%s+<([^>]+)>"
    -- data, which kernels read too
    local is_row = quoted and (quoted:match "%.def$" or quoted == "ops/table/rows_undefined.h")
    if quoted and not is_row and not contains(may_include[folder], quoted:match "^([^/]+)/") then
      table.insert(wrong, ("%s may not include %s"):format(folder, quoted))
    elseif header and lua_headers[header] and not knows_lua[folder] then
      table.insert(wrong, ("%s may not know Lua's %s"):format(folder, header))
    end
  end
  return wrong
end

describe("the source tree", function()
  it("has no folder but the known ones", function()
    for name in lfs.dir "src" do
      if name:sub(1, 1) ~= "." then
        assert.is_table(may_include[name], "src/" .. name .. " has no place in the order")
      end
    end
  end)

  it("includes in one direction", function()
    local wrong = {}
    walk("src", function(path)
      local folder = path:match "^src/([^/]+)/"
      for _, what in ipairs(wrong_includes(folder, read(path))) do
        table.insert(wrong, path .. ": " .. what)
      end
    end)
    assert.same({}, wrong)
  end)

  it("would notice a wrong include", function()
    assert.same({"core may not include ops/table/op.h"},
      wrong_includes("core", '#include "core/a.h"\n# include "ops/table/op.h"'))
    assert.same({"ops may not include local.h"}, wrong_includes("ops", '#include "local.h"'))
    assert.same({"ops may not know Lua's lua.h"}, wrong_includes("ops", "#include <lua.h>\n#include <math.h>"))
    assert.same({}, wrong_includes("lua", '#include <lua.h>\n#include "core/a.h"'))
  end)

  it("declares functions of other files in headers only, so that both ends are compared", function()
    local by_hand = {}
    walk("src", function(path)
      if not path:match "%.c$" then return end
      for line in read(path):gmatch "[^\n]+" do
        local name = not line:match "^static" and line:match "^%l[%w_ *]*[ *](%l[%w_]*)%([^{}]*%);"
        if name then table.insert(by_hand, path .. ": " .. name) end
      end
    end)
    assert.same({}, by_hand)
  end)

  it("touches elements by launches only", function()
    -- how, which is src/launch's: devices, dtypes without kernels, threads, kernels
    local words = {"DEVICE_CPU", "DEVICE_META", "dtype_is_half", "parallel_for", "kernels_of", "iter_init"}
    local wrong = {}
    walk("src/ops", function(path)
      local text = read(path)
      for _, word in ipairs(words) do
        if text:find("%f[%w_]" .. word .. "%f[^%w_]") then table.insert(wrong, path .. " speaks of " .. word) end
      end
    end)
    assert.same({}, wrong)
  end)

  it("looks at elements in rows only that say so", function()
    local helper_of = { -- files without rows of their own: whose rows they look for
      ["src/ops/reduce/reduce.c"] = "src/ops/reduce/cumulative.def",
    }
    local wrong = {}
    walk("src/ops", function(path)
      local text = read(path)
      if not (text:find "%f[%w_]tensor_data%(" or text:find "%f[%w_]tensor_item%(") then return end
      local rows = helper_of[path] or path:gsub("%.c$", ".def")
      local file = io.open(rows, "rb")
      local defined = file and file:read "a" or ""
      local marked = defined:find "DEPENDS_ON_DATA" or defined:find "LOOKS_AT_DATA"
      if file then file:close() end
      if not marked then table.insert(wrong, path .. " looks at elements, and no row of it is marked") end
    end)
    assert.same({}, wrong)
  end)

  it("writes and reads numbers with a point whatever the locale: by core/text.h, and core.format in Lua", function()
    local words = {"snprintf", "vsnprintf", "sprintf", "sscanf", "strtod", "strtof", "atof", "localeconv", "ctype.h",
      "LUAI_UACNUMBER"}
    local wrong = {}
    walk("src", function(path)
      local text = read(path)
      for _, word in ipairs(path:match "^src/core/text%." and {} or words) do
        if text:find("%f[%w_]" .. word .. "%f[^%w_]") then table.insert(wrong, path .. " speaks of " .. word) end
      end
    end)
    walk("lua", function(path)
      for line in read(path):gmatch "[^\n]+" do
        local text = not line:match "^%s*%-%-%-" and line:match '"([^"]*)"%):format%('
        if text and text:gsub("%%%%", ""):find "%%[-+ #0]*%d*%.?%d*[aefgAEFG]" then
          table.insert(wrong, path .. ": " .. text)
        end
      end
    end)
    assert.same({}, wrong)
  end)

  it("has the examples of docs/adding-*.md as they are printed there", function()
    local sources, missing = {}, {}
    local function add(path) table.insert(sources, read(path)) end
    walk("src", add)
    walk("lua", add)
    local all = table.concat(sources)
    for name in lfs.dir "docs" do
      local page = name:match "^adding%-.*%.md$" and read("docs/" .. name)
      if page then assert.truthy(page:find "\n```%l+\n", name .. " has no example") end
      for language, block in (page or ""):gmatch "\n```(%l+)\n(.-)\n```" do
        for part in (block:gsub("\n%s*…\n", "\n\n") .. "\n\n"):gmatch "(.-\n)\n+" do -- … is what a page leaves out
          local is_source = language == "c" or language == "lua"
          if is_source and not all:find(part, 1, true) then table.insert(missing, name .. ": " .. part) end
        end
      end
    end
    assert.same({}, missing, "what a page shows has changed: change the page, or let it show less, by a line of …")
  end)

  it("has no file that is too long", function()
    local long = {}
    local function check(path)
      local _, lines = read(path):gsub("\n", "")
      if lines > most_lines then table.insert(long, ("%s: %d lines"):format(path, lines)) end
    end
    walk("src", check)
    walk("lua", check)
    assert.same({}, long)
  end)

  it("has no file that a mistyped option made", function()
    local wrong = {}
    for name in lfs.dir "." do
      if name:sub(1, 1) == "-" or name == "core" then table.insert(wrong, name) end
    end
    assert.same({}, wrong)
  end)

  it("has no line that is too long", function()
    local long = {}
    local function check(path)
      local number = 0
      for line in (read(path) .. "\n"):gmatch "(.-)\n" do
        number = number + 1
        local columns = utf8.len(line) or #line
        if columns > most_columns then table.insert(long, ("%s:%d: %d columns"):format(path, number, columns)) end
      end
    end
    for _, folder in ipairs {"src", "lua", "tests/spec", "tests/support", "bench"} do walk(folder, check) end
    walk("examples", function(path)
      if not path:find "^examples/data/" then check(path) end
    end)
    assert.same({}, long)
  end)
end)
