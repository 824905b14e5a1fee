-- nn.utils.parametrize: computed tensors in modules, against closed forms and PyTorch's names.
local nl = require "nnlua"
local nn = nl.nn
local parametrize = nn.utils.parametrize

local Symmetric = nn.class "Symmetric"
function Symmetric:forward(x) return x:triu() + x:triu(1).T end

local Doubled = nn.class "Doubled"
function Doubled:forward(x) return x * 2 end
function Doubled:right_inverse(x) return x / 2 end

local Sum = nn.class "Sum"
function Sum:forward(a, b) return a + b end
function Sum:right_inverse(x) return x * 0.25, x * 0.75 end

local Wider = nn.class "Wider"
function Wider:forward(x) return nl.cat({x, x}) end

local function names(m)
  local list = {}
  for name in m:named_parameters() do list[#list + 1] = name end
  return list
end

local function doubled()
  local net = nn.Linear(2, 2)
  local before = net.weight:detach():clone()
  return parametrize.register_parametrization(net, "weight", Doubled()), before
end

describe("register_parametrization", function()
  it("computes the tensor when it is read, with gradients for the original", function()
    local net = nn.Linear(3, 3)
    local original = net.weight
    assert.equal(net, parametrize.register_parametrization(net, "weight", Symmetric()))
    assert.equal(original, net.parametrizations.weight.original)
    assert.same({"bias", "parametrizations.weight.original"}, names(net))
    assert.is_true(nl.equal(net.weight, net.weight.T))
    net(nl.ones(1, 3)):sum():backward()
    assert.same({{1, 2, 2}, {0, 1, 2}, {0, 0, 1}}, original.grad:tolist())
  end)

  it("makes a class of its own for the module, and prints it as PyTorch does", function()
    local net = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    assert.equal([[
ParametrizedLinear(
  in_features=3, out_features=3, bias=True
  (parametrizations): ModuleDict(
    (weight): ParametrizationList(
      (0): Symmetric()
    )
  )
)]], tostring(net))
    assert.is_true(net:is_a(nn.Linear))
    assert.equal(nn.Linear, parametrize.type_before_parametrizations(net))
    assert.equal(nn.Linear, parametrize.type_before_parametrizations(nn.Linear(2, 2)))
    assert.equal("Linear", nn.Linear(2, 2):class_name())
  end)

  it("keeps the value where there is a right_inverse, and takes assignments", function()
    local net, before = doubled()
    assert.is_true(nl.equal(before, net.weight))
    assert.is_true(nl.equal(before / 2, net.parametrizations.weight.original))
    net.weight = nl.ones(2, 2)
    assert.same({{0.5, 0.5}, {0.5, 0.5}}, net.parametrizations.weight.original:tolist())
    assert.is_nil(net.missing)
    net.extra = 3
    assert.equal(3, net.extra)
  end)

  it("has several originals where right_inverse gives them", function()
    local net = nn.Linear(2, 2)
    local before = net.weight:detach():clone()
    parametrize.register_parametrization(net, "weight", Sum())
    assert.same({"bias", "parametrizations.weight.original0", "parametrizations.weight.original1"}, names(net))
    assert.is_true(nl.allclose(before, net.weight))
    assert.is_true(nl.allclose(before * 0.75, net.parametrizations.weight.original1))
    assert.error_matches(function()
      parametrize.remove_parametrizations(net, "weight", {leave_parametrized = false})
    end, "no original to leave")
  end)

  it("runs several one after the other", function()
    local net, before = doubled()
    parametrize.register_parametrization(net, "weight", Symmetric())
    assert.equal(2, #net.parametrizations.weight)
    assert.is_true(nl.allclose(before:triu() + before:triu(1).T, net.weight))
    assert.error_matches(function() net.weight = nl.ones(2, 2) end, "Symmetric has no right_inverse")
  end)

  it("takes buffers, and several tensors of a module", function()
    local net = nn.BatchNorm1d(2)
    parametrize.register_parametrization(net, "running_mean", Doubled())
    parametrize.register_parametrization(net, "bias", Doubled())
    net.running_mean = nl.tensor {2.0, 4.0}
    assert.equal("buffer", require "nnlua.nn.core".kind(net.parametrizations.running_mean, "original"))
    assert.same({1, 2}, net.parametrizations.running_mean.original:tolist())
    parametrize.remove_parametrizations(net, "running_mean")
    assert.is_true(parametrize.is_parametrized(net, "bias"))
    assert.is_false(parametrize.is_parametrized(net, "running_mean"))
    assert.same({2, 4}, net:get_buffer("running_mean"):tolist())
  end)

  it("changes dtype and shape only where it is allowed to", function()
    local net = nn.Linear(2, 2)
    assert.error_matches(function() parametrize.register_parametrization(net, "weight", Wider()) end,
      "may not change the shape, from %[2, 2%] to %[4, 2%]")
    assert.is_false(parametrize.is_parametrized(net))
    parametrize.register_parametrization(net, "weight", Wider(), {unsafe = true})
    assert.same({4, 2}, {table.unpack(net.weight.shape)})
  end)

  it("refuses what is no tensor of the module", function()
    assert.error_matches(function() parametrize.register_parametrization(nn.Linear(2, 2), "training", Doubled()) end,
      "no parameter or buffer 'training'")
    assert.error_matches(function() parametrize.register_parametrization(nn.LazyLinear(2), "weight", Doubled()) end,
      "has no shape yet")
  end)
end)

describe("a parametrized module", function()
  it("has states that go there and back", function()
    local a, b = doubled(), doubled()
    b:load_state_dict(a:state_dict())
    assert.is_true(nl.equal(a.weight, b.weight))
  end)

  it("registers nothing under the name of a computed tensor", function()
    local net = doubled()
    assert.error_matches(function() net:register_parameter("weight", nn.Parameter(nl.zeros(2, 2))) end,
      "register_parameter: 'weight' is already an attribute of ParametrizedLinear")
    net:register_buffer("mean", nl.zeros(2))
    assert.same({0, 0}, net.mean:tolist())
  end)

  it("is copied with its parametrizations", function()
    local a, before = doubled()
    local b = nn.deepcopy(a)
    b.weight = nl.ones(2, 2)
    assert.is_true(nl.equal(before, a.weight))
    assert.same({{1, 1}, {1, 1}}, b.weight:tolist())
  end)

  it("trains in recurrent layers, converts, and is called with other tensors", function()
    local rnn = parametrize.register_parametrization(nn.RNN(2, 2), "weight_hh_l0", Symmetric())
    rnn(nl.randn(3, 1, 2)):sum():backward()
    assert.is_not_nil(rnn.parametrizations.weight_hh_l0.original.grad)
    local net = doubled():double()
    assert.equal(nl.float64, net.weight.dtype)
    local y = nl.func.functional_call(net, {["parametrizations.weight.original"] = nl.eye(2, {dtype = nl.float64}),
      bias = nl.zeros(2, {dtype = nl.float64})}, nl.tensor({1.0, 3.0}, {dtype = nl.float64}))
    assert.same({2, 6}, y:tolist())
  end)
end)

describe("remove_parametrizations", function()
  it("leaves the value in the same Parameter, and the module as it was", function()
    local net, before = doubled()
    local original = net.parametrizations.weight.original
    parametrize.remove_parametrizations(net, "weight")
    assert.equal(original, net.weight)
    assert.is_true(nl.equal(before, net.weight))
    assert.equal(nn.Linear, nn.class_of(net))
    assert.is_nil(net.parametrizations)
    assert.same({"bias", "weight"}, names(net))
    net(nl.ones(1, 2)):sum():backward()
    assert.is_not_nil(net.weight.grad)
  end)

  it("leaves the original if asked to, and a Parameter of several originals", function()
    local net, before = doubled()
    parametrize.remove_parametrizations(net, "weight", false)
    assert.is_true(nl.equal(before / 2, net.weight))
    local sum = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Sum())
    local value = sum.weight:detach()
    parametrize.remove_parametrizations(sum, "weight")
    assert.is_true(nl.equal(value, sum.weight) and sum.weight.is_leaf and sum.weight.requires_grad)
  end)

  it("refuses what isn't parametrized", function()
    assert.error_matches(function() parametrize.remove_parametrizations(nn.Linear(2, 2), "weight") end,
      "has no parametrization of 'weight'")
  end)
end)

describe("cached", function()
  it("computes once until its end, and after an error as before", function()
    local net = doubled()
    do
      local _ <close> = parametrize.cached()
      local w = net.weight
      parametrize.cached(function() assert.equal(w, net.weight) end)
      assert.equal(w, net.weight)
      assert.are_not_equal(w, coroutine.wrap(function() return net.weight end)())
    end
    assert.are_not_equal(net.weight, net.weight)
    pcall(parametrize.cached, error, "x")
    assert.are_not_equal(net.weight, net.weight)
    assert.error_matches(function() parametrize.cached(3) end, "a function was expected")
  end)
end)

describe("transfer_parametrizations_and_params", function()
  it("gives another module the parametrizations and their tensors", function()
    local from, to = doubled(), nn.Linear(2, 2)
    assert.equal(to, parametrize.transfer_parametrizations_and_params(from, to))
    assert.equal(from.parametrizations.weight.original, to.parametrizations.weight.original)
    local empty = nn.Module()
    parametrize.transfer_parametrizations_and_params(
      parametrize.register_parametrization(nn.Linear(2, 2), "weight", Sum()), empty, "weight")
    assert.same({"parametrizations.weight.original0", "parametrizations.weight.original1"}, names(empty))
    assert.error_matches(function() parametrize.transfer_parametrizations_and_params(from, to, "bias") end,
      "no parametrization of 'bias'")
  end)
end)
