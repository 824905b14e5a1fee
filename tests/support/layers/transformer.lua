-- Samples of the layers of lua/nnlua/nn/transformer.lua and attention.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real
local nn = nl.nn

local projection = "(out_proj): NonDynamicallyQuantizableLinear(in_features=%d, out_features=%d, bias=%s)"

local function attention(width)
  return "MultiheadAttention(\n  " .. projection:format(width, width, "True") .. "\n)"
end

--- Lines behind the first go in by two.
local function block(name, children)
  return name .. "(\n  " .. table.concat(children, "\n"):gsub("\n", "\n  ") .. "\n)"
end

--- The text of a layer of width 2 with an inner width of 3: `attentions` names its parts of attention.
local function layer_text(name, attentions, p)
  local children, norms, drops = {}, {}, {}
  for i, part in ipairs(attentions) do children[i] = ("(%s): %s"):format(part, attention(2)) end
  for i = 1, #attentions + 1 do
    norms[i] = ("(norm%d): LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)"):format(i)
    drops[i] = ("(dropout%d): Dropout(p=%s, inplace=False)"):format(i, p)
  end
  table.insert(children, "(linear1): Linear(in_features=2, out_features=3, bias=True)")
  table.insert(children, ("(dropout): Dropout(p=%s, inplace=False)"):format(p))
  table.insert(children, "(linear2): Linear(in_features=3, out_features=2, bias=True)")
  for _, list in ipairs {norms, drops} do table.move(list, 1, #list, #children + 1, children) end
  return block(name, children)
end

local encoder_layer = layer_text("TransformerEncoderLayer", {"self_attn"}, "0.1")
local decoder_layer = layer_text("TransformerDecoderLayer", {"self_attn", "multihead_attn"}, "0.1")
local norm = "(norm): LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)"

local function stack_text(name, count, layer, ...)
  local line = count == 1 and "(0): " .. layer or ("(0-%d): %d x %s"):format(count - 1, count, layer)
  return block(name, {"(layers): " .. block("ModuleList", {line}), ...})
end

local function later() return nl.ones(2, 2, {dtype = nl.bool}):triu(1) end

return {
  MultiheadAttention = function()
    local q = real(2, 2, 4)
    return {
      {4, 2, inputs = {q, q, q}, text = attention(4)},
      {4, 2, {bias = false, add_bias_kv = true, add_zero_attn = true, kdim = 3, vdim = 2, batch_first = true},
        inputs = {real(1, 2, 4), real(1, 2, 3), real(1, 2, 2), {attn_mask = later()}},
        text = block("MultiheadAttention", {projection:format(4, 4, "False")})},
      {2, 1, {dropout = 0.5}, inputs = {real(2, 1, 2), real(2, 1, 2), real(2, 1, 2), {need_weights = false,
        key_padding_mask = nl.tensor {{false, true}}}}, text = attention(2)},
    }
  end,
  TransformerEncoderLayer = function()
    return {
      {2, 1, 3, inputs = {real(2, 2, 2), later()}, text = encoder_layer},
      {2, 2, 3, 0.25, "gelu", {batch_first = true, norm_first = true}, inputs = {real(1, 2, 2)},
        text = layer_text("TransformerEncoderLayer", {"self_attn"}, "0.25")},
    }
  end,
  TransformerDecoderLayer = function()
    return {{2, 1, 3, inputs = {real(2, 2, 2), real(3, 2, 2), {tgt_mask = later()}}, text = decoder_layer}}
  end,
  TransformerEncoder = function()
    return {{nn.TransformerEncoderLayer(2, 1, 3), 2, nn.LayerNorm(2), inputs = {real(2, 1, 2)},
      text = stack_text("TransformerEncoder", 2, encoder_layer, norm)}}
  end,
  TransformerDecoder = function()
    return {{nn.TransformerDecoderLayer(2, 1, 3), 1, inputs = {real(2, 1, 2), real(2, 1, 2)},
      text = stack_text("TransformerDecoder", 1, decoder_layer)}}
  end,
  Transformer = function()
    return {{2, 1, 1, 1, 3, inputs = {real(2, 1, 2), real(2, 1, 2)}, text = block("Transformer", {
      "(encoder): " .. stack_text("TransformerEncoder", 1, encoder_layer, norm),
      "(decoder): " .. stack_text("TransformerDecoder", 1, decoder_layer, norm),
    })}}
  end,
}
