-- backward, autograd.grad, and the fields of a tensor that belong to them.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, near, failure = tensors.leaf, tensors.assert_near, tensors.failure
local grad = nl.autograd.grad

describe("backward", function()
  it("Q1: makes up a gradient for one element only", function()
    local x = leaf {1, 2};
    (x * x):sum():backward()
    near({2, 4}, x.grad)
    assert.matches("only for a tensor of one element, not for shape %(2%)", failure(function() (x * x):backward() end))
  end)

  it("Q1: takes a gradient of the tensor's shape", function()
    local x = leaf {1, 2};
    (x * x):backward(nl.tensor {3.0, 5.0})
    near({6, 20}, x.grad)
    assert.matches("the gradient has shape %(1%), the tensor %(2%)", failure(function()
      (x * x):backward(nl.ones(1))
    end))
  end)

  it("Q1: needs a tensor that requires a gradient", function()
    assert.matches("doesn't require a gradient", failure(function() nl.ones(1):backward() end))
  end)

  it("Q1: the error names the user's line", function()
    assert.matches("^[^:]*backward_spec.lua:%d+: ", failure(function() nl.ones(1):backward() end))
  end)

  it("Q2: frees what the graph saved, unless asked not to", function()
    local x = leaf {1, 2}
    local y = (x * x):sum()
    y:backward {retain_graph = true}
    y:backward()
    near({4, 8}, x.grad)
    assert.matches("freed by an earlier backward", failure(function() y:backward() end))
  end)

  it("Q2: a graph that saved nothing can be used again", function()
    local x = leaf {1, 2}
    local y = (x + x):sum()
    y:backward()
    y:backward()
    near({4, 4}, x.grad)
  end)

  it("Q3: adds later gradients in place to the first", function()
    local x = leaf {1, 2};
    (x * 2):sum():backward()
    local first = x.grad;
    (x * 3):sum():backward()
    assert.is_true(rawequal(first, x.grad))
    near({5, 5}, first)
    assert.equal(1, first._version)
  end)

  it("Q3: never lets two leaves, or a leaf and its seed, share a gradient", function()
    local x, y = leaf {1, 2}, leaf {3, 4}
    local seed = nl.ones(2);
    (x + y):backward(seed)
    x.grad:mul_(10)
    near({1, 1}, y.grad)
    near({1, 1}, seed)
    local z = leaf {1}
    local one = nl.ones(1)
    z:backward(one)
    z:backward(one)
    near({1}, one)
    near({2}, z.grad)
  end)

  it("Q3: the first gradient takes the leaf's strides", function()
    local x = nl.randn(2, 3):t():requires_grad_();
    (x * x):sum():backward()
    assert.equal(x:stride(), x.grad:stride())
  end)

  it("Q4: create_graph leaves gradients that can be differentiated", function()
    local x = leaf {3};
    (x * x * x):sum():backward {create_graph = true}
    assert.is_true(x.grad.requires_grad)
    local first = x.grad
    x.grad = nil
    first:sum():backward()
    near({18}, x.grad)
    assert.is_nil(x.grad.grad_fn)
  end)

  it("Q4: create_graph adds to what was there as a new tensor", function()
    local x = leaf {3};
    (x * 2):sum():backward()
    local first = x.grad;
    (x * x):sum():backward {create_graph = true}
    near({2}, first)
    near({8}, x.grad)
    x.grad = nil -- the cycle
  end)

  it("Q5: accumulates only into the inputs that are named", function()
    local x, y = leaf {1}, leaf {2}
    local h = x * y;
    (h * 3):sum():backward {inputs = {x, h}}
    near({6}, x.grad)
    near({3}, h.grad)
    assert.is_nil(y.grad);
    (x * y):sum():backward {inputs = y}
    near({1}, y.grad)
    assert.matches("'inputs' is an empty list", failure(function() (x * y):sum():backward {inputs = {}} end))
  end)

  it("takes several tensors at once", function()
    local x = leaf {1, 2}
    nl.autograd.backward({(x * 2):sum(), x * 3}, {nl.none, nl.tensor {1.0, 10.0}})
    near({5, 32}, x.grad)
    assert.matches("1 gradients given for 2", failure(nl.autograd.backward, {x:sum(), x:sum()}, {nl.none}))
  end)

  it("sends gradients along a graph that is shared and deep", function()
    local x = leaf {1}
    local y = x
    for _ = 1, 20000 do y = y + x * 0.5 end
    y:sum():backward()
    near({10001}, x.grad)
  end)

  it("names an unknown option, and one that is given twice", function()
    local y = leaf {1} * 2
    assert.matches("unknown argument 'retain' %(known: gradient, retain_graph, create_graph, inputs%)",
      failure(function() y:backward {retain = true} end))
    assert.matches("'retain_graph' is given twice", failure(function()
      y:backward(nil, true, {retain_graph = true})
    end))
    assert.matches("'retain_graph': true or false expected, got number", failure(function() y:backward(nil, 1) end))
  end)
end)

describe("autograd.grad", function()
  it("Q6: gives a value an input, and leaves grad alone", function()
    local x, y = leaf {1, 2}, leaf {3, 4}
    local dx, dy = grad((x * y):sum(), {x, y})
    near({3, 4}, dx)
    near({1, 2}, dy)
    assert.is_nil(x.grad)
    near({3, 4}, (grad((x * y):sum(), x)))
  end)

  it("Q6: gives a table if asked to", function()
    local x, y = leaf {1}, leaf {2}
    local list = grad((x * 3):sum(), {x, y}, {allow_unused = true, as_table = true})
    assert.equal(2, list.n)
    near({3}, list[1])
    assert.is_nil(list[2])
  end)

  it("Q6: takes many inputs, in any order, some of them more than once", function()
    local inputs, sum = {}, nil
    for i = 1, 300 do
      inputs[i] = leaf {i}
      local term = inputs[i] * inputs[i] * i
      sum = sum and sum + term or term
    end
    local asked = {}
    for i = 1, 300 do asked[i] = inputs[301 - i] end
    asked[301], asked[302] = inputs[7], inputs[300]
    local list = grad(sum, asked, {as_table = true})
    for i = 1, 300 do near({2 * (301 - i) * (301 - i)}, list[i]) end
    near({2 * 7 * 7}, list[301])
    near({2 * 300 * 300}, list[302])
  end)

  it("Q6: takes leaves, results, several results of one node, and what is not used, side by side", function()
    local x, unused = leaf {1, 2, 3, 4}, leaf {1}
    local y = x * x
    local low, high = y:split(2)
    local bottom, top = nl.aminmax(y) -- one node with two results
    local out = (low * 3):sum() + (high * high):sum() + bottom * 5 + top * 7
    local list = grad(out, {high, x, top, y, unused, bottom, low, top}, {allow_unused = true, as_table = true})
    near({18, 32}, list[1])
    near({3 * 2 + 5 * 2, 3 * 4, 18 * 6, (32 + 7) * 8}, list[2])
    near(7, list[3])
    near({3 + 5, 3, 18, 32 + 7}, list[4])
    assert.is_nil(list[5])
    near(5, list[6])
    near({3, 3}, list[7])
    near(7, list[8])
  end)

  it("Q5: adds to the gradient of a result once for each time that it is named", function()
    local x = leaf {1, 2}
    local y = x * x
    y:retain_grad();
    (y * 3):sum():backward {inputs = {y}, retain_graph = true}
    local once = y.grad:clone()
    y.grad = nil;
    (y * 3):sum():backward {inputs = {y, x, x}}
    near(once, y.grad)
    near({6, 12}, x.grad)
  end)

  it("Q6: sums over several outputs", function()
    local x = leaf {1, 2}
    near({8, 8}, (grad({(x * 2):sum(), (x * 3):sum()}, x, {nl.none, nl.tensor(2.0)})))
  end)

  it("Q6: an unused input is an error, nil or zeros", function()
    local x, y = leaf {1}, leaf {2, 3}
    local out = (x * 2):sum()
    assert.matches("input 2 was not used", failure(grad, out, {x, y}, {retain_graph = true}))
    local _, unused = grad(out, {x, y}, {allow_unused = true, retain_graph = true})
    assert.is_nil(unused)
    local _, zeros = grad(out, {x, y}, {materialize_grads = true})
    near({0, 0}, zeros)
    assert.matches("allow_unused can't be false",
      failure(grad, out, x, {materialize_grads = true, allow_unused = false}))
  end)

  it("Q6: an input must require a gradient", function()
    local x = leaf {1}
    assert.matches("input 2 doesn't require a gradient", failure(grad, (x * 2):sum(), {x, nl.ones(1)}))
  end)

  it("gives the gradient of a result, and of the output itself", function()
    local x = leaf {2}
    local h = x * x
    local y = h * 3
    local dh, dy, dx = grad(y:sum(), {h, y, x})
    near({3}, dh)
    near({1}, dy)
    near({12}, dx)
  end)

  it("follows PyTorch's order of arguments", function()
    local x, y = leaf {1}, leaf {2}
    local dx, dy = grad((x * x):sum(), {x, y}, nil, true, true, true, true)
    assert.is_true(dx.requires_grad)
    assert.is_nil(dy)
  end)
end)

describe("x.grad", function()
  it("Q7: takes a tensor of the same shape, dtype and device, or nil", function()
    local x = leaf {1, 2}
    local g = nl.tensor {5.0, 6.0}
    x.grad = g
    assert.is_true(rawequal(g, x.grad))
    x.grad = nil
    assert.is_nil(x.grad)
    assert.matches("shape %(3%) doesn't fit a tensor of shape %(2%)", failure(function() x.grad = nl.ones(3) end))
    assert.matches("float64 doesn't fit a tensor of float32", failure(function()
      x.grad = nl.ones(2, {dtype = nl.float64})
    end))
    assert.matches("another device", failure(function() x.grad = nl.empty(2, {device = "meta"}) end))
    assert.matches("its own gradient", failure(function() x.grad = x end))
    assert.matches("a tensor or nil", failure(function() x.grad = 3 end))
  end)

  it("Q7: of a result is kept only after retain_grad", function()
    local x = leaf {1, 2}
    local h, k = x * 2, x * 3
    h:retain_grad()
    assert.is_true(h.retains_grad)
    assert.is_false(k.retains_grad);
    (h + k):sum():backward()
    near({1, 1}, h.grad)
    assert.is_nil(k.grad)
  end)

  it("of a result goes with it", function()
    local x = leaf {1, 2}
    local h = x * 2
    h:retain_grad()
    local y = (h * h):sum()
    h = nil
    collectgarbage()
    collectgarbage()
    y:backward()
    assert.is_nil(h)
    near({8, 16}, x.grad)
  end)
end)

describe("requires_grad", function()
  it("Q8: changes only on leaves", function()
    local x = nl.ones(2)
    x.requires_grad = true
    assert.is_true(x.requires_grad)
    local y = x * 2
    assert.matches("only on leaves", failure(function() y.requires_grad = true end))
    assert.matches("only on leaves", failure(function() y.requires_grad = false end))
    assert.matches("only from leaves", failure(function() y:requires_grad_(false) end))
    assert.is_true(rawequal(y, y:requires_grad_()))
  end)

  it("Q8: is for floating and complex numbers", function()
    assert.matches("only floating%-point and complex", failure(function() nl.tensor {1, 2}:requires_grad_() end))
  end)

  it("Q8: detach_ cuts off, but not a view", function()
    local x = leaf {1, 2}
    local y = x * 2
    y:detach_()
    assert.is_false(y.requires_grad)
    assert.is_true(y.is_leaf)
    local v = (x * 2):view(2, 1)
    assert.matches("a view can't be cut off", failure(function() v:detach_() end))
  end)

  it("tells about leaves and results", function()
    local x = leaf {3, 4}
    local values, indices = nl.max(x * 1, 1)
    assert.is_true(x.is_leaf)
    assert.is_nil(x.grad_fn)
    assert.is_false(values.is_leaf)
    assert.equal(1, values.output_nr)
    assert.is_true(indices.is_leaf)
    assert.is_false(indices.requires_grad)
  end)
end)
