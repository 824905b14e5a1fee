-- The first layers, losses, and initialisation.
local nl = require "nnlua"
local nn = nl.nn

local function close(expected, got)
  assert.near(expected, got, 1e-6)
end

describe("Linear", function()
  it("multiplies and adds", function()
    local fc = nn.Linear(2, 3)
    nl.no_grad(function()
      fc.weight:copy_(nl.tensor {{1, 2}, {3, 4}, {5, 6}})
      fc.bias:copy_(nl.tensor {10, 20, 30})
    end)
    assert.same({{13, 27, 41}}, fc(nl.ones(1, 2)):tolist())
    assert.same({13, 27, 41}, fc(nl.ones(2)):tolist())
    fc.bias = nil
    assert.same({{3, 7, 11}}, fc(nl.ones(1, 2)):tolist())
    assert.same({3, 2}, {fc.weight:size(1), fc.weight:size(2)})
  end)

  it("passes gradients on", function()
    local fc = nn.Linear(2, 1)
    fc(nl.ones(4, 2)):sum():backward()
    assert.same({{4, 4}}, fc.weight.grad:tolist())
    assert.same({4}, fc.bias.grad:tolist())
  end)

  it("takes dtype and bias by name", function()
    local fc = nn.Linear(2, 3, {bias = false, dtype = nl.float64})
    assert.is_nil(fc.bias)
    assert.equal(nl.float64, fc.weight.dtype)
    assert.equal(nl.float64, fc(nl.ones(1, 2, {dtype = nl.float64})).dtype)
  end)

  it("says what is wrong with its input", function()
    local fc = nn.Linear(2, 3)
    assert.error_matches(function() fc({1}) end, "the input must be a tensor, not a table")
    assert.error_matches(function() fc(nl.ones(1, 2), 3) end, "one input was expected, got 2")
  end)

  it("draws PyTorch's numbers", function()
    nl.manual_seed(0)
    local fc = nn.Linear(5, 3)
    close(-0.0033482078, fc.weight[1][1]:item())
    close(-0.18435177, fc.weight[3][5]:item())
    close(0.26833835, fc.bias[3]:item())
  end)

  it("can be a parent class", function()
    local Scaled = nn.class("Scaled", nn.Linear)
    function Scaled:init(n) Scaled.super.init(self, n, n, {bias = false}) end
    function Scaled:forward(x) return Scaled.super.forward(self, x) * 2 end
    local m = Scaled(2)
    nl.no_grad(function() m.weight:fill_(1) end)
    assert.same({{4, 4}}, m(nl.ones(1, 2)):tolist())
  end)
end)

describe("small layers", function()
  it("Tanh, Sigmoid", function()
    local x = nl.tensor({-1.0, 0.5}, {requires_grad = true})
    assert.same(nl.tanh(x):tolist(), nn.Tanh()(x):tolist())
    assert.same(nl.sigmoid(x):tolist(), nn.Sigmoid():forward(x):tolist())
    nn.Sequential(nn.Tanh(), nn.Sigmoid())(x):sum():backward()
    assert.near(0.091128, x.grad[1]:item(), 1e-6)
    assert.near(0.186478, x.grad[2]:item(), 1e-6)
    assert.equal("Tanh()", tostring(nn.Tanh()))
    assert.equal("Sigmoid()", tostring(nn.Sigmoid()))
    assert.error_matches(function() nn.Tanh(1) end, "nn.Tanh: at most 0 arguments")
    assert.error_matches(function() nn.Tanh()(1) end, "Tanh: the input must be a tensor, not a number")
    assert.error_matches(function() nn.Sigmoid()(x, x) end, "Sigmoid: one input was expected, got 2")
  end)

  it("ReLU", function()
    local x = nl.tensor {-1.0, 2.0}
    assert.same({0, 2}, nn.ReLU()(x):tolist())
    assert.same({-1, 2}, x:tolist())
    assert.equal(x, nn.ReLU(true)(x))
    assert.same({0, 2}, x:tolist())
  end)

  it("Dropout works in training only", function()
    local dropout, x = nn.Dropout(0.5), nl.ones(1000)
    local sum = dropout(x):sum():item()
    assert.is_true(sum > 800 and sum < 1200 and sum % 2 == 0)
    assert.same(x:tolist(), dropout:eval()(x):tolist())
    assert.equal(0, nn.Dropout(1)(x):sum():item())
    assert.error_matches(function() nn.Dropout(2) end, "p is a probability from 0 to 1, not 2")
  end)

  it("Identity gives back all", function()
    assert.same({1, nil, 3}, {nn.Identity("any", {thing = 1})(1, nil, 3)})
  end)
end)

describe("losses", function()
  local input = nl.tensor {{1.0, 2.0, 3.0}, {1.0, 2.0, 3.0}}
  local target = nl.tensor {3, 1}

  it("MSELoss", function()
    local a, b = nl.tensor {1.0, 2.0}, nl.tensor {3.0, 5.0}
    assert.equal(6.5, nn.MSELoss()(a, b):item())
    assert.equal(13, nn.MSELoss({reduction = "sum"})(a, b):item())
    assert.same({4, 9}, nn.MSELoss({reduction = "none"})(a, b):tolist())
    assert.equal(13, nn.MSELoss(false)(a, b):item())
    assert.error_matches(function() nn.MSELoss({reduction = "max"}) end, "reduction is 'none', 'mean' or 'sum'")
  end)

  it("CrossEntropyLoss counts classes from 1", function()
    close((0.40760597 + 2.40760597) / 2, nn.CrossEntropyLoss()(input, target):item())
    close(2.40760597, nn.CrossEntropyLoss({ignore_index = 3})(input, target):item())
    local weighted = nn.CrossEntropyLoss(nl.tensor {1.0, 1.0, 3.0})
    close((3 * 0.40760597 + 2.40760597) / 4, weighted(input, target):item())
    assert.equal("weight", (weighted:named_buffers()()))
    close(0.1 * 1.40760597 * 2 + 0.9 * 2.81521194,
      nn.CrossEntropyLoss({label_smoothing = 0.1, reduction = "sum"})(input, target):item())
  end)

  it("NLLLoss", function()
    local log_probabilities = nl.F.log_softmax(input, 2)
    close((0.40760597 + 2.40760597) / 2, nn.NLLLoss()(log_probabilities, target):item())
  end)
end)

describe("nn.init", function()
  local init = nn.init

  it("fills parameters in place, outside of autograd", function()
    local p = nn.Parameter(nl.empty(2, 3))
    assert.equal(p, init.constant_(p, 5))
    assert.same({{5, 5, 5}, {5, 5, 5}}, p:tolist())
    assert.same({{1, 1, 1}, {1, 1, 1}}, init.ones_(p):tolist())
    assert.same({{0, 0, 0}, {0, 0, 0}}, init.zeros_(p):tolist())
    assert.is_true(p.is_leaf)
  end)

  it("draws within bounds", function()
    local t = nl.empty(100, 50)
    init.uniform_(t, 2, {b = 3})
    assert.is_true(t:min():item() >= 2 and t:max():item() <= 3)
    init.kaiming_uniform_(t, {nonlinearity = "relu"})
    assert.near(math.sqrt(6 / 50), t:max():item(), 0.001)
    init.xavier_uniform_(t, 2)
    assert.near(2 * math.sqrt(6 / 150), t:max():item(), 0.001)
    assert.near(-2 * math.sqrt(6 / 150), t:min():item(), 0.001)
  end)

  it("draws with a standard deviation", function()
    nl.manual_seed(1)
    local t = nl.empty(200, 100)
    local function std() return math.sqrt((t * t):mean():item()) end
    assert.near(3, (init.normal_(t, 0, 3) and std()), 0.1)
    assert.near(math.sqrt(2 / 300), (init.xavier_normal_(t) and std()), 0.002)
    assert.near(math.sqrt(2 / 200), (init.kaiming_normal_(t, {mode = "fan_out", a = 0}) and std()), 0.002)
  end)

  it("knows gains", function()
    assert.equal(1, init.calculate_gain("linear"))
    close(5 / 3, init.calculate_gain("tanh"))
    close(math.sqrt(2), init.calculate_gain("relu"))
    close(math.sqrt(2 / 1.04), init.calculate_gain("leaky_relu", 0.2))
    close(math.sqrt(2 / 1.0001), init.calculate_gain("leaky_relu"))
    assert.error_matches(function() init.calculate_gain("gelu") end, "the nonlinearity gelu is not known")
  end)

  it("counts inputs over fields", function()
    local fan_in, fan_out = init._calculate_fan_in_and_fan_out(nl.empty(4, 3, 5, 5))
    assert.same({75, 100}, {fan_in, fan_out})
    assert.error_matches(function() init.xavier_uniform_(nl.empty(3)) end, "at least 2 dimensions")
  end)
end)

describe("a small network", function()
  it("learns", function()
    nl.manual_seed(1)
    local net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    local optimizer = nl.optim.SGD(net:parameters(), {lr = 0.1, momentum = 0.9})
    local x = nl.tensor {{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}
    local y = nl.tensor {{0.0}, {1.0}, {1.0}, {0.0}}
    local loss_function, loss = nn.MSELoss(), nil
    for _ = 1, 200 do
      optimizer:zero_grad()
      loss = loss_function(net(x), y)
      loss:backward()
      optimizer:step()
    end
    assert.near(0, loss:item(), 1e-8)
  end)
end)
