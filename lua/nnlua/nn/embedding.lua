-- Layers that look rows up in tables.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local init = require "nnlua.nn.initializers"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local embedding = {}

local F = nl.F
local raise = core.raise

--- A position in a table of so many rows, counted from its end if negative, as one from 1 on.
local function row_of(name, position, rows)
  if position == 0 or position > rows or position < -rows then
    raise(("%s: padding_idx is %d; the %d rows count from 1"):format(name, position, rows))
  end
  return position < 0 and rows + 1 + position or position
end

--- The weight given, whose shape must be that of the table, or a new one.
local function weight_of(name, weight, rows, width, kind)
  if not weight then
    return core.parameter(nl.empty(rows, width, kind)), true
  end
  if weight.ndim ~= 2 or weight:size(1) ~= rows or weight:size(2) ~= width then
    raise(("%s: _weight has shape %s, and [%d, %d] is wanted"):format(name, weight.shape, rows, width))
  end
  return core.parameter(weight)
end

--- A table of vectors, looked up by positions from 1 on: an input of any shape gains a last dimension.
--- `nn.Embedding(num_embeddings, embedding_dim, {padding_idx, max_norm, norm_type = 2, scale_grad_by_freq = false})`.
--- The row padding_idx starts as zeros and gets no gradient.
--- Shapes: input (*) of positions from 1 on, result (*, embedding_dim)
---     > nn.Embedding(10, 3)(nl.tensor({{1, 2, 4}, {5, 10, 3}})).shape
---     [2, 3, 3]
---@class Embedding: Module
---@field weight Tensor
local Embedding = core.class("nn.Embedding", Module)

local parse_embedding = args.parser("nn.Embedding", {
  {"num_embeddings", "integer"}, {"embedding_dim", "integer"}, {"padding_idx", "integer?"}, {"max_norm", "number?"},
  {"norm_type", "number", 2.0}, {"scale_grad_by_freq", "boolean", false}, {"sparse", "boolean", false},
  {"_weight", "tensor?"}, {"device", "any?"}, {"dtype", "any?"},
})

function Embedding:init(...)
  local rows, width, padding, max_norm, norm_type, by_frequency, is_sparse, weight, device, dtype =
    parse_embedding(...)
  if is_sparse then
    raise "nn.Embedding: sparse gradients are not supported: leave sparse false"
  end
  self.num_embeddings, self.embedding_dim = rows, width
  self.padding_idx = padding and row_of("nn.Embedding", padding, rows)
  self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse = max_norm, norm_type, by_frequency, false
  local is_new
  self.weight, is_new = weight_of("nn.Embedding", weight, rows, width,
    (device or dtype) and {device = device, dtype = dtype})
  if is_new then
    self:reset_parameters()
  end
end

--- Sets the row of a table that stands for padding to zeros.
local function clear_padding(weight, padding)
  if padding then
    nl.no_grad(function() weight[padding]:fill_(0) end)
  end
end

--- Draws the table anew.
---     > layer = nn.Embedding(3, 2, {padding_idx = 1})
---     > layer:reset_parameters()
---     > layer.weight[1].data
---     tensor([0., 0.])
function Embedding:reset_parameters()
  init.normal_(self.weight)
  clear_padding(self.weight, self.padding_idx)
end

function Embedding:forward(input)
  return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)
end

function Embedding:extra_repr()
  local text = ("%d, %d"):format(self.num_embeddings, self.embedding_dim)
  if self.padding_idx then text = text .. ", padding_idx=" .. self.padding_idx end
  if self.max_norm then text = text .. ", max_norm=" .. repr.value(self.max_norm) end
  if self.norm_type ~= 2 then text = text .. ", norm_type=" .. repr.value(self.norm_type) end
  if self.scale_grad_by_freq then text = text .. ", scale_grad_by_freq=True" end
  return text
end

local parse_pretrained = args.parser("nn.Embedding.from_pretrained", {
  {"embeddings", "tensor"}, {"freeze", "boolean", true}, {"padding_idx", "integer?"}, {"max_norm", "number?"},
  {"norm_type", "number", 2.0}, {"scale_grad_by_freq", "boolean", false}, {"sparse", "boolean", false},
})

--- An Embedding whose table is a given matrix: `nn.Embedding.from_pretrained(embeddings, freeze = true, {…})`.
---     > nn.Embedding.from_pretrained(nl.tensor({{1.0, 2.0}, {3.0, 4.0}}))(nl.tensor({2}))
---     tensor([[3., 4.]])
---@return Embedding
function Embedding.from_pretrained(...)
  local weight, freeze, padding, max_norm, norm_type, by_frequency, is_sparse = parse_pretrained(...)
  if weight.ndim ~= 2 then
    raise(("nn.Embedding.from_pretrained: embeddings has shape %s; a matrix is wanted"):format(weight.shape))
  end
  local layer = Embedding(weight:size(1), weight:size(2), {
    padding_idx = padding, max_norm = max_norm, norm_type = norm_type, scale_grad_by_freq = by_frequency,
    sparse = is_sparse, _weight = weight,
  })
  layer.weight.requires_grad = not freeze
  return layer
end

embedding.Embedding = Embedding

--- Sums, means or maxima of the rows of a table in bags. `nn.EmbeddingBag(num_embeddings, embedding_dim, {max_norm,
--- norm_type = 2, scale_grad_by_freq = false, mode = "mean", include_last_offset = false, padding_idx})`; called with
--- (input, offsets, per_sample_weights), offsets counted from 1.
--- Shapes: input (B, n), or (n) with offsets (B); result (B, embedding_dim)
---     > nn.EmbeddingBag(10, 3, {mode = "sum"})(nl.tensor({1, 2, 4, 5}), nl.tensor({1, 3})).shape
---     [2, 3]
---@class EmbeddingBag: Module
---@field weight Tensor
local EmbeddingBag = core.class("nn.EmbeddingBag", Module)

local parse_bag = args.parser("nn.EmbeddingBag", {
  {"num_embeddings", "integer"}, {"embedding_dim", "integer"}, {"max_norm", "number?"}, {"norm_type", "number", 2.0},
  {"scale_grad_by_freq", "boolean", false}, {"mode", "string", "mean"}, {"sparse", "boolean", false},
  {"_weight", "tensor?"}, {"include_last_offset", "boolean", false}, {"padding_idx", "integer?"}, {"device", "any?"},
  {"dtype", "any?"},
})

local modes = {sum = true, mean = true, max = true}

function EmbeddingBag:init(...)
  local rows, width, max_norm, norm_type, by_frequency, mode, is_sparse, weight, include_last, padding, device, dtype =
    parse_bag(...)
  if is_sparse then raise "nn.EmbeddingBag: sparse gradients are not supported: leave sparse false" end
  if not modes[mode] then
    raise(('nn.EmbeddingBag: mode is "%s"; it is "sum", "mean" or "max"'):format(mode))
  end
  self.num_embeddings, self.embedding_dim = rows, width
  self.padding_idx = padding and row_of("nn.EmbeddingBag", padding, rows)
  self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse = max_norm, norm_type, by_frequency, false
  self.mode, self.include_last_offset = mode, include_last
  local is_new
  self.weight, is_new = weight_of("nn.EmbeddingBag", weight, rows, width,
    (device or dtype) and {device = device, dtype = dtype})
  if is_new then self:reset_parameters() end
end

--- Draws the table anew.
---     > layer = nn.EmbeddingBag(3, 2, {padding_idx = 1})
---     > layer:reset_parameters()
---     > layer.weight[1].data
---     tensor([0., 0.])
function EmbeddingBag:reset_parameters()
  init.normal_(self.weight)
  clear_padding(self.weight, self.padding_idx)
end

function EmbeddingBag:forward(input, offsets, per_sample_weights)
  return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode,
    false, per_sample_weights, self.include_last_offset, self.padding_idx)
end

function EmbeddingBag:extra_repr()
  local text = ("%d, %d"):format(self.num_embeddings, self.embedding_dim)
  if self.max_norm then text = text .. ", max_norm=" .. repr.value(self.max_norm) end
  if self.norm_type ~= 2 then text = text .. ", norm_type=" .. repr.value(self.norm_type) end
  if self.scale_grad_by_freq then text = text .. ", scale_grad_by_freq=True" end
  text = text .. (", mode='%s'"):format(self.mode)
  if self.padding_idx then text = text .. ", padding_idx=" .. self.padding_idx end
  return text
end

embedding.EmbeddingBag = EmbeddingBag

return embedding
