-- nn.utils.parametrizations: values of PyTorch 2.15 for the same weights.
local nl = require "nnlua"
local nn = nl.nn
local P = nn.utils.parametrizations

local function close(expected, t)
  expected = nl.tensor(expected)
  assert.same({table.unpack(expected.shape)}, {table.unpack(t.shape)})
  assert.is_true(nl.allclose(t, expected, {atol = 2e-5}), tostring(t))
end

local function weight(rows, columns)
  return (nl.arange(0, rows * columns):float() * 0.7):sin():reshape(rows, columns)
end

local function linear(inputs, outputs)
  local m = nn.Linear(inputs, outputs)
  nl.no_grad(function()
    m.weight:copy_(weight(outputs, inputs))
    m.bias:zero_()
  end)
  return m
end

local x = nl.tensor {{1.0, -2.0, 0.5}}

local function keys(m)
  local list = {}
  for key in pairs(m:state_dict()) do list[#list + 1] = key end
  return list
end

describe("weight_norm", function()
  for _, case in ipairs {
    {1, {{2.151139}, {0.001286}}, {{-6.365684, 10.377242, -6.783910}, {0.140489, -0.286333, 0.072277}}},
    {2, {{0.071366, 5.581911, -1.511234}}, {{-6.365684, 2.826606, -0.335395}, {0, -5.435862, -0.942219}}},
    {nl.none, 1.647149, {{-6.365684, 11.351809, -5.293131}, {-1.705787, -1.002822, 0.822550}}},
  } do
    it("has PyTorch's values and gradients for dim = " .. tostring(case[1]), function()
      local m = P.weight_norm(linear(3, 2), {dim = case[1]})
      local list = m.parametrizations.weight
      nl.no_grad(function() list.original0:mul_(2) end)
      local y = m(x)
      close({{-1.591421, 0.035683}}, y)
      y:pow(2):sum():backward()
      close(case[2], list.original0.grad)
      close(case[3], list.original1.grad)
    end)
  end

  it("takes -1 for none, as PyTorch does", function()
    assert.equal(0, P.weight_norm(linear(3, 2), {dim = -1}).parametrizations.weight.original0.ndim)
  end)

  it("loads what the old form saved", function()
    local m = P.weight_norm(linear(3, 2))
    m:load_state_dict {bias = nl.zeros(2), weight_g = nl.ones(2, 1), weight_v = nl.tensor {{3.0, 4, 0}, {0, 0, 2}}}
    close({{0.6, 0.8, 0}, {0, 0, 1}}, m.weight)
  end)

  it("refuses what can't be", function()
    assert.error_matches(function() P.weight_norm(nn.Linear(2, 2), "wieght") end, "no parameter or buffer 'wieght'")
    assert.error_matches(function() P.weight_norm(nn.Linear(2, 2), {dim = 3}) end, "dim is a dimension from 1 to 2")
  end)
end)

describe("spectral_norm", function()
  it("has PyTorch's values and gradients", function()
    local m = P.spectral_norm(linear(3, 2), {n_power_iterations = 2})
    local s = m.parametrizations.weight[1]
    s._u:copy_(nl.tensor {0.6, 0.8})
    s._v:copy_(nl.tensor {1.0, 0, 0})
    local y = m(x)
    close({{-0.787404, 0.017655}}, y)
    y:sum():backward()
    close({{0.904855, -2.003620, 0.542013}, {1.628995, -1.794192, 0.138232}}, m.parametrizations.weight.original.grad)
    close({-0.131324, 0.991340}, s._u)
    close({0.846801, 0.244903, -0.472177}, s._v)
    m:eval()
    close({{0, 0.637493, 0.975163}, {0.854198, 0.331491, -0.347121}}, m.weight)
    assert.same({"bias", "parametrizations.weight.original", "parametrizations.weight.0._u",
      "parametrizations.weight.0._v"}, keys(m))
  end)

  it("starts from the vectors that PyTorch has for a seed", function()
    nl.manual_seed(5)
    local s = P.spectral_norm(linear(3, 2), {n_power_iterations = 2}).parametrizations.weight[1]
    close({0.958730, -0.284317}, s._u)
    close({-0.205657, 0.437742, 0.875264}, s._v)
  end)

  it("takes the rows of a dimension, in transposed convolutions the second", function()
    local m = nn.Conv2d(2, 3, 1, {bias = false})
    nl.no_grad(function() m.weight:copy_(weight(3, 2):reshape(3, 2, 1, 1)) end)
    local s = P.spectral_norm(m, {dim = 2}).parametrizations.weight[1]
    s._u:copy_(nl.tensor {0.6, 0.8})
    s._v:copy_(nl.tensor {1.0, 0, 0})
    close({{0, 0.568704}, {0.869937, 0.762026}, {0.295722, -0.309665}}, m.weight:reshape(3, 2))
    assert.equal(5, #P.spectral_norm(nn.ConvTranspose1d(3, 5, 1)).parametrizations.weight[1]._u)
  end)

  it("divides a vector by its norm", function()
    local m = nn.Module()
    m.weight = nn.Parameter(nl.tensor {3.0, 4.0})
    close({0.6, 0.8}, P.spectral_norm(m).weight)
  end)

  it("refuses what can't be", function()
    assert.error_matches(function() P.spectral_norm(nn.Linear(2, 2), {dim = 0}) end, "dim is a dimension from 1 to 2")
    assert.error_matches(function() P.spectral_norm(nn.Linear(2, 2), "weight", 0) end, "must be positive")
  end)
end)

-- For inputs, outputs, map, use_trivialization: the weight, and the gradient of the original for the sum of products
-- with the first weight.
local orthogonal_cases = {
  {3, 3, "matrix_exp", true,
    {{-0.492967, -0.352906, 0.795262}, {0.821385, -0.490177, 0.291639}, {0.286898, 0.796984, 0.531512}},
    {{0, 0, 0}, {-0.772287, 0, 0}, {0.770724, 0.761248, 0}}},
  {2, 3, "matrix_exp", false,
    {{0.867953, -0.454005}, {0.482652, 0.866633}, {0.117066, -0.206945}},
    {{0, 0}, {-0.128364, 0}, {0.529127, -0.224879}}},
  {3, 3, "cayley", false,
    {{0.837057, -0.466608, 0.285679}, {0.281165, 0.814798, 0.507002}, {-0.469341, -0.344067, 0.813226}},
    {{0, 0, 0}, {-0.370092, 0, 0}, {-1.116821, -0.186866, 0}}},
  {3, 2, "cayley", true,
    {{0.424442, 0.841668, 0.333831}, {-0.232790, -0.254860, 0.938539}},
    {{0, 0.319254, -0.302780}, {0, 0, 0.432290}}},
  {3, 3, "householder", true,
    {{0.633323, -0.405956, 0.658863}, {-0.453284, -0.884633, -0.109351}, {-0.627244, 0.229398, 0.744272}},
    {{0, 0, 0}, {3.910656, 0, 0}, {-0.336118, -0.175374, 0}}},
  {2, 3, "householder", false,
    {{-0.573772, -0.639446}, {-0.775437, 0.625241}, {-0.263598, -0.447418}},
    {{0, 0}, {-2.436426, 0}, {0.633547, -1.073691}}},
  {3, 2, "householder", true,
    {{-0.731843, -0.485297, -0.478427}, {-0.439261, -0.200814, 0.875628}},
    {{0, -1.551783, 1.294296}, {0, 0, 0.274463}}},
}

describe("orthogonal", function()
  for _, case in ipairs(orthogonal_cases) do
    local inputs, outputs, map, trivial, expected, gradient = table.unpack(case)
    local name = ("%dx%d, %s, use_trivialization = %s"):format(outputs, inputs, map, trivial)
    it("has PyTorch's values and gradients: " .. name, function()
      local m = P.orthogonal(linear(inputs, outputs), {orthogonal_map = map, use_trivialization = trivial})
      local list = m.parametrizations.weight
      local start = weight(outputs, inputs) * 0.5
      if map == "householder" then
        start:diagonal():fill_(-1)
        start[{1, 1}] = 1
      end
      nl.no_grad(function()
        if trivial then list[1].base:copy_(nl.eye(3)[nl.tensor {3, 1, 2}]) end
        list.original:copy_(start)
      end)
      close(expected, m.weight);
      (m.weight * weight(outputs, inputs)):sum():backward()
      close(gradient, list.original.grad)
    end)
  end

  it("starts at the weight made orthogonal, completed by PyTorch's draws", function()
    nl.manual_seed(3)
    local m = P.orthogonal(linear(2, 3))
    close({{0, 0.726162}, {0.946792, 0.221277}, {0.321847, -0.650942}}, m.weight)
    close({{0, 0.726162, 0.687524}, {0.946792, 0.221277, -0.233713}, {0.321847, -0.650942, 0.687524}},
      m.parametrizations.weight[1].base)
    assert.same({"bias", "parametrizations.weight.original", "parametrizations.weight.0.base"}, keys(m))
  end)

  it("finds the reflections of a weight", function()
    local m = P.orthogonal(linear(2, 3), {orthogonal_map = "householder", use_trivialization = false})
    close({{-1, -0.704381}, {0.946792, 1}, {0.321847, 0.603347}}, m.parametrizations.weight.original)
    close({{0, 0.726162}, {0.946792, 0.221278}, {0.321847, -0.650942}}, m.weight)
  end)

  it("takes assignments, and keeps orthogonal ones", function()
    local m = P.orthogonal(linear(3, 3))
    local turned = nl.tensor {{0.0, 1, 0}, {0, 0, 1}, {1, 0, 0}}
    m.weight = turned
    assert.is_true(nl.equal(m.weight, turned))
    assert.error_matches(function() m.weight = nl.ones(2, 3) end, "the shape %[3, 3%] was expected")
    local fixed = P.orthogonal(linear(3, 3), {use_trivialization = false})
    assert.error_matches(function() fixed.weight = turned end, "has no right_inverse")
  end)

  it("makes complex weights unitary", function()
    local m = nn.Module()
    m.weight = nn.Parameter(nl.randn(3, 2, {dtype = nl.complex128}))
    P.orthogonal(m)
    local q = m.weight
    assert.is_true(nl.allclose(q.mH:matmul(q), nl.eye(2, {dtype = nl.complex128})))
    assert.error_matches(function() P.orthogonal(m, {orthogonal_map = "householder"}) end,
      "for real tensors")
  end)

  it("refuses what can't be", function()
    assert.error_matches(function() P.orthogonal(nn.Linear(2, 2), "bias") end, "a matrix")
    assert.error_matches(function() P.orthogonal(nn.Linear(2, 2), "weight", "exp") end, '"householder", not "exp"')
  end)
end)
