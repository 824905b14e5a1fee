-- Traces: what is recorded, what is part of a program, what is refused. Results are compared with the plain path's.
local nl = require "nnlua"
local process = require "support.process"
local same = require "support.same"

local nn, F = nl.nn, nl.F
local trace = nl.program.trace

local function assert_same(expected, got) assert.is_nil(same.difference(expected, got)) end

--- That a trace raises an error with this in it, which names the line of the call on the line given.
local function assert_refused(message, f, ...)
  local ok, told = pcall(trace, f, ...)
  assert.is_false(ok)
  assert.truthy(told:find(message, 1, true), told)
  local line = debug.getinfo(f, "S").linedefined + 1
  assert.truthy(told:find(("trace_spec.lua:%d: "):format(line), 1, true), told)
  assert_same(nl.ones(2), trace(function(x) return x end, nl.zeros(2))(nl.ones(2))) -- traces can be made again
end

describe("a trace", function()
  it("names inputs by the function's arguments, and outputs", function()
    local p = trace(function(first, second) return first + second, first end, nl.ones(2), nl.zeros(2))
    assert.same({"first", "second"}, {p.inputs[1].name, p.inputs[2].name})
    assert.same({"output1", "output2"}, {p.outputs[1].name, p.outputs[2].name})
    local sum = p {first = nl.ones(2), second = nl.ones(2)}
    assert_same(nl.full({2}, 2.0), sum)
    assert.equal("input", trace(nn.Linear(2, 3), nl.ones(1, 2)).inputs[1].name)
  end)

  it("keeps the forms of arguments and results", function()
    local function f(pair, scale, options)
      return {sum = pair[1] + pair[2] * scale, parts = {pair[2], "text"}}, options.flag, pair[1] - 1
    end
    local a, b = nl.ones(2), nl.arange(2.0)
    local p = trace(f, {a, b}, 2, {flag = true})
    local expected, got = table.pack(f({b, a}, 2, {flag = true})), table.pack(p({b, a}, 2, {flag = true}))
    assert_same(expected, got)
    assert.same({"pair.1", "pair.2"}, {p.inputs[1].name, p.inputs[2].name})
    local ok, told = pcall(p, {a, b}, 3, {flag = true})
    assert.is_false(ok)
    assert.truthy(told:find("argument 'scale' is 3, and was 2 when the program was traced", 1, true), told)
    assert.has_error(function() p({a}, 2, {flag = true}) end)
  end)

  it("gives parameters and buffers the network's names, and shares them", function()
    local net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    local p = trace(net, nl.randn(5, 3))
    local names, program_names = {}, {}
    for name in pairs(net:state_dict()) do table.insert(names, name) end
    for name in pairs(p:state_dict()) do table.insert(program_names, name) end
    assert.same(names, program_names)
    local x = nl.randn(5, 3)
    p(x):sum():backward()
    assert.is_true(net[1].weight.grad ~= nil)
    nl.no_grad(function() net[1].weight:zero_() end)
    assert_same(net:eval()(x) * 0, trace(net, x)(x) * 0)
  end)

  it("keeps its dtypes, and says so before anything changes", function()
    local net = nn.Linear(3, 2)
    local program = trace(net, nl.ones(4, 3))
    for _, convert in ipairs {function() program:to(nl.float64) end, function() program:double() end} do
      local ok, told = pcall(convert)
      assert.is_false(ok)
      assert.truthy(told:find("convert the network, and trace it again", 1, true), told)
    end
    assert.equal(nl.float32, net.weight.dtype)
    assert.is_true(program:to("cpu"):float() == program)
    assert_same(net(nl.ones(4, 3)), program(nl.ones(4, 3)))
  end)

  it("makes what changes buffers part of the program", function()
    local net = nn.BatchNorm1d(3)
    local x = nl.randn(4, 3)
    local p = trace(net, x)
    p(x)
    assert.equal(2, net.num_batches_tracked:item())
    local plain = nn.BatchNorm1d(3)
    plain(x)
    plain(x)
    assert_same(plain:state_dict(), net:state_dict())
  end)

  it("draws random numbers of the plain path's stream", function()
    local net = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4), nn.Dropout(0.2))
    local x = nl.randn(8, 4)
    local p = trace(net, x)
    nl.manual_seed(11)
    local expected, after = net(x), nl.rand(1)
    nl.manual_seed(11)
    assert_same(expected, p(x))
    assert_same(after, nl.rand(1))
  end)

  it("has gradients, and leaves those out that no_grad left out", function()
    local w = nl.randn(3, {requires_grad = true})
    local function f(x)
      local scale = nl.no_grad(function() return (x * w):sum() end)
      return (x * w):tanh() * scale + x:detach()
    end
    local p = trace(f, nl.ones(3))
    local x = nl.tensor({1.0, 2.0, 3.0}, {requires_grad = true})
    local expected = nl.autograd.grad(f(x):sum(), {x, w}, {as_table = true})
    local got = nl.autograd.grad(p(x):sum(), {x, w}, {as_table = true})
    assert_same(expected, got)
  end)

  it("computes no gradients if it is traced within no_grad", function()
    local net = nn.Linear(2, 2)
    local p = nl.no_grad(function() return trace(net, nl.ones(1, 2)) end)
    assert.is_false(p(nl.ones(1, 2)).requires_grad)
  end)

  it("follows autocast, the network's own and the caller's", function()
    local net = nn.Linear(4, 4)
    local function f(x)
      local y = nl.autocast("cpu", {dtype = nl.bfloat16}, function() return net(x) end)
      return y, net(x)
    end
    local x = nl.randn(2, 4)
    local p = trace(f, x)
    assert_same({f(x)}, {p(x)})
    local function cast(g) return nl.autocast("cpu", {dtype = nl.bfloat16}, function() return {g(x)} end) end
    assert_same(cast(f), cast(p))
    assert.equal(nl.bfloat16, cast(p)[2].dtype)
  end)

  it("gives each run fresh tensors where the network made some", function()
    local function f(x)
      local sum = nl.tensor {0.0, 0.0}
      for i = 1, 2 do sum[i] = sum[i] + x[i] end
      return sum:add_(nl.zeros(2):fill_(1))
    end
    local p = trace(f, nl.ones(2))
    for _ = 1, 2 do assert_same(nl.tensor {4.0, 5.0}, p(nl.tensor {3.0, 4.0})) end
  end)

  it("gives one tensor where the network gave one in several places", function()
    for _, n in ipairs {2, 12} do
      local function network(x)
        local many = {}
        for i = 1, n do many[i] = x * 2 end
        many[n + 1] = many[1]
        return table.unpack(many)
      end
      local p, x = trace(network, nl.ones(2)), nl.ones(2)
      for _ = 1, 3 do
        local all = {p(x)}
        assert.is_true(rawequal(all[1], all[n + 1]))
        assert.is_false(rawequal(all[1], all[2]))
        all[1]:add_(1)
        assert.same({3, 2}, {all[n + 1][1]:item(), all[2][1]:item()})
      end
    end
    local given = nl.ones(2)
    local first, second = trace(function(x) return x, x end, nl.ones(2))(given)
    assert.is_true(rawequal(first, given) and rawequal(second, given))
  end)

  it("sees changes of tensors outside of the function", function()
    local w = nl.ones(2)
    local p = trace(function(x) return x * w end, nl.ones(2))
    for i = 1, 5 do
      w:fill_(i)
      assert_same(nl.full({2}, i * 3.0), p(nl.full({2}, 3.0)))
    end
  end)

  it("keeps state that lies outside of the function", function()
    local function counter()
      local count = nl.zeros(1)
      return function(x)
        count:add_(1)
        return x * count
      end
    end
    local plain, p = counter(), trace(counter(), nl.ones(1))
    plain(nl.ones(1))
    for _ = 1, 5 do assert_same(plain(nl.ones(1)), p(nl.ones(1))) end
  end)

  it("takes one tensor in several places", function()
    local net = nn.MultiheadAttention(4, 2, {batch_first = true})
    local x, y = nl.randn(2, 3, 4), nl.randn(2, 3, 4)
    local p = trace(net, x, x, x)
    assert_same({net(y, y, y)}, {p(y, y, y)})
    assert_same({net(x, y, y)}, {p(x, y, y)})
  end)

  it("records indices, ranges and assignments", function()
    local function f(x, at)
      local y = x:clone()
      y[{1, 2}] = x[{{1, 2}, 1}]:sum()
      y[at] = y[at] * 2
      return y, x[at], x[{{}, {1, -1, 2}}]
    end
    local x = nl.arange(12.0):view(3, 4)
    local p = trace(f, x, nl.tensor {1, 3})
    assert_same({f(x * 2, nl.tensor {2, 3})}, {p(x * 2, nl.tensor {2, 3})})
  end)

  it("may be of a program, a hooked network, a containers' part", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    net[1]:register_forward_hook(function(_, _, y) return y * 2 end)
    local x = nl.randn(3, 2)
    local p = trace(trace(net, x), x)
    assert_same(net(x), p(x))
  end)

  it("is copied with its parameters", function()
    local net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    local x = nl.randn(4, 2)
    local p = trace(net, x)
    local copy = nn.deepcopy(p)
    nl.no_grad(function()
      for parameter in p:parameters() do parameter:zero_() end
    end)
    local twin = nn.deepcopy(net)
    twin:load_state_dict(copy:state_dict())
    p, net = nil, nil
    collectgarbage()
    assert_same(twin(x), copy(x))
    assert_same(twin:state_dict(), copy:state_dict())
    assert.is_true(nl.any(copy(x):ne(0)):item())
  end)

  it("keeps its tensors: assigning raises, loading copies", function()
    local x = nl.randn(1, 2)
    local p = trace(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)):eval(), x)
    local before, zeros = p(x), {}
    for name, tensor in pairs(p:state_dict()) do zeros[name] = nl.zeros_like(tensor) end
    assert.error_matches(function() p:load_state_dict(zeros, {assign = true}) end,
      "'0.weight': a program keeps its own tensors; load without assign")
    assert.error_matches(function() p["0"].weight = nn.Parameter(nl.ones(2, 2)) end,
      "'weight': a program keeps its own parameters")
    assert.error_matches(function() trace(nn.Linear(2, 2), x).bias = nil end, "'bias': a program keeps its own")
    assert.error_matches(function() nl.func.functional_call(nn.Sequential(p), {["0.0.bias"] = nl.ones(2)}, x) end,
      "functional_call: '0.0.bias': a program keeps its own tensors")
    assert.error_matches(function() p["1"].running_mean = nl.ones(3) end, "take tensors of their shape, here %[2%]")
    assert_same(before, p(x))
    p:load_state_dict(zeros)
    assert.same({{0, 0}}, p(x):tolist())
  end)

  it("takes the elements of buffers that are assigned", function()
    local norm = nn.BatchNorm1d(2, {affine = false, eps = 0}):eval()
    local p = trace(norm, nl.ones(1, 2))
    p.running_mean = nl.tensor({3.0, 5.0})
    assert.same({{-2, -4}}, p(nl.ones(1, 2)):tolist())
    local b = nl.program.builder()
    b:output("y", b:call("mul", {b:input "x", b:buffer("w", nl.full({2}, 3.0))}))
    local untyped = b:build():double()
    assert.same({nl.float64, {3, 3}}, {untyped.w.dtype, untyped(nl.ones(2, {dtype = nl.float64})):tolist()})
  end)

  it("refuses what depends on elements, with the line", function()
    local x = nl.ones(2)
    assert_refused("item: the elements depend on the inputs", function(t)
      return t:sum():item()
    end, x)
    assert_refused("tolist: the elements depend on the inputs", function(t)
      return t:tolist()
    end, x)
    assert_refused("tostring: the elements depend", function(t)
      return tostring(t)
    end, x)
    assert_refused("<: the elements depend", function(t)
      return t:sum() < 3 and t
    end, x)
    assert_refused("equal: the elements depend", function(t)
      return nl.equal(t, t + 1)
    end, x)
    assert_refused("is_nonzero: the elements depend", function(t)
      return nl.is_nonzero(t:sum())
    end, x)
    assert_refused("tensor: the elements depend", function(t)
      return nl.tensor {t[1], t[2]}
    end, x)
    assert_refused("index: the elements depend", function(t)
      return t[t:argmax()]
    end, x)
    assert_refused("clamp: the elements depend", function(t)
      return t:clamp(t:sum())
    end, x)
    assert_refused("the shape of the result depends on elements", function(t)
      return t[t:gt(0)]
    end, x)
    assert_refused("item: the elements depend", function(t)
      return t * nl.rand(1):item()
    end, x)
  end)

  it("refuses what no op does, with the line", function()
    local x = nl.ones(2, {requires_grad = true})
    assert_refused("a trace doesn't see where a tensor comes from", function(t)
      return t.data + 1
    end, x)
    assert_refused("giving a tensor other memory: that is nothing that a trace can record", function(t)
      t.data = nl.ones(3)
    end, nl.ones(2))
    assert_refused("giving a tensor other memory: that is nothing that a trace can record", function(t)
      return t:resize_(1)
    end, nl.ones(2))
    assert_refused("backward: that is nothing that a trace can record", function(t)
      t:sum():backward()
    end, x)
    assert_refused("a program draws from the default generator", function(t)
      return t + nl.rand(2, {generator = nl.Generator()})
    end, x)
    assert_refused("a function of nl.func: that is nothing that a trace can record", function(t)
      local y = nl.func.vmap(function(row) return row * 2 end)(t)
      return y
    end, nl.ones(2, 3))
    local Twice = nl.autograd.Function "Twice"
    function Twice.forward(_, t) return t * 2 end
    function Twice.backward(_, dy) return dy * 2 end
    assert_refused("autograd.Function: that is nothing that a trace can record", function(t)
      return Twice.apply(t) + 1
    end, x)
  end)

  it("refuses to be made within another", function()
    local ok, told = pcall(trace, function(x) return trace(function(y) return y end, x)(x) end, nl.ones(1))
    assert.is_false(ok)
    assert.truthy(told:find("trace: another trace is under way", 1, true), told)
  end)

  it("allows reading what doesn't depend on the inputs", function()
    local p = trace(function(x)
      local mask = nl.ones(3, 3):tril()
      return mask:sum():item() > 5 and x * mask or x
    end, nl.ones(3, 3))
    assert_same(nl.ones(3, 3):tril(), p(nl.ones(3, 3)))
  end)

  it("tells inputs of other sizes", function()
    local p = trace(function(x) return x + 1 end, nl.ones(2, 3))
    local ok, told = pcall(p, nl.ones(3, 3))
    assert.is_false(ok)
    assert.truthy(told:find("input 'x': the program takes the shape (2, 3), not (3, 3)", 1, true), told)
  end)

  it("is printed line by line, with shapes and cost", function()
    local net = nn.Sequential(nn.Conv2d(3, 8, 3, {stride = 2}), nn.ReLU(true), nn.Flatten(), nn.Linear(8 * 49, 10))
    local lines = {}
    for line in tostring(trace(net, nl.randn(2, 3, 15, 15))):gmatch "[^\n]+" do table.insert(lines, line) end
    assert.equal("program(input: float32 (2, 3, 15, 15))", lines[1])
    -- 2 * 8 * 7 * 7 results of 3 * 3 * 3 products each; 4 bytes an element
    assert.equal("  v1 = conv2d(input, 0.weight, 0.bias, stride = {2, 2}, padding = {0, 0}, dilation = {1, 1})"
      .. "  -- float32 (2, 8, 7, 7); 21.2 k multiply-adds; 9.4 kB", lines[2])
    assert.matches("^  v2 = relu_%(v1%) +%-%- float32 %(2, 8, 7, 7%); 6.3 kB$", lines[3])
    assert.equal("end  -- 4 steps; 29.0 k multiply-adds; 4.2 k parameters", lines[#lines])
  end)

  it("leaves nothing behind, whichever allocation fails", function()
    local net, x = nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nl.ones(1, 2)
    local function make()
      local p = trace(net, x)
      return p(x)
    end
    make()
    collectgarbage()
    collectgarbage()
    local function live()
      local stats = nl.memory_stats()
      return {stats.allocated, stats.tensors, stats.storages, stats.nodes}
    end
    local before, k = live(), 1
    while true do
      nl._fail_allocation(k)
      local ok, told = pcall(make)
      nl._fail_allocation(0)
      if ok then break end
      assert.truthy(told:find "not enough memory", told)
      k = k + 1
      collectgarbage()
      collectgarbage()
      assert.same(before, live(), "allocation " .. k)
    end
    assert.is_true(k > 10)
  end)
end)

--- Whether an example reads weights that are fetched from elsewhere (bench/zoo).
local function needs_weights(path)
  local file <close> = assert(io.open(path))
  return file:read "a":find("build/zoo", 1, true) ~= nil
end

describe("the networks of the examples that bring all they need", function()
  -- Put before an example: what its network gave first is compared with what a program of it gives, and that, exported
  -- in evaluation mode, with what is read back.
  local prelude = [[
    package.path = "tests/?.lua;" .. package.path
    local nl = require "nnlua"
    local same = require "support.same"
    require "support.first_call"(function(net, inputs)
      local copy = require "nnlua.nn.copy"(net)
      local traced, program = pcall(nl.program.trace, net, table.unpack(inputs))
      if not traced then return io.stdout:write("\nrefused: ", program, "\n") end
      copy(table.unpack(inputs))
      nl.manual_seed(3)
      local expected = table.pack(copy(table.unpack(inputs)))
      nl.manual_seed(3)
      local told = same.difference(expected, table.pack(program(table.unpack(inputs))))
      local exported, cases = require "onnx.exported", require "onnx.cases"
      local evaluated, leaves = exported.of_network(net, inputs)
      local results = {}
      for i, p in ipairs {evaluated, cases.again(evaluated)} do
        nl.manual_seed(3)
        results[i] = exported.results(p, leaves)
      end
      told = told or exported.difference(results[2], results[1])
      io.stdout:write(told or ("\nsame after " .. net:class_name()), "\n")
      os.exit(not told)
    end)
  ]]

  -- A distribution looks at its parameters when it is made.
  local refused = {["examples/corridor.lua"] = "refused: examples/corridor.lua:%d+: item: the elements depend"}

  local names <close> = assert(io.popen "ls examples/*.lua")
  for path in names:lines() do
    if not needs_weights(path) then it(path .. " are programs", function()
      local result = process.run {process.nnlua, "-e", prelude, path}
      assert.equal(0, result.code, result.stdout .. result.stderr)
      assert.truthy(result.stdout:find(refused[path] or "\nsame after %w+\n$"), result.stdout .. result.stderr)
    end) end
  end
end)
