-- What is printed of the stack where an error ends a script or a line at the prompt.
-- parts: 1
local process = require "support.process"

local function traceback_of(program, environment)
  local path = process.file(program)
  finally(function() os.remove(path) end)
  local result = process.run_nnlua({path}, {env = environment})
  assert.equal(1, result.code)
  return (result.stderr:gsub(path:gsub("%p", "%%%0"), "script"):match "stack traceback:\n(.*)\n$")
end

local IN_MODEL = [[
local nl = require "nnlua"
local nn = nl.nn
local Net = nn.class "Net"
function Net:init()
  self.layers = nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 2))
end
function Net:forward(x)
  local y = self.layers(x)
  return y
end
local net = Net()
local function train()
  for x in nl.utils.data.DataLoader({nl.ones(2)}) do net(x) end
end
train()
]]

describe("a traceback", function()
  it("has no frames of nnlua's own", function()
    assert.equal("\tscript:8: in function <script:7>\n\tscript:13: in local 'train'\n" ..
      "\tscript:15: in main chunk\n\t[C]: in ?",
      traceback_of(IN_MODEL))
  end)

  it("has none of what Lua code of nnlua's calls", function()
    assert.equal("\tscript:2: in main chunk\n\t[C]: in ?",
      traceback_of "local nl = require 'nnlua'\nlocal x = nl.optim.SGD(5)")
  end)

  it("has them if asked to", function()
    local full = traceback_of(IN_MODEL, {NNLUA_TRACEBACK = "full"})
    assert.matches("\t%[C%]: in field 'layers'\n", full)
    assert.matches("script:15: in main chunk\n\t%[C%]: in %?$", full)
    local _, own = traceback_of("local nl = require 'nnlua'\nlocal x = nl.optim.SGD(5)", {NNLUA_TRACEBACK = "full"})
      :gsub("nnlua/optim/", "")
    assert.is_true(own > 0)
  end)

  it("is cut in the middle where the stack is deep", function()
    local text = traceback_of [[
      local nl = require "nnlua"
      local Deep = nl.nn.class "Deep"
      function Deep:forward(n)
        if n == 0 then error "at the bottom" end
        local result = self(n - 1)
        return result
      end
      local net = Deep()
      net(60)]]
    local _, lines = text:gsub("\n", "")
    assert.equal(21, lines)
    assert.matches("\n\t%.%.%.\t%(skipping %d+ levels%)\n", text)
    assert.matches("script:9: in main chunk\n\t%[C%]: in %?$", text)
  end)

  it("does not take long where the stack is full", function()
    local text = traceback_of [[
      local nl = require "nnlua"
      local Endless = nl.nn.class "Endless"
      function Endless:forward() local function f() return 1 + f() end f() end
      Endless()()]]
    assert.matches("skipping %d+ levels", text)
  end)
end)

describe("a traceback at the prompt", function()
  local function errors_of(lines)
    return process.run_nnlua({"-i"}, {stdin = lines}).stderr
  end

  it("is left out where there is only the line that was typed", function()
    assert.equal("entry 1:1: x\nentry 2:1: attempt to call a nil value (global 'f')\n", errors_of "error 'x'\nf()\n")
  end)

  it("does not look at each of a million frames", function()
    local errors = errors_of "function f() return 1 + f() end f()\n"
    assert.matches("^entry 1:1: stack overflow.*\nstack traceback:\n\tentry 1:1: in function 'f'\n", errors)
    assert.matches("\n\t%.%.%.\t%(skipping %d+ levels%)\n.*\tentry 1:1: in main chunk\n\t%[C%]: in %?\n$", errors)
  end)

  it("has the functions that were called, and none of the prompt's", function()
    assert.equal("entry 1:1: x\n    function f() error 'x' end\nstack traceback:\n\t[C]: in function 'error'\n" ..
      "\tentry 1:1: in function 'f'\n\tentry 2:1: in main chunk\n\t[C]: in ?\n",
      errors_of "function f() error 'x' end\nf()\n")
  end)

  it("shows the line of code at each place: of entries but the one above, of files", function()
    local path = process.file "local M = {}\n\nfunction M.g(f)\n  return 1 + f()\nend\n\nreturn M\n"
    finally(function() os.remove(path) end)
    local errors = errors_of(("m = dofile %q\nf = function()\n  error 'x'\nend\nm.g(f)\n"):format(path))
    assert.equal(("entry 2:2: x\n    error 'x'\nstack traceback:\n\t[C]: in function 'error'\n" ..
      "\tentry 2:2: in function 'f'\n\tPATH:4: in field 'g'\n\t    return 1 + f()\n" ..
      "\tentry 3:1: in main chunk\n\t[C]: in ?\n"):gsub("PATH", path), errors)
  end)
end)
