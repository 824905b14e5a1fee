-- Random programs keep the rules of tests/fuzz/rules.lua: seconds of them, a minute under sanitizers. An hour:
-- nnlua tests/fuzz/run.lua 3600
local fuzz = require "fuzz.run"
local process = require "support.process"

describe("random programs", function()
  it("break no rule", function()
    local programs, broken = fuzz.run(process.is_sanitized() and 60 or 5, 1)
    assert.same({}, broken)
    assert.is_true(programs > 0)
  end)
end)
