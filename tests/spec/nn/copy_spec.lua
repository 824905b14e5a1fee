-- Deep copies.
local nl = require "nnlua"
local nn = nl.nn

describe("a deep copy", function()
  it("D1: has parameters of its own, without their gradients", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    net[1].bias.requires_grad = false
    net(nl.ones(1, 2)):sum():backward()
    local copy = net:deepcopy()
    assert.is_not_nil(net[1].weight.grad)
    assert.is_nil(copy[1].weight.grad)
    assert.is_false(copy[1].bias.requires_grad)
    assert.is_true(copy[1].weight.requires_grad)
    assert.same(net[1].weight:tolist(), copy[1].weight:tolist())
    nl.no_grad(function() copy[1].weight:fill_(7) end)
    assert.not_equal(7, net[1].weight[1][1]:item())
    assert.equal(tostring(net), tostring(copy))
  end)

  it("D1: keeps ties and shared modules", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[2].weight = net[1].weight
    net:append(net[1])
    local copy = net:deepcopy()
    assert.equal(copy[1].weight, copy[2].weight)
    assert.equal(copy[1], copy[3])
    assert.not_equal(net[1], copy[1])
  end)

  it("D1: copies buffers, tables, modes and empty slots", function()
    local net = nn.Linear(2, 2, false)
    net:register_buffer("kept", nl.ones(1))
    net:register_buffer("dropped", nl.ones(1), false)
    net.options = {sizes = {1, 2}, own = net}
    net:eval()
    local copy = net:deepcopy()
    assert.is_false(copy.training)
    assert.not_equal(net.options, copy.options)
    assert.same({1, 2}, copy.options.sizes)
    assert.equal(copy, copy.options.own)
    assert.not_equal(net.kept, copy.kept)
    assert.same(2, #copy:state_dict())
    copy.bias = nn.Parameter(nl.zeros(2))
    assert.is_nil(net.bias)
  end)

  it("D1: copies hooks, and an own forward", function()
    local count, net = 0, nn.Identity()
    net:register_forward_hook(function() count = count + 1 end)
    net.forward = function(_, x) return x + 1 end
    assert.equal(2, net:deepcopy()(1))
    assert.equal(1, count)
  end)

  it("D1: of a result of operations fails", function()
    local net = nn.Linear(1, 1)
    net.last = net(nl.ones(1, 1))
    assert.error_matches(function() net:deepcopy() end, "can't be copied; detach it first")
  end)

  it("of a state dict keeps order and metadata, and values of its own", function()
    local net = nn.Linear(1, 1)
    local state = net:state_dict()
    local copy = nn.deepcopy(state)
    nl.no_grad(function() net.weight:fill_(9) end)
    assert.equal(9, state.weight:item())
    assert.not_equal(9, copy.weight:item())
    copy.new = nl.zeros(1)
    assert.equal(2, #state)
    local names = {}
    for name in pairs(copy) do table.insert(names, name) end
    assert.same({"weight", "bias", "new"}, names)
    assert.same({version = 1}, copy._metadata[""])
    assert.not_equal(state._metadata, copy._metadata)
  end)

  it("shares classes and functions, and refuses optimizers", function()
    local net = nn.Identity()
    net.class, net.f = nn.Linear, print
    local copy = net:deepcopy()
    assert.equal(nn.Linear, copy.class)
    assert.equal(print, copy.f)
    local optimizer = nl.optim.SGD({nl.ones(1):requires_grad_()})
    assert.error_matches(function() nn.deepcopy({optimizer}) end, "an optimizer can't be copied")
  end)

  it("nn.deepcopy takes tensors and tables too", function()
    local t = nl.ones(2):requires_grad_()
    local list = nn.deepcopy {t, t, 5}
    assert.equal(list[1], list[2])
    assert.not_equal(t, list[1])
    assert.is_true(list[1].requires_grad)
    assert.equal(5, list[3])
  end)
end)
