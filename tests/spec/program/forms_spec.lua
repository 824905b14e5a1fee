-- Traces of forms, of examples without elements, and first calls of programs, whose plans are made of forms.
local nl = require "nnlua"
local same = require "support.same"
local nn, F, profiler = nl.nn, nl.F, nl.profiler
local trace = nl.program.trace

--- How many plans and ops of a name run in a call of f.
local function ran(f, op)
  local counts = {plan = 0, [op] = 0}
  local prof = profiler.profile(f)
  for _, average in ipairs(prof:key_averages()) do
    if counts[average.key] then counts[average.key] = average.count end
  end
  return counts.plan, counts[op]
end

local function form(...) return nl.empty({...}, {device = "meta"}) end

--- A network with what forms alone must tell: sizes, positions that are worked out, views, constants.
local function network()
  nl.manual_seed(1)
  local net = nn.Sequential(nn.Conv2d(3, 4, 3, {padding = 1, padding_mode = "reflect"}), nn.BatchNorm2d(4), nn.ReLU(),
    nn.Upsample {scale_factor = 2}, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 36, 5))
  return net:eval()
end

local function positions(x)
  local n = x:size(1)
  local mask = nl.tril(nl.ones(n, n)):eq(0)
  local scores = x:mm(x:t()):masked_fill(mask, -math.huge)
  return F.softmax(scores, 2):mm(x) + nl.arange(n):float():unsqueeze(2) * nl.tensor {0.5}
end

describe("a first call", function()
  it("runs a plan, and no op beside it", function()
    local net, x = network(), nl.randn(2, 3, 6, 6)
    local _ <close> = nl.no_grad()
    local program = trace(net, x)
    local y
    local plans, products = ran(function() y = program(x) end, "linear")
    assert.equal(1, plans)
    assert.equal(1, products)
    assert.is_true(nl.allclose(net(x), y, {rtol = 1e-5, atol = 1e-6}))
  end)

  it("runs plainly with inputs of another form, and the second one a plan", function()
    local program = trace(positions, nl.randn(4, 3), {dynamic = {x = {"N"}}})
    local _ <close> = nl.no_grad()
    for _, rows in ipairs {{4, 1}, {4, 1}, {6, 0}, {6, 1}, {9, 0}, {4, 1}} do
      local x, y = nl.randn(rows[1], 3), nil
      assert.equal(rows[2], (ran(function() y = program(x) end, "mm")), rows[1])
      assert.is_nil(same.difference(positions(x), y))
    end
  end)

  it("finds matrices that have no factors", function()
    local ops = {
      {nl.linalg.inv, nl.zeros(3, 3), "inv: A is singular"},
      {nl.linalg.cholesky, -nl.eye(3), "cholesky: it is not positive definite: its leading part of size 1"},
      {nl.linalg.lu_factor, nl.zeros(3, 3), "lu_factor: U has a 0 on its diagonal, in row 1"},
      {nl.linalg.inv, nl.stack {nl.eye(3), nl.zeros(3, 3)}, "inv: matrix 2 of the batch: A is singular"},
      {function(x) return nl.linalg.matrix_power(x, -2) end, nl.zeros(3, 3), "matrix_power: A is singular"},
    }
    local _ <close> = nl.no_grad()
    for _, case in ipairs(ops) do
      local f, wrong, text = table.unpack(case)
      local right = nl.eye(3):expand_as(wrong):clone()
      local program, fast = trace(function(x) return (f(x)) end, right), nl.compile(function(x) return (f(x)) end)
      assert.equal(1, (ran(function() program(right) end, "inv")))
      for _ = 1, 3 do fast(right) end
      assert.error_matches(function() program(wrong) end, text)
      assert.error_matches(function() fast(wrong) end, text)
    end
  end)

  it("draws what the plain path draws", function()
    local function f(x) return nl.randn(3) + F.dropout(x, 0.5, true) end
    local x = nl.ones(3)
    local program = trace(f, x)
    local _ <close> = nl.no_grad()
    for seed = 1, 4 do
      nl.manual_seed(seed)
      local expected, after = f(x), nl.rand(1)
      nl.manual_seed(seed)
      assert.is_nil(same.difference({expected, after}, {program(x), nl.rand(1)}))
    end
  end)

  it("changes buffers once", function()
    local net, x = nn.BatchNorm1d(3), nl.randn(5, 3)
    local program = trace(net, x)
    local other = nn.BatchNorm1d(3)
    other:load_state_dict(net:state_dict())
    local _ <close> = nl.no_grad()
    for _ = 1, 3 do
      program(x)
      other(x)
      assert.is_nil(same.difference(other:state_dict(), net:state_dict()))
    end
  end)

  it("checks elements as the plain path does", function()
    local program = trace(function(p, y) return F.binary_cross_entropy(p, y) end, nl.full({2}, 0.5), nl.ones(2))
    local _ <close> = nl.no_grad()
    assert.has_error(function() program(nl.tensor {0.5, 1.5}, nl.ones(2)) end)
    local p, y = nl.full({2}, 0.5), nl.ones(2)
    assert.is_nil(same.difference(F.binary_cross_entropy(p, y), program(p, y)))
  end)

  it("goes by the elements of small whole inputs", function()
    local b = nl.program.builder()
    local x, which = b:input "x", b:input "which"
    b:output("y", b:branch(b:call("eq", {which, 1}),
      function(body) return body:call("relu", {x}) end, function(body) return body:call("neg", {x}) end))
    local program, x = b:build(), nl.tensor {-1, 2}
    local _ <close> = nl.no_grad()
    assert.same({0, 2}, program(x, nl.tensor(1)):tolist())
    assert.same({1, -2}, program(x, nl.tensor(2)):tolist())
    assert.same({0, 2}, program(x, nl.tensor(1)):tolist())
  end)

  it("takes a parameter or buffer of the program, and tensors that share memory, for inputs", function()
    for _, grows in ipairs {false, true} do
      local function make()
        local net = nn.Module()
        net:register_buffer("w", nl.full({2}, 3.0))
        net.forward = function(self, x)
          if grows then self.w:add_(1) end
          return x * self.w
        end
        return net
      end
      local net, plain = make(), make()
      local program = trace(net, nl.ones(2))
      net.w:fill_(3)
      local _ <close> = nl.no_grad()
      for call = 1, 3 do assert.is_nil(same.difference(plain(plain.w), program(net.w)), call) end
      for call = 1, 3 do
        local x = nl.full({2}, call + 0.0)
        assert.is_nil(same.difference(plain(x), program(x)), call)
        assert.is_nil(same.difference(plain(plain.w:view(2)), program(net.w:view(2))), call)
      end
    end
    local function f(a, b)
      a:add_(1)
      return b * 2
    end
    local program = trace(f, nl.ones(2), nl.ones(2))
    local _ <close> = nl.no_grad()
    for call = 1, 6 do
      local function run(g)
        local x = nl.zeros(3)
        return g(x[{{1, 2}}], call % 3 == 0 and nl.zeros(2) or x[{{2, 3}}])
      end
      assert.is_nil(same.difference(run(f), run(program)), call)
    end
  end)

  it("takes positions from the end at later calls", function()
    local x = nl.arange(3):float()
    local program = trace(function(a, i) return nl.take_along_dim(a, i, 1) end, x, nl.tensor {1, 2})
    local _ <close> = nl.no_grad()
    for _, i in ipairs {nl.tensor {1, 2}, nl.tensor {-1, 2}, nl.tensor {3, -2}} do
      assert.is_nil(same.difference(nl.take_along_dim(x, i, 1), program(x, i)))
    end
  end)

  it("takes tensors to the device where they are", function()
    local x = nl.tensor {-1.0, 2.0}
    for _, f in ipairs {function(a) return a:to(a.device) * 2 end, function(a) return a:cpu() * 2 end,
      function(a) return a:gt(0):to(a) * a end, function(a) return a:to("cpu", nl.float64) end} do
      local program = trace(f, x)
      assert.is_nil(same.difference(f(x), trace(f, form(2))(x)))
      local _ <close> = nl.no_grad()
      for _ = 1, 3 do
        local y
        assert.equal(1, (ran(function() y = program(x) end, "mm")))
        assert.is_nil(same.difference(f(x), y))
      end
    end
  end)

  it("makes no plan of very many steps", function()
    local b = nl.program.builder()
    local x, n = b:input("x", {dtype = nl.float32, shape = {2}}), b:input("n", {dtype = nl.int64, shape = {}})
    b:output("y", b:loop(n, nil, {x}, function(body, _, _, y) return nil, {body:call("add", {y, 1})} end))
    local program = b:build()
    local _ <close> = nl.no_grad()
    for _, rounds in ipairs {100, 40000, 40000, 40000} do
      local y
      local plans = ran(function() y = program(nl.zeros(2), nl.tensor(rounds)) end, "mm")
      if rounds > 100 then assert.equal(0, plans) end
      assert.same({rounds + 0.0, rounds + 0.0}, y:tolist())
    end
  end)

  it("goes by whether an input is a number", function()
    local function f(x, y) return x * y end
    local program, x = trace(f, nl.ones(2):int(), nl.tensor(2.5)), nl.ones(2):int()
    local _ <close> = nl.no_grad()
    for _ = 1, 3 do assert.is_nil(same.difference(f(x, nl.tensor(2.5)), program(x, nl.tensor(2.5)))) end
  end)

  it("leaves nothing behind, whichever allocation fails", function()
    local net, x = network(), nl.randn(2, 3, 6, 6)
    local y
    local function make()
      local _ <close> = nl.no_grad()
      y = trace(net, form(2, 3, 6, 6))(x)
    end
    make()
    local expected = y
    local function live()
      y = nil
      collectgarbage()
      collectgarbage()
      local stats = nl.memory_stats()
      return {stats.allocated, stats.tensors, stats.storages, stats.nodes}
    end
    local before = live()
    local failed = 0
    for k = 1, 600, 7 do
      nl._fail_allocation(k)
      local well, told = pcall(make)
      nl._fail_allocation(0)
      if well then assert.is_true(nl.allclose(expected, y, {rtol = 1e-5, atol = 1e-6}))
      else assert.truthy(told:find "not enough memory", told) end
      failed = failed + (well and 0 or 1)
      assert.same(before, live(), "allocation " .. k)
    end
    assert.is_true(failed > 10)
  end)
end)

describe("a trace of forms", function()
  it("gives the program that one of tensors gives", function()
    for _, case in ipairs {{network(), {2, 3, 6, 6}}, {positions, {5, 3}}} do
      local f, x = case[1], nl.randn(case[2])
      local program = trace(f, form(table.unpack(case[2])))
      assert.equal(tostring(trace(f, x)), tostring(program))
      assert.is_nil(same.difference(f(x), program(x)))
    end
  end)

  it("takes no memory for what the network would make", function()
    local net = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3))
    local before = nl.memory_allocated()
    nl.reset_peak_memory_stats()
    trace(net, form(64, 3, 512, 512))
    assert.is_true(nl.max_memory_allocated() - before < 1e6)
  end)

  it("has sizes by name, tables of inputs, gradients", function()
    local layer = nn.Linear(3, 2)
    local program = trace(function(given) return layer(given.x) * given.scale end,
      {x = form(2, 3), scale = form(2)}, {dynamic = {["given.x"] = {"N"}}})
    local given = {x = nl.randn(5, 3), scale = nl.randn(2)}
    assert.is_nil(same.difference(layer(given.x) * given.scale, program(given)))
    program(given):sum():backward()
    assert.same({3}, layer.weight.grad[1].shape:totable())
  end)

  it("leaves tensors of the meta device where they get out", function()
    local out
    trace(function(a)
      assert(a.is_cpu)
      out = a * 2
      return out
    end, form(3))
    assert.equal("meta", out.device.type)
    assert.is_true(out.is_meta)
  end)

  it("refuses what needs elements, draws or changes something", function()
    local x = form(3)
    assert.error_matches(function() trace(function(a) return a * a:sum():item() end, x) end, "item: .*elements")
    assert.error_matches(function() trace(function(a) return a[a:gt(0)] end, x) end, "elements")
    assert.error_matches(function() trace(nn.Dropout(0.5), x) end, "random numbers aren't drawn")
    assert.error_matches(function() trace(nn.BatchNorm1d(3), form(2, 3)) end, "nothing is changed")
    assert.error_matches(function() trace(function(a, b) return a + b end, x, nl.ones(3)) end, "all examples")
  end)
end)
