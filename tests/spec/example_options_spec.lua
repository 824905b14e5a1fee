-- What examples make of their options.
local process = require "support.process"

local function succeed(result)
  assert.equal("", result.stderr)
  assert.equal(0, result.code)
  return result.stdout
end

describe("examples/char_gpt.lua", function()
  it("writes as it is told, with the weights that it has kept", function()
    local path = os.tmpname()
    os.remove(path)
    finally(function() os.remove(path) end)
    local function written(...)
      return succeed(process.run_nnlua {"examples/char_gpt.lua", "--steps", "2", "--batch", "1", "--characters", "20",
        "--text", "20000", "--weights", path, ...})
    end
    assert.matches("^step +2  held%-out loss", written())
    local most_likely = written("--temperature", "0", "--prompt", "First")
    assert.matches("^First....................\n$", most_likely)
    assert.equal(most_likely, written("--top-k", "1", "--prompt", "First"))
    assert.equal(most_likely, written("--top-p", "1e-6", "--prompt", "First"))
    assert.not_equal(most_likely, written("--top-k", "20", "--top-p", "0.99", "--prompt", "First"))
    local refused = process.run_nnlua {"examples/char_gpt.lua", "--top-p", "2"}
    assert.matches("error: %-%-top%-p must be above 0, and at most 1", refused.stderr)
  end)
end)

describe("examples/corridor.lua", function()
  it("learns to walk, ends with a picture, and takes no other options than it has", function()
    local output = succeed(process.run_nnlua {"examples/corridor.lua", "--walks", "200"})
    assert.matches("walks 101 to 200: %d+%.%d steps on average, 7 are the least\n", output)
    assert.matches("steps of a walk", output)
    assert.matches("unrecognized arguments: %-%-walk_s", process.run_nnlua {"examples/corridor.lua", "--walk_s"}.stderr)
  end)
end)
