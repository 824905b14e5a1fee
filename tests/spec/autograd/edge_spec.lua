-- autograd.graph: gradient edges, versions, values of nodes, and changes of what is saved.
local nl = require "nnlua"

local graph = nl.autograd.graph

describe("get_gradient_edge", function()
  it("stands for the tensor as it was, in grad and backward", function()
    local x = nl.tensor({1.0, 2.0}, {requires_grad = true})
    local y = x * 3
    local edge, before = graph.get_gradient_edge(y), y.grad_fn
    y:mul_(2)
    assert.is_true(edge.node == before)
    assert.equal(1, edge.output_nr)
    assert.same({4.0, 8.0}, nl.autograd.grad((y * x):sum(), edge, {retain_graph = true}) and
      nl.autograd.grad((x * 3 * 0 + y * nl.tensor {2.0, 4.0}):sum(), edge, {retain_graph = true}):tolist())
    nl.autograd.backward(edge, nl.tensor {1.0, 10.0})
    assert.same({3.0, 30.0}, x.grad:tolist())
  end)

  it("of a leaf leads to its accumulator, and of several results to the right one", function()
    local x = nl.tensor({3.0, 1.0, 2.0}, {requires_grad = true})
    local edge = graph.get_gradient_edge(x)
    assert.is_true(edge.node.variable == x)
    assert.same({6.0, 2.0, 4.0}, nl.autograd.grad((x * x):sum(), {edge}):tolist())
    local _, second = x:split({1, 2})
    local part = graph.get_gradient_edge(second)
    assert.equal(2, part.output_nr)
    assert.same({1.0, 1.0}, nl.autograd.grad(second:sum(), part):tolist())
  end)

  it("meets the tensor itself in the nodes that lead to it: == compares tensors, not userdata", function()
    local x = nl.ones(2, {requires_grad = true})
    local node = (x * 2).grad_fn.next_functions[1][1]
    assert.is_true(node.variable == x)
    assert.is_true(node.variable == node.variable)
    assert.is_false(x:detach() == x)
    assert.is_false(x == 1)
  end)

  it("keeps the graph and its hooks where the tensor is gone", function()
    local x, seen = nl.ones(2, {requires_grad = true}), 0
    local edge
    do
      local y = x * 2
      y:register_hook(function() seen = seen + 1 end)
      edge = graph.get_gradient_edge(y)
    end
    collectgarbage()
    collectgarbage()
    nl.autograd.backward({edge}, {nl.ones(2)})
    assert.same({2.0, 2.0}, x.grad:tolist())
    assert.equal(1, seen)
  end)

  it("needs a tensor that requires a gradient", function()
    assert.error_matches(function() graph.get_gradient_edge(nl.ones(1)) end, "doesn't require a gradient")
    assert.has_error(function() graph.get_gradient_edge(3) end)
    assert.has_error(function() nl.autograd.grad(nl.ones(1, {requires_grad = true}):sum(), {{}}) end)
  end)
end)

describe("increment_version", function()
  it("is found by a backward that needs the tensor as it was", function()
    local x = nl.ones(2, {requires_grad = true})
    local a = x * 1
    local y = (a * a):sum()
    graph.increment_version({a, nl.ones(1)})
    assert.error_matches(function() y:backward() end, "changed in place")
    assert.has_error(function() graph.increment_version(3) end)
    assert.has_error(function() graph.increment_version({3}) end)
  end)
end)

describe("a node's metadata", function()
  it("is a table of its own that stays", function()
    local x = nl.ones(2, {requires_grad = true})
    local y = x * 2
    y.grad_fn.metadata.name = "double"
    local z = y + 1
    assert.equal("double", y.grad_fn.metadata.name)
    assert.equal("double", z.grad_fn.next_functions[1][1].metadata.name)
    assert.is_nil(z.grad_fn.metadata.name)
    y = nil
    collectgarbage()
    assert.equal("double", z.grad_fn.next_functions[1][1].metadata.name)
    assert.is_nil(y)
  end)
end)

describe("allow_mutation_on_saved_tensors", function()
  it("lets saved tensors be changed before the backward", function()
    local x = nl.tensor({1.0, 2.0}, {requires_grad = true})
    do
      local _ <close> = graph.allow_mutation_on_saved_tensors()
      local a = x * 1
      local y = (a ^ 2):sum()
      a:sin_()
      y:backward()
    end
    assert.same({2.0, 4.0}, x.grad:tolist())
    local a = x * 1
    local y = (a ^ 2):sum()
    a:sin_()
    assert.has_error(function() y:backward() end)
  end)
end)

describe("queue_callback", function()
  it("calls functions in order when the backward is done, those of an inner one at its end", function()
    local x, told = nl.ones(1, {requires_grad = true}), {}
    local function tell(what) return function() table.insert(told, what) end end
    x:register_hook(function()
      graph.queue_callback(tell "outer")
      local y = nl.ones(1, {requires_grad = true})
      y:register_hook(function() graph.queue_callback(tell "inner") end)
      nl.enable_grad(function() return (y * 2):sum() end):backward()
      table.insert(told, "hook")
      graph.queue_callback(function() table.insert(told, ("grad %d"):format(x.grad:item())) end)
    end);
    (x * 3):sum():backward()
    assert.same({"inner", "hook", "outer", "grad 3"}, told)
  end)

  it("calls none where the backward fails, and is refused where none runs", function()
    local x, called = nl.ones(1, {requires_grad = true}), false
    local handle = x:register_hook(function()
      graph.queue_callback(function() called = true end)
      error "no"
    end)
    local y = (x * 3):sum()
    assert.has_error(function() y:backward() end)
    handle:remove();
    (x * 3):sum():backward()
    assert.is_false(called)
    assert.error_matches(function() graph.queue_callback(print) end, "no backward is running")
    assert.has_error(function() graph.queue_callback(3) end)
  end)
end)
