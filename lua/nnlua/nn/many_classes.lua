-- Losses of a linear layer over many classes.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local linear = require "nnlua.nn.linear"
local containers = require "nnlua.nn.containers"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"
local settings = require "nnlua.nn.spatial_settings"

local many = {}

local F = nl.F
local raise = core.raise

-- ------------------------------------------------------------ in one with its layer

--- The cross entropy of what a Linear gives, which it has in itself. `nn.LinearCrossEntropyLoss(in_features,
--- num_classes, {out_features = {}, bias = false, reduction = "mean", weight, ignore_index, label_smoothing = 0})`;
--- with out_features a class for each of so many places.
--- Shapes: input (N, in_features) or (in_features), target (N, out_features) of classes or (N, num_classes,
--- out_features) of probabilities; result () or, with reduction "none", (N, out_features)
---     > nn.LinearCrossEntropyLoss(4, 10, {bias = true})(nl.randn(3, 4), nl.tensor({1, 10, 5})).shape
---     []
---@class LinearCrossEntropyLoss: Module
---@field linear Linear
local LinearCrossEntropyLoss = core.class("nn.LinearCrossEntropyLoss", Module)

local parse_loss = args.parser("nn.LinearCrossEntropyLoss", {
  {"in_features", "integer"}, {"num_classes", "integer"}, {"out_features", "any?"}, {"bias", "boolean", false},
  {"device", "any?"}, {"dtype", "any?"}, {"reduction", "string", "mean"}, {"weight", "tensor?"},
  {"ignore_index", "integer?"}, {"label_smoothing", "number", 0.0},
})

function LinearCrossEntropyLoss:init(...)
  local inputs, classes, places, bias, device, dtype, reduction, weight, ignored, smoothing = parse_loss(...)
  places = places == nil and {} or type(places) == "table" and places or {places}
  settings.list("nn.LinearCrossEntropyLoss", "out_features", places, #places, 1)
  if weight and (weight.ndim ~= 1 or weight:size(1) ~= classes) then
    raise(("nn.LinearCrossEntropyLoss: weight has shape %s, and [%d] is wanted"):format(tostring(weight.shape),
      classes))
  end
  if smoothing < 0 or smoothing > 1 then
    raise(core.format("nn.LinearCrossEntropyLoss: label_smoothing must be from 0 to 1, not %s", smoothing))
  end
  self.num_classes, self.out_features, self.reduction = classes, places, reduction
  self.ignore_index, self.label_smoothing = ignored, smoothing
  self:register_buffer("weight", weight)
  local results = classes
  for _, size in ipairs(places) do results = results * size end
  self.linear = linear.Linear(inputs, results, {bias = bias, device = device, dtype = dtype})
end

--- The linear layer's weight or bias with a dimension for the classes, and one for each of out_features.
local function parted(self, t, ...)
  return t:reshape(self.num_classes, table.unpack(table.move({...}, 1, select("#", ...), #self.out_features + 1,
    table.move(self.out_features, 1, #self.out_features, 1, {}))))
end

function LinearCrossEntropyLoss:forward(input, target)
  local layer = self.linear
  return F.linear_cross_entropy(input, parted(self, layer.weight, layer.in_features), target,
    layer.bias and parted(self, layer.bias), self.weight, self.reduction, self.ignore_index, self.label_smoothing)
end

function LinearCrossEntropyLoss:extra_repr()
  local places = #self.out_features == 0 and "()" or settings.text(self.out_features)
  return ("in_features=%d, num_classes=%d, out_features=%s, bias=%s, reduction=%s, ignore_index=%s, "
    .. "label_smoothing=%s, options=None"):format(self.linear.in_features, self.num_classes, places,
    repr.value(self.linear.bias ~= nil), self.reduction, self.ignore_index and repr.value(self.ignore_index) or "None",
    repr.value(self.label_smoothing))
end

many.LinearCrossEntropyLoss = LinearCrossEntropyLoss

-- --------------------------------------------------------------------- in clusters

--- The log of a softmax over many classes, the common ones first: these, and clusters of the others, are told apart by
--- `head`, the classes of a cluster by its smaller layers in `tail` (E. Grave and others, "Efficient softmax
--- approximation for GPUs", 2017). `nn.AdaptiveLogSoftmaxWithLoss(in_features, n_classes, cutoffs, {div_value = 4.0,
--- head_bias = false})`: cutoffs say how many classes come before each cluster. A call gives the log probability of
--- each target, and the loss.
--- Shapes: input (N, in_features) or (in_features), target (N) or (); results (N) or (), and ()
---     > adaptive = nn.AdaptiveLogSoftmaxWithLoss(16, 100, {10, 30})
---     > select(2, adaptive(nl.randn(5, 16), nl.tensor({1, 9, 20, 50, 100}))).shape
---     []
---@class AdaptiveLogSoftmaxWithLoss: Module
---@field head Linear
---@field tail ModuleList
local Adaptive = core.class("nn.AdaptiveLogSoftmaxWithLoss", Module)

local parse = args.parser("nn.AdaptiveLogSoftmaxWithLoss", {
  {"in_features", "integer"}, {"n_classes", "integer"}, {"cutoffs", "table"}, {"div_value", "number", 4.0},
  {"head_bias", "boolean", false}, {"device", "any?"}, {"dtype", "any?"},
})

local function checked_cutoffs(cutoffs, classes)
  local list, last = {}, 0
  for i, cutoff in ipairs(cutoffs) do
    local whole = args.whole(cutoff)
    if not whole or whole <= last or whole >= classes then
      raise(("nn.AdaptiveLogSoftmaxWithLoss: cutoffs must be whole numbers that rise from 1 to %d at most"):format(
        classes - 1))
    end
    list[i], last = whole, whole
  end
  if last == 0 then raise "nn.AdaptiveLogSoftmaxWithLoss: cutoffs is empty" end
  list[#list + 1] = classes
  return list
end

function Adaptive:init(...)
  local inputs, classes, cutoffs, div_value, head_bias, device, dtype = parse(...)
  local kind = {bias = false, device = device, dtype = dtype}
  self.in_features, self.n_classes, self.div_value, self.head_bias = inputs, classes, div_value, head_bias
  self.cutoffs = checked_cutoffs(cutoffs, classes)
  self.shortlist_size, self.n_clusters = self.cutoffs[1], #self.cutoffs - 1
  self.head_size = self.shortlist_size + self.n_clusters
  self.head = linear.Linear(inputs, self.head_size, {bias = head_bias, device = device, dtype = dtype})
  local tail = {}
  for i = 1, self.n_clusters do
    local hidden = math.tointeger(inputs // div_value ^ i)
    tail[i] = containers.Sequential(linear.Linear(inputs, hidden, kind),
      linear.Linear(hidden, self.cutoffs[i + 1] - self.cutoffs[i], kind))
  end
  self.tail = containers.ModuleList(tail)
end

--- Draws all weights anew.
---     > adaptive = nn.AdaptiveLogSoftmaxWithLoss(4, 10, {5})
---     > adaptive:reset_parameters()
---     > adaptive.head.weight.shape
---     [6, 4]
function Adaptive:reset_parameters()
  self.head:reset_parameters()
  for i = 1, self.n_clusters do
    for layer in self.tail[i]:children() do layer:reset_parameters() end
  end
end

local function check_shapes(input, target)
  local fits = target.ndim <= 1 and input.ndim == target.ndim + 1 and
    (target.ndim == 0 or input:size(1) == target:size(1))
  if not fits then
    raise(("nn.AdaptiveLogSoftmaxWithLoss: input of shape %s and target of shape %s don't belong together"):format(
      tostring(input.shape), tostring(target.shape)))
  end
end

--- What clusters say of the targets in them, added to what the head says: positions in the head, and the addends.
local function by_clusters(self, input, target)
  local places, addends = target:clone(), input:new_zeros(target:size(1))
  if target.is_meta then return places, addends end
  for i = 1, self.n_clusters do
    local low, high = self.cutoffs[i], self.cutoffs[i + 1]
    local rows = target:gt(low):logical_and(target:le(high)):nonzero():reshape(-1)
    if rows:numel() > 0 then
      local scores = F.log_softmax(self.tail[i](input:index_select(1, rows)), 2)
      local own = scores:gather(2, (target:index_select(1, rows) - low):unsqueeze(2)):squeeze(2)
      places = places:index_fill(1, rows, self.shortlist_size + i)
      addends = addends:index_copy(1, rows, own:to(addends.dtype))
    end
  end
  return places, addends
end

local parse_call = args.parser("nn.AdaptiveLogSoftmaxWithLoss", {{"input", "tensor"}, {"target", "tensor"}})
local parse_input = args.parser("nn.AdaptiveLogSoftmaxWithLoss", {{"input", "tensor"}})

function Adaptive:forward(...)
  local input, target = parse_call(...)
  check_shapes(input, target)
  local batch, labels = input, target
  if target.ndim == 0 then batch, labels = input:unsqueeze(1), target:unsqueeze(1) end
  local seen = labels:numel() > 0 and not labels.is_meta
  if seen and (labels:min():item() < 1 or labels:max():item() > self.n_classes) then
    raise(("nn.AdaptiveLogSoftmaxWithLoss: targets must be from 1 to %d"):format(self.n_classes))
  end
  local places, addends = by_clusters(self, batch, labels)
  local head = F.log_softmax(self.head(batch), 2)
  local output = addends + head:gather(2, places:unsqueeze(2)):squeeze(2)
  local loss = (-output):mean()
  if target.ndim == 0 then output = output:squeeze(1) end
  return output, loss
end

--- The log probabilities of all classes.
--- Shapes: input (N, in_features), result (N, n_classes)
---     > nn.AdaptiveLogSoftmaxWithLoss(16, 100, {10, 30}):log_prob(nl.randn(5, 16)).shape
---     [5, 100]
function Adaptive:log_prob(...)
  local input = parse_input(...)
  local head = F.log_softmax(self.head(input), 2)
  local parts = {head:narrow(2, 1, self.shortlist_size)}
  for i = 1, self.n_clusters do
    parts[i + 1] = F.log_softmax(self.tail[i](input), 2) + head:narrow(2, self.shortlist_size + i, 1)
  end
  return nl.cat(parts, 2)
end

--- The likeliest class of each input, from 1 on.
--- Shapes: input (N, in_features), result (N)
---     > nn.AdaptiveLogSoftmaxWithLoss(16, 100, {10, 30}):predict(nl.randn(5, 16)).shape
---     [5]
function Adaptive:predict(...)
  local input = parse_input(...)
  local scores = self.head(input)
  local likeliest = scores:argmax(2)
  local rows = likeliest:gt(self.shortlist_size):nonzero():reshape(-1)
  if rows:numel() == 0 then return likeliest end
  return likeliest:index_copy(1, rows, self:log_prob(input:index_select(1, rows)):argmax(2))
end

many.AdaptiveLogSoftmaxWithLoss = Adaptive

return many
