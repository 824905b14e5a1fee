-- Options that a function doesn't have are errors, whatever the function is; those that it has are taken by name.
local nl = require "nnlua"

local nn, optim, data = nl.nn, nl.optim, nl.utils.data

local path
local function a_leaf() return nl.ones(1, {requires_grad = true}) end
local function a_schedule(t) return optim.lr_scheduler.StepLR(optim.SGD({a_leaf()}, {lr = 0.1}), 1, t) end

-- Calls with a table of options, by the option whose name the wrong one is like.
local calls = {
  dtype = {
    function(t) return nl.zeros(2, t) end, function(t) return nl.tensor({1}, t) end,
    function(t) return data.read_csv(path, t) end, function(t) return nn.LazyLinear(2).weight:materialize(2, t) end,
    function(t) return nl.frombuffer("12345678", t) end, function(t) return nn.Linear(1, 1):to(t) end,
    function(t) return nn.Linear(1, 1, t) end, function(t) return nl.testing.make_tensor(2, t) end,
    function(t) return nl.ones(1):new_tensor({1}, t) end, function(t) return nl.sum(nl.ones(1), t) end,
  },
  retain_graph = {
    function(t) return a_leaf():sum():backward(nil, t) end,
    function(t) local w = a_leaf() return nl.autograd.grad(w:sum(), w, t) end,
  },
  check_nan = {
    function(t) return nl.autograd.detect_anomaly(t, function() end) end,
    function(t) return nl.autograd.set_detect_anomaly(false, t) end,
  },
  equal_nan = {
    function(t) return nl.allclose(nl.ones(1), nl.ones(1), t) end,
    function(t) return nl.testing.close(nl.ones(1), nl.ones(1), t) end,
  },
  set_to_none = {
    function(t) return nn.Linear(1, 1):zero_grad(t) end,
    function(t) return optim.SGD({a_leaf()}, {lr = 0.1}):zero_grad(t) end,
  },
  persistent = {
    function(t) return nn.Module():register_buffer("b", nl.ones(1), t) end,
    function(t) return nn.Buffer(nl.ones(1), t) end,
  },
  requires_grad = {function(t) return nn.Parameter(nl.ones(1), t) end},
  prepend = {
    function(t) return nn.Linear(1, 1):register_forward_hook(print, t) end,
    function(t) return nn.Linear(1, 1):register_forward_pre_hook(print, t) end,
    function(t) return nn.Linear(1, 1):register_full_backward_hook(print, t) end,
    function(t) return nn.Linear(1, 1):register_full_backward_pre_hook(print, t) end,
    function(t) return nn.register_module_forward_hook(print, t) end,
  },
  keep_vars = {function(t) return nn.Linear(1, 1):state_dict(t) end},
  strict = {function(t) return nn.Linear(1, 1):load_state_dict({}, t) end},
  recurse = {function(t) return nn.Linear(1, 1):parameters(t) end},
  enforce_sorted = {function(t) return nn.utils.rnn.pack_sequence({nl.ones(1)}, t) end},
  batch_first = {function(t) return nn.utils.rnn.pad_sequence({nl.ones(1)}, t) end},
  norm_type = {function(t) return nn.utils.clip_grad_norm_({a_leaf()}, 1.0, t) end},
  gain = {function(t) return nn.init.xavier_uniform_(nl.ones(1, 1), t) end},
  momentum = {function(t) return optim.SGD({a_leaf()}, t) end},
  gamma = {a_schedule},
  shuffle = {function(t) return data.DataLoader({1}, t) end},
  replacement = {function(t) return data.RandomSampler({1}, t) end},
  start = {function(t) return data.DataLoader({1}):enumerate(t) end},
  generator = {function(t) return data.random_split({1}, {1}, t) end},
  map_location = {function(t) return nl.load(path, t) end},
  desc = {function(t) return nl.progress(3, t) end},
  width = {function(t) return nl.repr(3, t) end},
  description = {function(t) return nl.argparse.ArgumentParser(t) end},
  help = {function(t) return nl.argparse.ArgumentParser():add_argument("--x", t) end},
}

describe("an option that isn't there", function()
  setup(function()
    path = os.tmpname()
    nl.save(path, {w = nl.ones(1)})
  end)
  teardown(function() os.remove(path) end)

  for option, list in pairs(calls) do
    it("is told with " .. option .. " as what was perhaps meant", function()
      local wrong = option .. "x"
      for i, call in ipairs(list) do
        local ok, message = pcall(call, {[wrong] = option == "keep_vars" or 1})
        assert.is_false(ok, "call " .. i)
        assert.matches("'" .. wrong .. "'", message)
        assert.matches("did you mean '" .. option .. "'?", message, 1, true)
      end
    end)
  end

  it("is told by nl.save, whose value may be a table of names", function()
    assert.error_matches(function() nl.save(path, {w = nl.ones(1)}, {fo = 1}) end,
      "save: no argument is called 'fo'; there are: format, metadata")
    assert.error_matches(function() nl.save(path, {w = nl.ones(1)}, 3) end,
      "save: a path, a value and a table of options are taken")
    nl.save(path, {fo = 1})
    assert.same({fo = 1}, nl.load(path))
  end)
end)

describe("an option that is there", function()
  it("is taken by name as by place", function()
    local net = nn.Module()
    net.a, net.b = nn.Buffer(nl.ones(1), {persistent = false}), nn.Buffer(nl.ones(1), false)
    net:register_buffer("c", nl.ones(1), {persistent = false})
    assert.is_nil(next(net:state_dict()))
    assert.is_false(nn.Parameter(nl.ones(1), {requires_grad = false}).requires_grad)
    assert.is_false(nn.Parameter(nl.ones(1), false).requires_grad)
    local w = a_leaf()
    w:sum():backward()
    optim.SGD({w}, {lr = 0.1}):zero_grad {set_to_none = false}
    assert.same({0}, w.grad:tolist())
    local dict = {}
    assert.equal(dict, nn.Linear(1, 1):state_dict {destination = dict, prefix = "p."})
    assert.is_not_nil(dict["p.weight"])
    assert.equal(dict, nn.Linear(1, 1):state_dict(dict, "q."))
    assert.is_not_nil(dict["q.weight"])
  end)
end)
