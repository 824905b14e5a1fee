-- Activations.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local activation = {}

local F = nl.F

local INPLACE = {"inplace", "boolean", false}

--- The text of extra_repr: the parameters by name, inplace only if it is set.
local function describe(self, names)
  local parts = {}
  for _, name in ipairs(names) do
    if name ~= "inplace" then
      parts[#parts + 1] = ("%s=%s"):format(name, repr.value(self[name]))
    elseif self.inplace then
      parts[#parts + 1] = "inplace=True"
    end
  end
  return table.concat(parts, ", ")
end

--- A class of modules that pass their input and parameters on to a function. Parameters become attributes, and stand in
--- the module's text but for those in `silent`.
local function activation_class(name, f, parameters, silent)
  local class, parse = core.class("nn." .. name, Module), args.parser("nn." .. name, parameters)
  local names, shown = {}, {}
  for i, parameter in ipairs(parameters) do
    names[i] = parameter[1]
    if parameter[1] ~= silent then shown[#shown + 1] = parameter[1] end
  end
  local first, second, third = names[1], names[2], names[3]

  function class:init(...)
    local values = table.pack(parse(...))
    for i, attribute in ipairs(names) do
      self[attribute] = values[i]
    end
  end

  if not first then
    function class:forward(x) return f(x) end -- luacheck: no self
  elseif not second then
    function class:forward(x) return f(x, self[first]) end
  elseif not third then
    function class:forward(x) return f(x, self[first], self[second]) end
  else
    function class:forward(x) return f(x, self[first], self[second], self[third]) end
  end

  function class:extra_repr()
    return describe(self, shown)
  end

  activation[name] = class
  return class
end

--- max(x, 0). `nn.ReLU(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.ReLU()(nl.tensor({-1.0, 2.0}))
---     tensor([0., 2.])
---@class ReLU: Module
activation_class("ReLU", F.relu, {INPLACE}).forward = core.relu_forward

--- The hyperbolic tangent. `nn.Tanh()`.
--- Shapes: input (*), result the same
---     > nn.Tanh()(nl.tensor({0.0, 1.0}))
---     tensor([0.0000, 0.7616])
---@class Tanh: Module
activation_class("Tanh", nl.tanh, {}).forward = core.tanh_forward

--- 1 / (1 + exp(-x)). `nn.Sigmoid()`.
--- Shapes: input (*), result the same
---     > nn.Sigmoid()(nl.tensor({0.0, 2.0}))
---     tensor([0.5000, 0.8808])
---@class Sigmoid: Module
activation_class("Sigmoid", nl.sigmoid, {}).forward = core.sigmoid_forward

--- x kept between 0 and 6. `nn.ReLU6(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.ReLU6()(nl.tensor({-1.0, 8.0}))
---     tensor([0., 6.])
---@class ReLU6: Module
activation_class("ReLU6", F.relu6, {INPLACE})

--- x kept between two bounds. `nn.Hardtanh(min_val = -1, max_val = 1, inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.Hardtanh()(nl.tensor({-3.0, 0.5}))
---     tensor([-1.0000,  0.5000])
---@class Hardtanh: Module
local Hardtanh =
  activation_class("Hardtanh", F.hardtanh, {{"min_val", "number", -1.0}, {"max_val", "number", 1.0}, INPLACE})
local set_bounds = Hardtanh.init

function Hardtanh:init(...)
  set_bounds(self, ...)
  if not (self.max_val > self.min_val) then
    core.raise(core.format("nn.Hardtanh: max_val must be greater than min_val, but %g is not greater than %g",
      self.max_val, self.min_val))
  end
end

--- x above 0, negative_slope * x below. `nn.LeakyReLU(negative_slope = 0.01, inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.LeakyReLU(0.1)(nl.tensor({-1.0, 2.0}))
---     tensor([-0.1000,  2.0000])
---@class LeakyReLU: Module
activation_class("LeakyReLU", F.leaky_relu, {{"negative_slope", "number", 0.01}, INPLACE})

--- x above 0, alpha * (exp(x) - 1) below. `nn.ELU(alpha = 1, inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.ELU()(nl.tensor({-1.0, 2.0}))
---     tensor([-0.6321,  2.0000])
---@class ELU: Module
activation_class("ELU", F.elu, {{"alpha", "number", 1.0}, INPLACE})

--- x above 0, alpha * (exp(x / alpha) - 1) below. `nn.CELU(alpha = 1, inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.CELU()(nl.tensor({-1.0, 2.0}))
---     tensor([-0.6321,  2.0000])
---@class CELU: Module
activation_class("CELU", F.celu, {{"alpha", "number", 1.0}, INPLACE})

--- The elu whose scale keeps mean 0 and variance 1. `nn.SELU(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.SELU()(nl.tensor({-1.0, 2.0}))
---     tensor([-1.1113,  2.1014])
---@class SELU: Module
activation_class("SELU", F.selu, {INPLACE})

--- x times the normal distribution's share below it. `nn.GELU(approximate = "none")`, or "tanh".
--- Shapes: input (*), result the same
---     > nn.GELU()(nl.tensor({-1.0, 2.0}))
---     tensor([-0.1587,  1.9545])
---@class GELU: Module
local GELU = activation_class("GELU", F.gelu, {{"approximate", "string", "none"}})

function GELU:extra_repr()
  return ("approximate='%s'"):format(self.approximate)
end

--- x * sigmoid(x). `nn.SiLU(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.SiLU()(nl.tensor({-1.0, 2.0}))
---     tensor([-0.2689,  1.7616])
---@class SiLU: Module
activation_class("SiLU", F.silu, {INPLACE})

--- x * tanh(softplus(x)). `nn.Mish(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.Mish()(nl.tensor({-1.0, 2.0}))
---     tensor([-0.3034,  1.9440])
---@class Mish: Module
activation_class("Mish", F.mish, {INPLACE})

--- x * relu6(x + 3) / 6. `nn.Hardswish(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.Hardswish()(nl.tensor({-1.0, 2.0}))
---     tensor([-0.3333,  1.6667])
---@class Hardswish: Module
activation_class("Hardswish", F.hardswish, {INPLACE}, "inplace")

--- relu6(x + 3) / 6. `nn.Hardsigmoid(inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.Hardsigmoid()(nl.tensor({-4.0, 0.0}))
---     tensor([0.0000, 0.5000])
---@class Hardsigmoid: Module
activation_class("Hardsigmoid", F.hardsigmoid, {INPLACE}, "inplace")

--- log(1 + exp(beta * x)) / beta; x where beta * x is over threshold. `nn.Softplus(beta = 1, threshold = 20)`.
--- Shapes: input (*), result the same
---     > nn.Softplus()(nl.tensor({-1.0, 2.0}))
---     tensor([0.3133, 2.1269])
---@class Softplus: Module
activation_class("Softplus", F.softplus, {{"beta", "number", 1.0}, {"threshold", "number", 20.0}})

--- x / (1 + |x|). `nn.Softsign()`.
--- Shapes: input (*), result the same
---     > nn.Softsign()(nl.tensor({-1.0, 3.0}))
---     tensor([-0.5000,  0.7500])
---@class Softsign: Module
activation_class("Softsign", F.softsign, {})

--- x - tanh(x). `nn.Tanhshrink()`.
--- Shapes: input (*), result the same
---     > nn.Tanhshrink()(nl.tensor({0.0, 1.0}))
---     tensor([0.0000, 0.2384])
---@class Tanhshrink: Module
activation_class("Tanhshrink", F.tanhshrink, {})

--- log(sigmoid(x)). `nn.LogSigmoid()`.
--- Shapes: input (*), result the same
---     > nn.LogSigmoid()(nl.tensor({-1.0, 2.0}))
---     tensor([-1.3133, -0.1269])
---@class LogSigmoid: Module
activation_class("LogSigmoid", F.logsigmoid, {})

--- A shrink's only parameter stands without its name.
local function shrink_class(name, f)
  local class = activation_class(name, f, {{"lambd", "number", 0.5}})
  function class:extra_repr()
    return repr.value(self.lambd)
  end
end

--- 0 between -lambd and lambd, else x. `nn.Hardshrink(lambd = 0.5)`.
--- Shapes: input (*), result the same
---     > nn.Hardshrink()(nl.tensor({-0.3, 2.0}))
---     tensor([0., 2.])
---@class Hardshrink: Module
shrink_class("Hardshrink", F.hardshrink)

--- x moved towards 0 by lambd, no further than 0. `nn.Softshrink(lambd = 0.5)`.
--- Shapes: input (*), result the same
---     > nn.Softshrink()(nl.tensor({-1.0, 0.2}))
---     tensor([-0.5000,  0.0000])
---@class Softshrink: Module
shrink_class("Softshrink", F.softshrink)

--- x above threshold, value elsewhere. `nn.Threshold(threshold, value, inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.Threshold(0.1, 20)(nl.tensor({0.0, 1.0}))
---     tensor([20.,  1.])
---@class Threshold: Module
activation_class("Threshold", F.threshold, {{"threshold", "number"}, {"value", "number"}, INPLACE})

--- The first half of x along dim times the sigmoid of the second. `nn.GLU(dim = -1)`.
--- Shapes: input (*) of an even size along dim, result half of that
---     > nn.GLU()(nl.tensor({1.0, 2.0, 0.0, 0.0}))
---     tensor([0.5000, 1.0000])
---@class GLU: Module
activation_class("GLU", F.glu, {{"dim", "integer", -1}})

--- x above 0, below it x times a slope that is drawn while training.
--- `nn.RReLU(lower = 1/8, upper = 1/3, inplace = false)`.
--- Shapes: input (*), result the same
---     > nn.RReLU(0.25, 0.25)(nl.tensor({-4.0, 2.0}))
---     tensor([-1.,  2.])
---@class RReLU: Module
local RReLU = activation_class("RReLU", F.rrelu, {{"lower", "number", 1 / 8}, {"upper", "number", 1 / 3}, INPLACE})

function RReLU:forward(x)
  return F.rrelu(x, self.lower, self.upper, self.training, self.inplace)
end

--- x above 0, below it x times a weight that is learned: one, or one for each channel.
--- `nn.PReLU(num_parameters = 1, init = 0.25)`.
--- Shapes: input (N, C, *), result the same
---     > nn.PReLU()(nl.tensor({-1.0, 2.0})):detach()
---     tensor([-0.2500,  2.0000])
---@class PReLU: Module
---@field weight Tensor
local PReLU = core.class("nn.PReLU", Module)

local parse_prelu = args.parser("nn.PReLU", {
  {"num_parameters", "integer", 1}, {"init", "number", 0.25}, {"device", "any?"}, {"dtype", "any?"},
})

function PReLU:init(...)
  local n, first, device, dtype = parse_prelu(...)
  self.num_parameters = n
  self.weight = core.parameter(nl.full({n}, first * 1.0, {device = device, dtype = dtype or nl.get_default_dtype()}))
end

function PReLU:forward(x)
  return F.prelu(x, self.weight)
end

function PReLU:extra_repr()
  return ("num_parameters=%d"):format(self.num_parameters)
end

activation.PReLU = PReLU

--- The dimension of classes where none was named: the first of scores alone and of three dimensions, else the second.
local function default_dim(x)
  if not core.is_tensor(x) then return 1 end -- the function says what is wrong
  return (x.ndim == 0 or x.ndim == 1 or x.ndim == 3) and 1 or 2
end

local function softmax_class(name, f)
  local class = activation_class(name, f, {{"dim", "integer?"}})

  function class:forward(x)
    return f(x, self.dim or default_dim(x))
  end

  function class:extra_repr()
    return ("dim=%s"):format(repr.value(self.dim))
  end
end

--- exp(x) along dim, divided by its sum. `nn.Softmax(dim)`.
--- Shapes: input (*), result the same
---     > nn.Softmax(1)(nl.tensor({0.0, 1.0}))
---     tensor([0.2689, 0.7311])
---@class Softmax: Module
softmax_class("Softmax", F.softmax)

--- Softmax of -x. `nn.Softmin(dim)`.
--- Shapes: input (*), result the same
---     > nn.Softmin(1)(nl.tensor({0.0, 1.0}))
---     tensor([0.7311, 0.2689])
---@class Softmin: Module
softmax_class("Softmin", F.softmin)

--- The logarithm of Softmax, computed without it. `nn.LogSoftmax(dim)`.
--- Shapes: input (*), result the same
---     > nn.LogSoftmax(1)(nl.tensor({0.0, 1.0}))
---     tensor([-1.3133, -0.3133])
---@class LogSoftmax: Module
softmax_class("LogSoftmax", F.log_softmax)

--- Softmax over the channels of images, [N, C, H, W] or [C, H, W]. `nn.Softmax2d()`.
--- Shapes: input (N, C, H, W) or (C, H, W), result the same
---     > nn.Softmax2d()(nl.zeros(2, 1, 1)):flatten()
---     tensor([0.5000, 0.5000])
---@class Softmax2d: Module
local Softmax2d = activation_class("Softmax2d", F.softmax, {})

function Softmax2d:forward(x) -- luacheck: no self
  if not core.is_tensor(x) then
    core.raise(("nn.Softmax2d: the input must be a tensor, not %s"):format(core.describe(x)))
  elseif x.ndim ~= 3 and x.ndim ~= 4 then
    core.raise(("nn.Softmax2d: the input has %d dimensions, not 3 or 4"):format(x.ndim))
  end
  return F.softmax(x, -3)
end

return activation
