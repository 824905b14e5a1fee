-- What ./bootstrap makes of its words, without building anything.
local process = require "support.process"

local function bootstrap(...)
  return process.run {"./bootstrap", ...}
end

describe("bootstrap", function()
  it("takes options before the command and behind it", function()
    local expected = bootstrap "help"
    assert.equal(0, expected.code)
    for _, words in ipairs {{"--preset", "debug", "help"}, {"help", "--preset", "debug"}, {"--preset=asan", "help"}} do
      local result = bootstrap(table.unpack(words))
      assert.equal(0, result.code)
      assert.equal(expected.stdout, result.stdout)
    end
  end)

  it("names what a preset may be", function()
    for _, words in ipairs {{"--preset", "fast", "build"}, {"build", "--preset"}, {"--preset=", "build"}} do
      local result = bootstrap(table.unpack(words))
      assert.equal(1, result.code)
      assert.equal("bootstrap: --preset takes release, debug, asan or tsan\n", result.stderr)
    end
  end)

  it("shows how it is used where it doesn't know a command", function()
    local result = bootstrap "no_such_command"
    assert.equal(1, result.code)
    assert.matches("^usage: ", result.stderr)
  end)
end)
