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
