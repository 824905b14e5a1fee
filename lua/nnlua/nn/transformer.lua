-- Transformers: layers of attention and of two Linears, as "Attention Is All You Need" has them.

local activation_layers = require "nnlua.nn.activation"
local args = require "nnlua.args"
local attention = require "nnlua.nn.attention"
local backends = require "nnlua.backends"
local containers = require "nnlua.nn.containers"
local copy = require "nnlua.nn.copy"
local core = require "nnlua.nn.core"
local dropout = require "nnlua.nn.dropout"
local func = require "nnlua.func.core"
local init = require "nnlua.nn.initializers"
local linear = require "nnlua.nn.linear"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local normalization = require "nnlua.nn.normalization"

local transformer = {}

local F = nl.F
local raise = core.raise

local activations = {relu = F.relu, gelu = F.gelu}

--- A function from its name or itself.
local function activation_of(name, activation)
  if type(activation) == "function" or core.is_module(activation) then
    return activation
  end
  return activations[activation]
    or raise(("%s: activation is 'relu', 'gelu' or a function, not %s"):format(name, tostring(activation)))
end

local function is_relu_or_gelu(activation)
  if core.is_module(activation) then
    return activation:is_a(activation_layers.ReLU) or activation:is_a(activation_layers.GELU)
  end
  return activation == F.relu or activation == F.gelu
end

-- ------------------------------------------------------------------- layers

local layer_arguments = {
  {"d_model", "integer"}, {"nhead", "integer"}, {"dim_feedforward", "integer", 2048}, {"dropout", "number", 0.1},
  {"activation", "any", "relu"}, {"layer_norm_eps", "number", 1e-5}, {"batch_first", "boolean", false},
  {"norm_first", "boolean", false}, {"bias", "boolean", true}, {"device", "any?"}, {"dtype", "any?"},
}

--- What both kinds of layers have: `attentions` names their parts of attention, each with a norm and a dropout.
local function build(self, name, attentions, width, heads, inner, p, activation, eps, batch_first, norm_first, bias,
                     device, dtype)
  local kind = {bias = bias, device = device, dtype = dtype}
  for _, part in ipairs(attentions) do
    self[part] = attention.MultiheadAttention(width, heads,
      {dropout = p, bias = bias, batch_first = batch_first, device = device, dtype = dtype})
  end
  self.linear1 = linear.Linear(width, inner, kind)
  self.dropout = dropout.Dropout(p)
  self.linear2 = linear.Linear(inner, width, kind)
  self.norm_first = norm_first
  for i = 1, #attentions + 1 do
    self["norm" .. i] = normalization.LayerNorm(width, {eps = eps, bias = bias, device = device, dtype = dtype})
  end
  for i = 1, #attentions + 1 do
    self["dropout" .. i] = dropout.Dropout(p)
  end
  self.activation = activation_of(name, activation)
end

--- x with what a block makes of it added, and normalised: the input of the block if norm_first, else the sum.
local function residual(self, i, x, block)
  local norm, drop = self["norm" .. i], self["dropout" .. i]
  if self.norm_first then
    return x + drop(block(norm(x)))
  end
  return norm(x + drop(block(x)))
end

local function feed_forward(self)
  return function(x) return self.linear2(self.dropout(self.activation(self.linear1(x)))) end
end

--- One layer of an encoder: attention of the source to itself, then two Linears, each added to its input and
--- normalised. `nn.TransformerEncoderLayer(d_model, nhead, {dim_feedforward = 2048, dropout = 0.1, activation = "relu",
--- layer_norm_eps = 1e-5, batch_first = false, norm_first = false, bias = true})`. `layer(src, src_mask,
--- src_key_padding_mask, is_causal)`.
--- Shapes: as TransformerEncoder
---     > nn.TransformerEncoderLayer(8, 2, 16)(nl.randn(4, 2, 8)).shape
---     [4, 2, 8]
---@class TransformerEncoderLayer: Module
local EncoderLayer = core.class("nn.TransformerEncoderLayer", Module)

local parse_encoder_layer = args.parser("nn.TransformerEncoderLayer", layer_arguments)

function EncoderLayer:init(...)
  build(self, "nn.TransformerEncoderLayer", {"self_attn"}, parse_encoder_layer(...))
end

local parse_encoder_call = args.parser("nn.TransformerEncoderLayer", {
  {"src", "tensor"}, {"src_mask", "tensor?"}, {"src_key_padding_mask", "tensor?"}, {"is_causal", "boolean", false},
})

function EncoderLayer:forward(...)
  local x, mask, padding, is_causal = parse_encoder_call(...)
  x = residual(self, 1, x, function(y)
    return (self.self_attn(y, y, y,
      {attn_mask = mask, key_padding_mask = padding, need_weights = false, is_causal = is_causal}))
  end)
  return residual(self, 2, x, feed_forward(self))
end

transformer.TransformerEncoderLayer = EncoderLayer

--- One layer of a decoder: attention of the target to itself, then to the encoder's memory, then two Linears.
--- `nn.TransformerDecoderLayer(d_model, nhead, {…})` as nn.TransformerEncoderLayer. `layer(tgt, memory, {tgt_mask,
--- memory_mask, tgt_key_padding_mask, memory_key_padding_mask})`.
--- Shapes: as TransformerDecoder
---     > nn.TransformerDecoderLayer(8, 2, 16)(nl.randn(3, 2, 8), nl.randn(4, 2, 8)).shape
---     [3, 2, 8]
---@class TransformerDecoderLayer: Module
local DecoderLayer = core.class("nn.TransformerDecoderLayer", Module)

local parse_decoder_layer = args.parser("nn.TransformerDecoderLayer", layer_arguments)

function DecoderLayer:init(...)
  build(self, "nn.TransformerDecoderLayer", {"self_attn", "multihead_attn"}, parse_decoder_layer(...))
end

local decoder_call = {
  {"tgt", "tensor"}, {"memory", "tensor"}, {"tgt_mask", "tensor?"}, {"memory_mask", "tensor?"},
  {"tgt_key_padding_mask", "tensor?"}, {"memory_key_padding_mask", "tensor?"},
}

local parse_decoder_call = args.parser("nn.TransformerDecoderLayer", decoder_call)

function DecoderLayer:forward(...)
  local x, memory, mask, memory_mask, padding, memory_padding = parse_decoder_call(...)
  x = residual(self, 1, x, function(y)
    return (self.self_attn(y, y, y, {attn_mask = mask, key_padding_mask = padding, need_weights = false}))
  end)
  x = residual(self, 2, x, function(y)
    return (self.multihead_attn(y, memory, memory,
      {attn_mask = memory_mask, key_padding_mask = memory_padding, need_weights = false}))
  end)
  return residual(self, 3, x, feed_forward(self))
end

transformer.TransformerDecoderLayer = DecoderLayer

-- ------------------------------------------------------------------- stacks

--- A stack of copies of a layer, and a norm behind them or nil.
local function stack(self, name, layer, count, norm)
  args.check_layers(name, "num_layers", count, 0)
  local layers = {}
  for i = 1, count do
    layers[i] = copy(layer)
  end
  self.layers, self.num_layers = containers.ModuleList(layers), count
  self.norm = norm
end

local function arguments(name, layer, more)
  local list = {{layer, "module"}, {"num_layers", "integer"}, {"norm", "module?"}}
  return args.parser(name, table.move(more, 1, #more, #list + 1, list))
end

--- Why an encoder of such layers can't go without padding; nil if it can.
local function why_not_nested(layer)
  if not layer:is_a(EncoderLayer) then return "encoder_layer is no TransformerEncoderLayer" end
  local attended = layer.self_attn
  return layer.norm_first and "encoder_layer has norm_first"
    or not attended.batch_first and "encoder_layer has no batch_first"
    or not attended.in_proj_bias and "encoder_layer has no bias"
    or not is_relu_or_gelu(layer.activation) and "encoder_layer's activation is neither relu nor gelu"
    or layer.norm1.eps ~= layer.norm2.eps and "the norms of encoder_layer differ in eps"
    or attended.num_heads % 2 == 1 and "encoder_layer has an odd number of heads"
    or nil
end

--- Whether gradients of what the first layer works with are recorded, but for its dropouts.
local function records(layer, x)
  if not nl.is_grad_enabled() then return false end
  if x.requires_grad then return true end
  for _, parameter in layer:named_parameters() do
    if parameter.requires_grad then return true end
  end
  return false
end

--- Whether each row has its padding behind all that counts.
local function is_left_aligned(counts)
  local n = counts:size(2)
  return n < 2 or not (counts[{{}, {2, n}}] & ~counts[{{}, {1, n - 1}}]):any():item()
end

--- Where there is padding, if the encoder leaves it out: each row then has as many elements as its mask lets count,
--- the first ones. PyTorch does this, under these conditions, by nested tensors.
local function left_out(self, x, mask, padding)
  local first = self.layers[1]
  if not (self.use_nested_tensor and first and padding) or mask or first.training or x.ndim ~= 3 then return nil end
  if not backends.mha.get_fastpath_enabled() or nl.is_autocast_enabled() or records(first, x) then return nil end
  local whole = x.device.type == "cpu" and not (func.is_stand_in(x) or func.is_stand_in(padding))
  if not whole or padding.ndim ~= 2 or padding:size(1) ~= x:size(1) or padding:size(2) ~= x:size(2) then return nil end
  local counts = padding:eq(0)
  if self.mask_check and not is_left_aligned(counts) then return nil end
  return nl.arange(1, x:size(2) + 1):gt(counts:sum(2, true))
end

--- Copies of an encoder layer, one after the other. `nn.TransformerEncoder(encoder_layer, num_layers, norm,
--- enable_nested_tensor = true, mask_check = true)`. `encoder(src, mask, src_key_padding_mask)`.
---
--- In eval mode, where no gradients are recorded, results at padding are 0 (what `norm` makes of it), as in PyTorch,
--- unless enable_nested_tensor is false: for layers with batch_first, without norm_first, given a src_key_padding_mask
--- alone whose rows have their padding at the end. With mask_check = false a mask is taken to be such a one.
--- Shapes: src (S, N, E), with batch_first (N, S, E); result the same
---     > nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)(nl.randn(4, 2, 8)).shape
---     [4, 2, 8]
---@class TransformerEncoder: Module
local Encoder = core.class("nn.TransformerEncoder", Module)

local parse_encoder = arguments("nn.TransformerEncoder", "encoder_layer",
  {{"enable_nested_tensor", "boolean", true}, {"mask_check", "boolean", true}})

function Encoder:init(...)
  local layer, count, norm, nested, mask_check = parse_encoder(...)
  stack(self, "nn.TransformerEncoder", layer, count, norm)
  local why = nested and why_not_nested(layer)
  if why then warn("nnlua: nn.TransformerEncoder: enable_nested_tensor is true, but without effect: ", why) end
  self.enable_nested_tensor, self.use_nested_tensor, self.mask_check = nested, nested and not why, mask_check
end

local parse_stack_call = args.parser("nn.TransformerEncoder", {
  {"src", "tensor"}, {"mask", "tensor?"}, {"src_key_padding_mask", "tensor?"}, {"is_causal", "boolean", false},
})

function Encoder:forward(...)
  local x, mask, padding, is_causal = parse_stack_call(...)
  local out = left_out(self, x, mask, padding)
  if out then -- no element of what is left out can get into others, be it nan
    x, padding, is_causal = x:masked_fill(out:unsqueeze(-1), 0), out, false
  end
  for _, layer in ipairs(self.layers) do
    x = layer(x, mask, padding, is_causal)
  end
  if out then x = x:masked_fill(out:unsqueeze(-1), 0) end
  return self.norm and self.norm(x) or x
end

transformer.TransformerEncoder = Encoder

--- Copies of a decoder layer, one after the other. `nn.TransformerDecoder(decoder_layer, num_layers, norm)`.
--- `decoder(tgt, memory, {tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask})`.
--- Shapes: tgt (T, N, E), memory (S, N, E), with batch_first (N, …); result as tgt
---     > nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2)(nl.randn(3, 2, 8), nl.randn(4, 2, 8)).shape
---     [3, 2, 8]
---@class TransformerDecoder: Module
local Decoder = core.class("nn.TransformerDecoder", Module)

local parse_decoder = arguments("nn.TransformerDecoder", "decoder_layer", {})

function Decoder:init(...)
  stack(self, "nn.TransformerDecoder", parse_decoder(...))
end

local parse_decoder_stack = args.parser("nn.TransformerDecoder", decoder_call)

function Decoder:forward(...)
  local x, memory, mask, memory_mask, padding, memory_padding = parse_decoder_stack(...)
  for _, layer in ipairs(self.layers) do
    x = layer(x, memory, mask, memory_mask, padding, memory_padding)
  end
  return self.norm and self.norm(x) or x
end

transformer.TransformerDecoder = Decoder

-- ---------------------------------------------------------------- the whole

--- An encoder and a decoder. `nn.Transformer(d_model = 512, nhead = 8, num_encoder_layers = 6, num_decoder_layers = 6,
--- {dim_feedforward = 2048, dropout = 0.1, activation = "relu", custom_encoder, custom_decoder, layer_norm_eps = 1e-5,
--- batch_first = false, norm_first = false, bias = true})`. `net(src, tgt, {src_mask, tgt_mask, memory_mask,
--- src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask})`.
--- Shapes: src (S, N, E), tgt (T, N, E), with batch_first (N, …); result as tgt
---     > nn.Transformer(8, 2, 1, 1, 16)(nl.randn(4, 2, 8), nl.randn(3, 2, 8)).shape
---     [3, 2, 8]
---@class Transformer: Module
local Transformer = core.class("nn.Transformer", Module)

local parse_transformer = args.parser("nn.Transformer", {
  {"d_model", "integer", 512}, {"nhead", "integer", 8}, {"num_encoder_layers", "integer", 6},
  {"num_decoder_layers", "integer", 6}, {"dim_feedforward", "integer", 2048}, {"dropout", "number", 0.1},
  {"activation", "any", "relu"}, {"custom_encoder", "module?"}, {"custom_decoder", "module?"},
  {"layer_norm_eps", "number", 1e-5}, {"batch_first", "boolean", false}, {"norm_first", "boolean", false},
  {"bias", "boolean", true}, {"device", "any?"}, {"dtype", "any?"},
})

function Transformer:init(...)
  local width, heads, encoders, decoders, inner, p, activation, encoder, decoder, eps, batch_first, norm_first, bias,
    device, dtype = parse_transformer(...)
  local function layer_of(class)
    return class(width, heads, {dim_feedforward = inner, dropout = p, activation = activation, layer_norm_eps = eps,
      batch_first = batch_first, norm_first = norm_first, bias = bias, device = device, dtype = dtype})
  end
  local function norm()
    return normalization.LayerNorm(width, {eps = eps, bias = bias, device = device, dtype = dtype})
  end
  self.encoder = encoder or Encoder(layer_of(EncoderLayer), encoders, norm())
  self.decoder = decoder or Decoder(layer_of(DecoderLayer), decoders, norm())
  self.d_model, self.nhead, self.batch_first = width, heads, batch_first
  for _, parameter in self:named_parameters() do
    if parameter.ndim > 1 then init.xavier_uniform_(parameter) end
  end
end

local parse_mask = args.parser("nn.Transformer.generate_square_subsequent_mask", {{"size", "integer"}})

--- A mask for steps that must not see later ones: 0 up to the step itself, -inf behind.
--- `nn.Transformer.generate_square_subsequent_mask(size)`.
---     > nn.Transformer.generate_square_subsequent_mask(2)
---     tensor([[0., -inf],
---             [0., 0.]])
---@param size integer
---@return Tensor
function Transformer.generate_square_subsequent_mask(...)
  local size = parse_mask(...)
  return nl.full({size, size}, -math.huge):triu(1)
end

local parse_transformer_call = args.parser("nn.Transformer", {
  {"src", "tensor"}, {"tgt", "tensor"}, {"src_mask", "tensor?"}, {"tgt_mask", "tensor?"}, {"memory_mask", "tensor?"},
  {"src_key_padding_mask", "tensor?"}, {"tgt_key_padding_mask", "tensor?"}, {"memory_key_padding_mask", "tensor?"},
})

function Transformer:forward(...)
  local source, target, source_mask, target_mask, memory_mask, source_padding, target_padding, memory_padding =
    parse_transformer_call(...)
  local batch = self.batch_first and 1 or 2
  if source.ndim == 3 and target.ndim == 3 and source:size(batch) ~= target:size(batch) then
    raise(("nn.Transformer: src of shape %s and tgt of shape %s differ in batch"):format(source.shape, target.shape))
  end
  if source:size(-1) ~= self.d_model or target:size(-1) ~= self.d_model then
    raise(("nn.Transformer: src has shape %s and tgt %s: the last dimension must be d_model, %d"):format(
      source.shape, target.shape, self.d_model))
  end
  local memory = self.encoder(source, source_mask, source_padding)
  return self.decoder(target, memory, target_mask, memory_mask, target_padding, memory_padding)
end

transformer.Transformer = Transformer

return transformer
