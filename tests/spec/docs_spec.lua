-- The pages of docs/ and the README: their blocks of Lua run, and print what they say, their blocks of sources are what
-- stands there, links lead somewhere, and the site has all pages.
require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local page = require "nnlua.help.page"
local process = require "support.process"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function list(command)
  local pipe <close> = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do table.insert(lines, line) end
  return lines
end

local pages = list "find README.md docs -name '*.md' ! -path docs/reference.md"

--- The blocks of a page in a language.
local function blocks_of(path, language)
  local blocks = {}
  for block in read(path):gmatch("\n```" .. language .. "\n(.-\n)```") do table.insert(blocks, block) end
  return blocks
end

--- Runs a script in a folder of its own.
local function run(script)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir '" .. folder .. "'"))
  do
    local file <close> = assert(io.open(folder .. "/page.lua", "w"))
    file:write(script)
  end
  local result = process.run {"sh", "-c", 'cd "$1" && exec "$0" page.lua', process.nnlua, folder}
  os.execute("rm -rf '" .. folder .. "'")
  return result
end

--- Checks that the blocks of Lua of a page, as one script, print what stands behind their arrows. `how` may have
--- `before`, what a reader would have at hand, and `prints` where more is printed.
local function check(path, how)
  local script = table.concat(blocks_of(path, "lua"))
  local result = run((how.before or "") .. script)
  assert.equal(0, result.code, result.stderr)
  if how.prints then return end
  assert.equal("", result.stderr)
  local said = {}
  for text in script:gmatch "%-%-> ([^\n]*)" do table.insert(said, text .. "\n") end
  assert.equal(table.concat(said), result.stdout)
end

-- How the blocks of Lua of each page are run.
local run_here = {
  ["README.md"] = {prints = true, before = [[
    images, labels = require "nnlua".rand(128, 64), require "nnlua".randint(1, 11, {128})
  ]]},
  ["docs/index.md"] = {},
  ["docs/torch7.md"] = {},
  ["docs/files.md"] = {prints = true, before = [[
    optimizer = require "nnlua".optim.SGD({require "nnlua".ones(1)}, {lr = 0.1})
    do
      local nl = require "nnlua"
      nl.save("net.pt", nl.nn.Sequential(nl.nn.Linear(4, 3), nl.nn.ReLU(), nl.nn.Linear(3, 2)):state_dict())
    end
  ]]},
  ["docs/onnx.md"] = {prints = true, before = [[
    do
      local nl = require "nnlua"
      x = nl.randn(1, 3, 224, 224)
      local Net = nl.nn.class "Net"
      function Net:init() self.conv = nl.nn.Conv2d(3, 2, 7, {stride = 7}) end
      function Net:forward(pixels) return self.conv(pixels) end
      nl.onnx.export(nl.program.trace(Net(), x), "model.onnx")
    end
  ]]},
  ["docs/programs.md"] = {prints = true, before = [[
    loader = require "nnlua".utils.data.DataLoader(require "nnlua".utils.data.TensorDataset(
      require "nnlua".randn(8, 1, 28, 28), require "nnlua".randint(1, 11, {8})), {batch_size = 4})
  ]]},
  ["docs/editors.md"] = {before = [[ -- what luacheck gives its settings
    stds, files = {}, {["init.lua"] = {}}
    function dofile(path) return assert(path:match "/nnlua.luacheck.lua$") end
  ]]},
}
for _, path in ipairs(list "ls docs/tutorial/*.md") do
  run_here[path] = {prints = path:find "looking" ~= nil} -- that one draws and measures
end

-- Whose blocks other specs run.
local run_elsewhere = {
  ["docs/distributed.md"] = "tests/spec/distributed_spec.lua", ["docs/plots.md"] = "tests/spec/plot/plot_spec.lua",
  ["docs/profiling.md"] = "tests/spec/profiler_spec.lua", ["docs/testing.md"] = "tests/spec/testing/docs_spec.lua",
  ["docs/training.md"] = "tests/spec/training/docs_spec.lua",
}

-- Pages that quote sources.
local function quotes_sources(path)
  return path:find "^docs/adding%-" ~= nil
end

describe("docs/tutorial", function()
  local chapters = list "ls docs/tutorial/*.md"

  it("has ten chapters, each of which leads to the next", function()
    assert.equal(10, #chapters)
    for i = 1, 9 do
      assert.truthy(read(chapters[i]):find("](" .. chapters[i + 1]:match "[^/]*$" .. ")", 1, true), chapters[i])
    end
  end)
end)

describe("The blocks", function()
  for path, how in pairs(run_here) do
    it("of " .. path .. " run, and print what they say", function() check(path, how) end)
  end

  it("of all pages are run by a spec", function()
    local left = {}
    for _, path in ipairs(pages) do
      local elsewhere = run_elsewhere[path]
      local is_run = run_here[path] or quotes_sources(path) or elsewhere and read(elsewhere):find(path, 1, true)
      if #blocks_of(path, "lua") > 0 and not is_run then table.insert(left, path) end
    end
    assert.same({}, left)
  end)

  it("of the pages on adding something are what stands in the sources, but for what is left out between", function()
    local sources = {}
    for _, path in ipairs(list "find src lua -name '*.[ch]' -o -name '*.def' -o -name '*.lua'") do
      table.insert(sources, read(path))
    end
    local text, missing = table.concat(sources, "\n"), {}
    for _, path in ipairs(pages) do
      for _, language in ipairs(quotes_sources(path) and {"c", "lua"} or {}) do
        for _, block in ipairs(blocks_of(path, language)) do
          for part in (block:gsub("\n%s*…\n", "\n\n") .. "\n"):gmatch "(.-\n)\n" do
            if not text:find(part, 1, true) then table.insert(missing, path .. ":\n" .. part) end
          end
        end
      end
    end
    assert.same({}, missing)
  end)

  it("of C for hosts are C", function()
    local lines = {"#include <lauxlib.h>", "#include <lualib.h>", '#include "nnlua.h"',
      "void page(lua_State *L, float *pixels, int64_t *shape);",
      "void page(lua_State *L, float *pixels, int64_t *shape) {", "  (void)L;"}
    for _, path in ipairs {"docs/embedding.md", "docs/tutorial/10-deploying.md"} do
      for _, block in ipairs(blocks_of(path, "c")) do table.insert(lines, "  {\n" .. block .. "  }") end
    end
    local path = process.file(table.concat(lines, "\n") .. "\n}\n")
    local result = process.run {"cc", "-std=c11", "-Wall", "-Werror", "-fsyntax-only", "-I/usr/include/lua5.4",
      "-Isrc/lua", "-x", "c", path}
    os.remove(path)
    assert.equal("", result.stderr)
  end)
end)

--- The anchors of a page's headings as GitHub makes them, and as mkdocs does.
local function anchors_of(path)
  local anchors = {}
  for title in ("\n" .. read(path):gsub("\n```.-\n```", "")):gmatch "\n#+ ([^\n]*)" do
    local anchor = title:lower():gsub("[^%w _-]", "")
    anchors[anchor:gsub(" ", "-")] = anchor:gsub("[ -]+", "-") == anchor:gsub(" ", "-")
  end
  return anchors
end

describe("The pictures of the reference", function()
  it("are drawn for entries that there are, alike each time", function()
    local folders, drawn = {}, {}
    finally(function()
      for _, folder in ipairs(folders) do os.execute("rm -rf '" .. folder .. "'") end
    end)
    for i = 1, 2 do
      folders[i] = os.tmpname()
      os.remove(folders[i])
      drawn[i] = dofile "docs/drawn.lua"(folders[i])
    end
    assert.same(drawn[1], drawn[2])
    assert.equal("", table.concat(list(("diff -rq '%s' '%s'"):format(folders[1], folders[2])), "\n"))
    for name, files in pairs(drawn[1]) do
      assert.truthy(catalogue.all().by_name[name], name)
      for _, file in ipairs(files) do
        local path = file:find "^%.%./" and "docs/pictures/" .. file:sub(4) or folders[1] .. "/" .. file:gsub("#.*", "")
        assert.truthy(#read(path) > 100, file)
      end
    end
  end)
end)

describe("The pages", function()
  it("have links that lead somewhere, to headings too, and alike on GitHub and in the site", function()
    local missing = {}
    for _, path in ipairs(pages) do
      local text = read(path):gsub("\n```.-\n```", ""):gsub("`[^`\n]*`", "")
      for link in text:gmatch "%]%(([^()%s]+)%)" do
        local place, anchor = link:match "^([^#]*)#?(.*)$"
        local target = place == "" and path or path:gsub("[^/]*$", "") .. place
        local is_there = place:find "^%a+:" or io.open(target) and (anchor == "" or anchors_of(target)[anchor])
        if not is_there then table.insert(missing, path .. ": " .. link) end
      end
    end
    assert.same({}, missing)
  end)

  it("show each example in the gallery", function()
    local text, missing = read "docs/gallery.md", {}
    for _, path in ipairs(list "ls examples/*.lua examples/host/*.c") do
      local name = path:match "([%w_]+)%.%a+$"
      if not text:find("%f[%w_]" .. name .. "%f[^%w_]") then table.insert(missing, name) end
    end
    assert.same({}, missing)
  end)

  it("are all in the site, and so is each part of the reference", function()
    local nav, missing = read "docs/mkdocs.yml", {}
    local places = {}
    for _, path in ipairs(pages) do
      table.insert(places, path == "README.md" and "overview.md" or path:sub(#"docs/" + 1))
    end
    local function add(title)
      table.insert(places, ("reference/%s.md"):format((title:lower():gsub("[^%w ]", ""):gsub(" ", "-"))))
    end
    local reference = page.text()
    for title in reference:gmatch "\n## ([^\n]*)" do add(title) end
    for _, kind in ipairs(dofile "docs/operations.lua"(reference:match "\n## Operations(.-\n)## ")) do
      add("Operations: " .. kind.title)
      assert.is_true(#kind.entries > 10 and #kind.entries < 90, kind.title)
    end
    for _, place in ipairs(places) do
      if not nav:find(": " .. place .. "\n", 1, true) then table.insert(missing, place) end
    end
    assert.same({}, missing)
  end)
end)
