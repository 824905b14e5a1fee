-- require "nnlua.nn" and the like, as the first thing a program does, under nnlua and under a stock Lua.
local process = require "support.process"

local names = {
  "autograd", "linalg", "special", "masked", "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn",
  "nn.utils.parametrize", "nn.utils.parametrizations", "nn.utils.prune", "optim", "optim.lr_scheduler", "distributions",
  "utils", "utils.data", "testing", "io",
  "datasets", "transforms", "transforms.functional", "text", "audio", "vision", "plot",
}

if require "nnlua".help then table.insert(names, "help") end

-- Requires one name alone, then compares with what nl has, and with what a second require gives.
local program = [[
  local name = %q
  local part = require("nnlua." .. name)
  local place = require "nnlua"
  for field in name:gmatch "[^.]+" do place = place[field] end
  package.loaded["nnlua." .. name] = nil
  print(type(part), rawequal(part, place), rawequal(part, require("nnlua." .. name)))
]]

local function check(command, options)
  for _, name in ipairs(names) do
    table.insert(command, program:format(name))
    local result = process.run(command, options)
    table.remove(command)
    assert.equal("", result.stderr)
    assert.equal("table\ttrue\ttrue\n", result.stdout, name)
  end
end

describe("dotted names", function()
  it("are found by nnlua before nnlua is loaded", function()
    check {process.nnlua, "-e"}
  end)

  it("stay the same tables when nnlua came first", function()
    check {process.nnlua, "-l", "nnlua", "-e"}
  end)

  if not process.is_sanitized() then
    local folder = process.nnlua:match "^(.*)/[^/]*$" or "."

    it("are found by a stock Lua in nnlua.so", function()
      check({process.lua, "-e"}, {env = {LUA_CPATH = folder .. "/?.so"}})
    end)

    it("are all that nnlua.so shows of its own, besides nnlua.h", function()
      local symbols = process.run {"sh", "-c", "nm -D --defined-only '" .. folder .. "/nnlua.so'"}
      for name in symbols.stdout:gmatch " %a ([%w_]+)" do
        assert.is_true(name:find "^luaopen_nnlua" ~= nil or name:find "^nnlua_" ~= nil, name)
      end
    end)
  end
end)
