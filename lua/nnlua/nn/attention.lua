-- Attention with several heads.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local init = require "nnlua.nn.initializers"
local Linear = require "nnlua.nn.linear".Linear
local Module = require "nnlua.nn.module"
local nl = require "nnlua"

local attention = {}

local F = nl.F
local raise = core.raise

-- ----------------------------------------------------------------- function

--- What a call works on; sequences have the batch first.
---@class AttentionCall
---@field name string
---@field query Tensor
---@field key Tensor
---@field value Tensor

local function check_inputs(c)
  for _, name in ipairs {"query", "key", "value"} do
    if c[name].ndim ~= 3 then
      raise(("%s: %s has shape %s; all of query, key and value have 2 dimensions, or 3 with a batch"):format(
        c.name, name, c[name].shape))
    end
  end
  if c.query:size(3) ~= c.embed_dim then
    raise(("%s: query has shape %s, and its last dimension must be embed_dim, %d"):format(
      c.name, c.query.shape, c.embed_dim))
  end
  if c.key:size(1) ~= c.value:size(1) or c.key:size(2) ~= c.value:size(2) then
    raise(("%s: key of shape %s and value of shape %s differ in length or batch"):format(
      c.name, c.key.shape, c.value.shape))
  end
end

--- Queries, keys and values from their projections; one product serves all that come from one tensor.
local function projected(c)
  local q, k, v, w, b, n = c.query, c.key, c.value, c.in_proj_weight, c.in_proj_bias, c.embed_dim
  local function bias(first, count)
    return b and b:narrow(1, (first - 1) * n + 1, count * n)
  end
  if not w then
    return F.linear(q, c.q_proj_weight, bias(1, 1)), F.linear(k, c.k_proj_weight, bias(2, 1)),
      F.linear(v, c.v_proj_weight, bias(3, 1))
  end
  if q == k and k == v then
    return F.linear(q, w, b):split(n, 3)
  end
  local function part(x, first, count)
    return F.linear(x, w:narrow(1, (first - 1) * n + 1, count * n), bias(first, count))
  end
  if k == v then
    return part(q, 1, 1), part(k, 2, 2):split(n, 3)
  end
  return part(q, 1, 1), part(k, 2, 1), part(v, 3, 1)
end

--- A mask as what is added to scores: nothing, or -inf where a mask of bool says that a key is not to be used.
local function added(c, name, mask, dtype)
  if mask.dtype == nl.bool or mask.dtype == nl.uint8 then
    return nl.zeros(mask.shape, {dtype = dtype, device = mask.device}):masked_fill(mask:to(nl.bool), -math.huge)
  elseif not mask.dtype.is_floating_point then
    raise(("%s: %s is %s; bool or a floating point dtype is wanted"):format(c.name, name, mask.dtype))
  end
  return mask:to(dtype)
end

--- Both masks as one that is added to scores [batch, heads, queries, keys]; nil for none.
local function mask_of(c, batch, queries, keys, dtype)
  local mask = c.attn_mask
  if mask then
    local is_right = mask.ndim == 2 or (mask.ndim == 3 and mask:size(1) == batch * c.num_heads)
    if not is_right or mask:size(-2) ~= queries or mask:size(-1) ~= keys then
      raise(("%s: attn_mask has shape %s; [%d, %d] or [%d, %d, %d] is wanted"):format(
        c.name, mask.shape, queries, keys, batch * c.num_heads, queries, keys))
    end
    mask = added(c, "attn_mask", mask, dtype)
    if mask.ndim == 3 then mask = mask:reshape(batch, c.num_heads, queries, keys) end
  end
  local padding = c.key_padding_mask
  if padding then
    if padding.ndim ~= 2 or padding:size(1) ~= batch or padding:size(2) ~= keys then
      raise(("%s: key_padding_mask has shape %s; [%d, %d] is wanted"):format(c.name, padding.shape, batch, keys))
    end
    padding = added(c, "key_padding_mask", padding, dtype):reshape(batch, 1, 1, keys)
    mask = mask and mask + padding or padding
  end
  return mask
end

--- A tensor longer by one along a dimension, which every query sees: of keys, values or a mask.
local function extended(t, dim, by)
  return t and nl.cat({t, by}, dim)
end

local function zeros_behind(t, dim)
  local shape = t.shape:totable()
  shape[dim] = 1
  return nl.zeros(shape, {dtype = t.dtype, device = t.device})
end

--- What is added behind keys and values: learned ones, then zeros.
local function with_additions(c, k, v, mask)
  local additions = {}
  if c.bias_k and c.bias_v then
    local batch = k:size(1)
    table.insert(additions, {c.bias_k:expand(batch, 1, -1), c.bias_v:expand(batch, 1, -1)})
  end
  if c.add_zero_attn then
    table.insert(additions, {zeros_behind(k, 2), zeros_behind(v, 2)})
  end
  for _, addition in ipairs(additions) do
    k, v = extended(k, 2, addition[1]), extended(v, 2, addition[2])
    mask = mask and extended(mask, mask.ndim, zeros_behind(mask, mask.ndim))
  end
  return k, v, mask
end

local function attended(c, q, k, v, mask)
  local p = c.training and c.dropout_p or 0.0
  if not c.need_weights then
    return F.scaled_dot_product_attention(q, k, v, mask, p, c.is_causal)
  end
  local scores = (q / math.sqrt(q:size(-1))):matmul(k:transpose(-2, -1))
  if c.is_causal then
    local on = {device = scores.device}
    local later = nl.arange(k:size(-2), on):gt(nl.arange(q:size(-2), on):unsqueeze(2))
    scores = scores:masked_fill(later, -math.huge)
  end
  if mask then scores = scores + mask end
  local hidden = mask and scores:detach():amax(-1, true):isneginf()
  if hidden then scores = scores:masked_fill(hidden, 0) end
  local weights = scores:softmax(-1)
  if hidden then weights = weights:masked_fill(hidden, 0) end -- who sees no key attends to nothing
  weights = F.dropout(weights, p, p > 0)
  return weights:matmul(v), c.average_attn_weights and weights:sum(2) / c.num_heads or weights
end

--- The call's output, [batch, queries, embed_dim], and the weights or nil.
local function run(c)
  check_inputs(c)
  local q, k, v = projected(c)
  local batch, queries, heads = q:size(1), q:size(2), c.num_heads
  local mask = mask_of(c, batch, queries, k:size(2), q.dtype)
  k, v, mask = with_additions(c, k, v, mask)
  local function split(t)
    return t:reshape(batch, t:size(2), heads, t:size(3) // heads):transpose(2, 3)
  end
  local out, weights = attended(c, split(q), split(k), split(v), mask)
  if c.keeps_batch_first then
    out = out:transpose(2, 3):reshape(batch, queries, c.embed_dim)
    return F.linear(out, c.out_proj_weight, c.out_proj_bias), weights
  end
  out = out:permute(3, 1, 2, 4):reshape(queries, batch, c.embed_dim) -- so does PyTorch's result lie in memory
  return F.linear(out, c.out_proj_weight, c.out_proj_bias):transpose(1, 2), weights
end

--- Runs a call on sequences without a batch, with the batch second, or with the batch first.
local function run_in_order(c, batch_first)
  local is_single = c.query.ndim == 2
  local turned = {}
  for _, name in ipairs {"query", "key", "value"} do
    local t = c[name]
    if is_single then
      turned[t] = turned[t] or (t.ndim == 2 and t:unsqueeze(1) or t)
    elseif not batch_first then
      turned[t] = turned[t] or (t.ndim == 3 and t:transpose(1, 2) or t)
    end
    c[name] = turned[t] or t
  end
  if is_single and c.key_padding_mask then c.key_padding_mask = c.key_padding_mask:unsqueeze(1) end
  local out, weights = run(c)
  if is_single then
    return out:squeeze(1), weights and weights:squeeze(1)
  end
  return batch_first and out or out:transpose(1, 2), weights
end

local parse_forward = args.parser("multi_head_attention_forward", {
  {"query", "tensor"}, {"key", "tensor"}, {"value", "tensor"}, {"embed_dim_to_check", "integer"},
  {"num_heads", "integer"}, {"in_proj_weight", "tensor?"}, {"in_proj_bias", "tensor?"}, {"bias_k", "tensor?"},
  {"bias_v", "tensor?"}, {"add_zero_attn", "boolean"}, {"dropout_p", "number"}, {"out_proj_weight", "tensor"},
  {"out_proj_bias", "tensor?"}, {"training", "boolean", true}, {"key_padding_mask", "tensor?"},
  {"need_weights", "boolean", true}, {"attn_mask", "tensor?"}, {"use_separate_proj_weight", "boolean", false},
  {"q_proj_weight", "tensor?"}, {"k_proj_weight", "tensor?"}, {"v_proj_weight", "tensor?"}, {"static_k", "tensor?"},
  {"static_v", "tensor?"}, {"average_attn_weights", "boolean", true}, {"is_causal", "boolean", false},
})

--- Attention with several heads as a function of all its weights: what nn.MultiheadAttention computes.
---     > x = nl.tensor({{1.0, 0.0}, {0.0, 1.0}})
---     > weights = nl.cat({nl.zeros(4, 2), nl.eye(2)}) -- each place looks at all places alike
---     > (F.multi_head_attention_forward(x, x, x, 2, 1, weights, nil, nil, nil, false, 0.0, nl.eye(2), nil))
---     tensor([[0.5000, 0.5000],
---             [0.5000, 0.5000]])
function F.multi_head_attention_forward(...)
  local p = table.pack(parse_forward(...))
  local c = {
    name = "multi_head_attention_forward", query = p[1], key = p[2], value = p[3], embed_dim = p[4], num_heads = p[5],
    in_proj_weight = not p[18] and p[6] or nil, in_proj_bias = p[7], bias_k = p[8], bias_v = p[9],
    add_zero_attn = p[10],
    dropout_p = p[11], out_proj_weight = p[12], out_proj_bias = p[13], training = p[14], key_padding_mask = p[15],
    need_weights = p[16], attn_mask = p[17], q_proj_weight = p[19], k_proj_weight = p[20], v_proj_weight = p[21],
    average_attn_weights = p[24], is_causal = p[25],
  }
  if p[22] or p[23] then
    raise "multi_head_attention_forward: static_k and static_v are not supported"
  end
  if not c.in_proj_weight and not (c.q_proj_weight and c.k_proj_weight and c.v_proj_weight) then
    raise "multi_head_attention_forward: give in_proj_weight, or all of q_, k_ and v_proj_weight"
  end
  if c.embed_dim % c.num_heads ~= 0 then
    raise(("multi_head_attention_forward: %d elements don't divide into %d heads"):format(c.embed_dim, c.num_heads))
  end
  return run_in_order(c, false)
end

-- -------------------------------------------------------------------- layer

--- The layer behind the heads: a Linear under the name that PyTorch prints.
local OutProjection = core.class("nn.NonDynamicallyQuantizableLinear", Linear)

--- Attention with several heads: queries look keys up, and get the mean of their values, weighted by how well they fit.
--- `nn.MultiheadAttention(embed_dim, num_heads, {dropout = 0, bias = true, add_bias_kv = false, add_zero_attn = false,
--- kdim, vdim, batch_first = false})`. `attention(query, key, value, {key_padding_mask, need_weights = true, attn_mask,
--- average_attn_weights = true, is_causal = false})` takes [length, batch, width] (batch_first: [batch, length, width])
--- and gives the output and the weights. In a mask of bool, true stands for what is not to be used. With need_weights =
--- false weights are never put together, which is faster.
--- Shapes: query (L, N, E), key (S, N, kdim), value (S, N, vdim), with batch_first (N, …); results (L, N, E) and the
--- weights (N, L, S)
---     > nn.MultiheadAttention(8, 2)(nl.randn(4, 3, 8), nl.randn(5, 3, 8), nl.randn(5, 3, 8)).shape
---     [4, 3, 8]
---@class MultiheadAttention: Module
local MultiheadAttention = core.class("nn.MultiheadAttention", Module)

local parse_init = args.parser("nn.MultiheadAttention", {
  {"embed_dim", "integer"}, {"num_heads", "integer"}, {"dropout", "number", 0.0}, {"bias", "boolean", true},
  {"add_bias_kv", "boolean", false}, {"add_zero_attn", "boolean", false}, {"kdim", "integer?"}, {"vdim", "integer?"},
  {"batch_first", "boolean", false}, {"device", "any?"}, {"dtype", "any?"},
})

function MultiheadAttention:init(...)
  local width, heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim, batch_first, device, dtype
    = parse_init(...)
  if heads <= 0 or width <= 0 or width % heads ~= 0 then
    raise(("nn.MultiheadAttention: embed_dim must divide into num_heads, and %d does not into %d"):format(width, heads))
  end
  local kind = (device or dtype) and {device = device, dtype = dtype}
  self.embed_dim, self.kdim, self.vdim = width, kdim or width, vdim or width
  self.num_heads, self.dropout, self.batch_first, self.head_dim = heads, dropout, batch_first, width // heads
  local is_packed = self.kdim == width and self.vdim == width
  local function weight(name, present, ...)
    core.register_parameter(self, name, present and core.parameter(nl.empty({...}, kind)) or nil)
  end
  weight("q_proj_weight", not is_packed, width, width)
  weight("k_proj_weight", not is_packed, width, self.kdim)
  weight("v_proj_weight", not is_packed, width, self.vdim)
  weight("in_proj_weight", is_packed, 3 * width, width)
  weight("in_proj_bias", bias, 3 * width)
  self.out_proj = OutProjection(width, width, {bias = bias, device = device, dtype = dtype})
  weight("bias_k", add_bias_kv, 1, 1, width)
  weight("bias_v", add_bias_kv, 1, 1, width)
  self.add_zero_attn = add_zero_attn
  self:_reset_parameters()
end

--- Draws the weights anew; the output's weight stays.
function MultiheadAttention:_reset_parameters()
  for _, name in ipairs {"in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"} do
    if self[name] then init.xavier_uniform_(self[name]) end
  end
  if self.in_proj_bias then
    init.zeros_(self.in_proj_bias)
    init.zeros_(self.out_proj.bias)
  end
  for _, name in ipairs {"bias_k", "bias_v"} do
    if self[name] then init.xavier_normal_(self[name]) end
  end
end

local parse_call = args.parser("nn.MultiheadAttention", {
  {"query", "tensor"}, {"key", "tensor"}, {"value", "tensor"}, {"key_padding_mask", "tensor?"},
  {"need_weights", "boolean", true}, {"attn_mask", "tensor?"}, {"average_attn_weights", "boolean", true},
  {"is_causal", "boolean", false},
})

--- Whether PyTorch runs its fused inference, whose result lies with the batch first.
local function is_fused_inference(self, query, key, value, padding, mask)
  local is_plain = self.batch_first and not self.training and query == key and key == value and query.ndim == 3
    and self.in_proj_weight and self.in_proj_bias and self.num_heads % 2 == 0 and not self.bias_k
    and not self.add_zero_attn
  if not is_plain or mask and mask.dtype.is_floating_point or padding and padding.dtype.is_floating_point then
    return false
  elseif not nl.is_grad_enabled() then
    return true
  end
  for _, t in ipairs {query, self.in_proj_weight, self.in_proj_bias, self.out_proj.weight, self.out_proj.bias} do
    if t.requires_grad then return false end
  end
  return true
end

function MultiheadAttention:forward(...)
  local query, key, value, padding, need_weights, mask, average, is_causal = parse_call(...)
  return run_in_order({
    name = "nn.MultiheadAttention", query = query, key = key, value = value, embed_dim = self.embed_dim,
    num_heads = self.num_heads, in_proj_weight = self.in_proj_weight, in_proj_bias = self.in_proj_bias,
    q_proj_weight = self.q_proj_weight, k_proj_weight = self.k_proj_weight, v_proj_weight = self.v_proj_weight,
    bias_k = self.bias_k, bias_v = self.bias_v, add_zero_attn = self.add_zero_attn, dropout_p = self.dropout,
    out_proj_weight = self.out_proj.weight, out_proj_bias = self.out_proj.bias, training = self.training,
    key_padding_mask = padding, need_weights = need_weights, attn_mask = mask, average_attn_weights = average,
    is_causal = is_causal, keeps_batch_first = is_fused_inference(self, query, key, value, padding, mask),
  }, self.batch_first)
end

attention.MultiheadAttention = MultiheadAttention

return attention
