-- nl.func, nl.autograd.functional and forward_ad. Values are PyTorch 2.15's.
local nl = require "nnlua"
local process = require "support.process"

local func, nn = nl.func, nl.nn
local functional, forward_ad = nl.autograd.functional, nl.autograd.forward_ad

local function double(list) return nl.tensor(list, {dtype = nl.float64}) end
local a = double {{0.5, -1.2, 2.0}, {1.5, 0.3, -0.7}}
local b = double {1.0, 2.0, -0.5}

local function assert_near(expected, t)
  local flat = t:reshape(-1):tolist()
  assert.equal(#expected, #flat)
  for i, value in ipairs(expected) do assert.near(value, flat[i], 1e-7, ("element %d"):format(i)) end
end

local function failure(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("vmap", function()
  it("takes rows along in_dims and gives them along out_dims", function()
    local by_column = func.vmap(function(x, y) return (x * y):sum() end, {2, nl.none})
    assert_near({5.5, -1.5, 1.9}, by_column(a, double {2, 3}))
    assert_near({0.5, 1.5, -2.4, 0.6, -1.0, 0.35}, func.vmap(function(x) return x * b end, {out_dims = 2})(a))
    local nested = func.vmap(func.vmap(function(x, y) return x * y end, {nl.none, 1}), {1, nl.none})
    assert_near({1, 2, -0.5, 2, 4, -1, -0.5, -1, 0.25}, nested(b, b))
  end)

  it("shows single rows, and takes and gives tables", function()
    local f = func.vmap(function(p, x)
      assert.equal("[3]", tostring(x.shape))
      assert.equal("[]", tostring(p.w.shape))
      return {y = x * p.w, twice = {x + x}}
    end, {{w = 1}, 1})
    local got = f({w = double {2, 3}, name = "not mapped"}, a)
    assert_near({1, -2.4, 4, 4.5, 0.9, -2.1}, got.y)
    assert_near((a + a):reshape(-1):tolist(), got.twice[1])
  end)

  it("goes in chunks", function()
    local seen = {}
    local f = func.vmap(function(x)
      seen[#seen + 1] = x.ndim
      return x:sin()
    end, {chunk_size = 2})
    local x = nl.randn(5, 3)
    assert.is_true(nl.equal(x:sin(), f(x)))
    assert.equal(3, #seen)
  end)

  it("draws random numbers as it is told", function()
    local function noise(x) return x + nl.randn(2, {dtype = nl.float64}) end
    nl.manual_seed(3)
    assert_near({0.8032760780963507, 0.17483339327910358, 0.08897809502587893, -0.6137180077293578},
      func.vmap(noise, {randomness = "different"})(double {{0, 0}, {0, 0}}))
    nl.manual_seed(3)
    assert_near({0.8032760780963507, 0.17483339327910358, 0.8032760780963507, 0.17483339327910358},
      func.vmap(noise, {randomness = "same"})(double {{0, 0}, {0, 0}}))
    assert.truthy(failure(func.vmap(noise), a):find 'randomness = "different"')
  end)

  it("changes in place what differs from row to row", function()
    local f = func.vmap(function(x)
      local y = x:clone()
      y[2] = 7
      return y:mul_(2)
    end)
    assert_near({1, 14, 4, 3, 14, -1.4}, f(a))
    local message = failure(func.vmap(function(x) return nl.zeros(3, {dtype = nl.float64}):add_(x) end), a)
    assert.truthy(message:find "can't take values that differ")
  end)

  it("says what is wrong", function()
    local id = func.vmap(function(x) return x end)
    assert.truthy(failure(id, 3):find "has no rows")
    assert.truthy(failure(func.vmap(function(x, y) return x + y end), a, b):find "argument 2 has 3 rows")
    assert.truthy(failure(func.vmap(function(x) return x end, 3), a):find "dimensions go from 1 to 2")
    assert.truthy(failure(func.vmap(function(x) return x:item() end), b):find "has no elements of its own")
    assert.truthy(failure(func.vmap(function(x) if x > 0 then return x end end), b):find "nl.where")
    assert.truthy(failure(func.vmap(function() return 1 end), b):find "must give tensors")
    assert.truthy(failure(func.vmap(function(x) return x:nonzero() end), nl.tensor {{1, 0}, {1, 1}}):find "one shape")
    assert.truthy(failure(func.vmap, function() end, {randomness = "some"}):find '"same"')
    assert.truthy(failure(func.vmap(function(x) return x:transpose_(1, 2) end), nl.randn(2, 3, 4)):find "in place")
  end)

  it("leaves nothing behind, even what its function kept", function()
    local kept
    func.vmap(function(x)
      kept = x
      return x
    end)(b)
    assert.truthy(failure(function() return kept + 1 end):find "has ended")
    kept = nil
    local function living()
      for _ = 1, 3 do
        collectgarbage()
        nl.is_grad_enabled() -- an entry into the core: lets go of what it has released
      end
      local stats = nl.memory_stats()
      return {nl.memory_allocated(), stats.nodes, stats.tensors}
    end
    local function round()
      func.vmap(func.grad(function(x) return (x:sin() * b):sum() end))(a)
      func.hessian(function(x) return (x ^ 3):sum() * x[1] end)(b)
      pcall(func.vmap(function(x) error("no" .. x.ndim) end), a)
      pcall(func.jvp, function() error "no" end, {a}, {a})
    end
    round()
    local before = living()
    for _ = 1, 100 do round() end
    assert.same(before, living())
  end)
end)

describe("gradients of functions", function()
  it("nest with vmap and each other", function()
    assert_near({0.87758256, 0.72471551, 0.20807342, 0.0707372, 1.91067298, -0.38242109},
      func.vmap(func.grad(function(x) return (x:sin() * b):sum() end))(a))
    assert_near({0.66428382, 0.1746128, 0.21915264}, func.grad(function(w)
      return func.vmap(function(x) return (x * w):tanh():sum() end)(a):sum()
    end)(b))
    assert_near({9, 36, 2.25}, func.grad(function(x)
      return func.grad(function(y) return (y ^ 3 * x):sum() end)(x):sum()
    end)(b))
    local _, pushed = func.jvp(func.grad(function(x) return (x ^ 4):sum() end), {b}, {double {1, 1, 1}})
    assert_near({12, 48, 3}, pushed)
    local _, twice = func.jvp(function(x)
      return (select(2, func.jvp(function(y) return y ^ 3 end, {x}, {double {1, 1, 1}})))
    end, {b}, {double {1, 1, 1}})
    assert_near({6, 12, -3}, twice)
  end)

  it("reach what is outside, and record nothing else", function()
    local w = b:clone():requires_grad_()
    local g = func.vmap(func.grad(function(x) return (x * w):sin():sum() end))(a)
    g:pow(2):sum():backward()
    assert_near({0.9178943, 8.5628567, -0.60696087}, w.grad)
    assert.is_false(func.grad(function(x) return (x * x):sum() end)(b).requires_grad)
    assert.is_false(func.jacrev(function(x) return x * x end)(b).requires_grad)
    assert.is_false(b.requires_grad)
  end)

  it("have jacrev, jacfwd and hessian", function()
    assert_near({2.71828183, 0, 0, 0, 7.3890561, 0, 0, 0, 0.60653066},
      func.jacrev(function(x) return x:exp(), x:sum() end)(b)[1])
    assert_near({12, 12, 0.75, 12, 12, 0, 0.75, 0, -3}, func.hessian(function(x) return (x ^ 3):sum() * x[1] end)(b))
    local by_second = func.jacfwd(function(x, y) return x * y:sum() end, 2)(b, a)
    assert.equal("[3, 2, 3]", tostring(by_second.shape))
    assert_near({1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5}, by_second)
    assert_near({12, 0, 0, 0, 48, 0, 0, 0, 3}, func.vmap(function(v)
      local _, back = func.vjp(func.grad(function(x) return (x ^ 4):sum() end), b)
      return back(v)
    end)(nl.eye(3, {dtype = nl.float64})))
  end)

  it("take argnums, has_aux and tables of parameters", function()
    local function loss(p, x) return ((p.w * x):sum() + p.b) ^ 2, "aux" end
    local g, aux = func.grad(loss, {has_aux = true})({w = b, b = double(1)}, double {1, 1, 1})
    assert.equal("aux", aux)
    assert_near({7, 7, 7}, g.w)
    assert_near({7}, g.b)
    local both = func.grad(function(x, y) return (x * y):sum() end, {1, 2})(b, b + 1)
    assert_near({2, 3, 0.5}, both[1])
    assert_near({1, 2, -0.5}, both[2])
    local grad, value = func.grad_and_value(function(x) return (x * x):sum() end)(b)
    assert_near({2, 4, -1}, grad)
    assert_near({5.25}, value)
    assert.truthy(failure(func.grad(function(x) return x end), b):find "sum it first")
    assert.truthy(failure(func.grad(function(x) return x end), nl.tensor {1}):find "int64")
  end)
end)

describe("modules as functions", function()
  local net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)):double()
  local parameters = {}
  for name, p in net:named_parameters() do parameters[name] = p:detach() end

  it("give each example's gradient", function()
    local targets = nl.tensor {1, 2}
    local function loss(p, x, target) return nn.functional.cross_entropy(func.functional_call(net, p, x), target) end
    local each = func.vmap(func.grad(loss), {nl.none, 1, 1})(parameters, a, targets)
    for i = 1, 2 do
      net:zero_grad()
      nn.functional.cross_entropy(net(a[i]), targets[i]):backward()
      for name, p in net:named_parameters() do assert.is_true(nl.allclose(p.grad, each[name][i]), name) end
    end
  end)

  it("are left as they were, whatever happens", function()
    local before = net[1].weight
    local y = func.functional_call(net, {["0.weight"] = parameters["0.weight"] * 0}, a)
    assert.is_false(nl.allclose(y, net(a)))
    pcall(func.functional_call, net, {["0.weight"] = nl.zeros(1)}, a)
    assert.equal(before, net[1].weight)
    assert.truthy(failure(func.functional_call, net, {nothing = a}, {a}, {strict = true}):find "nothing")
  end)

  it("stack to an ensemble", function()
    local models = {nn.Linear(3, 2):double(), nn.Linear(3, 2):double()}
    local params, buffers = func.stack_module_state(models)
    assert.is_nil(next(buffers))
    local y = func.vmap(function(p, x) return func.functional_call(models[1], p, x) end, {1, nl.none})(params, a)
    for i, model in ipairs(models) do assert.is_true(nl.allclose(model(a), y[i])) end
  end)
end)

describe("autograd.functional", function()
  it("has products and matrices of derivatives", function()
    local function f(x, y) return (x * y):sum() * x[1] end
    for _, options in ipairs {{vectorize = false}, {vectorize = true}} do
      local h = functional.hessian(f, {b, double {2, 1, 3}}, options)
      assert_near({4, 1, 3, 1, 0, 0, 3, 0, 0}, h[1][1])
      assert_near({2, 2, -0.5, 0, 1, 0, 0, 0, 1}, h[1][2])
      assert_near({2, 0, 0, 2, 1, 0, -0.5, 0, 1}, h[2][1])
    end
    local v = double {1, 0.5, 2}
    local _, vhp = functional.vhp(function(x) return (x ^ 4):sum() end, b, v)
    assert_near({12, 24, 6}, vhp)
    local _, hvp = functional.hvp(function(x) return (x ^ 4):sum() * x[2] end, b, v)
    assert_near({26, 83, 11.75}, hvp)
    assert.truthy(failure(functional.jacobian, function() return b end, a, {strict = true}):find "doesn't depend")
  end)
end)

describe("vmap of ops without a rule", function()
  it("warns once of each, where it isn't told to be quiet", function()
    local run = process.run({process.nnlua, "-W", "-"}, {stdin = [[
      local nl = require "nnlua"
      local f = nl.func.vmap(function(x) return nl.histc(x) end)
      local x = nl.randn(3, 4)
      f(x)
      f(x)
      nl.func.vmap(nl.exp)(x)
      nl.func.set_vmap_fallback_warning_enabled(false)
      nl.func.vmap(function(x) return nl.bincount(x) end)(nl.ones(2, 2):long())
      assert(not nl.func.is_vmap_fallback_warning_enabled())
      nl.func.set_vmap_fallback_warning_enabled(true)
      f(x)
    ]]})
    assert.equal(0, run.code, run.stderr)
    local told = {}
    for name in run.stderr:gmatch "vmap: ([%w_]+) goes row by row" do table.insert(told, name) end
    assert.same({"histc", "histc"}, told)
  end)

  it("has rules for factors, solutions, transforms and norms", function()
    local run = process.run({process.nnlua, "-W", "-"}, {stdin = [[
      local nl = require "nnlua"
      local a, b = nl.randn(3, 4, 4), nl.randn(3, 4, 2)
      local h = nl.matmul(a, a.mT) + nl.eye(4) * 8
      local function each(f, ...) nl.func.vmap(f)(...) end
      for _, name in ipairs {"inv", "det", "slogdet", "qr", "svd", "eig", "matrix_exp", "lu_factor", "pinv"} do
        each(nl.linalg[name], a)
      end
      for _, name in ipairs {"eigh", "cholesky", "ldl_factor", "matrix_sqrth"} do each(nl.linalg[name], h) end
      each(nl.linalg.solve, a, b)
      each(nl.linalg.solve, a, b:select(-1, 1))
      each(function(x, y) return nl.linalg.solve_triangular(x:tril() + nl.eye(4), y, {upper = false}) end, a, b)
      each(nl.cholesky_solve, b, nl.linalg.cholesky(h))
      each(nl.fft.fft, a)
      each(nl.fft.rfft2, a)
      each(nl.fft.irfft, a)
      each(function(x) return nl.roll(x, 1) end, a)
      each(function(x) return nl.roll(x, 1, 2) end, a)
      each(function(x) return nl.F.layer_norm(x, {4}) end, a)
      each(nl.F.mse_loss, a, a * 2)
      local classes = nl.randint(1, 5, {3, 4})
      each(nl.F.cross_entropy, a, classes)
      each(nl.F.nll_loss, a, classes)
      each(function(label) return nl.F.one_hot(label, 4) end, classes)
      each(nl.func.grad(nl.F.cross_entropy), a, classes)
      each(nl.func.grad(nl.F.cross_entropy), a:select(2, 1), classes:select(2, 1))
      each(nl.addmm, b, a, b)
      each(nl.igamma, a:abs(), a:abs())
      each(nl.special.zeta, a:abs() + 2, a:abs() + 1)
      each(nl.F.scaled_dot_product_attention, a, a, a)
      each(nl.func.grad(function(x, y) return nl.linalg.solve(x, y):sum() end), a, b)
    ]]})
    assert.equal(0, run.code, run.stderr)
    assert.equal("", run.stderr)
  end)

  it("gives losses of classes and their gradients as row by row", function()
    local scores, weight = nl.randn({3, 4, 5, 2}, {dtype = nl.float64}), double {0.5, 1, 2, 0, 1.5}
    local labels = nl.randint(1, 6, {3, 4, 2})
    labels[1][2][1] = 5
    local log_p = nl.F.log_softmax(scores, 3)
    for _, reduction in ipairs {"none", "sum", "mean"} do
      for _, w in ipairs {false, weight} do
        local options = {weight = w or nil, reduction = reduction, ignore_index = 5}
        for name, x in pairs {cross_entropy = scores, nll_loss = log_p} do
          local function loss(row, target) return nl.F[name](row, target, options) end
          local function total(row, target) return (loss(row, target) ^ 2):sum() end
          for _, f in ipairs {loss, nl.func.grad(total), nl.func.grad(function(row, target)
            return (nl.func.grad(total)(row, target) ^ 2):sum()
          end)} do
            local expected, single = {}, {}
            for i = 1, 3 do
              expected[i], single[i] = f(x[i], labels[i]), f(x[i][1]:select(-1, 1), labels[i][1][1])
            end
            assert(nl.allclose(nl.stack(expected), func.vmap(f)(x, labels), {equal_nan = true}), name .. reduction)
            assert(nl.allclose(nl.stack(single), func.vmap(f)(x:select(2, 1):select(-1, 1), labels:select(2, 1)
              :select(-1, 1)), {equal_nan = true}), name .. reduction)
          end
        end
      end
    end
    assert.truthy(failure(func.vmap(nl.F.cross_entropy), scores, labels:select(-1, 1)):find "target has shape")
  end)

  it("gives the gradients of a classifier's samples that torch.func gives", function()
    local x = double {{1, 2, 3}, {0.5, -1, 0}}
    local each = func.vmap(func.grad(nl.F.cross_entropy))(x, nl.tensor {3, 1})
    assert_near({0.09003057317038043, 0.24472847105479764, -0.3347590442251782,
                 -0.45345061273382037, 0.12195165230972885, 0.3314989604240915}, each:flatten())
  end)
end)

describe("forward_ad", function()
  it("carries tangents while a level is open", function()
    local y, t
    do
      local _ <close> = forward_ad.dual_level()
      local x = forward_ad.make_dual(b, double {1, 0, 2})
      y, t = forward_ad.unpack_dual(x * x)
      assert.equal(1.0, x[1]:item())
      assert.is_nil((select(2, forward_ad.unpack_dual(a))))
    end
    assert_near({1, 4, 0.25}, y)
    assert_near({2, 0, -2}, t)
    assert.truthy(failure(forward_ad.make_dual, b, b):find "no dual level")
    forward_ad.enter_dual_level()
    assert.truthy(failure(forward_ad.make_dual, b, a):find "shape")
    forward_ad.exit_dual_level()
  end)
end)

describe("replace_all_batch_norm_modules_", function()
  it("makes batch norms alone forget their statistics", function()
    local net = nn.Sequential(nn.BatchNorm2d(2), nn.Sequential(nn.BatchNorm1d(3)),
      nn.InstanceNorm1d(2, {track_running_stats = true}))
    assert.equal(net, nl.func.replace_all_batch_norm_modules_(net))
    assert.is_nil(net[1].running_mean)
    assert.is_nil(net[2][1].num_batches_tracked)
    assert.is_false(net[2][1].track_running_stats)
    assert.is_not_nil(net[3].running_mean)
  end)
end)

describe("rearrange", function()
  local x = nl.arange(0, 120):reshape(2, 3, 4, 5)

  it("permutes, joins and parts dimensions", function()
    local rearrange = func.rearrange
    assert.is_true(nl.equal(x:permute(1, 4, 2, 3), rearrange(x, "b h w c -> b c h w")))
    assert.is_true(nl.equal(x:reshape(6, 4, 5), rearrange(x, "b h w c -> (b h) w c")))
    assert.is_true(nl.equal(x:permute(2, 3, 4, 1), rearrange(x, "b ... -> ... b")))
    assert.is_true(nl.equal(x:permute(4, 1, 2, 3):reshape(5, 24), rearrange(x, "... c -> c (...)")))
    assert.is_true(nl.equal(x:reshape(2, 1, 12, 5), rearrange(x, "a b c d -> a 1 (b c) d")))
    assert.is_true(nl.equal(x:reshape(2, 3, 1, 4, 5):permute(3, 1, 4, 5, 2):reshape(1, 2, 4, 15),
      rearrange(x, "b (h1 h2) w c -> h2 b w (c h1)", {h1 = 3})))
    assert.is_true(nl.equal(nl.cat {x, x}, rearrange({x, x}, "n b h w c -> (n b) h w c")))
    assert.same({3}, rearrange(nl.tensor(3), " -> 1"):tolist())
  end)

  it("says what is wrong with a pattern", function()
    local function refused(pattern, what, lengths)
      assert.error_matches(function() func.rearrange(x, pattern, lengths) end, what)
    end
    refused("a b -> b a", "there are 2 dimensions, the tensor has 4")
    refused("a b c d", "an arrow")
    refused("a b c d -> a b c", "'d' is on the left only")
    refused("a b c d -> a b c d e", "'e' is on the right only")
    refused("a b c a -> a b c", "stands twice")
    refused("a (b b2) c d -> a b b2 c d", "both unknown")
    refused("a (b b2) c d -> a b b2 c d", "doesn't fit", {b = 2})
    refused("a b c d -> a b c d", "there is no 'e'", {e = 2})
    refused("a b c (d -> a b c d", "isn't closed")
    refused("a b c + -> a b c +", "is no name")
    refused("a b c d e ... -> a b c d e ...", "more than 4 dimensions")
  end)
end)
