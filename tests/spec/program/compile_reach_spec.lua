-- What is compiled comes to a tensor by itself that a call also gives it: the plan of that call isn't one of others.
local nl = require "nnlua"
local nn = nl.nn

--- Whether a plan was made of a call with the very tensor w; checks a call with another one against the plain path.
local function plans_with(f, w)
  local fast, other = nl.compile(f), nl.tensor {1.0, -2.0, 3.0}
  for _ = 1, 2 do assert.is_true(nl.equal(nl.no_grad(f, w), nl.no_grad(fast, w))) end
  local planned = #nl.compile_report(fast).programs > 0
  for _ = 1, 2 do assert.is_true(nl.equal(nl.no_grad(f, other), nl.no_grad(fast, other))) end
  assert.is_true(nl.equal(nl.no_grad(f, w), nl.no_grad(fast, w)))
  assert.equal(1, #nl.compile_report(fast).programs)
  return planned
end

describe("a compiled function that is given a tensor which it has", function()
  local w = nl.tensor {0.5, 0.25, -4}

  local function in_environment(text, environment)
    return load("return " .. text, "=reach", "t", setmetatable(environment, {__index = _G}))()
  end

  it("in an upvalue, a table, or a function in one", function()
    local held = {deep = {w = w}}
    local function add(x) return x + w end
    assert.is_false(plans_with(function(x) return x + w end, w))
    assert.is_false(plans_with(function(x) return x + held.deep.w end, w))
    assert.is_false(plans_with(function(x) return add(x) * 2 end, w))
    assert.is_false(plans_with(function(x) return (function() return x + w end)() end, w))
  end)

  it("in a global that its code names", function()
    assert.is_false(plans_with(in_environment("function(x) return x + w end", {w = w}), w))
    assert.is_false(plans_with(in_environment("function(x) return x + state.w end", {state = {w = w}}), w))
    assert.is_false(plans_with(in_environment("function(x) return (function() return x + w end)() end", {w = w}), w))
    local environment = {w = w}
    environment.add = in_environment("function(x) return x + w end", environment)
    assert.is_false(plans_with(in_environment("function(x) return add(x) end", environment), w))
    local long = ("w"):rep(60)
    assert.is_false(plans_with(in_environment("function(x) return x + " .. long .. " end", {[long] = w}), w))
  end)

  it("in a Lua module that it asks for", function()
    package.loaded["compile reach"] = {w = w}
    assert.is_false(plans_with(function(x) return x + require "compile reach".w end, w))
    package.loaded["compile reach"] = nil
  end)

  it("in a method of a class, or of its parent", function()
    local Net = nn.class("Net")
    function Net.forward(self, x) return self:helped(x) end
    function Net.helped(_, x) return x + w end
    local Sub = nn.class("Sub", Net)
    function Sub.more(_, x) return x end
    assert.is_false(plans_with(Net(), w))
    assert.is_false(plans_with(nn.Sequential(nn.ReLU(), Sub()), w))
  end)

  it("has a plan at once where it doesn't", function()
    assert.is_true(plans_with(function(x) return x * 2 end, w))
    assert.is_true(plans_with(nn.Sequential(nn.ReLU(), nn.Tanh()), w))
    assert.is_true(plans_with(in_environment("function(w) return w * 2 end", {w = w}), w))
    assert.is_true(plans_with(in_environment("function(x) return x:abs():max() + x end", {x = w, m = w}), w))
    local ring = {}
    ring.ring = ring
    assert.is_true(plans_with(function(x) return ring and x + 1 end, w))
  end)
end)
