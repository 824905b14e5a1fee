-- Going through modules, parameters and buffers.
local nl = require "nnlua"
local nn = nl.nn

local function collect(iterator)
  local list = {}
  for a, b in iterator do
    table.insert(list, {a, b})
  end
  return list
end

local function names(iterator)
  local list = {}
  for name in iterator do
    table.insert(list, name)
  end
  return list
end

local function count(iterator)
  return #collect(iterator)
end

local Net = nn.class("Net")
function Net:init()
  self.encoder = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
  self.scale = nn.Parameter(nl.ones(1))
  self:register_buffer("mean", nl.zeros(1))
  self:register_buffer("hidden", nl.zeros(1), false)
  self.head = nn.Linear(3, 1, {bias = false})
end

describe("iterating", function()
  it("N1: names are joined by dots, the root's is empty", function()
    local net = Net()
    assert.same({"", "encoder", "encoder.0", "encoder.1", "head"}, names(net:named_modules()))
    assert.same({"m", "m.encoder", "m.encoder.0", "m.encoder.1", "m.head"}, names(net:named_modules("m")))
    assert.same({"m.scale", "m.encoder.0.weight", "m.encoder.0.bias", "m.head.weight"},
      names(net:named_parameters {prefix = "m"}))
  end)

  it("N2: modules come in pre-order, each once", function()
    local net, shared = Net(), nn.ReLU()
    net.a = shared
    net.b = shared
    net.empty = nn.ReLU()
    net.empty = nil
    assert.same({"", "encoder", "encoder.0", "encoder.1", "head", "a"}, names(net:named_modules()))
    assert.equal(7, count(net:named_modules("", false)))
    assert.equal(7, count(net:named_modules {remove_duplicate = false}))
    assert.equal(net, (net:modules()()))
  end)

  it("N3: children are direct ones, each once", function()
    local net, shared = Net(), nn.ReLU()
    net.a = shared
    net.b = shared
    assert.same({"encoder", "head", "a"}, names(net:named_children()))
    assert.same({net.encoder, net.head, shared}, names(net:children()))
  end)

  it("N4: parameters and buffers come in the modules' order, tied ones once", function()
    local net = Net()
    net.head.weight = net.encoder[1].weight
    assert.same({"scale", "encoder.0.weight", "encoder.0.bias"}, names(net:named_parameters()))
    assert.same({"scale", "encoder.0.weight", "encoder.0.bias", "head.weight"},
      names(net:named_parameters("", true, false)))
    assert.same({"scale"}, names(net:named_parameters("", false)))
    assert.same({"mean", "hidden"}, names(net:named_buffers()))
    assert.equal(2, count(net:buffers()))
    assert.equal(1, count(net:parameters(false)))
    assert.equal(3, count(net:parameters()))
  end)

  it("N5: state dicts have tied weights under all names, and want them all", function()
    local net = Net()
    net.head.weight = net.encoder[1].weight
    local state = net:state_dict()
    assert.equal(5, #state)
    state["head.weight"] = nil
    assert.error_matches(function() net:load_state_dict(state) end, "missing: 'head.weight'")
  end)

  it("N6: an iterator goes through once", function()
    local parameters = Net():parameters()
    assert.equal(4, count(parameters))
    assert.equal(0, count(parameters))
  end)

  it("N6: an iterator is one value", function()
    assert.equal(1, select("#", Net():parameters()))
    assert.equal(1, select("#", Net():named_modules()))
  end)

  it("N7: paths lead to modules, parameters and buffers", function()
    local net = Net()
    assert.equal(net, net:get_submodule(""))
    assert.equal(net.encoder[2], net:get_submodule("encoder.1"))
    assert.equal(net.encoder[1].bias, net:get_parameter("encoder.0.bias"))
    assert.equal(net.mean, net:get_buffer("mean"))
    assert.error_matches(function() net:get_submodule("encoder.x") end, "Sequential has no attribute 'x'")
    assert.error_matches(function() net:get_submodule("scale") end, "'scale' of Net is a Parameter, not a module")
    assert.error_matches(function() net:get_parameter("mean") end, "Net has no parameter 'mean', but a tensor")
    assert.error_matches(function() net:get_buffer("scale") end, "Net has no buffer 'scale', but a Parameter")
    assert.error_matches(function() net:get_submodule(3) end, "a path is a string")
  end)

  it("N7: set_submodule replaces or adds", function()
    local net, new = Net(), nn.Identity()
    net:set_submodule("encoder.1", new)
    assert.equal(new, net.encoder[2])
    net:set_submodule("encoder.extra", nn.ReLU())
    assert.equal(3, #net.encoder)
    assert.error_matches(function() net:set_submodule("", new) end, "the path is empty")
    assert.error_matches(function() net:set_submodule("head", 3) end, "a module was expected, got a number")
    assert.error_matches(function() net:set_submodule("other", new, true) end, "Net has no attribute 'other'")
    assert.error_matches(function() net:set_submodule("scale", new) end, "is a Parameter, not a module")
  end)

  it("N8: apply goes to children first, and twice to one that has two parents", function()
    local net, shared = nn.ModuleDict(), nn.ReLU()
    net.a = nn.Sequential(shared, shared)
    net.b = nn.Sequential(shared)
    local order = {}
    assert.equal(net, net:apply(function(m) table.insert(order, m) end))
    assert.same({shared, net.a, shared, net.b, net}, order)
  end)
end)
