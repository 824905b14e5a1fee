-- What nodes and errors of the backward are called: after what a user can call.
local nl = require "nnlua"
local samples = require "support.samples"

local F = nl.F

--- "MaxPool2dBackward" of "max_pool2d".
local function node_name(name)
  return (("_" .. name):gsub("_(%l?)", string.upper):gsub("_", "")) .. "Backward"
end

local function function_of(row)
  return row.in_nl and nl[row.name] or row.functional and F[row.name] or row.space and nl[row.space][row.name]
    or row.method and nl.ones(1)[row.name]
end

--- The arguments of a sample; floating tensors want gradients.
local function wanting(sample)
  local list = {}
  for i = 1, sample.n or #sample do
    local value = sample[i]
    local wants = nl.is_tensor(value) and (value:is_floating_point() or value:is_complex())
    list[i] = wants and value:detach():clone():requires_grad_() or value
  end
  return list, sample.n or #sample
end

describe("nodes of the graph", function()
  it("are called after functions that there are", function()
    local known, wrong = {}, {}
    for _, row in ipairs(samples.rows()) do
      known[node_name(row.row)], known[node_name(row.name)] = true, true
    end
    for _, row in ipairs(samples.rows()) do
      for _, sample in ipairs(function_of(row) and samples.of(row) or {}) do
        local list, n = wanting(sample)
        local ok, y = pcall(function_of(row), table.unpack(list, 1, n))
        local node = ok and nl.is_tensor(y) and y.grad_fn
        if node and not known[node:name()] then table.insert(wrong, row.row .. ": " .. node:name()) end
      end
    end
    assert.same({}, wrong)
  end)

  it("show what was called, not what it is made of", function()
    local x = nl.ones(2, {requires_grad = true})
    assert.equal("GeluBackward", F.gelu(x).grad_fn:name())
    assert.equal("SoftshrinkBackward", F.softshrink(x).grad_fn:name())
    assert.equal("PowBackward", (x ^ 2).grad_fn:name())
    assert.equal("MaxPool2dBackward", F.max_pool2d(x:view(1, 1, 2), 1).grad_fn:name())
  end)
end)

describe("errors of the backward", function()
  it("name what was called", function()
    for name, f in pairs {gelu = F.gelu, softshrink = F.softshrink, pow = function(x) return x ^ 2 end,
      square = nl.square} do
      local x = nl.ones(2, {requires_grad = true}) * 1
      local y = f(x)
      x:add_(1)
      assert.error_matches(function() y:sum():backward() end, "backward of " .. name .. ": a float32 tensor of shape")
      y = f(nl.ones(2, {requires_grad = true}))
      y:sum():backward()
      assert.error_matches(function() y:backward(nl.ones(2)) end, "backward of " .. name .. ": what it saved has been")
    end
  end)
end)
