-- nn.init: closed forms, and numbers that PyTorch 2.15 draws after torch.manual_seed(0).
local nl = require "nnlua"
local init = nl.nn.init

local function assert_near(expected, tensor)
  assert.is_true(nl.allclose(tensor, nl.tensor(expected), {rtol = 1e-4, atol = 1e-4}))
end

describe("nn.init", function()
  before_each(function() nl.manual_seed(0) end)

  it("eye_ puts 1 on the diagonal", function()
    assert.same({{1, 0, 0}, {0, 1, 0}}, init.eye_(nl.full({2, 3}, 7)):tolist())
    assert.error_matches(function() init.eye_(nl.zeros(3)) end, "2 dimensions is needed, not of 1")
  end)

  it("dirac_ makes a convolution that gives its inputs back", function()
    local w = init.dirac_(nl.full({4, 3, 3}, 7))
    for o = 1, 4 do
      for i = 1, 3 do assert.same({0, o == i and 1 or 0, 0}, w[{o, i}]:tolist()) end
    end
    local grouped = init.dirac_(nl.zeros(4, 2, 1, 2), 2)
    assert.same({1, 1, 1, 1}, {
      grouped[{1, 1, 1, 2}]:item(), grouped[{2, 2, 1, 2}]:item(), grouped[{3, 1, 1, 2}]:item(),
      grouped[{4, 2, 1, 2}]:item()})
    assert.equal(4, grouped:sum():item())
    assert.error_matches(function() init.dirac_(nl.zeros(3, 1, 1), 2) end, "3 output channels")
  end)

  it("sparse_ empties a share of each column", function()
    assert_near({{0, 0, 0}, {0.5684, 0, 0}, {0.4033, 0.8380, -0.7193}, {0, -0.5966, 0.1820}},
      init.sparse_(nl.zeros(4, 3), 0.5, 1))
  end)

  it("orthogonal_ makes rows or columns orthonormal", function()
    for _, shape in ipairs {{5, 5}, {3, 7}, {7, 3}, {4, 2, 3}} do
      local w = init.orthogonal_(nl.empty(shape, {dtype = nl.float64}), 2):flatten(2)
      local product = shape[1] <= w:size(2) and nl.mm(w, w:t()) or nl.mm(w:t(), w)
      assert.is_true(nl.allclose(product, nl.eye(product:size(1), {dtype = nl.float64}) * 4, {atol = 1e-12}))
    end
    assert.error_matches(function() init.orthogonal_(nl.zeros(3)) end, "at least 2 dimensions")
  end)

  it("trunc_normal_ stays between its bounds", function()
    local x = init.trunc_normal_(nl.empty(10000), 1, 2, 0, 2)
    assert.is_true(x:min():item() >= 0 and x:max():item() <= 2)
    assert.is_near(1, x:mean():item(), 0.02) -- by symmetry
  end)
end)
