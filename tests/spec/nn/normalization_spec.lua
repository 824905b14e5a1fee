-- Normalization layers; values and gradients are in the oracle's cases.
local nl = require "nnlua"
local nn = nl.nn

describe("BatchNorm", function()
  it("moves its running statistics towards those of each batch", function()
    local net, x = nn.BatchNorm1d(2), nl.tensor {{1.0, 10.0}, {3.0, 30.0}}
    net(x)
    assert.is_true(nl.allclose(net.running_mean, nl.tensor {0.2, 2.0}))
    assert.is_true(nl.allclose(net.running_var, nl.tensor {0.9 + 0.1 * 2, 0.9 + 0.1 * 200}))
    assert.equal(1, net.num_batches_tracked:item())
    assert.is_false(net.running_mean.requires_grad)
  end)

  it("averages over all batches without a momentum", function()
    local net = nn.BatchNorm1d(1, {momentum = nl.none})
    for i = 1, 4 do net(nl.tensor {{i - 1.0}, {i + 1.0}}) end
    assert.is_near(2.5, net.running_mean:item(), 1e-6)
  end)

  it("uses the running statistics when evaluated", function()
    local net = nn.BatchNorm2d(3):eval()
    local x = nl.randn(2, 3, 2, 2)
    assert.is_true(nl.allclose(net(x), x / math.sqrt(1 + 1e-5)))
    assert.equal(0, net.num_batches_tracked:item())
  end)

  it("takes states from before it counted batches", function()
    local net = nn.BatchNorm1d(2)
    local state = net:state_dict()
    local old = {
      weight = state.weight, bias = state.bias, running_mean = state.running_mean, running_var = state.running_var,
    }
    assert.has_no_error(function() nn.BatchNorm1d(2):load_state_dict(old) end)
  end)

  it("says what it can't take", function()
    assert.error_matches(function() nn.BatchNorm2d(3)(nl.zeros(2, 3)) end, "must have 4 dimensions, not 2")
    assert.error_matches(function() nn.BatchNorm1d(3)(nl.zeros(2, 4)) end, "4 channels, and 3 are wanted")
    assert.error_matches(function() nn.BatchNorm1d(3)(nl.zeros(1, 3)) end, "more than 1 value a channel")
    assert.error_matches(function() nn.GroupNorm(3, 4) end, "4 channels can't be divided into 3 groups")
    assert.error_matches(function() nn.LayerNorm(3)(nl.zeros(2, 4)) end, "does not end in that")
  end)
end)

describe("normalization", function()
  it("does not depend on the number of threads", function()
    local x, threads = nl.randn(512, 96, {requires_grad = true}), nl.get_num_threads()
    local net = nn.LayerNorm(96)
    local function run(n)
      nl.set_num_threads(n)
      net:zero_grad()
      local y = net(x)
      y:pow(2):sum():backward()
      return y, net.weight.grad
    end
    local y1, w1 = run(1)
    local y3, w3 = run(3)
    nl.set_num_threads(threads)
    assert.is_true(nl.equal(y1, y3) and nl.equal(w1, w3))
  end)

  it("of rows far from 0 loses nothing", function()
    local x = nl.tensor {{1e4, 1e4 + 1, 1e4 + 2, 1e4 + 3}}
    local expected = (nl.tensor {{0.0, 1.0, 2.0, 3.0}} - 1.5) / math.sqrt(1.25 + 1e-5)
    assert.is_true(nl.allclose(nn.functional.layer_norm(x, {4}), expected, {rtol = 1e-5}))
    assert.is_true(nl.allclose(nn.functional.rms_norm(nl.tensor {{3.0, 4.0}}, {2}),
      nl.tensor {{3.0, 4.0}} / math.sqrt(12.5)))
  end)

  it("knows the shapes of gradients on the meta device", function()
    for _, layer in ipairs {nn.BatchNorm1d(3, {device = "meta"}), nn.LayerNorm(3, {device = "meta"}),
                            nn.GroupNorm(1, 3, {device = "meta"})} do
      layer(nl.zeros({4, 3}, {device = "meta"})):sum():backward()
      assert.equal(layer.weight.shape, layer.weight.grad.shape)
    end
  end)

  it("leaves running statistics as they were after an error", function()
    local mean, var = nl.zeros(3), nl.ones({3}, {requires_grad = true})
    assert.error_matches(function() nn.functional.batch_norm(nl.randn(4, 3) + 5, mean, var, nil, nil, true) end,
      "running_var requires")
    assert.equal(0, mean:sum():item())
    local net = nn.BatchNorm1d(3)
    assert.has_error(function() net(nl.ones(1, 3)) end)
    assert.equal(0, net.num_batches_tracked:item())
  end)

  it("prints its settings", function()
    assert.equal("LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=True)", tostring(nn.LayerNorm {2, 3}))
    assert.equal("BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
      tostring(nn.BatchNorm2d(3)))
    assert.equal("GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)", tostring(nn.GroupNorm(2, 4)))
  end)
end)

describe("F.batch_norm", function()
  local function normalize(x, bias)
    return nn.functional.batch_norm(x, {bias = bias, training = true})
  end

  it("gives gradients of their inputs' dtypes, also without elements and on the meta device", function()
    for _, device in ipairs {"cpu", "meta"} do
      for _, n in ipairs {0, 3} do
        local x = nl.zeros(n, 2, {dtype = nl.float64, device = device, requires_grad = true})
        local bias = nl.zeros(2, {device = device, requires_grad = true})
        normalize(x, bias):sum():backward()
        assert.equal(nl.float64, x.grad.dtype)
        assert.equal(nl.float32, bias.grad.dtype)
        assert.same({2}, bias.grad.shape:totable())
      end
    end
  end)

  it("gives moments beside it that want a gradient where any operand does, in groups", function()
    local x, weight = nl.randn(2, 4, 3), nl.ones(4, {requires_grad = true})
    local function normed() return nl.native_group_norm(x, weight, nil, 2, 4, 3, 2, 1e-5) end
    local y, mean, factor = normed()
    assert.is_true(mean.requires_grad and factor.requires_grad)
    local both = nl.autograd.grad({y, mean, factor}, weight, {nl.ones_like(y), nl.ones(2, 2), nl.ones(2, 2)})
    assert.is_true(nl.equal(both, (nl.autograd.grad(normed():sum(), weight))))
  end)

  it("orders results in memory on the meta device as it does elsewhere", function()
    for _, shape in ipairs {{4, 3}, {4, 3, 1, 1}, {4, 3, 2}} do
      local here, meta = normalize(nl.ones(shape)), normalize(nl.ones(shape, {device = "meta"}))
      assert.same(here:stride():totable(), meta:stride():totable())
    end
  end)
end)
