-- nn.MultiheadAttention: what the oracle's cases don't reach.
local nl = require "nnlua"
local nn = nl.nn

local function assert_close(a, b, tolerance)
  assert.equal(a.shape, b.shape)
  local distance = a:numel() == 0 and 0 or (a - b):norm(math.huge):item()
  assert(distance <= tolerance, ("off by %g"):format(distance))
end

local function draw(...)
  return nl.randn({...}, {dtype = nl.float64})
end

describe("nn.MultiheadAttention", function()
  setup(function() nl.manual_seed(5) end)

  it("gives the same with and without weights", function()
    local net = nn.MultiheadAttention(12, 3,
      {dtype = nl.float64, add_bias_kv = true, add_zero_attn = true, batch_first = true})
    local q, k = draw(2, 5, 12), draw(2, 7, 12)
    local padding = nl.tensor {
      {false, false, false, false, false, true, true}, {false, true, false, false, false, false, false},
    }
    local mask = nl.rand(5, 7):gt(0.8)
    local with, weights = net(q, k, k, {key_padding_mask = padding, attn_mask = mask})
    local without, none = net(q, k, k, {key_padding_mask = padding, attn_mask = mask, need_weights = false})
    assert_close(with, without, 1e-12)
    assert.is_nil(none)
    assert.same({2, 5, 9}, weights.shape:totable())
    assert_close(net(q, q, q, {is_causal = true}), net(q, q, q, {is_causal = true, need_weights = false}), 1e-12)
  end)

  it("tells what doesn't fit", function()
    local net = nn.MultiheadAttention(4, 2)
    local function fails(text, ...)
      local ok, message = pcall(...)
      assert.is_false(ok)
      assert.truthy(tostring(message):find(text, 1, true), message)
    end
    local x = nl.randn(3, 2, 4)
    fails("embed_dim, 4", net, nl.randn(3, 2, 5), x, x)
    fails("differ in length or batch", net, x, x, nl.randn(4, 2, 4))
    fails("attn_mask has shape [2, 2]", net, x, x, x, {attn_mask = nl.zeros(2, 2)})
    fails("key_padding_mask has shape [3, 2]", net, x, x, x, {key_padding_mask = nl.zeros(3, 2)})
    fails("bool or a floating point dtype", net, x, x, x, {attn_mask = nl.zeros({3, 3}, {dtype = nl.int64})})
    fails("must divide", nn.MultiheadAttention, 4, 3)
  end)
end)
