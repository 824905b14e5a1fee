-- Forward hooks, their handles, and what they return.
local nl = require "nnlua"
local nn = nl.nn

local Net = nn.class("Net")
function Net:forward(...) return ... end -- luacheck: no self

local function noting(list, name)
  return function() table.insert(list, name) end
end

describe("a hook's return value", function()
  it("H1: only nothing, or nil alone, means unchanged", function()
    local net, returned = Net(), nil
    local handle = net:register_forward_pre_hook(function() return returned end)
    assert.same({1, 2}, {net(1, 2)})
    returned = false
    assert.same({false}, {net(1, 2)})
    returned = 0
    assert.same({0}, {net(1, 2)})
    handle:remove()
    handle = net:register_forward_pre_hook(function() end)
    assert.same({1, 2}, {net(1, 2)})
    handle:remove()
  end)

  it("H2: all values replace all arguments; a table is one value", function()
    local net = Net()
    local list = {7, 8}
    local handle = net:register_forward_pre_hook(function() return list end)
    assert.equal(list, net(1, 2))
    assert.equal(1, select("#", net(1, 2)))
    handle:remove()
    net:register_forward_pre_hook(function() return 1, nil, 3 end)
    assert.same({1, nil, 3, n = 3}, table.pack(net(5)))
  end)

  it("H2: nl.none stands for nil", function()
    local net = Net()
    net:register_forward_pre_hook(function() return nl.none end)
    assert.same({n = 1}, table.pack(net(5)))
    local other = Net()
    other:register_forward_hook(function() return nl.none, 2 end)
    assert.same({nil, 2, n = 2}, table.pack(other(5)))
  end)

  it("H3: each hook sees what the one before left", function()
    local net = Net()
    for _ = 1, 3 do
      net:register_forward_pre_hook(function(_, args) return args[1] * 2 end)
      net:register_forward_hook(function(_, _, out) return out + 1 end)
    end
    assert.equal(11, net(1))
  end)

  it("writing into args changes nothing", function()
    local net = Net()
    net:register_forward_pre_hook(function(_, args) args[1] = "changed" end)
    assert.equal("own", net("own"))
    net:register_forward_pre_hook(function() return "new" end)
    net:register_forward_pre_hook(function(_, args) args[1] = "changed" end)
    assert.equal("new", net("own"))
  end)

  it("a forward hook sees every result, and what it returns replaces all of them", function()
    local net, seen = Net(), nil
    net:register_forward_hook(function(_, _, ...) seen = table.pack(...) return 9 end)
    assert.same({9, n = 1}, table.pack(net(1, nil, 3, nil)))
    assert.same({1, nil, 3, nil, n = 4}, seen)
  end)

  it("args carry named arguments, and nils, with n", function()
    local net, seen = Net(), nil
    net:register_forward_pre_hook(function(_, args) seen = args end)
    net(1, nil, {key = true}, nil)
    assert.same({1, nil, {key = true}, nil, n = 4}, seen)
  end)
end)

describe("the order of hooks", function()
  it("H6: global hooks run before the module's own", function()
    local order, net = {}, Net()
    net:register_forward_pre_hook(noting(order, "own pre"))
    net:register_forward_hook(noting(order, "own post"))
    local pre <close> = nn.register_module_forward_pre_hook(noting(order, "global pre"))
    local post <close> = nn.register_module_forward_hook(noting(order, "global post"))
    net(1)
    assert.same({"global pre", "own pre", "global post", "own post"}, order)
  end)

  it("H6: global hooks see every module", function()
    local seen = {}
    local hook <close> = nn.register_module_forward_hook(function(m) table.insert(seen, m:_get_name()) end)
    nn.Sequential(Net(), nn.Identity())(1)
    assert.same({"Net", "Identity", "Sequential"}, seen)
  end)

  it("H7: order of registration, prepend first", function()
    local order, net = {}, Net()
    net:register_forward_hook(noting(order, 1))
    net:register_forward_hook(noting(order, 2))
    net:register_forward_hook(noting(order, 3), {prepend = true})
    net:register_forward_hook(noting(order, 4), {prepend = true})
    net(1)
    assert.same({4, 3, 1, 2}, order)
  end)

  it("H8: a function registered twice runs twice", function()
    local order, net = {}, Net()
    local hook = noting(order, 1)
    local first = net:register_forward_hook(hook)
    net:register_forward_hook(hook)
    net(1)
    first:remove()
    net(1)
    assert.same({1, 1, 1}, order)
  end)

  it("H9: a parent's hooks enclose its children's", function()
    local order, net = {}, nn.Sequential(Net())
    for name, m in pairs {parent = net, child = net[1]} do
      m:register_forward_pre_hook(noting(order, name .. " pre"))
      m:register_forward_hook(noting(order, name .. " post"))
    end
    net(1)
    assert.same({"parent pre", "child pre", "child post", "parent post"}, order)
  end)

  it("H10: a running loop does not see changes of its list", function()
    local order, net, second = {}, Net(), nil
    net:register_forward_hook(function(m)
      second:remove()
      m:register_forward_hook(noting(order, "new"))
    end)
    second = net:register_forward_hook(noting(order, "second"))
    net(1)
    assert.same({"second"}, order)
    net(1)
    assert.same({"second", "new"}, order)
  end)
end)

describe("an always_call hook", function()
  local always = {always_call = true}

  local function failing(problem)
    local net = Net()
    net.forward = function() error(problem) end
    return net
  end

  it("H11: runs after an error, global ones first, with the arguments of the moment", function()
    local order, problem = {}, {}
    local net = failing(problem)
    net:register_forward_pre_hook(function() return 7 end)
    net:register_forward_hook(function(_, args, out) table.insert(order, {"own", args[1], out}) end, always)
    net:register_forward_hook(noting(order, "plain"))
    local global <close> = nn.register_module_forward_hook(function(_, args, out)
      table.insert(order, {"global", args[1], out})
    end, always)
    assert.equal(problem, select(2, pcall(net, 1)))
    assert.same({{"global", 7}, {"own", 7}}, order)
  end)

  it("H11: has the result where forward gave one", function()
    local seen, net = nil, Net()
    net:register_forward_hook(function() error "in a hook" end)
    net:register_forward_hook(function(_, _, a, b) seen = {a, b} end, always)
    assert.error_matches(function() net(1, 2) end, "in a hook")
    assert.same({1, 2}, seen)
  end)

  it("H12: having started counts as having run", function()
    local count, net = 0, Net()
    net:register_forward_hook(function() count = count + 1 error "own" end, always)
    assert.error_matches(function() net(1) end, "own")
    assert.equal(1, count)
  end)

  it("H13: its own error is a warning, and the others still run", function()
    local count, problem = 0, {}
    local net = failing(problem)
    net:register_forward_hook(function() error "second error" end, always)
    net:register_forward_hook(function() count = count + 1 end, always)
    warn "@off"
    assert.equal(problem, select(2, pcall(net)))
    assert.equal(1, count)
  end)

  it("H13: what it returns is for the later ones only", function()
    local seen
    local net = failing "x"
    net:register_forward_hook(function() return "rescued" end, always)
    net:register_forward_hook(function(_, _, out) seen = out end, always)
    assert.is_false(pcall(net))
    assert.equal("rescued", seen)
  end)

  it("H14: runs once, in its place, if all goes well", function()
    local order, net = {}, Net()
    net:register_forward_hook(noting(order, 1))
    net:register_forward_hook(noting(order, 2), always)
    net:register_forward_hook(noting(order, 3))
    assert.equal(5, net(5))
    assert.same({1, 2, 3}, order)
  end)

  it("H16: may take itself away", function()
    local count, handle = 0, nil
    local net = failing "x"
    handle = net:register_forward_hook(function() handle:remove() count = count + 1 end, always)
    net:register_forward_hook(function() count = count + 10 end, always)
    assert.is_false(pcall(net))
    assert.equal(11, count)
    assert.is_false(pcall(net))
    assert.equal(21, count)
  end)

  it("keeps the value and the traceback of the error", function()
    local Failing = nn.class("Failing")
    local function the_culprit() error "here" end
    function Failing:forward() the_culprit() return self end
    local net = Failing()
    net:register_forward_hook(function() end, always)
    local _, trace = xpcall(net, debug.traceback)
    assert.matches("the_culprit", trace)
  end)
end)

describe("a handle", function()
  it("H17: removes once, and again without effect", function()
    local order, net = {}, Net()
    local handle = net:register_forward_hook(noting(order, 1))
    net:register_forward_hook(noting(order, 2))
    handle:remove()
    handle:remove()
    net(1)
    assert.same({2}, order)
  end)

  it("H17: keeps nothing alive, and works when the module is gone", function()
    local net = Net()
    local handle = net:register_forward_hook(function() end)
    local watch = setmetatable({net}, {__mode = "v"})
    net = nil -- luacheck: no unused
    collectgarbage()
    collectgarbage()
    assert.is_nil(watch[1])
    handle:remove()
  end)

  it("H17: is not kept alive by the module", function()
    local net, count = Net(), 0
    local watch = setmetatable({net:register_forward_hook(function() count = count + 1 end)}, {__mode = "v"})
    collectgarbage()
    collectgarbage()
    assert.is_nil(watch[1])
    net(1)
    assert.equal(1, count)
  end)

  it("H17: a hook that closes over its module does not keep it alive", function()
    local net = Net()
    net:register_forward_hook(function() return net end)
    local watch = setmetatable({net}, {__mode = "v"})
    net = nil -- luacheck: no unused
    collectgarbage()
    collectgarbage()
    assert.is_nil(watch[1])
  end)

  it("H18: can be a to-be-closed variable", function()
    local order, net = {}, Net()
    do
      local handle <close> = net:register_forward_hook(noting(order, 1))
      net(1)
    end
    net(1)
    assert.same({1}, order)
  end)

  it("H19: what can't be called is refused where it is registered, and the module stays callable", function()
    local net = Net()
    assert.error_matches(function() net:register_forward_hook(5) end, "a hook is a function, not a number")
    assert.error_matches(function() nn.register_module_forward_hook(true) end, "a hook is a function, not a boolean")
    assert.error_matches(function() net:register_forward_hook(print, true) end, "a hook's options are")
    net(1)
  end)

  it("H20: of the original does not remove a copy's hook", function()
    local order, net = {}, Net()
    local handle = net:register_forward_hook(noting(order, 1))
    local copy = net:deepcopy()
    handle:remove()
    net(1)
    assert.same({}, order)
    copy(1)
    assert.same({1}, order)
  end)
end)

describe("hooks of registrations", function()
  it("see what modules register, in order, and may give another", function()
    local seen, handles = {}, {}
    for _, kind in ipairs {"parameter", "buffer", "module"} do
      handles[#handles + 1] = nn["register_module_" .. kind .. "_registration_hook"](function(_, name)
        table.insert(seen, kind .. " " .. name)
      end)
    end
    local net = nn.Sequential(nn.BatchNorm1d(2))
    net.scale = nn.Parameter(nl.ones(1))
    net:register_buffer("none", nil)
    for _, handle in ipairs(handles) do handle:remove() end
    net.more = nn.ReLU()
    assert.are.same({"parameter weight", "parameter bias", "buffer running_mean", "buffer running_var",
      "buffer num_batches_tracked", "module 0", "parameter scale", "buffer none"}, seen)
  end)

  it("give what is registered instead", function()
    local _ <close> = nn.register_module_parameter_registration_hook(function(_, _, p)
      return nn.Parameter(p:detach() * 0)
    end)
    local net = nn.Module()
    net.scale = nn.Parameter(nl.ones(2))
    assert.are.equal(0.0, net.scale:abs():sum():item())
  end)

  it("must give one of the kind", function()
    local _ <close> = nn.register_module_buffer_registration_hook(function() return 3 end)
    local ok, problem = pcall(function() nn.Module():register_buffer("b", nl.ones(1)) end)
    assert.is_false(ok)
    assert.is_truthy(problem:find("the hook must return a tensor or nothing", 1, true))
  end)
end)
