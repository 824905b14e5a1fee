-- What examples make of their options.
local Terminal = require "support.terminal"
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
  end)

  it("refuses what it can't do at once", function()
    for options, message in pairs {
      ["--top-p 2"] = "--top-p must be above 0, and at most 1", ["--steps 1"] = "--steps must be from 2 on",
      ["--prompt "] = "--prompt must have a character",
      ["--temperature 1e-9"] = "--temperature must be 0, or from 0.001 on",
    } do
      local name, value = options:match "^(%S+) (.*)$"
      local refused = process.run_nnlua {"examples/char_gpt.lua", name, value}
      assert.equal(2, refused.code)
      assert.is_truthy(refused.stderr:find("error: " .. message, 1, true))
    end
  end)

  it("trains for 20 steps, of which a twentieth is a single one", function()
    assert.matches("^step +20  held%-out loss", succeed(process.run_nnlua {"examples/char_gpt.lua", "--steps", "20",
      "--batch", "1", "--characters", "1", "--text", "20000"}))
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

describe("Ctrl-C", function()
  it("ends the training of examples, which show what it came to within a narrow terminal's width", function()
    local long = {digits = {"--epochs", "10000"}, corridor = {"--walks", "1000000"},
      cartpole = {"--episodes", "100000"}, resnet_digits = {"--epochs", "1000"}}
    for name, shown in pairs {digits = "held%-out digits right", corridor = "steps of a walk", cartpole = "%[=o=o=%]",
      resnet_digits = "held%-out digits right"} do
      local path = ("examples/%s.lua"):format(name)
      local terminal = Terminal.start({process.nnlua, path, table.unpack(long[name])}, {width = 40, height = 60})
      finally(function() terminal:close() end)
      local trains = name == "resnet_digits" and "epoch 1:" or name == "digits" and "epoch +%d" or "[%d.]+/s"
      terminal:wait(trains)
      terminal:keys "C-c"
      terminal:wait "ended with %d"
      local screen = terminal:screen()
      assert.matches("ended with 0", screen)
      assert.matches(shown, screen)
      assert.not_matches("traceback", screen)
      if name == "digits" then assert.equal(2, select(2, screen:gsub("sure +%d, +%d+ %% sure\n", "\n"))) end
      if name == "cartpole" then assert.matches(("\n" .. ("-"):rep(40) .. "\nended"), screen, 1, true) end
      terminal:close()
    end
  end)
end)
