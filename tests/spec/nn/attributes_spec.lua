-- Attributes of a module: plain ones, parameters, buffers, children.
local nl = require "nnlua"
local nn = nl.nn

local Net = nn.class("Net")
function Net:forward(x) return x end -- luacheck: no self

local function names(iterator)
  local list = {}
  for name in iterator do
    table.insert(list, name)
  end
  return list
end

local function parameter(n)
  return nn.Parameter(nl.zeros(n or 2))
end

describe("assigning", function()
  it("a Parameter registers it in place of what was there", function()
    local net = Net()
    net.x = 5
    net.x = parameter()
    assert.same({"x"}, names(net:named_parameters()))
    net.y = nn.ReLU()
    net.y = parameter()
    assert.same({}, names(net:named_children()))
    net:register_buffer("z", nl.zeros(1))
    net.z = parameter()
    assert.same({}, names(net:named_buffers()))
    assert.same({"x", "y", "z"}, names(net:named_parameters()))
  end)

  it("a Parameter to the name of a method is an error", function()
    local net = Net()
    assert.error_matches(function() net.train = parameter() end, "'train' can't be registered")
  end)

  it("something else to a parameter is an error", function()
    local net = Net()
    net.w = parameter()
    assert.error_matches(function() net.w = nl.zeros(2) end, "a tensor can't be assigned to the parameter 'w' of Net")
    assert.error_matches(function() net.w = nn.ReLU() end, "the module ReLU can't be assigned to the parameter 'w'")
    assert.error_matches(function() net.w = 3 end, "a number can't be assigned")
    assert.is_true(net.w.is_leaf)
  end)

  it("a module registers it in place of plain attributes and buffers", function()
    local net = Net()
    net.a = 1
    net:register_buffer("b", nl.zeros(1))
    net.a, net.b = nn.ReLU(), nn.ReLU()
    assert.same({}, names(net:named_buffers()))
    assert.equal(2, #names(net:named_children()))
    assert.error_matches(function() net.a = 3 end, "a number can't be assigned to the child 'a'")
    assert.error_matches(function() net.a = nl.zeros(1) end, "a tensor can't be assigned to the child 'a'")
  end)

  it("a tensor to a buffer changes the buffer", function()
    local net, t = Net(), nl.ones(3)
    net:register_buffer("b", nl.zeros(1), false)
    net.b = t
    assert.equal(t, net.b)
    assert.equal(0, #net:state_dict())
    assert.error_matches(function() net.b = 3 end, "a number can't be assigned to the buffer 'b'")
  end)

  it("a plain tensor does not register it", function()
    local net = Net()
    net.t = nl.zeros(1)
    assert.same({}, names(net:named_buffers()))
    assert.equal(0, #net:state_dict())
    net.t = nil
    assert.is_nil(net.t)
  end)

  it("goes through integer keys too", function()
    local net = Net()
    net[1] = "one"
    assert.equal("one", net[1])
    assert.is_nil(net[2])
  end)

  it("A1: a module or buffer gives way to a Parameter, a Parameter not to a module", function()
    local net = Net()
    net.a = nn.ReLU()
    net.a = parameter()
    assert.has_error(function() net.a = nn.ReLU() end)
    net:unregister("a")
    net.a = nn.ReLU()
    assert.same({"a"}, names(net:named_children()))
  end)

  it("A2: nil empties a slot, which keeps its place", function()
    local net = Net()
    net.a = parameter()
    net.b = parameter()
    net.child = nn.ReLU()
    net.last = nn.Identity()
    net:register_buffer("buffer", nl.zeros(1))
    net.a, net.child, net.buffer = nil, nil, nil
    assert.is_nil(net.a)
    assert.same({"b"}, names(net:named_parameters()))
    assert.same({"last"}, names(net:named_children()))
    assert.same({"b"}, names(pairs(net:state_dict())))
    assert.matches("%(child%): None", tostring(net))
    net:double()
    net.a = parameter()
    assert.same({"a", "b"}, names(net:named_parameters()))
  end)

  it("A2: calling an empty child fails", function()
    local seq = nn.Sequential(nn.ReLU(), nil, nn.ReLU())
    assert.error_matches(function() seq(nl.zeros(1)) end, "is nil and can't be called")
  end)

  it("A3: assigning anew keeps the place, removing first does not", function()
    local net = Net()
    net.a = parameter()
    net.b = parameter()
    net.a = parameter()
    assert.same({"a", "b"}, names(net:named_parameters()))
    net:unregister("a")
    net.a = parameter()
    assert.same({"b", "a"}, names(net:named_parameters()))
  end)

  it("A4: unregister removes slots and plain attributes, and misses the missing", function()
    local net = Net()
    net.plain, net.p, net.m = 1, parameter(), nn.ReLU()
    net:register_buffer("b", nl.zeros(1), false)
    for _, name in ipairs {"plain", "p", "m", "b"} do
      net:unregister(name)
      assert.is_nil(net[name])
    end
    assert.error_matches(function() net:unregister("plain") end, "Net has no attribute 'plain'")
    net:register_buffer("b", nl.zeros(1))
    assert.same({"b"}, names(pairs(net:state_dict())))
  end)

  it("reading what is not there gives nil", function()
    assert.is_nil(Net().downsample)
    assert.is_nil(nn.Linear(1, 1).missing)
  end)
end)

describe("registering", function()
  it("A6: a parameter checks name and value", function()
    local net = Net()
    local function register(...)
      local arguments = table.pack(...)
      return function() net:register_parameter(table.unpack(arguments, 1, arguments.n)) end
    end
    assert.error_matches(register(5, parameter()), "a name was expected, got a number")
    assert.error_matches(register("", parameter()), "can't be empty")
    assert.error_matches(register("a.b", parameter()), "can't contain a dot")
    assert.error_matches(register("training", parameter()), "'training' is already an attribute of Net")
    assert.error_matches(register("forward", parameter()), "has a method or field of that name")
    assert.error_matches(register("p", nl.zeros(1)), "a Parameter or nil was expected")
    register("p", nil)()
    assert.is_nil(net.p)
    net.p = parameter()
    register("p", parameter(3))()
    assert.equal(3, #net.p)
    net.plain = 1
    assert.error_matches(register("plain", parameter()), "'plain' is already an attribute")
  end)

  it("A7: a buffer checks name and value, and can be registered again", function()
    local net = Net()
    net:register_buffer("b", nl.zeros(1))
    net:register_buffer("b", nl.ones(2), {persistent = false})
    assert.equal(2, #net.b)
    assert.equal(0, #net:state_dict())
    net:register_buffer("none", nil)
    assert.same({"b"}, names(net:named_buffers()))
    assert.error_matches(function() net:register_buffer("c", 1) end, "a tensor or nil was expected")
    assert.error_matches(function() net:register_buffer("eval", nl.zeros(1)) end, "has a method or field")
  end)

  it("A8: a module checks name and value", function()
    local net = Net()
    net:add_module("child", nn.ReLU())
    net:register_module("empty", nil)
    assert.same({"child"}, names(net:named_children()))
    assert.error_matches(function() net:add_module("x", 3) end, "a module or nil was expected")
    assert.error_matches(function() net:add_module("a.b", nn.ReLU()) end, "dot")
    assert.error_matches(function() net:add_module("train", nn.ReLU()) end, "has a method or field")
    net:add_module("child", nn.Identity())
    assert.is_true(net.child:is_a(nn.Identity))
  end)

  it("N9: a module inside itself is an error", function()
    local a, b, c = Net(), Net(), Net()
    assert.error_matches(function() a.self = a end, "can't be registered inside itself")
    a.b, b.c = b, c
    assert.error_matches(function() c.a = a end, "can't be registered inside itself")
    assert.error_matches(function() c:add_module("a", a) end, "can't be registered inside itself")
    assert.is_nil(c.a)
  end)
end)

describe("a Parameter", function()
  it("A10: requires gradients by default, under no_grad too", function()
    assert.is_true(nn.Parameter(nl.zeros(2)).requires_grad)
    assert.is_false(nn.Parameter(nl.zeros(2), false).requires_grad)
    assert.is_false(nn.Parameter(nl.zeros(2), {requires_grad = false}).requires_grad)
    assert.is_true(nl.no_grad(nn.Parameter, nl.zeros(2)).requires_grad)
  end)

  it("A10: shares the storage of its tensor, and is a leaf", function()
    local x = nl.zeros(2):requires_grad_()
    local y = x * 2
    local p = nn.Parameter(y)
    assert.is_true(p.is_leaf)
    nl.no_grad(function() p:fill_(3) end)
    assert.same({3, 3}, y:tolist())
  end)

  it("A10: of integers can't require gradients", function()
    local t = nl.tensor {1, 2}
    assert.error_matches(function() nn.Parameter(t) end, "int64 can't require gradients")
    assert.is_false(nn.Parameter(t, false).requires_grad)
  end)

  it("A10: gives plain tensors when computed with", function()
    local net, p = Net(), nn.Parameter(nl.ones(2))
    for _, t in ipairs {p + 1, p:detach(), p:clone(), p[1]} do
      net.plain = t
      net.plain = nil
    end
    assert.same({}, names(net:named_parameters()))
    assert.matches("^Parameter containing:\n", tostring(p))
  end)

  it("A10: a deep copy is one, too", function()
    local net = Net()
    net.p = nn.deepcopy(nn.Parameter(nl.ones(2)))
    assert.same({"p"}, names(net:named_parameters()))
  end)

  it("without a tensor is empty", function()
    assert.equal(0, nn.Parameter():numel())
    assert.error_matches(function() nn.Parameter(3) end, "a tensor was expected, got a number")
  end)

  it("is the same object each time it is read", function()
    local net = nn.Linear(2, 2)
    assert.equal(net.weight, net.weight)
    for _, p in net:named_parameters() do
      assert.is_true(p == net.weight or p == net.bias)
    end
  end)
end)

describe("a Buffer", function()
  it("A11: registers itself when assigned", function()
    local net, t = Net(), nl.zeros(2)
    net.kept = nn.Buffer(t)
    net.dropped = nn.Buffer(nl.ones(1), false)
    assert.equal(t, net.kept)
    assert.same({"kept", "dropped"}, names(net:named_buffers()))
    assert.same({"kept"}, names(pairs(net:state_dict())))
    assert.error_matches(function() net.train = nn.Buffer(t) end, "has a method or field")
  end)
end)

describe("a class", function()
  it("inherits methods and operators", function()
    local Base = nn.class("Base")
    function Base:name() return "base " .. self:_get_name() end
    function Base:__len() return 3 end
    function Base:__add(other) return {self, other} end
    local Derived = nn.class("Derived", Base)
    function Derived:name() return "derived, " .. Derived.super.name(self) end
    local m = Derived()
    assert.equal("derived, base Derived", m:name())
    assert.equal(3, #m)
    assert.same({m, 1}, m + 1)
    assert.same({1, m}, 1 + m)
    assert.error_matches(function() return m * 2 end, "Derived has no operator __mul")
    assert.error_matches(function() return #nn.ReLU() end, "ReLU has no operator __len")
  end)

  it("is known to its instances", function()
    local Derived = nn.class("my.Derived", nn.Linear)
    local m = Derived(1, 2)
    assert.is_true(m:is_a(Derived))
    assert.is_true(m:is_a(nn.Linear))
    assert.is_true(m:is_a(nn.Module))
    assert.is_false(m:is_a(nn.ReLU))
    assert.equal(Derived, nn.class_of(m))
    assert.equal(nn.Linear, Derived.super)
    assert.equal("Derived", m:_get_name())
    assert.equal("my.Derived", tostring(Derived))
    assert.is_true(nn.is_module(m))
    assert.is_false(nn.is_module(Derived))
    assert.is_false(nn.is_module({}))
    assert.is_false(nn.is_module(nl.zeros(1)))
  end)

  it("checks what it is made from", function()
    assert.error_matches(function() nn.class() end, "the name is a string")
    assert.error_matches(function() nn.class("X", {}) end, "a class of modules was expected, got a table")
    assert.error_matches(function() nn.ReLU():is_a(3) end, "a class of modules was expected")
    assert.error_matches(function() nn.Module.train({}) end, "train: a module was expected first, got a table")
  end)

  it("keeps its metatable", function()
    local Mine = nn.class("Mine")
    assert.has_error(function() setmetatable(Mine, nil) end)
    assert.equal(Mine, getmetatable(Mine()))
  end)

  it("A12: plain modules are truthy", function()
    assert.truthy(nn.ReLU())
    assert.truthy(nn.Sequential())
  end)
end)
