-- The example that learns by a distribution.
local process = require "support.process"

describe("examples/corridor.lua", function()
  it("learns the shortest way", function()
    local result = process.run_nnlua {"examples/corridor.lua"}
    assert.equal("", result.stderr)
    local first, last = result.stdout:match "^walks 1 to 100: (%S+) steps.*\nwalks 201 to 300: (%S+) steps"
    assert.is_true(tonumber(first) > 8 and tonumber(last) < 7.5, result.stdout)
  end)
end)
