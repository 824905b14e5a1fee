-- Lua's own allocations fail, at any point: an error "not enough memory", nothing lost, nothing broken.
-- (Those of the core fail in rows_spec.lua and robust_spec.lua.)
-- parts: 3
local process = require "support.process"

local function assert_well(mode, set, part)
  local result = process.run_nnlua {"tests/support/fail_lua.lua", mode, set, part}
  assert.equal("", result.stderr)
  assert.equal(0, result.code)
  local complaints, runs = result.stdout:match "^(.-)(%d+) runs\n$"
  assert.equal("", complaints)
  assert.is_true(tonumber(runs) > 20)
end

describe("when Lua can't get memory", function()
  it("programs end with an error at each allocation", function() assert_well("one", "programs") end)
  it("programs end with an error if there is none from then on", function() assert_well("all", "programs") end)
  it("programs go on where a collection helps", function() assert_well("retry", "programs") end)
  for part = 1, 4 do
    it("calls of every fourth row end with an error at each allocation, from row " .. part .. " on", function()
      assert_well("one", "rows", part .. "/4")
    end)
  end
  it("calls of every row go on where a collection helps", function() assert_well("retry", "rows") end)

  -- Opening runs once a process: each of these allocations needs one.
  it("a failed require can be tried again", function()
    local script = [[
      package.cpath = arg[-1]:match "^(.*/)" .. "?.so;" .. package.cpath
      local failing = require "failing"
      failing.start(tonumber(arg[1]))
      local ok, message = pcall(require, "nnlua")
      failing.stop()
      assert(ok or message:find "not enough memory", message)
      local x = require "nnlua".ones(2, {requires_grad = true})
      require "nnlua".nn.Linear(2, 1)(x):sum():backward()
      failing.remove()
      print(#x.grad)
    ]]
    local path = process.file(script)
    for k = 1, 1100, 37 do
      assert.same({stdout = "2\n", stderr = "", code = 0}, process.run_nnlua {path, tostring(k)})
    end
    os.remove(path)
  end)
end)
