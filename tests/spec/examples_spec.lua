-- The programs of examples/ run, and give PyTorch's numbers for the same seed.
-- parts: 3
local process = require "support.process"

-- What is learnt is seen in the optimised build, in full trainings; under the sanitizers, where they take many times as
-- long, the same programs train for a short while.
local is_whole = not process.is_sanitized()

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function succeed(result)
  assert.equal("", result.stderr)
  assert.equal(0, result.code)
  return result.stdout
end

describe("examples/simple_net.lua", function()
  local path = "examples/simple_net.lua"

  -- PyTorch's result for torch.manual_seed(0) and the same program in Python.
  local expected = {
    -0.308391631, 0.397173047,
    -0.677534878, -0.319079757,
    -0.125301629, 0.156278923,
  }
  local printed = "tensor([[-0.3084,  0.3972],\n        [-0.6775, -0.3191],\n        [-0.1253,  0.1563]], grad_fn="

  -- Makes print show all digits of a tensor.
  local with_all_digits = [[
local own_print = print
function print(t)
  for _, row in ipairs(t:tolist()) do
    for _, value in ipairs(row) do own_print(("%.9f"):format(value)) end
  end
end]]

  -- Each is what comes before the script in a command.
  local programs = {nnlua = {process.nnlua}}
  if not process.is_sanitized() then
    local folder = process.nnlua:match "^(.*)/[^/]*$" or "."
    programs["the stock Lua"] = {process.lua, "-e", ("package.cpath = %q"):format(folder .. "/?.so")}
  end

  local function run(command, ...)
    local words = table.move(command, 1, #command, 1, {})
    return succeed(process.run(table.move({...}, 1, select("#", ...), #words + 1, words)))
  end

  for name, command in pairs(programs) do
    it("prints as PyTorch does under " .. name, function()
      assert.equal(printed, run(command, path):sub(1, #printed))
      assert.equal(run(programs.nnlua, path), run(command, path))
    end)

    it("computes what PyTorch computes under " .. name, function()
      local i = 0
      for value in run(command, "-e", with_all_digits, path):gmatch "%S+" do
        i = i + 1
        assert.is_near(expected[i], tonumber(value), 1e-6)
      end
      assert.equal(#expected, i)
    end)
  end
end)

describe("examples/digits_mlp.lua", function()
  local function losses_in(text)
    local losses = {}
    for step, loss in text:gmatch "step (%d+) loss (%S+)" do
      losses[tonumber(step)] = tonumber(loss)
    end
    return losses
  end

  it("trains as PyTorch does", function()
    local output = succeed(process.run_nnlua {"examples/digits_mlp.lua", "--epochs", "3", "--losses"})
    local expected, actual = losses_in(read "tests/reference/digits_mlp_losses.txt"), losses_in(output)
    assert.equal(50, #expected)
    for step, loss in ipairs(expected) do
      assert.is_near(loss, actual[step], 1e-4, ("step %d"):format(step))
    end
    local right = tonumber(output:match "(%d+) of 359 held%-out digits right")
    assert.is_true(right > 300, output:match "[^\n]*\n$")
  end)
end)

describe("examples/digits.lua", function()
  --- How many of the digits that it never saw a training reads.
  local function right_after(seed, ...)
    local output = succeed(process.run_nnlua {"examples/digits.lua", "--seed", tostring(seed), ...})
    local _, taken = output:gsub("%d, +%d+ %% sure", "")
    assert.equal(4, taken)
    return tonumber(output:match "(%d+) of 359 held%-out digits right")
  end

  if is_whole then
    it("reads at least 98 % of digits that it never saw, whichever of three seeds is the middle one", function()
      local rights = {right_after(0), right_after(1), right_after(2)}
      table.sort(rights)
      assert.is_true(rights[2] >= 0.98 * 359, table.concat(rights, " "))
    end)
  else
    it("reads more digits than a guess does", function()
      assert.is_true(right_after(0, "--epochs", "1") > 100)
    end)
  end

  it("saves its net where it is told to", function()
    local path = os.tmpname()
    succeed(process.run_nnlua {"examples/digits.lua", "--epochs", "1", "--save", path})
    local names = {}
    for name in pairs(require "nnlua".load(path)) do names[#names + 1] = name end
    os.remove(path)
    assert.equal(8, #names)
  end)
end)

describe("examples/names.lua", function()
  it("learns and makes up names", function()
    local epochs, names = 3, 3000
    if not is_whole then epochs, names = 2, 600 end
    local output = succeed(process.run_nnlua {"examples/names.lua", "--epochs", tostring(epochs), "--names",
      tostring(names)})
    local losses = {}
    for loss in output:gmatch "held out (%d%.%d+)" do losses[#losses + 1] = tonumber(loss) end
    assert.equal(epochs, #losses)
    assert.is_true(losses[1] > losses[epochs])
    assert.is_true(losses[epochs] < 2.45) -- letters drawn by how often they follow one another have 2.45
    local last = output:match "([^\n]*)\n$"
    local made = 0
    for _ in last:gmatch "%l+" do made = made + 1 end
    assert.matches("^[%l ]+$", last)
    assert.is_true(made > 10)
  end)
end)

describe("examples/char_gpt.lua", function()
  it("learns and writes", function()
    local output = succeed(process.run_nnlua {"examples/char_gpt.lua", "--steps", "8", "--batch", "1",
      "--characters", "30", "--text", "20000"})
    local loss, text = output:match "^step +8  held%-out loss (%d%.%d+) nats a character\n(.*)\n$"
    assert.is_true(tonumber(loss) < 4.2) -- 4.2 and more is a guess among some 65 characters
    assert.equal(30, #text)
  end)
end)

describe("examples/char_lstm.lua", function()
  it("learns and writes", function()
    local output = succeed(process.run_nnlua {"examples/char_lstm.lua", "--epochs", "1", "--hidden", "32",
      "--characters", "30", "--text", "60000"})
    local loss, text = output:match "^epoch 1  held%-out loss (%d%.%d+) nats a character\n(.*)\n$"
    assert.is_true(tonumber(loss) < 4)
    assert.equal(30, #text)
  end)
end)

-- Examples that end with a picture: each in a moment's training, and once asked what it takes.
describe("an example with a picture", function()
  local expected = {
    vae = {"^epoch 1  loss %d+%.%d+\n", "--epochs", "1"},
    dcgan = {"^epoch 1  critic %d%.%d+  generator %d%.%d+\n", "--epochs", "1"},
    unet = {"^of what is or was taken for a disc, %d+%.%d %% is both\n", "--steps", "2"},
    resnet_digits = {"\n%d+ of 359 held%-out digits right\n", "--epochs", "1"},
    forecast = {"^mean error %d+%.%d+ %(last week again: 0%.%d+%); %d+ %% lie within two deviations\n", "--steps", "2"},
    words = {"^king +[%l', ]+\n", "--steps", "2"},
    style = {"^loss %d%.%d+, then %d%.%d+\n", "--steps", "2", "--size", "24"},
    cartpole = {"^after %d+ episodes the pole stays up for %d+ steps\n", "--episodes", "3"},
  }
  for name, words in pairs(expected) do
    it("runs: " .. name, function()
      local path = ("examples/%s.lua"):format(name)
      local output = succeed(process.run_nnlua {path, table.unpack(words, 2)})
      assert.matches(words[1], output)
      local _, lines = output:gsub("\n", "")
      assert.is_true(lines > 10, output)
      assert.matches("^usage: ", succeed(process.run_nnlua {path, "--help"}))
      local wrong = process.run_nnlua {path, "--nothing"}
      assert.equal(2, wrong.code)
    end)
  end

  it("learns to balance a pole", function()
    if not is_whole then return end
    local output = succeed(process.run_nnlua {"examples/cartpole.lua", "--episodes", "200"})
    assert.is_true(tonumber(output:match "stays up for (%d+) steps") > 60) -- 20 without learning
  end)
end)

describe("examples/host/game.c", function()
  it("learns to catch balls while the game goes on", function()
    local folder = process.nnlua:match "^(.*)/[^/]*$" or "."
    local frames = is_whole and 6000 or 1500
    local output = succeed(process.run {folder .. "/nnlua_game", tostring(frames), "--fast"})
    local caught = {}
    for n in output:gmatch "of ten balls (%d+) were caught" do caught[#caught + 1] = tonumber(n) end
    assert.matches("\na frame's thinking and learning: median %d+ us", output)
    if is_whole then assert.is_true(caught[#caught] >= 7, output) end
  end)
end)
