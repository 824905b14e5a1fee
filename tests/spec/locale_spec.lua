-- Numbers are written and read with a point whatever the locale is: tests/support/numbers_as_text.lua prints the same
-- where decimals have a comma as in the C locale.
local process = require "support.process"

local script = "tests/support/numbers_as_text.lua"
local folder, file = os.tmpname(), os.tmpname()
local build = process.nnlua:match "^(.*)/[^/]*$" or "."

-- Locales whose decimals have a comma; the second has letters of one byte beyond ASCII, the third letters of its own
-- for i and I.
local locales = {"de_DE.UTF-8", "de_DE.ISO-8859-1", "tr_TR.ISO-8859-9"}

local function run(command, environment)
  environment = environment or {}
  environment.LOCPATH = folder
  local result = process.run(command, {env = environment})
  assert.same({"", 0}, {result.stderr, result.code}, table.concat(command, " "))
  return result.stdout
end

setup(function()
  os.remove(folder)
  for _, name in ipairs(locales) do
    local language, characters = name:match "^(.-)%.(.*)$"
    local target = folder .. "/" .. name
    local result = process.run {"sh", "-c", ("mkdir -p %s && localedef -i %s -f %s %s"):format(folder, language,
      characters, target)}
    assert.equal(0, result.code, result.stderr)
  end
end)

teardown(function()
  process.run {"rm", "-rf", folder, file}
end)

local expected

before_each(function()
  expected = expected or run {process.nnlua, script, "never", "C", file}
end)

describe("in a locale of comma decimals", function()
  for _, name in ipairs(locales) do
    it("numbers have a point: " .. name, function()
      assert.equal(expected, run {process.nnlua, script, "before", name, file})
      assert.equal(expected, run {process.nnlua, script, "after", name, file})
    end)

    it("numbers have a point in a C host: " .. name, function()
      assert.equal(expected, run({build .. "/nnlua_script", script, "never", name, file}, {LC_ALL = name}))
    end)

    if not process.is_sanitized() then
      it("numbers have a point under a stock Lua: " .. name, function()
        local environment = {LUA_CPATH = build .. "/?.so"}
        assert.equal(expected, run({process.lua, script, "before", name, file}, environment))
        assert.equal(expected, run({process.lua, script, "after", name, file}, environment))
      end)
    end
  end

  it("the prompt shows numbers with a point", function()
    local result = process.run({process.nnlua, "-i"}, {env = {LOCPATH = folder},
      stdin = "os.setlocale 'de_DE.UTF-8'\n1 / 4\n{0.5, x = 1e-7}\nrequire 'nnlua'.nn.Dropout(0.25)\n"})
    for _, text in ipairs {"0.25", "{0.5, x = 1e-07}", "Dropout(p=0.25, inplace=False)"} do
      assert.truthy(result.stdout:find(text, 1, true), text .. " in " .. result.stdout)
    end
  end)

  it("letters are those of ASCII", function()
    local accents = [[
      assert(os.setlocale "de_DE.ISO-8859-1")
      local nl = require "nnlua"
      print(pcall(nl.einsum, "\xE9j->j\xE9", nl.ones(2, 2)))]]
    assert.matches("^false\t.*einsum: '\xE9' is no letter for a dimension\n$", run {process.nnlua, "-e", accents})
  end)

  it("what is known is right", function()
    local known = [[
      assert(os.setlocale "de_DE.UTF-8")
      local nl = require "nnlua"
      print(nl.F.leaky_relu(nl.tensor {-1.0}), nl.nn.Dropout(0.25), nl.tensor {1.5})]]
    assert.equal("tensor([-0.0100])\tDropout(p=0.25, inplace=False)\ttensor([1.5000])\n",
      run {process.nnlua, "-e", known})
  end)
end)
