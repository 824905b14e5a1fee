-- nl.compile: programs give what the network gives, and run only where they may.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local function programs(compiled) return nl.compile_report(compiled).programs end

-- Calls both with the same seed and compares the results to the bit; returns the compiled one's.
local function same(net, compiled, ...)
  nl.manual_seed(7)
  local plain = table.pack(nl.no_grad(net, ...))
  nl.manual_seed(7)
  local given = table.pack(nl.no_grad(compiled, ...))
  assert.equal(plain.n, given.n)
  for i = 1, plain.n do
    assert.is_true(nl.equal(plain[i], given[i]))
    assert.same(plain[i]:stride(), given[i]:stride())
  end
  return table.unpack(given)
end

local function classifier()
  return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3), nn.LogSoftmax(2))
end

describe("nl.compile", function()
  it("runs a program from the second call on", function()
    local net = classifier()
    local fast = nl.compile(net)
    for _ = 1, 4 do same(net, fast, nl.randn(4, 6)) end
    assert.equal(1, #programs(fast))
    assert.equal(3, programs(fast)[1].runs)
    assert.is_nil(programs(fast)[1].reason)
    assert.equal(4, nl.compile_report(fast).calls)
  end)

  it("has a program for each form of the arguments", function()
    local net = classifier()
    local fast = nl.compile(net)
    for _ = 1, 2 do
      same(net, fast, nl.randn(4, 6))
      same(net, fast, nl.randn(2, 6))
      same(net, fast, nl.randn(6, 4):t())
    end
    assert.equal(3, #programs(fast))
    local double = nl.compile(function(x, factor) return x * factor end)
    assert.same({2, 4}, double(nl.tensor {1, 2}, 2):tolist())
    assert.same({3, 6}, double(nl.tensor {1, 2}, 3):tolist())
    assert.same({4.0, 8.0}, double(nl.tensor {1, 2}, 4.0):tolist())
    assert.same({2, 4}, double(nl.tensor {1, 2}, 2):tolist())
    assert.equal(3, #programs(double))
  end)

  it("takes and gives tables, numbers and nil", function()
    local function f(list, options)
      local y = list[1] + list.other
      return {y, {twice = y * 2}}, nil, options.name, 3.5
    end
    local fast = nl.compile(f)
    for _ = 1, 3 do
      local a, b = nl.randn(3), nl.randn(3)
      local results = table.pack(fast({a, other = b}, {name = "n"}))
      assert.equal(4, results.n)
      assert.is_true(nl.equal(a + b, results[1][1]))
      assert.is_true(nl.equal((a + b) * 2, results[1][2].twice))
      assert.is_nil(results[2])
      assert.same({"n", 3.5}, {results[3], results[4]})
    end
    assert.equal(2, programs(fast)[1].runs)
  end)

  it("gives new tensors, arguments themselves, and views of them", function()
    local weight = nl.randn(3)
    local fast = nl.compile(function(x) return x + 1, x, x[2], weight end)
    local x, before = nl.randn(2, 3)
    for _ = 1, 3 do
      local sum, itself, row, held = fast(x)
      assert.equal(x, itself)
      assert.equal(weight, held)
      assert.is_true(nl.equal(x[2], row))
      row:fill_(7)
      assert.is_true(nl.equal(nl.full({3}, 7.0), x[2]))
      if before then assert.is_false(nl.equal(before, sum)) end
      before = sum
      x:copy_(nl.randn(2, 3))
    end
    assert.equal(2, programs(fast)[1].runs)
  end)

  it("sees parameters that changed in any way", function()
    local net = classifier()
    local fast, x = nl.compile(net), nl.randn(4, 6)
    for _ = 1, 2 do same(net, fast, x) end
    nl.no_grad(function() net[1].weight:mul_(2) end)
    same(net, fast, x)
    net[1].weight.data:add_(1)
    same(net, fast, x)
    net[1].weight.data = nl.randn(5, 6)
    same(net, fast, x)
    net:load_state_dict(classifier():state_dict())
    same(net, fast, x)
    net[3].bias.data = nl.randn(3)
    same(net, fast, x)
    assert.equal(1, #programs(fast))
    net[1].weight = nn.Parameter(nl.randn(5, 6))
    same(net, fast, x)
    net[1] = nn.Linear(6, 5)
    same(net, fast, x)
    same(net, fast, x)
    local optimizer = nl.optim.SGD(net:parameters(), {lr = 0.5})
    net(x):sum():backward()
    optimizer:step()
    same(net, fast, x)
  end)

  it("has programs for each mode, and counts changes of attributes", function()
    local net = nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.5), nn.Conv1d(4, 4, 3))
    local fast, x = nl.compile(net), nl.randn(2, 4, 6)
    for _ = 1, 2 do
      for _, mode in ipairs {true, false} do
        net:train(mode)
        same(net, fast, x)
        same(net, fast, x)
      end
    end
    assert.equal(2, #programs(fast))
    net[3].padding = {1}
    same(net, fast, x)
    net[3].padding[1] = 2
    same(net, fast, x)
    same(net, fast, x)
  end)

  it("writes buffers and draws random numbers as the network does", function()
    local function make()
      nl.manual_seed(3)
      return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.3))
    end
    local one, two = make(), make()
    local fast = nl.compile(two)
    nl.manual_seed(5)
    local xs, a, b = {}, {}, {}
    for i = 1, 4 do xs[i] = nl.randn(8, 6) end
    nl.manual_seed(6)
    for i = 1, 4 do a[i] = nl.no_grad(one, xs[i]) end
    nl.manual_seed(6)
    for i = 1, 4 do b[i] = nl.no_grad(fast, xs[i]) end
    for i = 1, 4 do assert.is_true(nl.equal(a[i], b[i])) end
    for name, value in pairs(one:state_dict()) do assert.is_true(nl.equal(value, two:state_dict()[name])) end
    assert.equal(3, programs(fast)[1].runs)
  end)

  it("changes its arguments in place where the function does", function()
    local fast = nl.compile(function(x) return x:add_(1):mul_(2), x:sum() end)
    for _ = 1, 3 do
      local x = nl.ones(3)
      local y, sum = fast(x)
      assert.equal(x, y)
      assert.same({4, 4, 4}, x:tolist())
      assert.equal(12, sum:item())
    end
    assert.equal(2, programs(fast)[1].runs)
  end)

  it("sees that arguments share memory, where one of them is changed", function()
    local function f(x, y)
      local before = x * 2
      y:add_(1)
      return before + x * 2
    end
    local fast = nl.compile(f)
    for _ = 1, 2 do assert.same({4, 4}, fast(nl.ones(2), nl.ones(2)):tolist()) end
    for _ = 1, 2 do
      local x = nl.ones(2)
      assert.same({6, 6}, fast(x, x:view(2)):tolist())
    end
    assert.same({4, 4}, fast(nl.ones(2), nl.ones(2)):tolist())
  end)

  it("runs the network itself where gradients are wanted", function()
    local net = classifier()
    local fast, x = nl.compile(net), nl.randn(4, 6)
    for _ = 1, 3 do
      net:zero_grad()
      fast(x):sum():backward()
      local got = net[1].weight.grad:clone()
      net:zero_grad()
      net(x):sum():backward()
      assert.is_true(nl.equal(net[1].weight.grad, got))
    end
    assert.equal(2, nl.compile_report(fast).with_gradients)
  end)

  it("runs a function that turns gradients off itself where they are wanted", function()
    local net, w = classifier(), nl.randn(4, 6, {requires_grad = true})
    local fast = nl.compile(function(x) return nl.no_grad(net, x) end)
    local x = nl.randn(4, 6, {requires_grad = true})
    for _ = 1, 3 do
      local y = fast(x)
      assert.is_true(nl.equal(nl.no_grad(net, x), y))
      assert.is_false(y.requires_grad)
    end
    local report = nl.compile_report(fast)
    assert.equal(0, report.with_gradients)
    assert.equal(2, report.programs[1].runs)
    -- a view of what has gradients has them itself, wherever it is made
    local view = nl.compile(function() return nl.no_grad(w.t, w) end)
    for _ = 1, 3 do assert.is_true(view().requires_grad) end
    -- what is outside of the part without gradients has them as ever
    local scaled = nl.compile(function(given) return nl.no_grad(net, given) * w[{{}, {1, 3}}] end)
    for _ = 1, 3 do assert.is_true(scaled(x).requires_grad) end
    assert.equal(2, nl.compile_report(scaled).with_gradients)
    -- a change in place, and a mode around the whole
    local step = nl.compile(function() nl.no_grad(w.mul_, w, 2) end)
    local before = w:detach():clone()
    for _ = 1, 3 do step() end
    assert.is_true(nl.equal(before * 8, w:detach()))
    assert.is_true(w.requires_grad and w.is_leaf)
    local quiet = nl.compile(function(given) return given * w end)
    nl.no_grad(quiet, x)
    nl.no_grad(quiet, x)
    assert.is_true(quiet(x).requires_grad)
  end)

  local Counting = nn.class "Counting"
  function Counting:init() self.fc, self.calls = nn.Linear(3, 2), 0 end
  function Counting:forward(x)
    self.calls = self.calls + 1
    return self.fc(x)
  end

  it("falls back where it must, and says why and where", function()
    local cases = {
      {function(x) return x * x:sum():item() end, "item reads elements"},
      {function(x) return x * #x:tolist() end, "tolist reads elements"},
      {function(x) return x[x:gt(0)] end, "depends on elements"},
      {function(x) return x:nonzero() end, "depends on elements"},
      {function(x) return x + #tostring(x) end, "tostring reads elements"},
      {function(x) return coroutine.wrap(function() return x + 1 end)() end, "another coroutine"},
      {function(x) nl.manual_seed(1) return x + nl.rand(2) end, "manual_seed"},
      {function(x) return x:clone():unsqueeze_(1) end, "unsqueeze"},
      {function(x) return setmetatable({x}, {}) end, "metatable"},
    }
    for _, case in ipairs(cases) do
      local fast = nl.compile(case[1])
      for _ = 1, 3 do
        local x = nl.tensor {1.0, -2.0}
        local plain, given = case[1](x), fast(x)
        if type(plain) == "userdata" then assert.is_true(nl.equal(plain, given)) end
      end
      assert.equal(1, #programs(fast))
      assert.truthy(programs(fast)[1].reason:find(case[2], 1, true), programs(fast)[1].reason)
    end
    local counting = nl.compile(Counting())
    for _ = 1, 3 do nl.no_grad(counting, nl.ones(3)) end
    assert.equal(3, counting._orig_mod.calls)
    assert.truthy(programs(counting)[1].reason:find("compile_spec.lua:%d+: an attribute of a module is assigned"))
    local hooked = classifier()
    local seen = 0
    hooked[1]:register_forward_hook(function() seen = seen + 1 end)
    local fast = nl.compile(hooked)
    for _ = 1, 3 do nl.no_grad(fast, nl.ones(1, 6)) end
    assert.equal(3, seen)
    assert.truthy(programs(fast)[1].reason:find "hooks")
  end)

  it("sees hooks that come later", function()
    local net, seen = classifier(), 0
    local fast, x = nl.compile(net), nl.ones(1, 6)
    for _ = 1, 2 do same(net, fast, x) end
    local handle = net[3]:register_forward_hook(function() seen = seen + 1 end)
    nl.no_grad(fast, x)
    nl.no_grad(fast, x)
    assert.equal(2, seen)
    handle:remove()
    same(net, fast, x)
    assert.equal(2, seen)
  end)

  it("makes checks of elements again at each run", function()
    local x, y = nl.rand(3), nl.rand(3)
    local _ <close> = nl.no_grad()
    local function f(a, b) return F.binary_cross_entropy(a, b), a:quantile(b) end
    local c = nl.compile(f)
    for _ = 1, 3 do assert.is_true(nl.equal((f(x, y)), (c(x, y)))) end
    assert.is_nil(nl.compile_report(c).programs[1].reason)
    for _, wrong in ipairs {x + 1, x - 2} do
      local _, plain = pcall(F.binary_cross_entropy, wrong, y)
      local well, told = pcall(c, wrong, y)
      assert.is_false(well)
      assert.equal(plain:gsub("^.-: ", ""), (told:gsub("^.-: ", "")))
    end
    assert.is_true(nl.equal((f(y, x)), (c(y, x))))
  end)

  it("raises what the network raises, and goes on", function()
    local net = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    local fast = nl.compile(net)
    local good = nl.tensor {1, 5}
    for _ = 1, 2 do same(net, fast, good) end
    for _ = 1, 2 do
      assert.error_matches(function() nl.no_grad(fast, nl.tensor {1, 6}) end, "embedding")
      same(net, fast, good)
    end
  end)

  it("can be called within one that is being traced, and by itself", function()
    local inner = nl.compile(function(x) return x * 2 end)
    local outer = nl.compile(function(x) return inner(x) + 1 end)
    for _ = 1, 3 do assert.same({3, 5}, outer(nl.tensor {1, 2}):tolist()) end
    assert.equal(2, programs(outer)[1].runs)
    local depth
    depth = nl.compile(function(x, n) if n == 0 then return x end return depth(x + 1, n - 1) end)
    for _ = 1, 3 do assert.same({3}, depth(nl.tensor {0}, 3):tolist()) end
  end)

  it("keeps to autocast, inference mode and the default dtype", function()
    local net = classifier()
    local fast, x = nl.compile(net), nl.randn(4, 6)
    for _ = 1, 2 do
      same(net, fast, x)
      local plain = nl.autocast({dtype = nl.bfloat16}, nl.no_grad, net, x)
      assert.is_true(nl.equal(plain, nl.autocast({dtype = nl.bfloat16}, nl.no_grad, fast, x)))
    end
    for _ = 1, 2 do assert.is_true(nl.equal(net(x), nl.inference_mode(fast, x))) end
    assert.equal(3, #programs(fast))
  end)

  it("multiplies batch norm into convolutions, to rounding", function()
    for _, case in ipairs {
      {nn.Conv2d(3, 4, 3, {bias = false}), nn.BatchNorm2d(4), nl.randn(2, 3, 6, 6)},
      {nn.Conv2d(4, 4, 3, {groups = 2}), nn.BatchNorm2d(4), nl.randn(2, 4, 6, 6)},
      {nn.Conv1d(3, 4, 2), nn.BatchNorm1d(4, {affine = false}), nl.randn(2, 3, 6)},
      {nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3), nl.randn(1, 2, 4, 4, 4)},
      {nn.ConvTranspose2d(3, 4, 2, {stride = 2}), nn.BatchNorm2d(4), nl.randn(2, 3, 5, 9)},
      {nn.ConvTranspose2d(3, 4, 3, {bias = false}), nn.BatchNorm2d(4), nl.randn(2, 3, 5, 9)},
    } do
      local conv, norm, x = table.unpack(case)
      norm.running_mean:copy_(nl.randn(norm.num_features))
      norm.running_var:copy_(nl.rand(norm.num_features) + 0.5)
      if norm.weight then nl.no_grad(function() norm.weight:copy_(nl.randn(norm.num_features)) end) end
      local net = nn.Sequential(conv, norm, nn.ReLU()):eval()
      local fast, exact = nl.compile(net), nl.compile(net, {without = {"batch_norm"}})
      for round = 1, 5 do
        local plain = nl.no_grad(net, x)
        assert.is_true(nl.allclose(plain, nl.no_grad(fast, x), {rtol = 1e-5, atol = 1e-6}))
        assert.is_true(nl.equal(plain, nl.no_grad(exact, x)))
        if round == 2 then nl.no_grad(function() conv.weight:mul_(2) end) end
        if round == 3 then norm.running_mean:add_(1) end
        if round == 4 and norm.bias then norm.bias.data = nl.randn(norm.num_features) end
      end
      assert.equal(1, programs(fast)[1].steps) -- the relu is done as the results are stored
      assert.equal(4, programs(fast)[1].runs)
    end
  end)

  it("takes a hardswish that is written out for one, to rounding", function()
    for _, net in ipairs {
      function(x) return x * nl.minimum(nl.maximum(x + 3, nl.zeros(1)), nl.tensor {6.0}) / 6 end,
      function(x) return nl.maximum(nl.minimum(nl.maximum(3 + x, nl.zeros(1)), nl.tensor {6.0}), x) * x end,
      function(x) return nl.minimum(nl.maximum(x + 3, nl.zeros(1)), nl.tensor {6.0}) * x * (1 / 6) end,
      function(x) return x * nl.minimum(nl.maximum(x + 2, nl.zeros(1)), nl.tensor {6.0}) / 6 end,
      function(x) return x * nl.minimum(nl.maximum(x:add(1, {alpha = 3}), nl.zeros(1)), nl.tensor {6.0}) / 6 end,
      function(x) return (x + 1) * nl.minimum(nl.maximum(x + 3, nl.zeros(1)), nl.tensor {6.0}) / 6 end,
      function(x) return 6 / (x * nl.minimum(nl.maximum(x + 3, nl.zeros(1)), nl.tensor {6.0})) end,
    } do
      local fast, exact = nl.compile(net), nl.compile(net, {without = {"activations"}})
      local x = nl.linspace(-9, 9, 1001)
      for _ = 1, 3 do
        local plain = nl.no_grad(net, x)
        assert.is_true(nl.allclose(plain, nl.no_grad(fast, x), {rtol = 1e-6, atol = 1e-7, equal_nan = true}))
        assert.is_true(nl.allclose(plain, nl.no_grad(exact, x), {rtol = 0, atol = 0, equal_nan = true}))
      end
    end
  end)

  it("runs powers by constant tensors as those by numbers, to rounding", function()
    for _, exponent in ipairs {2, 3, 0.5, -0.5, -1, 2.5} do
      local power = nl.tensor(exponent)
      local function net(x) return x:pow(power) end
      local fast, exact = nl.compile(net), nl.compile(net, {without = {"activations"}})
      local x = nl.linspace(0.01, 9, 1001)
      for _ = 1, 3 do
        local plain = nl.no_grad(net, x)
        assert.is_true(nl.allclose(plain, nl.no_grad(fast, x), {rtol = 1e-6, atol = 0}))
        assert.is_true(nl.equal(plain, nl.no_grad(exact, x)))
      end
    end
  end)

  it("runs pointwise rows on results of convolutions as these are made", function()
    local threads <close> = setmetatable({nl.get_num_threads()}, {__close = function(t) nl.set_num_threads(t[1]) end})
    for _, case in ipairs {
      {nn.Conv2d(5, 13, 3, {padding = 1}), nl.randn(2, 5, 19, 40)},
      {nn.Conv2d(5, 13, 3, {padding = 1, stride = 2}), nl.randn(3, 5, 9, 7)},
      {nn.Conv2d(26, 27, 3, {padding = 1}), nl.randn(1, 26, 23, 31)},   -- by Winograd's transforms
      {nn.Conv2d(26, 27, 3, {padding = 1}), nl.randn(2, 26, 300, 301)}, -- in tiles of lines that are cut
      {nn.Conv2d(6, 6, 5, {padding = 2, groups = 6}), nl.randn(2, 6, 30, 33)},
      {nn.Conv2d(40, 30, 1), nl.randn(1, 40, 20, 20)},
      {nn.Conv2d(40, 30, 1), nl.randn(4, 40, 9, 11)},
      {nn.Conv2d(4, 20, 4), nl.randn(3, 4, 4, 4)}, -- a product
      {nn.Conv1d(9, 20, 5), nl.randn(1, 9, 7)},    -- of few places
      {nn.Conv3d(3, 7, 3), nl.randn(2, 3, 6, 7, 8)},
      {nn.ConvTranspose2d(5, 13, 3, {stride = 2}), nl.randn(1, 5, 9, 9)},
      {nn.ConvTranspose2d(8, 6, 2, {stride = 2, groups = 2}), nl.randn(2, 8, 13, 21)},
      {nn.Conv2d(5, 13, 3):double(), nl.randn(2, 5, 9, 9):double()},
      {nn.Conv2d(5, 13, 3):half(), nl.randn(2, 5, 9, 9):half()},
    } do
      local conv, x = table.unpack(case)
      local scale = nl.randn(conv.out_channels, table.unpack({1, 1, 1}, 1, x:dim() - 2)):to(x.dtype)
      local function net(input)
        local y = F.hardswish(conv(input)) * scale + 1
        local z = conv(input * 2) + y -- which the later one of two convolutions can take
        return F.relu(conv(z:mean() * input)), z
      end
      local fast = nl.compile(net)
      for n = 1, 2 do
        nl.set_num_threads(n)
        for _ = 1, 3 do same(net, fast, x) end
      end
      assert.is_true(programs(fast)[1].runs >= 4)
    end
  end)

  it("runs pointwise rows on results of products as these are made", function()
    local threads <close> = setmetatable({nl.get_num_threads()}, {__close = function(t) nl.set_num_threads(t[1]) end})
    -- Rows enough that weights are packed; columns in one stage and, beyond 2,048, in two; terms in one and in two. Few
    -- rows, for which only those are that are kept.
    for _, sizes in ipairs {{100, 40, 300}, {60, 300, 100}, {60, 24, 4200}, {20, 24, 300}, {9, 600, 520}} do
      local rows, inputs, outputs = table.unpack(sizes)
      for _, dtype in ipairs {nl.float32, nl.float64} do
        local function random(m, n) return nl.randn(m, n, {dtype = dtype}) end
        local weight, bias, rest = random(outputs, inputs), random(1, outputs)[1], random(rows, outputs)
        local gates, by_rows = random(1, outputs), random(inputs, outputs)
        local function net(x)
          local y = F.gelu(F.linear(x, weight, bias)) * gates + rest
          return y, nl.mm(x, weight:t()):tanh(), nl.addmm(bias, x, weight:t()) - rest, nl.mm(x, by_rows):relu()
        end
        local fast, x = nl.compile(net), random(rows, inputs)
        for round, n in ipairs {1, 2, 1, 2} do
          nl.set_num_threads(n)
          if round == 3 then by_rows:mul_(2) end
          local got, expected = {fast(x)}, {net(x)}
          for i = 1, 4 do assert.is_true(nl.equal(got[i], expected[i])) end
        end
      end
    end
  end)

  it("looks at a weight that is given other memory twice, which may lie where the first one lay", function()
    for _, n in ipairs {8, 64, 300} do
      local w, x = nl.randn(n, n), nl.randn(20, n)
      local fast = nl.compile(function(t) return F.linear(t, w), t + (w * 2):exp():sum() end)
      for _ = 1, 20 do
        fast(x) fast(x)
        w.data = nl.randn(n, n)
        collectgarbage()
        w.data = nl.randn(n, n)
        local product, sum = fast(x)
        assert.is_true(nl.allclose(product, F.linear(x, w)))
        assert.is_true(nl.allclose(sum, x + (w * 2):exp():sum()))
      end
    end
  end)

  it("looks at a captured view, which may be given other memory than its base", function()
    local base, x = nl.ones(8, 4), nl.zeros(1)
    local part = base:narrow(1, 1, 4)
    local fast = nl.compile(function(t) return t + (base * 1):sum(), t + (part * 2):exp():sum() end)
    fast(x) fast(x)
    part.data = nl.zeros(4, 4)
    local whole, exp = fast(x)
    assert.same({32.0, 16.0}, {whole:item(), exp:item()})
  end)

  it("doesn't take x.data for a constant", function()
    local signed = nl.compile(function(x) if x.data:item() > 0 then return x * 2 end return x * 3 end)
    for _ = 1, 3 do assert.equal(2.0, signed(nl.ones(1)):item()) end
    assert.equal(-3.0, signed(-nl.ones(1)):item())
    local w = nl.ones(2)
    local added = nl.compile(function(x) return x + w.data * 2 end)
    for _ = 1, 3 do added(nl.ones(2)) end
    w:fill_(5)
    assert.same({11.0, 11.0}, added(nl.ones(2)):tolist())
  end)

  it("makes a tensor of numbers that is returned anew", function()
    local made = nl.compile(function(x) return nl.tensor {1, 2}, x + 1 end)
    for _ = 1, 3 do
      local numbers = made(nl.ones(2))
      assert.same({1, 2}, numbers:tolist())
      numbers:fill_(9)
    end
  end)

  it("reads no further than an input's memory", function()
    local wide = nl.compile(function(x) return x:as_strided({1000}, {1}) + 0 end)
    local long = nl.arange(0, 1000):float()
    for _ = 1, 3 do assert.equal(499500.0, wide(long:narrow(1, 1, 2)):sum():item()) end
    assert.error_matches(function() wide(nl.zeros(2)) end, "as_strided: size %(1000%)")
  end)

  it("runs plainly what has more tensors than it looks at", function()
    local list = {}
    for i = 1, 300 do list[i] = nl.ones(1) end
    local sum = nl.compile(function(all) return nl.cat(all):sum() end)
    for _ = 1, 3 do assert.equal(300.0, sum(list):item()) end
  end)

  it("returns views that may be changed in place, and keeps gradients that are enabled inside", function()
    local turned = nl.compile(function(x) return x:t() end)
    for _ = 1, 3 do
      local y = turned(nl.ones(2, 3))
      y:add_(nl.ones(3, 2):requires_grad_())
      assert.is_true(y.requires_grad)
    end
    local w = nl.ones(2):requires_grad_()
    local inside = nl.compile(function(x) return nl.enable_grad(function() return x * w end) end)
    for _ = 1, 3 do assert.is_true(nl.no_grad(inside, nl.ones(2)).requires_grad) end
  end)

  it("returns views of arguments that know what they are views of", function()
    local held = nl.zeros(6)
    local cases = {
      nn.Flatten(), nn.Unflatten(2, {3, 1}), function(x) return x:view(6):view(3, 2):t() end,
      function(x) return x:t()[2]:unsqueeze(1) end,
      function() return held:view(2, 3):t() end,
    }
    for _, f in ipairs(cases) do
      local fast, w = nl.compile(f), nl.full({}, 3.0):requires_grad_()
      for call = 1, 3 do
        local x = nl.randn(2, 3)
        local y = fast(x)
        assert.is_true(nl.equal(f(x), y))
        if call == 3 then
          y:mul_(w)
          local base = f(x).requires_grad and (x.requires_grad and x or held)
          assert(base and base.grad_fn, "the base has no history")
          base:sum():backward()
          assert.is_true(nl.allclose((y / 3):sum(), w.grad))
        end
      end
      local program = programs(fast)[1]
      assert.is_nil(program.reason)
      assert.equal(2, program.runs)
    end
  end)

  it("gives gradients through views of arguments as the plain path does", function()
    for _, f in ipairs {nn.Flatten(), nn.Unflatten(2, {3, 1}), function(x) return x:t():reshape(3, 2)[1] end} do
      local fast = nl.compile(f)
      local step = nl.compile(function(x)
        local y = f(x)
        nl.sum(y * y):backward()
        return y:detach()
      end)
      for _ = 1, 3 do
        local a, b, c = nl.randn(2, 3):requires_grad_(), nil, nil
        b, c = a:detach():clone():requires_grad_(), a:detach():clone():requires_grad_()
        local y, given = f(a), fast(b)
        nl.sum(y * y):backward()
        nl.sum(given * given):backward()
        assert.is_true(nl.equal(y, step(c)))
        assert.is_true(nl.equal(a.grad, b.grad))
        assert.is_true(nl.equal(a.grad, c.grad))
      end
      assert.is_nil(programs(fast)[1].reason)
      assert.equal(2, programs(step)[1].runs, programs(step)[1].reason)
    end
  end)

  it("looks at a CTC loss's lengths at each call", function()
    local loss = nn.CTCLoss {reduction = "none"}
    local fast = nl.compile(function(x, ...) return loss(F.log_softmax(x, 3), ...) end)
    local step = nl.compile(function(x, ...)
      local y = loss(F.log_softmax(x, 3), ...)
      y:sum():backward()
      return y:detach()
    end)
    for call, lengths in ipairs {{{6, 6}, {2, 3}}, {{6, 5}, {3, 1}}, {{4, 6}, {0, 2}}, {{5, 6}, {1, 1}}} do
      local steps, labels = nl.tensor(lengths[1]), nl.tensor(lengths[2])
      local x, targets = nl.randn(6, 2, 5):requires_grad_(), nl.randint(2, 6, {2, 3})
      local expected = loss(F.log_softmax(x, 3), targets, table.unpack(lengths))
      local list = nl.tensor(expected:tolist())
      expected:sum():backward()
      local grad = x.grad
      x.grad = nil
      assert.is_true(nl.equal(list, nl.no_grad(fast, x, targets, steps, labels)))
      assert.is_true(nl.equal(list, step(x, targets, steps, labels)))
      assert.is_true(nl.equal(grad, x.grad))
      assert.equal(call - 1, programs(fast)[1].runs, programs(fast)[1].reason)
      assert.equal(call - 1, programs(step)[1].runs, programs(step)[1].reason)
    end
    local x, targets, steps = nl.randn(6, 2, 5), nl.randint(2, 6, {2, 3}), nl.tensor {6, 7}
    assert.error_matches(function() nl.no_grad(fast, x, targets, steps, nl.tensor {1, 1}) end,
      "input_lengths: number 2 is 7, and there are 6 steps")
  end)

  it("makes no program of a call with a tensor that the network has itself", function()
    local layer, w = nn.Linear(2, 2, {bias = false}), nl.full({2, 2}, 3.0)
    layer.weight.data = w
    for _, case in ipairs {{layer, layer.weight}, {function(x) return x:mm(w) end, w}} do
      local fast, x = nl.compile(case[1]), nl.ones(2, 2)
      for _ = 1, 3 do same(case[1], fast, case[2]) end
      assert.equal(0, #programs(fast))
      for _ = 1, 3 do same(case[1], fast, x) end
      assert.equal(1, #programs(fast))
      same(case[1], fast, case[2])
    end
  end)

  it("returns views that gradients may be written to, made by a program of no_grad", function()
    local fast = nl.compile(function(x) return x:view(2, 2), (x * 2):view(2, 2) end)
    for _ = 1, 3 do nl.no_grad(fast, nl.ones(4)) end
    local g = nl.ones(2, 2):requires_grad_()
    for _ = 1, 2 do
      local a, b = fast(nl.ones(4))
      a:mul_(g)
      b:mul_(g):sum():backward()
    end
    assert.same({{4, 4}, {4, 4}}, g.grad:tolist())
    local a = nl.no_grad(fast, nl.ones(4))
    assert.error_matches(function() a:mul_(g) end, "made under no_grad")
  end)

  it("returns views of views that are tied to what they lie in", function()
    local function views(x)
      local y = x * 2
      return y, y:t():t()[1], x:t():t(), x:t():chunk(2)
    end
    local fast = nl.compile(views)
    local program = nl.program.trace(views, nl.ones(2, 2))
    for _ = 1, 3 do nl.no_grad(fast, nl.ones(2, 2)) end
    for _ = 1, 3 do
      for _, f in ipairs {fast, program} do
        local x, w = nl.ones(2, 2), nl.full({2}, 3.0):requires_grad_()
        local y, row, same_place, half = f(x)
        row:mul_(w)
        same_place:add_(w)
        assert.same({{6, 6}, {2, 2}}, y:tolist())
        assert.same({{4, 4}, {4, 4}}, x:tolist())
        assert.error_matches(function() half:mul_(w) end, "among several results")
        y:sum():backward()
        assert.same({2, 2}, w.grad:tolist())
        x:sum():backward()
        assert.same({4, 4}, w.grad:tolist())
      end
    end
  end)

  it("counts changes of its arguments as ops on their views do", function()
    local function change(x) return x:view(-1):mul_(2):sum(), x:t():t() end
    local by_forms = nl.no_grad(nl.program.trace, change, nl.ones(2, 2))
    for _, first in ipairs {"data", "counted"} do
      local fast = nl.compile(change)
      for _, f in ipairs {fast, by_forms} do
        for round = 1, 6 do
          local y = nl.ones(2, 2):requires_grad_() * 1
          local square = (y * y):sum()
          local is_data = (first == "data") == (round < 4)
          nl.no_grad(f, is_data and y.data or y)
          assert.equal(is_data, (pcall(square.backward, square)))
        end
      end
    end
    local fast = nl.compile(change)
    for _, f in ipairs {fast, by_forms} do
      for round = 1, 6 do
        local x = round % 2 == 0 and nl.ones(2, 2) or nl.inference_mode(nl.ones, 2, 2)
        local _, view = nl.inference_mode(f, x)
        assert.equal(x:is_inference(), view:is_inference())
      end
    end
  end)

  it("runs plainly what says itself what gradients are wanted of", function()
    local w = nl.full({2}, 3.0):requires_grad_()
    local makers = {
      function(x) return (x * 2):requires_grad_() end,
      function(x)
        local y = x * 2
        y.requires_grad = true
        return y * y
      end,
      function(x) return nl.full({2}, 2.0, {requires_grad = true}) * x end,
      function(x) return nl.no_grad(function() return (x * w:detach()):requires_grad_() end) end,
      function(x) return nl.no_grad(nl.enable_grad, function() return x * w end) end,
      function(x)
        local _ <close> = nl.set_grad_enabled(true)
        return x * w
      end,
    }
    for _, f in ipairs(makers) do
      local fast = nl.compile(f)
      for _ = 1, 4 do
        local y = fast(nl.ones(2))
        assert.is_true(y.requires_grad)
        assert.equal(f(nl.ones(2)).is_leaf, y.is_leaf)
        assert.equal(nl.no_grad(f, nl.ones(2)).requires_grad, nl.no_grad(fast, nl.ones(2)).requires_grad)
      end
      assert.matches("it changes itself what gradients are wanted of", programs(fast)[1].reason, 1, true)
    end
    local fast = nl.compile(function(x) return x * w:contiguous() end)
    for _ = 1, 3 do assert.same({3, 3}, nl.no_grad(fast, nl.ones(2)):tolist()) end
    assert.is_nil(programs(fast)[1].reason)
  end)

  it("makes what nothing but its data is read of", function()
    local readers = {
      function(x) return (x * 2).data * 3 end,
      function(x) local y = (x * 2):sin().data y:add_(1) return y:t() * 3 end,
      function(x) return (x * 2):view(-1).data:exp() end,
      function(x) local y = (x * 2):sin() local d = y.data return d * (y + 1):cos() end,
      function(x) local y = (x * 2):sin() local d = y.data local z = y + 1 d:mul_(3) return (z * d):exp() end,
    }
    for _, f in ipairs(readers) do
      local fast = nl.compile(f)
      for _ = 1, 4 do
        local x = nl.randn(5, 6)
        assert.is_true(nl.allclose(f(x), nl.no_grad(fast, x)))
      end
    end
  end)

  it("changes x.data unseen, and runs plainly what returns it", function()
    local changes = {
      function(x) x.data:add_(1) return x * 2 end,
      function(x) x.data:view(-1)[{{1, 2}}]:add_(1) return x * 2 end,
    }
    for _, change in ipairs(changes) do
      local fast = nl.compile(change)
      for _ = 1, 3 do
        local y, same_y = nl.ones(2, 2):requires_grad_() * 2, nl.full({2, 2}, 2.0)
        local square = (y * y):sum()
        assert.is_true(nl.equal(change(same_y), nl.no_grad(fast, y)))
        assert.is_true(nl.equal(same_y, y))
        square:backward()
      end
      assert.equal(2, programs(fast)[1].runs)
    end
    local returned = {
      function(x) return x.data end,
      function(x) return x.data:t():t() end,
      function(x) return (x * 2).data, x end,
    }
    for _, f in ipairs(returned) do
      local fast = nl.compile(f)
      for _ = 1, 4 do
        local x = nl.randn(2, 2)
        local y = nl.no_grad(fast, x)
        assert.is_true(nl.equal(f(x), y))
        local version = x._version
        y:add_(1)
        assert.equal(version, x._version)
      end
      assert.matches("x.data is returned", programs(fast)[1].reason)
    end
  end)

  it("lets everything go", function()
    collectgarbage() collectgarbage()
    local before = nl.memory_allocated()
    do
      local net = classifier()
      local fast = nl.compile(net)
      for _ = 1, 3 do nl.no_grad(fast, nl.randn(4, 6)) end
      assert.error(function() nl.compile(function(x) error "no" end)(nl.ones(1)) end)
    end
    collectgarbage() collectgarbage()
    assert.equal(before, nl.memory_allocated())
  end)

  it("refuses what it can't compile", function()
    assert.error_matches(function() nl.compile(3) end, "compile: a module or a function is wanted, got a number")
    assert.error_matches(function() nl.compile_report(nn.ReLU()) end, "compile_report: what nl.compile returned")
    assert.error_matches(function() nl.compile_report(print) end, "compile_report: what nl.compile returned")
  end)
end)
