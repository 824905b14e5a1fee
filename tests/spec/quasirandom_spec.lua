-- nl.quasirandom. Numbers are PyTorch 2.15's.
local nl = require "nnlua"

local SobolEngine = nl.quasirandom.SobolEngine

local function assert_near(expected, x)
  assert.is_true(nl.allclose(nl.tensor(expected), x:float(), {atol = 6e-5}), tostring(x))
end

describe("SobolEngine", function()
  it("gives the sequence of PyTorch, in every dimension", function()
    assert_near({{0, 0}, {0.5, 0.5}, {0.75, 0.25}, {0.25, 0.75}, {0.375, 0.375}, {0.875, 0.875}, {0.625, 0.125},
      {0.125, 0.625}}, SobolEngine(2):draw_base2(3))
    local directions = SobolEngine(1111).sobolstate
    assert.equal(17932991659939, directions:sum():item())
    assert.equal(16647932234, (directions * nl.arange(0, 1111):unsqueeze(2) % 1000003):sum():item())
  end)

  it("draws scrambled points for a seed, goes on, leaves out and goes back", function()
    local engine = SobolEngine(5, {scramble = true, seed = 3})
    local first = {{0.0685, 0.2245, 0.6992, 0.0626, 0.3754}, {0.8964, 0.7278, 0.2717, 0.5922, 0.5054}}
    local others = {{0.6767, 0.2636, 0.7703, 0.3778, 0.9777}, {0.3506, 0.7511, 0.1964, 0.9031, 0.1063}}
    assert_near({first[1], first[2], table.unpack(others)}, engine:draw(4))
    engine:fast_forward(3)
    assert_near({{0.1637, 0.5621, 0.9546, 0.1694, 0.3435}, {0.2005, 0.3230, 0.0719, 0.2606, 0.5982}}, engine:draw(2))
    assert.equal(9, engine.num_generated)
    assert_near(first, engine:reset():draw(2))
    assert.equal("SobolEngine(dimension=5, scramble=True, seed=3)", tostring(engine))
  end)

  it("draws its scrambling from the default generator without a seed", function()
    nl.manual_seed(9)
    local x = SobolEngine(3, true):draw(2, {dtype = nl.float64})
    assert.equal(nl.float64, x.dtype)
    assert_near({{0.5331, 0.2320, 0.8209}, {0.0225, 0.7454, 0.1033}}, x)
  end)

  it("gives the same points whatever the draws, and fills a tensor", function()
    local whole, parts = SobolEngine(3):draw(20), SobolEngine(3)
    assert.is_true(nl.equal(whole, nl.cat {parts:draw(1), parts:draw(7), parts:draw(0), parts:draw(12)}))
    local out = nl.empty(0)
    assert.equal(out, SobolEngine(3):draw(20, {out = out}))
    assert.is_true(nl.equal(whole, out))
    assert.is_true(nl.equal(whole[{{5, 8}}], SobolEngine(3):fast_forward(4):draw_base2(2)))
  end)

  it("refuses other dimensions and counts", function()
    assert.error_matches(function() SobolEngine(0) end, "from 1 to 1111")
    assert.error_matches(function() SobolEngine(1112) end, "from 1 to 1111")
    assert.error_matches(function() SobolEngine(2):draw(-1) end, "how many points")
    assert.error_matches(function() SobolEngine(2):draw(2 ^ 31) end, "how many points")
    assert.error_matches(function() SobolEngine(2):fast_forward(0.5) end, "how many points")
    assert.error_matches(function() SobolEngine(2):fast_forward(3):draw_base2(2) end, "power of 2")
    assert.error_matches(function() SobolEngine(2):draw_base2(31) end, "from 0 to 30")
  end)
end)
