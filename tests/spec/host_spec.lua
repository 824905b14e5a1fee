-- C hosts: the programs that the build makes.
local process = require "support.process"

local folder = process.nnlua:match "^(.*)/[^/]*$" or "."

local function run(...)
  local result = process.run {...}
  assert.equal("", result.stderr)
  assert.equal(0, result.code, result.stdout)
  return result.stdout
end

local function check_host(output)
  local first, last = output:match "step   1  loss (%S+)\nstep 500  loss (%S+)\n"
  assert.is_true(tonumber(first) > 0.3 and tonumber(last) < 0.001, output)
  local low, high = output:match "net%(%-1.57%) = (%S+), net%(1.57%) = (%S+)\n$"
  assert.near(-1, tonumber(low), 0.05)
  assert.near(1, tonumber(high), 0.05)
end

describe("a C host", function()
  it("trains a net on its own arrays", function()
    check_host(run(folder .. "/nnlua_host"))
  end)

  it("exchanges tensors without copying them", function()
    assert.equal("ok\n", run(folder .. "/nnlua_exchange"))
  end)

  it("runs programs on its own arrays", function()
    assert.equal("ok\n", run(folder .. "/nnlua_program"))
  end)

  it("runs several states in threads of their own", function()
    assert.equal("ok\n", run(folder .. "/nnlua_states"))
  end)

  it("sees nnlua.h in plain C", function()
    run("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I/usr/include/lua5.4",
      "-x", "c", "src/lua/nnlua.h")
  end)
end)
