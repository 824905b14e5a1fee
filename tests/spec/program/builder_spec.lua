-- Programs made step by step. What they compute is compared with the same calls in the plain path, or closed forms.
local nl = require "nnlua"

local function builder() return nl.program.builder() end

local function assert_same_tensor(expected, got)
  assert.equal(expected.dtype, got.dtype)
  assert.is_true(nl.equal(expected, got), tostring(expected) .. "\n" .. tostring(got))
end

--- That a call raises an error with this in it, which names a line of this file.
local function assert_fails(message, f, ...)
  local ok, told = pcall(f, ...)
  assert.is_false(ok)
  assert.truthy(told:find(message, 1, true), told)
  assert.truthy(told:find "^[^\n]*builder_spec.lua:%d+: ", told)
end

--- A program of one input and one output.
local function program_of(f, options)
  local b = builder()
  b:output("y", (f(b, b:input("x", options))))
  return b:build()
end

describe("a builder", function()
  it("calls rows with arguments in order and by name, counted from 1", function()
    local b = builder()
    local x = b:input "x"
    local values, positions = b:call("max_dim", {x, dim = 2})
    b:output("values", values)
    b:output("positions", positions)
    b:output("strided", b:call("conv2d", {b:call("unsqueeze", {x, 1}), nl.ones(1, 1, 2, 2), nl.none, stride = {1, 2}}))
    local input = nl.randn(3, 4)
    local values_now, positions_now, strided = b:build()(input)
    local expected, expected_positions = input:max(2)
    assert_same_tensor(expected, values_now)
    assert_same_tensor(expected_positions, positions_now)
    assert_same_tensor(nl.F.conv2d(input:unsqueeze(1), nl.ones(1, 1, 2, 2), nil, {1, 2}), strided)
  end)

  it("keeps lists and texts of the arguments", function()
    local program = program_of(function(b, x)
      local shape = {2, -1}
      local y = b:call("view", {x, shape})
      shape[1] = 1
      return b:call("pad", {y, {1, 0}, mode = "constant", value = 7})
    end)
    collectgarbage()
    assert_same_tensor(nl.tensor {{7, 1, 2}, {7, 3, 4}}, program(nl.tensor {1, 2, 3, 4}))
  end)

  it("takes numbers as operands and tensors as constants", function()
    local weight = nl.tensor {1.5, 2.5}
    local program = program_of(function(b, x) return b:call("mul", {b:call("add", {x, 1}), weight}) end)
    assert_same_tensor(nl.tensor {3.0, 7.5}, program(nl.tensor {1, 2}))
  end)

  it("changes tensors in place, seen through views", function()
    local program = program_of(function(b, x)
      local copy = b:call("clone", {x})
      local row = b:call("select", {copy, 1, 2})
      b:call_("add", {row, 10})
      return copy
    end)
    local x = nl.tensor {{1, 2}, {3, 4}}
    assert_same_tensor(nl.tensor {{1, 2}, {13, 14}}, program(x))
    assert_same_tensor(nl.tensor {{1, 2}, {3, 4}}, x)
  end)

  it("gives lists of results as sequences, whose length may differ from call to call", function()
    local b = builder()
    local x = b:input "x"
    local parts = b:call("split", {x, 2})
    b:output("last", b:item(parts, -1))
    b:output("first", b:item(parts, 1))
    b:output("by value", b:item(parts, nl.tensor(1)))
    b:output("length", b:length(parts))
    b:output("all", b:call("cat", {parts}))
    b:output("parts", parts)
    local program = b:build()
    for _, n in ipairs {4, 7} do
      local input = nl.arange(n)
      local last, first, second, length, all, list = program(input)
      local expected = {input:split(2)}
      assert_same_tensor(expected[#expected], last)
      assert_same_tensor(expected[1], first)
      assert_same_tensor(expected[2], second)
      assert.equal(#expected, length:item())
      assert_same_tensor(input, all)
      assert.equal(#expected, #list)
    end
  end)

  it("inserts into sequences and takes from them as Python's lists", function()
    local b = builder()
    local at = b:input "at"
    local list = b:sequence {nl.tensor(1), nl.tensor(2), nl.tensor(3)}
    b:output("inserted", b:insert(list, nl.tensor(9), at))
    b:output("erased", b:erase(list, at))
    b:output("appended", b:insert(list, nl.tensor(9)))
    b:output("shortened", b:erase(list))
    local program = b:build()
    local function texts(position)
      local lists = {}
      for i, l in ipairs {program(nl.tensor(position))} do
        for k, t in ipairs(l) do l[k] = t:item() end
        lists[i] = table.concat(l, " ")
      end
      return lists
    end
    assert.same({"9 1 2 3", "2 3", "1 2 3 9", "1 2"}, texts(0))
    assert.same({"1 2 9 3", "1 2", "1 2 3 9", "1 2"}, texts(-1))
    assert.same({"9 1 2 3", "2 3", "1 2 3 9", "1 2"}, texts(-3))
    assert_fails("position 3 (from 0) is not in a sequence of 3 tensors", program, nl.tensor(3))
  end)

  it("takes and gives sequences at the borders", function()
    local b = builder()
    local list = b:input("list", {sequence = true})
    b:output("sum", b:call("cat", {list}))
    b:output("list", list)
    local program = b:build()
    local a, c = nl.ones(2), nl.zeros(1)
    local all, same = program {list = {a, c}}
    assert_same_tensor(nl.tensor {1.0, 1.0, 0.0}, all)
    assert_same_tensor(a, same[1])
    assert_same_tensor(c, same[2])
  end)
end)

describe("a branch", function()
  local function program()
    return program_of(function(b, x)
      local shifted = b:call("add", {x, 1})
      local y, z = b:branch(b:call("gt", {b:call("sum", {x}), 0}), function(body)
        return body:call("mul", {shifted, x}), shifted
      end, function(body)
        return body:call("neg", {x}), body:call("sub", {x, 1})
      end)
      return b:call("add", {y, z})
    end)
  end

  it("runs one of its bodies, on values from outside", function()
    local p = program()
    for _, x in ipairs {nl.tensor {1.0, 2.0}, nl.tensor {-1.0, -2.0}} do
      local expected = x:sum():item() > 0 and (x + 1) * x + (x + 1) or -x + (x - 1)
      assert_same_tensor(expected, p(x))
    end
  end)

  it("has gradients", function()
    local p, x = program(), nl.tensor({1.0, 2.0}, {requires_grad = true})
    p(x):sum():backward()
    assert_same_tensor(nl.tensor {4.0, 6.0}, x.grad) -- of x² + 2x + 1
  end)

  it("may be within a branch", function()
    local p = program_of(function(b, x)
      return b:branch(b:call("gt", {x, 0}), function(body)
        return body:branch(body:call("gt", {x, 10}), function(inner) return inner:call("add", {x, 100}) end,
          function() return x end)
      end, function() return nl.tensor(0) end)
    end)
    assert.equal(120, p(nl.tensor(20)):item())
    assert.equal(5, p(nl.tensor(5)):item())
    assert.equal(0, p(nl.tensor(-5)):item())
  end)

  it("goes by an input in plans, too", function()
    local b = builder()
    local x, positive = b:input "x", b:input "positive"
    b:output("y", (b:branch(positive, function(body) return body:call("mul", {x, 2}) end,
      function(body) return body:call("neg", {x}) end)))
    local p, positive_now = b:build(), nl.tensor(true)
    for i = 1, 12 do
      positive_now:fill_(i % 3 == 0)
      assert_same_tensor(nl.tensor {i} * (i % 3 == 0 and 2 or -1), p(nl.tensor {i}, positive_now))
    end
  end)

  it("is told where its bodies don't fit each other, or the condition is no single element", function()
    local b = builder()
    local x = b:input "x"
    assert_fails("branch: one body gives 2 values, the other 1", function()
      b:branch(x, function() return x, x end, function() return x end)
    end)
    local p = program_of(function(inner, value)
      return inner:branch(value, function() return value end, function() return value end)
    end)
    assert_fails("the condition of a branch is a tensor of one element, not 2", p, nl.ones(2))
  end)
end)

describe("a loop", function()
  it("carries values and gathers", function()
    local b = builder()
    local n, start = b:input "n", b:input "start"
    local last, powers, rounds = b:loop(n, nil, {start}, function(body, round, _, value)
      local twice = body:call("mul", {value, 2})
      return nil, {twice}, {value, round}
    end)
    b:output("last", last)
    b:output("powers", powers)
    b:output("rounds", rounds)
    local p = b:build()
    local last_now, powers_now, rounds_now = p(nl.tensor(4), nl.tensor {1.0, 3.0})
    assert_same_tensor(nl.tensor {16.0, 48.0}, last_now)
    assert_same_tensor(nl.tensor {{1.0, 3.0}, {2.0, 6.0}, {4.0, 12.0}, {8.0, 24.0}}, powers_now)
    assert_same_tensor(nl.tensor {0, 1, 2, 3}, rounds_now)
    assert.equal(1.0, p(nl.tensor(0), nl.tensor(1.0)):item())
  end)

  it("ends by its condition", function()
    local p = program_of(function(b, x)
      return (b:loop(nil, b:call("lt", {x, 100}), {x}, function(body, _, _, value)
        local next_value = body:call("mul", {value, 3})
        return body:call("lt", {next_value, 100}), {next_value}
      end))
    end)
    assert.equal(162, p(nl.tensor(2)):item())
    assert.equal(200, p(nl.tensor(200)):item())
  end)

  it("carries sequences", function()
    local p = program_of(function(b, n)
      local list = b:loop(n, nil, {b:sequence {nl.tensor {7}}}, function(body, round, _, list)
        return nil, {body:insert(list, body:call("view", {round, {1}}))}
      end)
      return b:call("cat", {list})
    end)
    assert_same_tensor(nl.tensor {7, 0, 1, 2}, p(nl.tensor(3)))
  end)

  it("has gradients through its rounds", function()
    local b = builder()
    local x = b:input "x"
    b:output("y", (b:loop(nl.tensor(3), nil, {x}, function(body, _, _, value)
      return nil, {body:call("mul", {value, x})}
    end)))
    local p, x_now = b:build(), nl.tensor(2.0, {requires_grad = true})
    p(x_now):backward()
    assert.equal(4 * 2.0 ^ 3, x_now.grad:item()) -- of x⁴
  end)
end)

describe("a program", function()
  it("is a module with its parameters and buffers", function()
    local b = builder()
    local x = b:input "x"
    local w, mean = b:parameter("fc.weight", nl.ones(2, 3)), b:buffer("fc.train", nl.zeros(3))
    b:output("y", b:call("linear", {b:call("sub", {x, mean}), w}))
    local p = b:build()
    local names = {}
    for name in p:named_parameters() do table.insert(names, name) end
    assert.same({"fc.weight"}, names)
    assert.is_true(p:state_dict()["fc.weight"] ~= nil)
    p(nl.ones(1, 3)):sum():backward()
    assert_same_tensor(nl.ones(2, 3), p.fc.weight.grad)
    p:requires_grad_(false)
    assert.is_false(p(nl.ones(1, 3)).requires_grad)
    local seen
    p:register_forward_hook(function(_, _, output) seen = output end)
    local y = p(nl.ones(1, 3))
    assert.equal(y, seen)
    assert.is_false(p:eval().training)
  end)

  it("passes hooks of parameters on to the graphs of its results", function()
    local b = builder()
    local called = 0
    local w = nl.nn.Parameter(nl.ones(2))
    b:output("y", b:call("mul", {b:input "x", b:parameter("w", w)}))
    local p = b:build()
    w:register_hook(function() called = called + 1 end)
    local y = p(nl.ones(2)):sum()
    collectgarbage()
    y:backward()
    assert.equal(1, called)
  end)

  it("takes inputs by name, and tells what doesn't fit", function()
    local b = builder()
    local x, y = b:input("x", {dtype = nl.float32, shape = {"N", 3}}), b:input("y", {shape = {"N", false}})
    b:output("z", b:call("add", {x, y}))
    local p = b:build()
    assert_same_tensor(nl.ones(2, 3), p {y = nl.ones(2, 1), x = nl.zeros(2, 3)})
    local function fails(message, ...) assert_fails(message, p, ...) end
    fails("input 'x': the program takes the shape (N, 3), not (2, 4)", nl.zeros(2, 4), nl.zeros(2, 1))
    fails("input 'y': dimension 1 is 3, but N is 2 by the inputs before", nl.zeros(2, 3), nl.zeros(3, 1))
    fails("input 'x': the program takes float32, not int64", nl.tensor {{1, 2, 3}}, nl.zeros(1, 1))
    fails("input 'y' is missing", nl.zeros(2, 3))
    fails("the program has no input 'w'", {x = nl.zeros(2, 3), w = 3})
    fails("input 'y': a tensor is expected, got number", nl.zeros(2, 3), 4)
    fails("the program takes 2 inputs, and 3 are given", nl.zeros(2, 3), nl.zeros(2, 3), nl.zeros(2, 3))
    assert.equal("x", p.inputs[1].name)
    assert.equal(nl.float32, p.inputs[1].dtype)
    assert.same({"N", 3}, p.inputs[1].shape)
    assert.equal("z", p.outputs[1].name)
  end)

  it("names the node whose row fails in a plan too", function()
    local b = builder()
    local rows, x = nl.randn(3, 2), b:input "x"
    b:at "Gather_7"
    local y = b:call("index_select", {rows, 1, x})
    b:at "Relu_8"
    b:output("y", b:call("relu", {y}))
    local program = b:build()
    local _ <close> = nl.no_grad()
    for _ = 1, 4 do
      assert.is_true(nl.equal(rows[2]:relu():unsqueeze(1), program(nl.tensor {2})))
      local ok, told = pcall(program, nl.tensor {9})
      assert.is_false(ok)
      assert.truthy(told:find("node Gather_7 (index_select): ", 1, true), told)
    end
  end)

  it("names the node whose row fails, and can be run again", function()
    local b = builder()
    local x = b:input "x"
    b:at "Add_7"
    b:output("y", b:call("add", {x, nl.ones(2)}))
    local p = b:build()
    assert.has_error(function() p(nl.ones(3)) end)
    local _, told = pcall(p, nl.ones(3))
    assert.truthy(told:find("node Add_7 (add): ", 1, true), told)
    local _, plain = pcall(nl.add, nl.ones(3), nl.ones(2))
    assert.is_nil(plain:find "node")
    assert_same_tensor(nl.ones(2) * 2, p(nl.ones(2)))
  end)

  it("lets a builder tell what is wrong", function()
    assert_fails("output: there is no option 'dtyp'", function()
      local b = builder()
      b:output("y", b:input "x", {dtyp = nl.int64})
    end)
    assert_fails("input: there is no option 'shap'", function() builder():input("x", {shap = {1}}) end)
    local b = builder()
    local x = b:input "x"
    assert_fails("call: there is no row 'nothing'", function() b:call("nothing", {x}) end)
    assert_fails("call: add: argument 'other' is missing", function() b:call("add", {x}) end)
    assert_fails("call: sum: unknown argument 'dimension'", function() b:call("sum", {x, dimension = 1}) end)
    assert_fails("call: view: argument 'size'", function() b:call("view", {x, "wide"}) end)
    assert_fails("call_: 'sum' has no in-place form", function() b:call_("sum", {x}) end)
    assert_fails("a program draws from the default generator", function()
      b:call("rand_like", {x, generator = nl.Generator()})
    end)
    assert_fails("a value is of another builder", function() builder():call("neg", {x}) end)
    b:output("y", x)
    b:build()
    assert_fails("has been built", function() b:call("neg", {x}) end)
  end)

  it("leaves nothing behind, whichever allocation fails", function()
    local function make()
      local b = builder()
      local x = b:input "x"
      local list = b:call("split", {b:call("mul", {x, b:parameter("w", nl.ones(4))}), 2})
      local sum = b:loop(nl.tensor(2), nil, {b:item(list, 1)}, function(body, _, _, value)
        local y = body:branch(nl.tensor(true), function(inner) return inner:call("add", {value, 1}) end,
          function() return value end)
        return nil, {y}, {y}
      end)
      b:output("y", sum)
      b:output("list", list)
      return b:build()(nl.ones(4))
    end
    make()
    collectgarbage()
    collectgarbage()
    local function live()
      local stats = nl.memory_stats()
      return {nl.memory_allocated(), stats.tensors, stats.nodes}
    end
    local before = live()
    local failures, k = 0, 1
    while true do
      nl._fail_allocation(k)
      local ok, told = pcall(make)
      nl._fail_allocation(0)
      if ok then break end
      assert.truthy(told:find "not enough memory", told)
      failures, k = failures + 1, k + 1
      collectgarbage()
      collectgarbage()
      assert.same(before, live(), "allocation " .. k)
    end
    assert.is_true(failures > 20)
  end)

  it("keeps of what weights are made into only what later steps read", function()
    local n <const> = 1 << 17
    local _ <close> = nl.no_grad()
    for _, kind in ipairs {"constant", "buffer"} do
      local b, w = builder(), nl.rand(n)
      local x = b:input("x", {dtype = nl.float32, shape = {n}})
      local y = kind == "buffer" and b:buffer("w", w) or b:constant(w)
      for _ = 1, 6 do y = b:call("cumsum", {b:call("flip", {y, {1}}), 1}) end -- none becomes a part of another
      b:output("y", b:call("mul", {b:call("view", {x, {n}}), b:call("view", {y, {n}})}))
      local program, ones, expected = b:build(), nl.ones(n), w:clone()
      local function check()
        for _ = 1, 6 do expected = expected:flip(1):cumsum(1) end
        for _ = 1, 3 do assert_same_tensor(expected, program(ones)) end
      end
      for _ = 1, 2 do collectgarbage() end
      local before = nl.memory_allocated()
      check()
      expected = nil
      for _ = 1, 2 do collectgarbage() end
      assert.is_true(nl.memory_allocated() - before < 2.5 * 4 * n)
      if kind == "buffer" then
        program.w:add_(1) -- is made anew
        expected = program.w:clone()
        check()
      end
    end
  end)
end)
