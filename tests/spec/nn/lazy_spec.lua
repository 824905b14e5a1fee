-- Lazy modules. Numbers and texts are those of PyTorch 2.15.
local nl = require "nnlua"
local nn = nl.nn

local lazy_text = "LazyLinear(in_features=0, out_features=3, bias=True)"
local plain_text = "Linear(in_features=4, out_features=3, bias=True)"

local function assert_near(expected, t)
  for i, value in ipairs(expected) do
    assert.near(value, t:flatten()[i]:item(), 1e-4)
  end
end

describe("M9: uninitialized parameters", function()
  local uninitialized = "the Parameter is uninitialized"

  it("have a dtype, a device and requires_grad, but no shape", function()
    local p = nn.UninitializedParameter(false, {dtype = nl.float64})
    assert.same({nl.float64, nl.device "cpu", false, true}, {p.dtype, p.device, p.requires_grad, p.is_leaf})
    assert.is_nil(p.grad)
    assert.equal("<UninitializedParameter>", tostring(p))
    assert.is_true(nn.is_lazy(p))
    assert.is_false(nn.is_lazy(nl.ones(1)))
    assert.error_matches(function() return p.shape end, "shape: " .. uninitialized)
    assert.error_matches(function() return p:numel() end, "numel: " .. uninitialized)
    assert.error_matches(function() p.data = nl.ones(1) end, "data: " .. uninitialized)
  end)

  it("are refused by operations", function()
    local p = nn.UninitializedParameter()
    assert.error_matches(function() return p + 1 end, uninitialized)
    assert.error_matches(function() return #p end, uninitialized)
    assert.error_matches(function() return nl.ones(2) + p end, "UninitializedParameter")
    assert.error_matches(function() return nl.F.linear(nl.ones(2, 3), p) end, "UninitializedParameter")
    assert.error_matches(function() nn.init.zeros_(p) end, "not an uninitialized Parameter")
  end)

  it("become Parameters in place", function()
    local p = nn.UninitializedParameter()
    local same = p
    p:materialize(2, 3)
    assert.same({2, 3}, {p:size(1), p:size(2)})
    assert.is_true(rawequal(p, same))
    assert.is_true(p.requires_grad)
    assert.matches("^Parameter containing", tostring(p))
    assert.error_matches(function() p:materialize(2) end, "no field or method 'materialize'")
    local q = nn.UninitializedParameter(false)
    q:materialize({4}, {dtype = nl.float64})
    assert.same({nl.float64, false}, {q.dtype, q.requires_grad})
  end)

  it("count as parameters of their module", function()
    local fc = nn.LazyLinear(3)
    local n = 0
    for p in fc:parameters() do
      assert.is_true(nn.is_lazy(p))
      n = n + 1
    end
    assert.equal(2, n)
    fc:requires_grad_(false)
    fc(nl.ones(1, 2))
    assert.is_false(fc.weight.requires_grad)
    fc:zero_grad()
  end)
end)

describe("M9: LazyLinear", function()
  it("learns its inputs from the first call, and is a Linear then", function()
    nl.manual_seed(3)
    local fc = nn.LazyLinear(2)
    assert.equal("LazyLinear(in_features=0, out_features=2, bias=True)", tostring(fc))
    assert.is_true(fc:has_uninitialized_params())
    assert_near({-0.9612, -0.8055}, fc(nl.ones(1, 3)))
    assert_near({-0.5724, -0.4554, -0.2473, -0.5462, -0.0328, -0.5079}, fc.weight)
    assert_near({0.3139, 0.2814}, fc.bias)
    assert.equal("Linear(in_features=3, out_features=2, bias=True)", tostring(fc))
    assert.equal(nn.Linear, nn.class_of(fc))
    assert.is_nil(fc.has_uninitialized_params)
  end)

  it("needs the call: its forward alone raises", function()
    local fc = nn.LazyLinear(3)
    assert.error_matches(function() fc:forward(nl.ones(1, 4)) end, "LazyLinear: weight is uninitialized; calling")
    assert.equal(nn.LazyLinear, nn.class_of(fc))
  end)

  it("stays lazy when the first call fails", function()
    local fc = nn.LazyLinear(3)
    assert.error_matches(function() fc(1) end, "the input must be a tensor, not a number")
    assert.error_matches(function() fc() end, "the input must be a tensor, not nil")
    assert.equal(lazy_text, tostring(fc))
    fc {input = nl.ones(2, 4)}
    assert.equal(plain_text, tostring(fc))
  end)

  it("has no hooks of its own afterwards, and those of others see it complete", function()
    local fc, seen = nn.LazyLinear(3), {}
    fc:register_forward_pre_hook(function(m) seen[#seen + 1] = tostring(m) end)
    fc(nl.ones(1, 4))
    fc(nl.ones(1, 4))
    assert.same({plain_text, plain_text}, seen)
  end)

  it("works within others, without a bias, and on the meta device", function()
    local net = nn.Sequential(nn.LazyLinear(3), nn.LazyLinear(2, {bias = false}))
    net(nl.ones(2, 5))
    assert.equal("Linear(in_features=5, out_features=3, bias=True)", tostring(net[1]))
    assert.equal("Linear(in_features=3, out_features=2, bias=False)", tostring(net[2]))
    local meta = nn.LazyLinear(3, {device = "meta"})
    assert.equal("meta", meta(nl.ones(2, 4, {device = "meta"})).device.type)
  end)

  it("is converted before it has a shape", function()
    local fc = nn.LazyLinear(3):double()
    assert.equal(nl.float64, fc.weight.dtype)
    assert.equal(nl.float64, fc(nl.ones(1, 2, {dtype = nl.float64})).dtype)
    assert.equal("meta", nn.LazyLinear(3):to("meta").weight.device.type)
    assert.equal("cpu", nn.LazyLinear(3, {device = "meta"}):to_empty({device = "cpu"}).weight.device.type)
    assert.error_matches(function() nn.LazyLinear(3, {device = "meta"}):cpu() end, "to_empty", 1, true)
  end)

  it("is copied with its laziness", function()
    local fc = nn.LazyLinear(3)
    local copy = fc:deepcopy()
    copy(nl.ones(1, 4))
    assert.equal(plain_text, tostring(copy))
    assert.equal(lazy_text, tostring(fc))
  end)

  it("is optimized by what was made before the first call", function()
    local fc = nn.LazyLinear(3)
    local optimizer = nl.optim.SGD(fc:parameters(), {lr = 1, momentum = 0.5})
    optimizer:step()
    fc(nl.ones(1, 2)):sum():backward()
    local before = fc.bias[1]:item()
    optimizer:step()
    assert.near(before - 1, fc.bias[1]:item(), 1e-6)
  end)
end)

describe("M9: state dicts of lazy modules", function()
  it("hold the uninitialized parameters", function()
    local dict = nn.LazyLinear(3):state_dict()
    assert.is_true(nn.is_lazy(dict.weight))
    assert.equal("<All keys matched successfully>", tostring(nn.LazyLinear(3):load_state_dict(dict)))
  end)

  it("can't be loaded into what has a shape", function()
    local dict = nn.LazyLinear(3):state_dict()
    assert.error_matches(function() nn.Linear(4, 3):load_state_dict(dict) end,
      "'weight': it is uninitialized in the state dict, but not in the model")
  end)

  it("give the shapes to a lazy module, which keeps its dtype", function()
    local fc, full = nn.LazyLinear(3):double(), nn.Linear(4, 3)
    fc:load_state_dict(full:state_dict())
    assert.equal(lazy_text, tostring(fc))
    assert.is_false(fc:has_uninitialized_params())
    assert.equal(nl.float64, fc.weight.dtype)
    assert.same(full.weight:tolist(), fc.weight:tolist())
    fc(nl.ones(1, 4, {dtype = nl.float64}))
    assert.equal(plain_text, tostring(fc))
    assert.same(full.weight:tolist(), fc.weight:tolist())
  end)
end)

describe("lazy norms", function()
  local nl = require "nnlua"
  local nn = nl.nn

  it("become the norms that they are named after, of the input's channels", function()
    for name, shape in pairs {
      LazyBatchNorm1d = {4, 3}, LazyBatchNorm2d = {2, 3, 4, 4}, LazyBatchNorm3d = {2, 3, 2, 2, 2},
      LazyInstanceNorm1d = {3, 4}, LazyInstanceNorm2d = {3, 4, 4}, LazyInstanceNorm3d = {2, 3, 2, 2, 2},
    } do
      local norm, plain = nn[name](), nn[name:sub(5)](3, {affine = true, track_running_stats = true})
      local x = nl.randn(table.unpack(shape))
      assert.is_true(nl.equal(plain(x), norm(x)), name)
      assert.equal(tostring(plain), tostring(norm))
      assert.is_true(nl.equal(plain.running_mean, norm.running_mean))
    end
  end)

  it("take a state before the first call", function()
    local plain = nn.BatchNorm1d(3)
    plain(nl.randn(5, 3))
    local norm = nn.LazyBatchNorm1d()
    norm:load_state_dict(plain:state_dict())
    assert.is_true(nl.equal(plain.running_var, norm.running_var))
    plain:eval()
    norm:eval()
    local x = nl.randn(2, 3)
    assert.is_true(nl.equal(plain(x), norm(x)))
  end)

  it("need neither weights nor statistics", function()
    local norm = nn.LazyInstanceNorm1d({affine = false, track_running_stats = false})
    assert.equal("LazyInstanceNorm1d(0, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)",
      tostring(norm))
    norm(nl.randn(2, 3, 4))
    assert.equal(3, norm.num_features)
    assert.error_matches(function() nn.LazyBatchNorm2d()(nl.randn(2, 3)) end, "must have")
  end)
end)
