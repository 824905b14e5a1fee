-- Modules on the meta device: shapes without memory, and how they get some.
local nl = require "nnlua"
local nn = nl.nn

local on_meta = {device = "meta"}

describe("the meta device", function()
  it("M7: a module built on it runs for shapes", function()
    local net = nn.Sequential(nn.Linear(2, 3, on_meta), nn.Linear(3, 1):to("meta"))
    local weight = net[2].weight
    local y = net(nl.empty(5, 2, on_meta))
    assert.equal("meta", y.device.type)
    assert.same({5, 1}, {y:size(1), y:size(2)})
    assert.equal("meta", weight.device.type)
    assert.is_true(weight.requires_grad)
  end)

  it("M7: to can't leave it, points at to_empty, and changes nothing", function()
    local net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1, on_meta))
    assert.error_matches(function() net:to("cpu", nl.float64) end,
      "to: '1.weight' is on the meta device and has no elements to move; to_empty {device = \"cpu\"}", 1, true)
    assert.error_matches(function() net:cpu() end, "to_empty", 1, true)
    assert.equal(nl.float32, net[1].weight.dtype)
    net:to(nl.float64)
    assert.equal(nl.float64, net[2].weight.dtype)
  end)

  it("M7: to_empty gives memory on a device", function()
    local net = nn.Sequential(nn.Linear(2, 3, on_meta), nn.Linear(3, 1, on_meta))
    net:register_buffer("scale", nl.ones(2, on_meta))
    net:register_buffer("note", nl.ones(3, on_meta), false)
    net[1].bias:requires_grad_(false)
    assert.equal(net, net:to_empty {device = "cpu"})
    for p in net:parameters() do assert.equal("cpu", p.device.type) end
    for b in net:buffers() do assert.equal("cpu", b.device.type) end
    assert.is_false(net[1].bias.requires_grad)
    assert.is_true(net[1].weight.requires_grad)
    assert.is_nil(net:state_dict().note)
    net:load_state_dict(net:state_dict())
    assert.same({4, 1}, {net(nl.ones(4, 2)):size(1), net(nl.ones(4, 2)):size(2)})
  end)

  it("M7: to_empty without recurse is for the module's own tensors", function()
    local net = nn.Sequential(nn.Linear(2, 3, on_meta))
    net:register_buffer("scale", nl.ones(2, on_meta))
    net:to_empty {device = "cpu", recurse = false}
    assert.equal("cpu", net.scale.device.type)
    assert.equal("meta", net[1].weight.device.type)
    net[1]:to_empty("cpu", false)
    assert.equal("cpu", net[1].weight.device.type)
  end)

  it("M7: to_empty checks its arguments", function()
    local net = nn.Linear(2, 3)
    assert.error_matches(function() net:to_empty() end, "to_empty: device is missing")
    assert.error_matches(function() net:to_empty {device = "gpu"} end, "to_empty: there is no device 'gpu'")
    assert.equal(net, net:to_empty {device = nl.none})
    assert.equal("cpu", net.weight.device.type)
  end)

  it("M6: to_empty breaks ties where the device differs, as PyTorch does", function()
    local function tied(options)
      local net = nn.Sequential(nn.Linear(2, 2, options), nn.Linear(2, 2, options))
      net[2].weight = net[1].weight
      return net, net[1].weight
    end
    local net = tied(on_meta):to_empty {device = "cpu"}
    assert.not_equal(net[1].weight, net[2].weight)
    local same, weight = tied()
    same:to_empty {device = "cpu"}
    assert.equal(weight, same[1].weight)
    assert.equal(weight, same[2].weight)
  end)

  it("M7: loading elements into it, or its tensors into others, is refused", function()
    local bare, full = nn.Linear(2, 3, on_meta), nn.Linear(2, 3)
    local before = full.weight:tolist()
    assert.error_matches(function() bare:load_state_dict(full:state_dict()) end,
      "in the model it is on the meta device and has no memory; {assign = true} takes the state dict's tensors")
    assert.error_matches(function() full:load_state_dict(bare:state_dict()) end,
      "'weight': in the state dict it is on the meta device and has no elements")
    assert.same(before, full.weight:tolist())
    assert.equal("<All keys matched successfully>", tostring(bare:load_state_dict(bare:state_dict())))
    bare:to_empty {device = "cpu"}:load_state_dict(full:state_dict())
    assert.same(before, bare.weight:tolist())
  end)

  it("M7: skip_init builds without filling", function()
    nl.manual_seed(0)
    local first = nl.rand(1):item()
    nl.manual_seed(0)
    local fc = nn.utils.skip_init(nn.Linear, 5, 1, {bias = false, dtype = nl.float64})
    assert.equal(first, nl.rand(1):item())
    assert.equal("Linear(in_features=5, out_features=1, bias=False)", tostring(fc))
    assert.equal("cpu", fc.weight.device.type)
    assert.equal(nl.float64, fc.weight.dtype)
    assert.equal("meta", nn.utils.skip_init(nn.Linear, 5, 1, on_meta).weight.device.type)
  end)

  it("M7: skip_init wants a class that takes a device", function()
    assert.error_matches(function() nn.utils.skip_init(nn.Tanh) end, "no argument is called 'device'")
    assert.error_matches(function() nn.utils.skip_init(3) end, "a class of modules was expected, got a number")
    local Net = nn.class("Net")
    function Net:init() self.fc = nn.Linear(2, 2) end
    assert.error_matches(function() nn.utils.skip_init(Net) end, "Net has made 'fc.weight' on the device 'cpu'")
  end)
end)
