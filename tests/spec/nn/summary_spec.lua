-- nn.summary: counts, shapes, shared and frozen parameters, and that a network is as it was.
local nl = require "nnlua"
local nn = nl.nn

local Block = nn.class "Block"
function Block:init(channels)
  self.conv = nn.Conv2d(channels, channels, 3, {padding = 1})
  self.norm = nn.BatchNorm2d(channels)
  self.drop = nn.Dropout(0.5)
end
function Block:forward(x) return self.drop(self.norm(self.conv(x))) + x end

local function convolutional()
  return nn.Sequential(nn.Conv2d(3, 8, 3, {padding = 1}), Block(8), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(8, 5))
end

local function layer(summary, name)
  for _, one in ipairs(summary.layers) do
    if one.name == name then return one end
  end
end

describe("nn.summary", function()
  it("counts parameters, multiply-adds and bytes", function()
    local s = nn.summary(convolutional(), nl.randn(2, 3, 6, 6))
    local conv, inner, norm, linear = 8 * 3 * 9 + 8, 8 * 8 * 9 + 8, 16, 8 * 5 + 5
    assert.equal(conv + inner + norm + linear, s.total_params)
    assert.equal(s.total_params, s.trainable_params)
    assert.equal(4 * s.total_params, s.total_param_bytes)
    local pixels = 2 * 6 * 6
    assert.equal(pixels * 8 * 3 * 9 + pixels * 8 * 8 * 9 + 2 * 8 * 5, s.total_mult_adds)
    assert.equal(4 * pixels * 3, s.total_input_bytes)
    -- the first convolution, the three of the block, pool, flatten, linear; there and back
    assert.equal(2 * 4 * (4 * pixels * 8 + 2 * 8 + 2 * 8 + 2 * 5), s.total_output_bytes)
  end)

  it("tells the shapes of every layer, by depth", function()
    local s = nn.summary(convolutional(), {2, 3, 6, 6})
    local conv, pool = layer(s, "conv"), layer(s, "2")
    assert.same({2, "Conv2d", {{2, 8, 6, 6}}, {{2, 8, 6, 6}}}, {conv.depth, conv.class, conv.input_size,
      conv.output_size})
    assert.same({{2, 8, 1, 1}}, pool.output_size)
    assert.equal(0, s.layers[1].depth)
    assert.equal(s.total_mult_adds, s.layers[1].mult_adds)
    assert.equal(2 * 6 * 6 * 8 * 8 * 9, layer(s, "1").mult_adds)
  end)

  it("leaves the network as it was", function()
    local net = convolutional()
    net[2]:eval()
    nl.manual_seed(5)
    local random, before = nl.get_rng_state(), {}
    for name, buffer in net:named_buffers() do before[name] = buffer:clone() end
    local calls = 0
    local hook = net:register_forward_hook(function() calls = calls + 1 end)
    nn.summary(net, nl.ones(2, 3, 6, 6))
    assert.equal(random, nl.get_rng_state())
    for name, buffer in net:named_buffers() do assert.is_true(nl.equal(before[name], buffer), name) end
    assert.same({true, false, false, true}, {net.training, net[2].training, net[2].drop.training, net[5].training})
    for _, p in net:named_parameters() do assert.is_nil(p.grad) end
    net(nl.ones(2, 3, 6, 6))
    assert.equal(2, calls)
    hook:remove()
    assert.is_true(nl.is_grad_enabled())
  end)

  it("leaves it so after an error", function()
    local net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(4, 2))
    local works, message = pcall(nn.summary, net, {2, 3})
    assert.is_false(works)
    assert.matches("linear", message)
    assert.is_true(net.training and net[1].training)
    net[2] = nn.Linear(3, 2)
    assert.equal(2, nn.summary(net, {2, 3}).layers[1].output_size[1][2])
  end)

  it("counts what is shared once", function()
    local shared = nn.Linear(4, 4)
    local net = nn.Sequential(nn.Sequential(shared, nn.ReLU()), nn.Sequential(shared, nn.Tanh()))
    local s = nn.summary(net, {3, 4})
    assert.equal(20, s.total_params)
    assert.equal(2 * 3 * 4 * 4, s.total_mult_adds)
    assert.equal(2, s.layers[3].calls)
    assert.is_true(s.layers[6].shared)
    assert.matches("shared", tostring(s))
    local tied = nn.Sequential(nn.Linear(4, 4, {bias = false}), nn.Linear(4, 4, {bias = false}))
    tied[2].weight = tied[1].weight
    assert.equal(16, nn.summary(tied).total_params)
  end)

  it("tells what is frozen", function()
    local net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    net[1]:requires_grad_(false)
    local s = nn.summary(net, {3, 4})
    assert.equal(10, s.trainable_params)
    assert.equal(30, s.total_params)
    assert.matches("(20)", tostring(s), 1, true)
    assert.matches("Non%-trainable params +20", tostring(s))
  end)

  it("takes several inputs, sizes, dtypes, and none", function()
    local bilinear = nn.Bilinear(2, 3, 4)
    assert.same({5, 4}, nn.summary(bilinear, nl.ones(5, 2), nl.ones(5, 3)).layers[1].output_size[1])
    assert.same({5, 4}, nn.summary(bilinear, {input_size = {{5, 2}, {5, 3}}}).layers[1].output_size[1])
    assert.same({5, 3}, nn.summary(nn.Embedding(7, 3), {5}, {dtype = nl.int64}).layers[1].output_size[1])
    local s = nn.summary(bilinear)
    assert.equal(28, s.total_params)
    assert.is_nil(s.total_mult_adds)
    assert.has_error(function() nn.summary(bilinear, nl.ones(5, 2), {input_size = {5, 2}}) end)
    assert.has_error(function() nn.summary(nl.ones(2)) end)
    assert.has_error(function() nn.summary(nn.LazyLinear(3), {2, 2}) end)
  end)

  it("counts recurrent layers and attention", function()
    local s = nn.summary(nn.LSTM(4, 8), {5, 2, 4})
    assert.equal(5 * 2 * (4 * 8 * 4 + 4 * 8 * 8), s.total_mult_adds)
    local attention = nn.summary(nn.MultiheadAttention(8, 2), {3, 1, 8}, {3, 1, 8}, {3, 1, 8})
    assert.is_true(attention.total_mult_adds >= 4 * 3 * 8 * 8)
  end)

  it("counts multiply-adds as a program does", function()
    local net, x = convolutional():eval(), nl.randn(2, 3, 6, 6)
    local told = tostring(nl.program.trace(net, x)):match "([%d.]+ k) multiply%-adds[^\n]*$"
    local total = nn.summary(net, x).total_mult_adds
    assert.equal(("%.1f k"):format(total / 1000), told)
  end)

  it("fits any width, and is cut at a depth", function()
    local net = convolutional()
    for _, width in ipairs {40, 60, 80, 160} do
      for line in tostring(nn.summary(net, {2, 3, 6, 6}, {width = width})):gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= width, line)
      end
    end
    local text = tostring(nn.summary(net, {2, 3, 6, 6}, {width = 100, depth = 1}))
    assert.is_nil(text:find("norm", 1, true))
    assert.matches("Block[^\n]* 600 ", text)
  end)

  it("works within a profile, which goes on", function()
    local net, x = nn.Linear(2, 2), nl.ones(1, 2)
    local prof = nl.profiler.profile(function()
      net(x)
      assert.equal(4, nn.summary(net, x).total_mult_adds)
      net(x)
    end)
    for _, average in ipairs(prof:key_averages()) do
      if average.key == "linear" then assert.equal(2, average.count) end
    end
  end)
end)
