-- What calling a module does, in order.
local nl = require "nnlua"
local nn = nl.nn

-- A class of one method.
local function class_of(forward, name)
  local class = nn.class(name or "Net")
  class.forward = forward
  return class
end

local function same(_, ...)
  return ...
end

describe("a call of a module", function()
  it("C1: forward called directly runs no hooks of its own, but those of children", function()
    local seen = {}
    local Inner, Outer = class_of(same), nn.class("Outer")
    function Outer:init() self.inner = Inner() end
    function Outer:forward(x) return self.inner(x) end
    local net = Outer()
    net:register_forward_hook(function() table.insert(seen, "outer") end)
    net.inner:register_forward_hook(function() table.insert(seen, "inner") end)
    assert.equal(5, net:forward(5))
    assert.same({"inner"}, seen)
    net(5)
    assert.same({"inner", "inner", "outer"}, seen)
  end)

  it("C2: without hooks the arguments and results pass through as they are", function()
    local net, x = class_of(same)(), nl.zeros(2)
    assert.equal(x, (net(x)))
    local results = table.pack(net(1, nil, "a", nil))
    assert.same({1, nil, "a", nil, n = 4}, results)
    assert.equal(0, select("#", net()))
  end)

  it("C3: the fast path is decided at entry", function()
    local count = 0
    local Net = nn.class("Net")
    function Net:forward(x)
      self:register_forward_hook(function() count = count + 1 end)
      return x
    end
    local net = Net()
    net(1)
    assert.equal(0, count)
    local other = Net()
    other:register_forward_pre_hook(function() end)
    other(1)
    assert.equal(1, count)
  end)

  it("C4: pre-hooks, forward, forward hooks", function()
    local order = {}
    local net = class_of(function(_, x) table.insert(order, "forward") return x end)()
    net:register_forward_hook(function() table.insert(order, "post") end)
    net:register_forward_pre_hook(function() table.insert(order, "pre") end)
    net(1)
    assert.same({"pre", "forward", "post"}, order)
  end)

  it("C5: a forward hook registered by a pre-hook is active in that call", function()
    local count = 0
    local net = class_of(same)()
    net:register_forward_pre_hook(function(m)
      m:register_forward_hook(function() count = count + 1 end)
    end)
    net(1)
    assert.equal(1, count)
  end)

  it("C6: forward hooks see the arguments as the pre-hooks left them", function()
    local seen
    local net = class_of(same)()
    net:register_forward_pre_hook(function() return 7, 8 end)
    net:register_forward_hook(function(_, args) seen = args end)
    assert.same({7, 8}, {net(1)})
    assert.same({7, 8, n = 2}, seen)
  end)

  it("C7: an error stops what comes after, and passes unchanged", function()
    local order, problem = {}, {}
    local net = class_of(function() table.insert(order, "forward") end)()
    net:register_forward_pre_hook(function() table.insert(order, "first") error(problem) end)
    net:register_forward_pre_hook(function() table.insert(order, "second") end)
    net:register_forward_hook(function() table.insert(order, "post") end)
    local ok, err = pcall(net, 1)
    assert.is_false(ok)
    assert.equal(problem, err)
    assert.same({"first"}, order)
  end)

  it("C7: an error in forward skips forward hooks", function()
    local ran, problem = false, {}
    local net = class_of(function() error(problem) end)()
    net:register_forward_hook(function() ran = true end)
    assert.equal(problem, select(2, pcall(net)))
    assert.is_false(ran)
  end)

  it("C8: forward is looked up on the instance", function()
    local net, other = class_of(same)(), class_of(same)()
    net.forward = function(self, x)
      assert.is_true(nn.is_module(self))
      return x + 1
    end
    assert.equal(2, net(1))
    assert.equal(1, other(1))
    net.forward = nil
    assert.equal(1, net(1))
    net.__call = error
    assert.equal(1, net(1))
  end)

  it("C9: a module without forward says so", function()
    assert.error_matches(function() nn.class("Empty")()(1) end, "Empty has no forward")
    assert.error_matches(function() nn.ModuleList()(1) end, "ModuleList has no forward")
    assert.error_matches(function() nn.ModuleDict()(1) end, "ModuleDict has no forward")
  end)

  it("C10: a module is whole before init runs, and init need not call its parent's", function()
    local Net = nn.class("Net", nn.Linear)
    function Net:init()
      self.fc = nn.ReLU()
      assert.is_true(self.training)
    end
    Net.forward = same
    assert.equal(1, Net()(1))
  end)

  it("C11: hooks run in training and in evaluation", function()
    local count = 0
    local net = class_of(same)()
    net:register_forward_hook(function() count = count + 1 end)
    net:train()(1)
    net:eval()(1)
    assert.equal(2, count)
  end)

  it("C13: Sequential takes one argument, others what they like", function()
    local seq = nn.Sequential(nn.Identity(), nn.Identity())
    assert.equal(3, seq(3))
    assert.error_matches(function() seq(1, 2) end, "takes one input, got 2")
    assert.error_matches(function() seq() end, "takes one input, got 0")
    assert.same({1, 2}, {nn.Identity()(1, 2)})
  end)

  it("takes callable objects and C functions as forward", function()
    local net = class_of(setmetatable({}, {__call = function(_, _, x) return x * 2 end}))()
    assert.equal(4, net(2))
    local length = class_of(select)() -- a C function, which gets the module first
    assert.has_error(function() length(1) end)
  end)
end)

describe("a module in a coroutine", function()
  local function yielding(_, x)
    return coroutine.yield(x) + 1
  end

  it("may yield in forward", function()
    local net = class_of(yielding)()
    local run = coroutine.wrap(function() return net(1) end)
    assert.equal(1, run())
    assert.equal(11, run(10))
  end)

  it("may yield in a Sequential", function()
    local Net = class_of(yielding)
    local seq = nn.Sequential(Net(), nn.Sequential(Net(), Net()), nn.Identity())
    local run = coroutine.wrap(function() return seq(1) end)
    assert.equal(1, run())
    assert.equal(11, run(10))
    assert.equal(21, run(20))
    assert.equal(31, run(30))
  end)

  it("may yield between hooks, and in them", function()
    local net = class_of(yielding)()
    net:register_forward_pre_hook(function(_, args) return coroutine.yield("pre") + args[1] end)
    net:register_forward_hook(function(_, _, out) return coroutine.yield("post") + out end, {always_call = true})
    local run = coroutine.wrap(function() return net(1) end)
    assert.equal("pre", run())
    assert.equal(101, run(100))
    assert.equal("post", run(5))
    assert.equal(1006, run(1000))
  end)

  it("may yield in init", function()
    local Net = nn.class("Net")
    function Net:init() self.value = coroutine.yield() end
    local run = coroutine.wrap(function() return Net() end)
    run()
    assert.equal(3, run(3).value)
  end)
end)

describe("deep modules", function()
  local Wrap = nn.class("Wrap")
  function Wrap:init(inner) self.inner = inner end
  function Wrap:forward(x) return self.inner(x) end

  local function nested(depth, wrap)
    local net = nn.Identity()
    for _ = 1, depth do
      net = wrap(net)
    end
    return net
  end

  it("run 150 deep", function()
    assert.equal(3, nested(150, Wrap)(3))
    assert.equal(3, nested(150, nn.Sequential)(3))
    local hooked = nested(150, Wrap)
    for module in hooked:modules() do
      module:register_forward_hook(function(_, _, x) return x + 1 end)
    end
    assert.equal(154, hooked(3))
  end)

  it("say how deep they nest where Lua's stack ends", function()
    local net = nested(400, Wrap)
    assert.error_matches(function() net(3) end, "modules nest too deep: %d+ calls.*%(in net%.inner%.inner.*…")
    local seq = nested(400, nn.Sequential)
    assert.error_matches(function() seq(3) end, "modules nest too deep: %d+ calls.*%(in seq%[1%]%[1%].*…")
    assert.equal(3, nested(150, Wrap)(3))
  end)

  it("are walked, printed, copied and converted", function()
    local net = nested(1000, nn.Sequential)
    local count = 0
    for _ in net:modules() do count = count + 1 end
    assert.equal(1001, count)
    assert.is_string(tostring(net))
    assert.is_false(net:eval():deepcopy()[1].training)
    net:apply(function() count = count - 1 end)
    assert.equal(0, count)
    assert.equal(0, #net:state_dict())
  end)
end)

describe("an error in a model", function()
  local Net = nn.class("Net")
  function Net:init()
    self.encoder = nn.Sequential(nn.ReLU(), nn.Identity(), nn.Linear(5, 2))
    self.heads = nn.ModuleList {nn.Linear(2, 2), nn.Linear(3, 3)}
  end
  function Net:forward(x, head)
    local y = self.encoder(x)
    return head and self.heads[head](y) or y
  end

  it("names the path of the module", function()
    local net = Net()
    assert.error_matches(function() net(nl.ones(3, 10)) end, "%(in net%.encoder%[3%], nn%.Linear%)$")
  end)

  it("names modules that are below uncalled ones", function()
    local model = Net()
    assert.error_matches(function() model(nl.ones(3, 5), 2) end, "%(in model%.heads%[2%], nn%.Linear%)$")
    assert.equal(2, model(nl.ones(3, 5), 1):size(2))
  end)

  it("names the class where the model has no name", function()
    assert.error_matches(function() Net()(nl.ones(3, 10)) end, "%(in Net%.encoder%[3%], nn%.Linear%)$")
  end)

  it("names the user's line", function()
    local net = nn.Linear(2, 3)
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = pcall(function() net("x") end)
    assert.matches("calls_spec%.lua:" .. line .. ": ", err)
    assert.matches("%(in net, nn%.Linear%)$", err)
  end)

  it("says nothing of modules outside of them", function()
    local net = nn.Linear(2, 3)
    local _, err = pcall(function() net.weight = 3 end)
    assert.not_matches("%(in ", err)
  end)
end)
