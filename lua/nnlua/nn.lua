-- nnlua.nn: modules, containers, layers, losses.

local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local nl = require "nnlua"
local on_demand = require "nnlua.on_demand"

--- Neural networks: `nn.Linear`, `nn.Sequential`, `nn.class` and the like.
local nn = {
  functional = nl.F,
  init = require "nnlua.nn.initializers",
  utils = require "nnlua.nn.utils",
}

local Module = require "nnlua.nn.module"
nn.Module = Module

require "nnlua.nn.repr".install(Module)
require "nnlua.nn.module_to".install(Module)
require "nnlua.nn.state_dict".install(Module)
require "nnlua.nn.hooks".install(Module, nn)
require "nnlua.nn.hooks".install_registration(nn)

--- A new class of modules: `nn.class("Net")`, or `nn.class("Net", nn.Linear)` to start from another one.
---     > Net = nn.class "Net"
---     > function Net:init(hidden) self.fc = nn.Linear(4, hidden) end
---     > function Net:forward(x) return nl.relu(self.fc(x)) end
---     > Net(3)(nl.randn(2, 4)).shape
---     [2, 3]
---@param name string
---@param parent? table
function nn.class(name, parent)
  return core.class(name, parent or Module)
end

--- Whether a value is a module.
---     > nn.is_module(nn.ReLU()), nn.is_module(3)
---     true	false
nn.is_module = core.is_module

--- The class of a module.
---     > nn.class_of(nn.ReLU()) == nn.ReLU
---     true
nn.class_of = core.class_of

--- A tensor that a module registers as its parameter when it is assigned: over the same storage as the one given.
---     > nn.Parameter(nl.zeros(2)).requires_grad
---     true
---@param data? Tensor
---@param requires_grad? boolean
nn.Parameter = core.parameter

local lazy = require "nnlua.nn.lazy"
nn.UninitializedParameter = lazy.UninitializedParameter
--- Whether a value is a parameter or buffer whose shape is not known yet.
---     > nn.is_lazy(nn.LazyLinear(3).weight)
---     true
---@param value any
nn.is_lazy = lazy.is_lazy

--- A tensor that a module registers as a buffer when it is assigned: `self.mean = nn.Buffer(nl.zeros(3))`.
---     > net = nn.Module()
---     > net.mean = nn.Buffer(nl.zeros(2))
---     > net:state_dict().mean
---     tensor([0., 0.])
---@param data Tensor
---@param persistent? boolean
nn.Buffer = core.buffer

--- A table of a network's layers: their shapes, parameters, multiply-adds and the memory of their results. The network
--- runs once on the inputs, as it does in `eval` and without gradients, and is then as it was before: modes, buffers
--- and random numbers are put back. An input may be a size, for which ones are taken; without inputs there are
--- parameters only. What comes back prints as the table and has the totals as fields.
---     > net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
---     > s = nn.summary(net, nl.randn(2, 3))
---     > s.total_params, s.total_mult_adds
---     21	32
---     > table.unpack(nn.summary(nn.Linear(3, 4), {2, 3}).layers[1].output_size[1])
---     2	4
--- Options, in a last table: `input_size` (a size or a list of them, in place of inputs), `dtype` of inputs that are
--- given by size, `depth` of the table (3), and its `width` (that of the terminal). Parameters in parentheses are
--- frozen; a module or parameter that is shared counts where it stands first. Multiply-adds are those of products,
--- convolutions, recurrent layers and attention, as a program tells them, without the bias; memory for forward and
--- backward is twice that of the layers' results, as torchinfo has it.
---@param net Module
---@param ... any
---@return Summary
function nn.summary(net, ...)
  return require "nnlua.nn.summary"(net, ...)
end

--- A copy of a module, tensor or table with all that it holds; shared parts stay shared.
---     > net = nn.Linear(2, 2)
---     > copy = nn.deepcopy(net)
---     > nl.equal(copy.weight, net.weight), copy.weight == net.weight
---     true	false
nn.deepcopy = require "nnlua.nn.copy"

--- A copy of the module with all that it holds.
---     > net = nn.Linear(2, 1)
---     > copy = net:deepcopy()
---     > copy.weight == net.weight, nl.equal(copy.weight, net.weight)
---     false	true
function Module:deepcopy()
  return nn.deepcopy(self)
end

guard.classes {Module}

--- Layers whose weights are bytes: `nn.quantized.dynamic.Linear`.
nn.quantized = {dynamic = on_demand.fields({}, guard.classes, {["nnlua.nn.quantized_linear"] = "Linear"})}

--- Modules that several processes train together; see nl.distributed.
nn.parallel = on_demand.fields({}, guard.classes, {
  ["nnlua.nn.parallel.data_parallel"] = "DistributedDataParallel",
  ["nnlua.nn.parallel.tensor_parallel"] = "ColumnParallelLinear RowParallelLinear",
  ["nnlua.nn.parallel.pipeline"] = "Pipeline",
})

-- The layers, by the file that has them.
-- Functions that stand with the layers which call them put themselves into F.
on_demand.fields(nl.F, function() end, {
  ["nnlua.nn.attention"] = "multi_head_attention_forward",
  ["nnlua.nn.distance"] = "triplet_margin_with_distance_loss",
})

return on_demand.fields(nn, guard.classes, {
  ["nnlua.nn.parallel.sync_batch_norm"] = "SyncBatchNorm",
  ["nnlua.nn.containers"] = "ModuleDict ModuleList Sequential",
  ["nnlua.nn.parameter_containers"] = "ParameterDict ParameterList",
  ["nnlua.nn.linear"] = "Bilinear Identity LazyLinear Linear",
  ["nnlua.nn.activation"] = [[
    CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish PReLU RReLU
    ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold]],
  ["nnlua.nn.dropout"] = "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
  ["nnlua.nn.embedding"] = "Embedding EmbeddingBag",
  ["nnlua.nn.normalization"] = [[
    BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d LayerNorm
    LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d RMSNorm]],
  ["nnlua.nn.rnn"] = "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase",
  ["nnlua.nn.attention"] = "MultiheadAttention",
  ["nnlua.nn.transformer"] = [[
    Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer]],
  ["nnlua.nn.conv"] = [[
    Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d
    LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d]],
  ["nnlua.nn.pooling"] = [[
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d
    AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d]],
  ["nnlua.nn.placed_pooling"] = "FractionalMaxPool2d FractionalMaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d",
  ["nnlua.nn.patches"] = [[
    ChannelShuffle CrossMapLRN2d Fold LocalResponseNorm PixelShuffle PixelUnshuffle Unfold]],
  ["nnlua.nn.padding"] = [[
    CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d
    ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d
    ZeroPad3d]],
  ["nnlua.nn.shape"] = "Flatten Unflatten Upsample UpsamplingBilinear2d UpsamplingNearest2d",
  ["nnlua.nn.many_classes"] = "AdaptiveLogSoftmaxWithLoss LinearCrossEntropyLoss",
  ["nnlua.nn.loss"] = "CrossEntropyLoss MSELoss NLLLoss",
  ["nnlua.nn.distance"] = [[
    BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CosineSimilarity GaussianNLLLoss HingeEmbeddingLoss
    HuberLoss KLDivLoss L1Loss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss
    PairwiseDistance PoissonNLLLoss SmoothL1Loss SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss]],
})
