-- State dicts: taking them and loading them.
local nl = require "nnlua"
local nn = nl.nn

local function names(dict)
  local list = {}
  for name in pairs(dict) do
    table.insert(list, name)
  end
  return list
end

local function model()
  local net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
  net:register_buffer("count", nl.tensor {1})
  net:register_buffer("cache", nl.zeros(1), false)
  return net
end

describe("a state dict", function()
  it("S1: has parameters, buffers, then children, and metadata by path", function()
    local net = model()
    net[1]:register_buffer("b", nl.zeros(1))
    net[1].late = nn.Parameter(nl.zeros(1))
    local state = net:state_dict()
    assert.same({"count", "0.weight", "0.bias", "0.late", "0.b", "1.weight", "1.bias"}, names(state))
    assert.same({"", "0", "1"}, names(state._metadata))
    assert.same({version = 1}, state._metadata["0"])
  end)

  it("S2: has detached values over the same storage, or the Parameters", function()
    local net = nn.Linear(1, 1)
    local state = net:state_dict()
    assert.is_false(state.weight.requires_grad)
    state.weight:fill_(3)
    assert.equal(3, net.weight:item())
    assert.equal(net.weight, net:state_dict({keep_vars = true}).weight)
  end)

  it("S3: takes a prefix as it is, and a dict to fill", function()
    local net = nn.Linear(1, 1)
    local state = net:state_dict {prefix = "fc."}
    assert.same({"fc.weight", "fc.bias"}, names(state))
    assert.same({"fc"}, names(state._metadata))
    assert.equal(state, net:state_dict {destination = state, prefix = "other."})
    assert.equal(4, #state)
  end)

  it("S4: holds extra state", function()
    local Net = nn.class("Net")
    function Net:get_extra_state() return {steps = self.steps} end
    function Net:set_extra_state(state) self.steps = state.steps end
    local a, b = nn.Sequential(Net()), nn.Sequential(Net())
    a[1].steps = 7
    local state = a:state_dict()
    assert.same({steps = 7}, state["0._extra_state"])
    b:load_state_dict(state)
    assert.equal(7, b[1].steps)
    assert.error_matches(function() b:load_state_dict {} end, "missing: '0._extra_state'")
    assert.error_matches(function() nn.Sequential(nn.ReLU()):load_state_dict(state) end,
      "unexpected: '0._extra_state'")
  end)

  it("is ordered, and can be changed", function()
    local state = model():state_dict()
    assert.equal(5, #state)
    state["0.bias"] = nil
    state.new = nl.zeros(1)
    assert.same({"count", "0.weight", "1.weight", "1.bias", "new"}, names(state))
    state["0.bias"] = nl.zeros(3)
    assert.same({"count", "0.weight", "1.weight", "1.bias", "new", "0.bias"}, names(state))
    assert.equal(6, #state)
    assert.is_nil(state.nothing)
  end)
end)

describe("loading a state dict", function()
  it("copies into the tensors there are", function()
    local from, to = model(), model()
    local weight = to[1].weight
    to:load_state_dict(from:state_dict())
    assert.equal(weight, to[1].weight)
    assert.is_true(weight.requires_grad)
    assert.same(from[1].weight:tolist(), weight:tolist())
    assert.is_true(weight.is_leaf)
  end)

  it("takes a plain table", function()
    local net = nn.Linear(1, 1)
    net:load_state_dict {weight = nl.ones(1, 1), bias = nl.zeros(1)}
    assert.equal(1, net.weight:item())
  end)

  it("L1: wants a table of names, and leaves it as it was", function()
    local net = model()
    assert.error_matches(function() net:load_state_dict(3) end, "a table of names and tensors was expected")
    assert.error_matches(function() net:load_state_dict {1, 2} end, "the names are strings")
    local Renaming = nn.class("Renaming", nn.Linear)
    function Renaming:_load_from_state_dict(dict, prefix, metadata, report)
      dict[prefix .. "weight"] = dict[prefix .. "w"]
      dict[prefix .. "w"] = nil
      return Renaming.super._load_from_state_dict(self, dict, prefix, metadata, report)
    end
    local state = {w = nl.ones(1, 1), bias = nl.zeros(1)}
    local linear = Renaming(1, 1)
    linear:load_state_dict(state)
    assert.equal(1, linear.weight:item())
    assert.is_nil(state.weight)
    assert.is_not_nil(state.w)
  end)

  it("L2: returns the names that did not match", function()
    local net = model()
    local result = net:load_state_dict(net:state_dict())
    assert.equal("<All keys matched successfully>", tostring(result))
    result = net:load_state_dict({count = nl.tensor {1}, x = nl.zeros(1)}, false)
    assert.same({"0.weight", "0.bias", "1.weight", "1.bias"}, result.missing_keys)
    assert.same({"x"}, result.unexpected_keys)
  end)

  it("L3: collects all problems in one error", function()
    local net = model()
    local _, err = pcall(function()
      net:load_state_dict {["0.weight"] = nl.zeros(9), ["0.bias"] = 3, zzz = nl.zeros(1), ["1.x"] = nl.zeros(1)}
    end)
    assert.matches("does not fit Sequential", err)
    assert.matches("missing: 'count', '1.weight', '1.bias'", err)
    assert.matches("unexpected: '1.x', 'zzz'", err)
    assert.matches("'0.weight': the shape in the state dict is %[9%], in the model %[3, 2%]", err)
    assert.matches("'0.bias': a tensor was expected, got a number", err)
  end)

  it("L4: another shape is an error without strict too, unless skipped on request", function()
    local net = model()
    local state = net:state_dict()
    state["0.weight"] = nl.zeros(5)
    assert.error_matches(function() net:load_state_dict(state, {strict = false}) end, "the shape in the state dict")
    local result = net:load_state_dict(state, {skip_mismatched = true})
    assert.same({"0.weight"}, result.mismatched_keys)
    assert.matches("0.weight", tostring(result))
  end)

  it("L4: one element in a vector fits a 0-dim tensor, not the other way round", function()
    local net = nn.Module()
    net:register_buffer("scalar", nl.tensor(1.0))
    net:load_state_dict {scalar = nl.tensor {5.0}}
    assert.equal(5, net.scalar:item())
    net.scalar = nl.tensor {1.0}
    assert.error_matches(function() net:load_state_dict {scalar = nl.tensor(5.0)} end, "shape")
  end)

  it("L5: loads all or nothing", function()
    local net = model()
    local before = net[1].weight:tolist()
    local state = net:state_dict()
    state["0.weight"] = nl.ones(3, 2)
    state["1.bias"] = nl.zeros(7)
    assert.has_error(function() net:load_state_dict(state) end)
    assert.same(before, net[1].weight:tolist())
  end)

  it("L6: converts, keeps dtypes, and counts as a change in place", function()
    local net = nn.Linear(2, 1)
    local x = nl.ones(1, 2):requires_grad_()
    local y = net(x)
    net:load_state_dict {weight = nl.ones(1, 2, {dtype = nl.float64}), bias = nl.zeros(1)}
    assert.equal(nl.float32, net.weight.dtype)
    assert.same({{1, 1}}, net.weight:tolist())
    assert.has_error(function() y:sum():backward() end)
  end)

  it("L7: a name of an empty slot is unexpected", function()
    local net = nn.Linear(1, 1, false)
    assert.error_matches(function() net:load_state_dict {weight = nl.zeros(1, 1), bias = nl.zeros(1)} end,
      "unexpected: 'bias'")
  end)

  it("L8: dotted names are unexpected by their first part", function()
    local net = nn.Sequential(nn.Linear(1, 1, false))
    local state = {["0.weight"] = nl.zeros(1, 1), ["0.weight.x"] = nl.zeros(1), ["1.weight"] = nl.zeros(1)}
    assert.error_matches(function() net:load_state_dict(state) end, "unexpected: '0.weight.x', '1.weight'")
  end)

  it("takes the state's tensors themselves with assign", function()
    local net = nn.Linear(2, 1)
    net.weight:requires_grad_(false)
    local state = {weight = nl.ones(1, 2, {dtype = nl.float64}), bias = nl.zeros(1)}
    net:load_state_dict(state, {assign = true})
    assert.same({nl.float64, false, true}, {net.weight.dtype, net.weight.requires_grad, net.bias.requires_grad})
    assert.matches("^Parameter containing", tostring(net.weight))
    assert.is_false(state.bias.requires_grad)
    state.bias:fill_(7)
    assert.equal(7, net.bias:item())
    local own = nn.Parameter(nl.ones(1, 2))
    net:load_state_dict({weight = own, bias = nl.zeros(1)}, {assign = true})
    assert.equal(own, net.weight)
    assert.is_false(own.requires_grad)
  end)

  it("gives a module on the meta device, or a lazy one, its elements with assign", function()
    local norm = nn.BatchNorm1d(2, {device = "meta"})
    norm:load_state_dict(nn.BatchNorm1d(2):state_dict(), {assign = true})
    assert.same({{0, 0}, 0, {1, 1}, true}, {norm.running_mean:tolist(), norm.num_batches_tracked:item(),
      norm.weight:tolist(), norm.weight.requires_grad})
    local lazy, weight = nn.LazyLinear(3), nl.ones(3, 2)
    lazy:load_state_dict({weight = weight, bias = nl.zeros(3)}, {assign = true})
    assert.same({{2, 2, 2}}, lazy(nl.ones(1, 2)):tolist())
    assert.is_true(lazy.weight.requires_grad)
    weight:zero_()
    assert.same({{0, 0, 0}}, lazy(nl.ones(1, 2)):tolist())
  end)

  it("assigns all or nothing", function()
    local net = nn.Linear(2, 1)
    local weight, bias = net.weight, net.bias
    assert.error_matches(function()
      net:load_state_dict({weight = nl.ones(1, 2), bias = nl.zeros(1, {dtype = nl.int64})}, {assign = true})
    end, "'bias': it is nnlua.int64 in the state dict, and requires a gradient in the model")
    assert.error_matches(function()
      net:load_state_dict({weight = nl.ones(1, 3), bias = nl.zeros(1)}, {assign = true})
    end, "the shape in the state dict is %[1, 3%], in the model %[1, 2%]")
    assert.same({weight, bias}, {net.weight, net.bias})
  end)

  it("assigns whole numbers to frozen parameters", function()
    local net = nn.Embedding(2, 1)
    net.weight:requires_grad_(false)
    net:load_state_dict({weight = nl.tensor({{1}, {2}})}, {assign = true})
    assert.same({nl.int64, false, {{1}, {2}}}, {net.weight.dtype, net.weight.requires_grad, net.weight:tolist()})
    assert.matches("^Parameter containing", tostring(net.weight))
  end)

  it("names options that it does not know", function()
    local net = nn.Linear(1, 1)
    assert.error_matches(function() net:load_state_dict(net:state_dict(), {strickt = false}) end,
      "no argument is called 'strickt'; did you mean 'strict'%? there are: strict, skip_mismatched, assign")
  end)
end)

describe("hooks of states", function()
  local nl = require "nnlua"
  local nn = nl.nn

  local function net()
    return nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1)))
  end

  it("of taking run before a module's own entries and after its children's", function()
    local root, seen = net(), {}
    local function note(what, place)
      return function(_, ...) seen[#seen + 1] = what .. (select(place, ...)) end
    end
    for _, one in ipairs {root, root[1], root[2], root[2][1]} do
      one:register_state_dict_pre_hook(note("pre ", 1))
      one:register_state_dict_post_hook(note("post ", 2))
    end
    root:state_dict({prefix = "net."})
    assert.same({
      "pre net.", "pre net.0.", "post net.0.", "pre net.1.", "pre net.1.0.", "post net.1.0.", "post net.1.",
      "post net.",
    }, seen)
  end)

  it("of taking may change the dict, return nothing, and go with their handle", function()
    local root = net()
    local handle = root:register_state_dict_post_hook(function(_, dict, prefix) dict[prefix .. "more"] = nl.ones(1) end)
    assert.truthy(root:state_dict().more)
    assert.truthy(nn.deepcopy(root):state_dict().more)
    handle:remove()
    assert.is_nil(root:state_dict().more)
    root[1]:register_state_dict_post_hook(function() return 1 end)
    assert.error_matches(function() root:state_dict() end, "must return nothing")
  end)

  it("of loading see a copy of the dict first and the lists at the end", function()
    local root, dict = net(), net():state_dict()
    dict["0.w"], dict["0.weight"] = dict["0.weight"], nil
    root[1]:register_load_state_dict_pre_hook(function(_, d, prefix, metadata, strict, missing)
      assert.equal(1, metadata.version)
      assert.is_true(strict)
      assert.same({}, missing)
      d[prefix .. "weight"], d[prefix .. "w"] = d[prefix .. "w"], nil
    end)
    local weight
    root:register_load_state_dict_post_hook(function(m, keys)
      assert.same({}, keys.missing_keys)
      weight = m[1].weight:clone()
    end)
    root:load_state_dict(dict)
    assert.is_nil(dict["0.weight"])
    assert.is_true(nl.equal(dict["0.w"], weight))
  end)

  it("of loading may strike names off, or add some", function()
    local root, dict = net(), net():state_dict()
    dict["0.bias"] = nil
    assert.error_matches(function() root:load_state_dict(dict) end, "missing: '0.bias'")
    local handle = root[1]:register_load_state_dict_post_hook(function(_, keys) keys.missing_keys[1] = nil end)
    root:load_state_dict(dict)
    assert.is_true(nl.equal(dict["0.weight"], root[1].weight))
    handle:remove()
    assert.error_matches(function() root:load_state_dict(dict) end, "missing: '0.bias'")
  end)
end)
