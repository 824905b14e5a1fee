-- nl.autocast and nl.amp. The dtypes are those that PyTorch 2.15 gives under torch.autocast("cpu", torch.bfloat16).
local nl = require "nnlua"

local nn, F = nl.nn, nl.F
local a, b, v = nl.randn(3, 4), nl.randn(4, 5), nl.randn(4)
local images, kernel = nl.randn(2, 3, 8, 8), nl.randn(4, 3, 3, 3)
local half, labels = a:to(nl.bfloat16), nl.tensor {2, 1, 3}
local square = nl.eye(3) * 5

local cases = {
  bfloat16 = {
    matmul = function() return nl.matmul(a, b) end, mm = function() return a:mm(b) end,
    bmm = function() return nl.bmm(a:unsqueeze(1), b:unsqueeze(1)) end,
    addmm = function() return nl.addmm(nl.zeros(3, 5), a, b) end,
    baddbmm = function() return nl.baddbmm(nl.zeros(1, 3, 5), a:unsqueeze(1), b:unsqueeze(1)) end,
    addbmm = function() return nl.addbmm(nl.zeros(3, 5), a:unsqueeze(1), b:unsqueeze(1)) end,
    linear = function() return F.linear(a, b:t()) end, Linear = function() return nn.Linear(4, 2)(a) end,
    einsum = function() return nl.einsum("ij,jk->ik", a, b) end, inner = function() return nl.inner(a, a) end,
    tensordot = function() return nl.tensordot(a, b, 1) end, chain_matmul = function() return nl.chain_matmul(a, b) end,
    vecdot = function() return nl.linalg.vecdot(a, a) end, matrix_power = function() return square:matrix_power(2) end,
    conv1d = function() return F.conv1d(images[1], nl.randn(2, 8, 3)) end,
    conv2d = function() return F.conv2d(images, kernel) end,
    conv_transpose2d = function() return F.conv_transpose2d(images, nl.randn(3, 2, 3, 3)) end,
    scaled_dot_product_attention = function() return F.scaled_dot_product_attention(images, images, images) end,
    softmax = function() return half:softmax(-1) end, layer_norm = function() return F.layer_norm(half, {4}) end,
    sum = function() return half:sum() end, exp = function() return half:exp() end,
    max_pool2d = function() return F.max_pool2d(images:bfloat16(), 2) end,
    prelu = function() return F.prelu(a, nl.ones(1)) end, RNNCell = function() return nn.RNNCell(4, 2)(a) end,
    matrix_by_vector = function() return nl.matmul(a, v) end, mixed = function() return a:mm(b:bfloat16()) end,
    MultiheadAttention = function()
      local x = a:unsqueeze(1)
      return (nn.MultiheadAttention(4, 2)(x, x, x))
    end,
  },
  float32 = {
    add = function() return a + a end, mv = function() return a:mv(v) end, dot = function() return v:dot(v) end,
    addmv = function() return nl.addmv(nl.zeros(3), a, v) end,
    addr = function() return nl.addr(nl.zeros(4, 4), v, v) end,
    outer = function() return v:outer(v) end, mse_loss = function() return F.mse_loss(half, half) end,
    cross_entropy = function() return F.cross_entropy(half, labels) end,
    nll_loss = function() return F.nll_loss(half, labels) end,
    l1_loss = function() return F.l1_loss(half, half) end, kl_div = function() return F.kl_div(half, half) end,
    huber_loss = function() return F.huber_loss(half, half) end,
    binary_cross_entropy_with_logits = function() return F.binary_cross_entropy_with_logits(half, half) end,
    prod = function() return half:prod() end, cat = function() return nl.cat {half, a} end,
    stack = function() return nl.stack {half, a} end, trace = function() return square:bfloat16():trace() end,
    cdist = function() return nl.cdist(half, half) end, quantile = function() return a:quantile(0.5) end,
    reflection = function() return F.pad(images:bfloat16(), {1, 1, 1, 1}, "reflect") end,
    inv = function() return nl.linalg.inv(square:bfloat16()) end, kron = function() return nl.kron(a, b) end,
    in_place = function() return a:clone():addmm_(a, nl.randn(4, 4)) end, gelu = function() return F.gelu(a) end,
    embedding = function() return F.embedding(labels, a) end, GRU = function() return (nn.GRU(4, 5)(a)) end,
    LSTMCell = function() return (nn.LSTMCell(4, 5)(a)) end,
  },
  float64 = {doubles = function() return a:double():mm(b:double()) end},
}

describe("autocast", function()
  for dtype, list in pairs(cases) do
    for name, f in pairs(list) do
      it(name .. " gives " .. dtype, function()
        assert.equal(nl[dtype], nl.autocast("cpu", {dtype = nl.bfloat16}, f).dtype)
      end)
    end
  end

  it("is a mode of a block, can be turned off within, and ends with errors", function()
    do
      local _ <close> = nl.autocast("cpu")
      assert.is_true(nl.is_autocast_enabled())
      do
        local _ <close> = nl.autocast {enabled = false}
        assert.is_false(nl.is_autocast_enabled())
        assert.equal(nl.float32, a:mm(b).dtype)
      end
      assert.is_false(pcall(nl.mm, a, a))
      assert.equal(nl.float16, nl.autocast("cpu", {dtype = nl.float16}, function() return a:mm(b).dtype end))
      assert.equal(nl.bfloat16, a:mm(b).dtype)
    end
    assert.equal(nl.float32, a:mm(b).dtype)
    for _, wrong in ipairs {{"gpu"}, {{dtype = nl.float32}}, {"cpu", 3}} do
      assert.is_false(pcall(nl.autocast, table.unpack(wrong)))
    end
  end)

  it("trains float32 parameters", function()
    nl.manual_seed(0)
    local net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    local optimizer, scaler = nl.optim.SGD(net:parameters(), {lr = 0.1}), nl.amp.GradScaler {init_scale = 1024.0}
    local first, last
    for _ = 1, 30 do
      optimizer:zero_grad()
      local loss = nl.autocast("cpu", function() return F.cross_entropy(net(a), labels) end)
      scaler:scale(loss):backward()
      scaler:step(optimizer)
      scaler:update()
      first, last = first or loss:item(), loss:item()
    end
    assert.equal(nl.float32, net[1].weight.grad.dtype)
    assert.is_true(last < first / 2)
  end)
end)

describe("GradScaler", function()
  it("leaves out steps that aren't finite, and moves the scale", function()
    local p = nn.Parameter(nl.tensor {1.0})
    local optimizer = nl.optim.SGD({p}, {lr = 1.0})
    local scaler = nl.amp.GradScaler {init_scale = 4.0, growth_interval = 2}
    local function step(grad)
      p.grad = nl.tensor {grad}
      scaler:step(optimizer)
      scaler:update()
    end
    step(4.0)
    assert.same({0.0}, p:tolist())
    assert.equal(4.0, scaler:get_scale())
    step(4.0)
    assert.equal(8.0, scaler:get_scale())
    step(math.huge)
    assert.same({-1.0}, p:tolist())
    assert.equal(4.0, scaler:get_scale())
    local other = nl.amp.GradScaler()
    other:load_state_dict(scaler:state_dict())
    assert.equal(4.0, other:get_scale())
    scaler:unscale_(optimizer)
    assert.is_false(pcall(scaler.unscale_, scaler, optimizer))
  end)
end)

describe("a training under autocast", function()
  it("goes as PyTorch's, but for roundings to bfloat16", function()
    nl.manual_seed(3)
    local net = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 16), nn.Softmax(-1),
      nn.Linear(16, 4))
    local optimizer = nl.optim.AdamW(net:parameters(), {lr = 1e-2})
    local x, target = nl.randn(32, 8), nl.randint(0, 4, {32}) + 1
    local scaler = nl.amp.GradScaler("cpu", {init_scale = 1024.0, growth_interval = 5})
    local expected = {[1] = 1.385265, [5] = 1.364061, [10] = 1.334099, [20] = 1.234907} -- after so many steps
    for i = 1, 20 do
      optimizer:zero_grad()
      local loss = nl.autocast("cpu", {dtype = nl.bfloat16}, function() return F.cross_entropy(net(x), target) end)
      if expected[i] then assert.is_near(expected[i], loss:item(), 5e-4) end
      scaler:scale(loss):backward()
      scaler:unscale_(optimizer)
      nn.utils.clip_grad_norm_(net:parameters(), 1.0)
      scaler:step(optimizer)
      scaler:update()
    end
    assert.equal(16384, scaler:get_scale())
  end)
end)

describe("amp.custom_fwd and custom_bwd", function()
  local function doubled(options)
    local seen, Double = {}, nl.autograd.Function "Double"
    Double.forward = nl.amp.custom_fwd(function(_, x)
      table.insert(seen, ("%s %s"):format(x.dtype, nl.is_autocast_enabled()))
      return x * 2
    end, options)
    Double.backward = nl.amp.custom_bwd({device_type = "cpu"})(function(_, dy)
      table.insert(seen, tostring(nl.is_autocast_enabled()))
      return dy * 2
    end)
    return Double, seen
  end

  it("convert arguments and turn autocast off with cast_inputs", function()
    local Double, seen = doubled {device_type = "cpu", cast_inputs = nl.float32}
    local x = nl.ones(1, {dtype = nl.bfloat16, requires_grad = true})
    nl.autocast("cpu", function() return Double.apply(x) end):sum():backward()
    Double.apply(x)
    assert.are.same({"nnlua.float32 false", "false", "nnlua.bfloat16 false"}, seen)
    assert.are.equal(2.0, x.grad:item())
  end)

  it("run as they are called without it, backward as forward", function()
    local Double, seen = doubled {device_type = "cpu"}
    local x = nl.ones(1, {requires_grad = true})
    nl.autocast("cpu", function() return Double.apply(x) end):sum():backward()
    Double.apply(x):sum():backward()
    assert.are.same({"nnlua.float32 true", "true", "nnlua.float32 false", "false"}, seen)
  end)

  it("want a device_type, and both of them", function()
    assert.has_error(function() nl.amp.custom_fwd(print, {}) end)
    assert.has_error(function() nl.amp.custom_bwd(print) end)
    local One = nl.autograd.Function "One"
    One.forward = function(_, x) return x * 2 end
    One.backward = nl.amp.custom_bwd(function(_, dy) return dy end, {device_type = "cpu"})
    assert.error_matches(function() One.apply(nl.ones(1, {requires_grad = true})):backward() end, "custom_fwd")
  end)
end)
