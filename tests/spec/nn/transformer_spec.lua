-- Transformers; values and gradients are in the oracle's cases. Sums are those of PyTorch 2.15.
local nl = require "nnlua"
local nn = nl.nn

describe("Transformer", function()
  it("draws its parameters as PyTorch does", function()
    nl.manual_seed(3)
    local net, total = nn.Transformer(8, 2, 1, 1, 16), 0
    for _, parameter in net:named_parameters() do total = total + parameter:sum():item() end
    assert.is_near(67.779592, total, 1e-5)
    assert.is_near(3.885716, net.decoder.layers[1].multihead_attn.in_proj_weight:sum():item(), 1e-5)
    assert.is_near(-2.478261, nn.TransformerEncoderLayer(4, 2, 8).linear2.weight:sum():item(), 1e-5)
  end)

  it("does not see later steps through its mask", function()
    local net = nn.Transformer(8, 2, 1, 1, 16, 0.0, {batch_first = true})
    local mask = nn.Transformer.generate_square_subsequent_mask(4)
    local source, target = nl.randn(2, 3, 8), nl.randn(2, 4, 8)
    local before = net(source, target, {tgt_mask = mask})
    target[{{}, 4}] = 5.0
    local after = net(source, target, {tgt_mask = mask})
    assert.is_true(nl.equal(before[{{}, {1, 3}}], after[{{}, {1, 3}}]))
    assert.is_false(nl.allclose(before[{{}, 4}], after[{{}, 4}]))
  end)

  describe("'s encoder", function()
    local zero = {0.0, 0.0, 0.0, 0.0}
    local first = {{-1.1297, -0.0718, -0.3984, 1.5999}, {0.6125, 1.2551, -1.3246, -0.5430},
      {0.9939, 0.0986, -1.6430, 0.5505}}
    local without_padding = {first[1], first[2], first[3], zero, zero}
    local with_padding = {first[1], first[2], first[3], {-1.4683, 1.2438, -0.2563, 0.4809},
      {1.5708, -1.1645, 0.0134, -0.4198}}
    local encoder, x, mask

    before_each(function()
      nl.manual_seed(0)
      local layer = nn.TransformerEncoderLayer(4, 2, 8, {dropout = 0.0, batch_first = true})
      encoder = nn.TransformerEncoder(layer, 2):eval()
      x = nl.randn(3, 5, 4)
      mask = nl.tensor {{0, 0, 0, 1, 1}, {0, 0, 0, 0, 1}, {0, 0, 1, 1, 1}}:ne(0)
    end)

    local function assert_first(expected, y, row)
      assert.is_true(nl.allclose(y[row or 1], nl.tensor(expected), 0, 6e-5), tostring(y[row or 1]))
    end

    local function encode(padding) return nl.no_grad(function() return encoder(x, nil, padding) end) end

    it("leaves padding out where no gradients are recorded", function()
      assert_first(without_padding, encode(mask))
      assert_first(without_padding, encode(nl.zeros(3, 5):masked_fill(mask, -5.0)))
      x[{1, 5}] = 0 / 0
      assert_first(without_padding, encode(mask))
      encoder.norm = nn.LayerNorm(4, {bias = false})
      assert_first(without_padding, encode(mask))
      mask[2] = true
      assert_first({zero, zero, zero, zero, zero}, encode(mask), 2)
      encoder:requires_grad_(false)
      assert_first(without_padding, encoder(x, nil, mask))
    end)

    it("works on it elsewhere", function()
      assert_first(with_padding, encoder(x, nil, mask))
      assert_first(with_padding, nl.no_grad(encoder, x, nl.zeros(5, 5):ne(0), mask))
      assert_first(with_padding, nl.no_grad(encoder, x[1], nil, mask[1]):unsqueeze(1))
      nl.backends.mha.set_fastpath_enabled(false)
      local y = encode(mask)
      nl.backends.mha.set_fastpath_enabled(true)
      assert_first(with_padding, y)
      encoder.use_nested_tensor = false
      assert_first(with_padding, encode(mask))
    end)

    it("takes a mask for one of padding at the end where it isn't checked", function()
      assert_first({{-1.0646, -0.1803, -0.3922, 1.6371}, {0.8474, 1.1223, -1.1879, -0.7819},
        {1.1251, 0.0065, -1.5890, 0.4573}, {-1.3975, 1.3990, -0.2124, 0.2108},
        {1.6028, -0.9082, 0.0798, -0.7744}}, encode(mask:flip(2)))
      encoder.mask_check = false
      assert_first(without_padding, encode(mask:flip(2)))
    end)

    it("tells whether it can leave padding out", function()
      local function can(options, ...)
        return nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, options), 1, ...).use_nested_tensor
      end
      assert.is_true(can {batch_first = true})
      assert.is_true(can {batch_first = true, activation = nn.GELU()})
      assert.is_false(can {dropout = 0.0})
      assert.is_false(can {batch_first = true, norm_first = true})
      assert.is_false(can {batch_first = true, bias = false})
      assert.is_false(can {batch_first = true, activation = nl.tanh})
      assert.is_false(can({batch_first = true}, {enable_nested_tensor = false}))
      local odd = nn.TransformerEncoderLayer(4, 1, 8, {batch_first = true})
      assert.is_false(nn.TransformerEncoder(odd, 1).use_nested_tensor)
    end)
  end)

  it("learns in layers of its own", function()
    local layer = nn.TransformerEncoderLayer(8, 2, 16)
    local net = nn.TransformerEncoder(layer, 2)
    assert.is_true(nl.equal(net.layers[1].linear1.weight, net.layers[2].linear1.weight))
    net(nl.randn(3, 2, 8)):pow(3):sum():backward()
    assert.is_nil(layer.linear1.weight.grad)
    assert.is_false(nl.equal(net.layers[1].linear1.weight.grad, net.layers[2].linear1.weight.grad))
  end)

  it("says what it can't take", function()
    assert.error_matches(function() nn.TransformerEncoderLayer(4, 2, {activation = "tanh"}) end, "activation is 'relu'")
    assert.error_matches(function() nn.TransformerEncoder(nl.ones(2), 2) end, "encoder_layer must be a module")
    assert.error_matches(function() nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2), -1) end,
      "num_layers must be from 0 to 65536")
    local net = nn.Transformer(4, 2, 1, 1, 8)
    assert.error_matches(function() net(nl.ones(2, 3, 5), nl.ones(2, 3, 4)) end, "last dimension must be d_model, 4")
    assert.error_matches(function() net(nl.ones(2, 2, 4), nl.ones(2, 3, 4)) end, "differ in batch")
  end)
end)
