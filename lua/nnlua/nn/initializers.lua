-- nn.init: fills tensors in place, drawing the same numbers as PyTorch.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local init = {}

local raise = core.raise

-- ------------------------------------------------------------------- gains

local gains = {
  linear = 1, conv1d = 1, conv2d = 1, conv3d = 1, conv_transpose1d = 1, conv_transpose2d = 1, conv_transpose3d = 1,
  sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 3 / 4,
}

--- The factor by which a nonlinearity wants its weights larger. `param` is leaky_relu's slope (0.01 by default).
---@param nonlinearity string
---@param param? number
function init.calculate_gain(nonlinearity, param)
  if nonlinearity == "leaky_relu" then
    local slope = param == nil and 0.01 or param
    if type(slope) ~= "number" then
      raise(("calculate_gain: the slope is a number, not %s"):format(core.describe(slope)))
    end
    return math.sqrt(2 / (1 + slope ^ 2))
  end
  return gains[nonlinearity] or raise(("calculate_gain: the nonlinearity %s is not known"):format(
    tostring(nonlinearity)))
end

--- How many inputs and outputs an element of the result depends on.
local function fans(name, tensor)
  if tensor.ndim < 2 then
    raise(("%s: a tensor of at least 2 dimensions is needed to count inputs and outputs, not of %d"):format(
      name, tensor.ndim))
  end
  local field = 1
  for i = 3, tensor.ndim do
    field = field * tensor:size(i)
  end
  return tensor:size(2) * field, tensor:size(1) * field
end

init._calculate_fan_in_and_fan_out = function(tensor)
  return fans("_calculate_fan_in_and_fan_out", tensor)
end

-- ------------------------------------------------------------------ filling

local function fill(tensor, method, ...)
  nl.no_grad(tensor[method], tensor, ...)
  return tensor
end

local function filler(name, spec, method)
  table.insert(spec, 1, {"tensor", "tensor"})
  local parse = args.parser("nn.init." .. name, spec)
  init[name] = function(...)
    local tensor, a, b = parse(...)
    if b ~= nil then
      return fill(tensor, method, a, b)
    end
    return fill(tensor, method, a)
  end
end

--- Uniform between a (0) and b (1).
filler("uniform_", {{"a", "number", 0.0}, {"b", "number", 1.0}}, "uniform_")
--- Normal with a mean (0) and a standard deviation (1).
filler("normal_", {{"mean", "number", 0.0}, {"std", "number", 1.0}}, "normal_")
--- All one value.
filler("constant_", {{"val", "number"}}, "fill_")

--- All 1.
function init.ones_(tensor)
  return init.constant_(tensor, 1)
end

--- All 0.
function init.zeros_(tensor)
  return init.constant_(tensor, 0)
end

-- -------------------------------------------------------- Xavier and Kaiming

local parse_xavier = args.parser("nn.init.xavier", {{"tensor", "tensor"}, {"gain", "number", 1.0}})

local function xavier_std(name, ...)
  local tensor, gain = parse_xavier(...)
  local fan_in, fan_out = fans(name, tensor)
  return tensor, gain * math.sqrt(2.0 / (fan_in + fan_out))
end

--- Xavier (Glorot) initialisation, uniform: `xavier_uniform_(tensor, gain = 1)`.
function init.xavier_uniform_(...)
  local tensor, std = xavier_std("xavier_uniform_", ...)
  local bound = math.sqrt(3.0) * std
  return fill(tensor, "uniform_", -bound, bound)
end

--- Xavier (Glorot) initialisation, normal.
function init.xavier_normal_(...)
  local tensor, std = xavier_std("xavier_normal_", ...)
  return fill(tensor, "normal_", 0.0, std)
end

local parse_kaiming = args.parser("nn.init.kaiming", {
  {"tensor", "tensor"}, {"a", "number", 0}, {"mode", "string", "fan_in"}, {"nonlinearity", "string", "leaky_relu"},
})

local function kaiming_std(name, ...)
  local tensor, a, mode, nonlinearity = parse_kaiming(...)
  local fan_in, fan_out = fans(name, tensor)
  local fan = mode == "fan_in" and fan_in or mode == "fan_out" and fan_out
    or raise(("%s: mode is 'fan_in' or 'fan_out', not '%s'"):format(name, mode))
  return tensor, init.calculate_gain(nonlinearity, a) / math.sqrt(fan)
end

--- Kaiming (He) initialisation, uniform: `kaiming_uniform_(tensor, a = 0, mode = "fan_in",
--- nonlinearity = "leaky_relu")`.
function init.kaiming_uniform_(...)
  if core.is_tensor((...)) and (...):numel() == 0 then
    return (...)
  end
  local tensor, std = kaiming_std("kaiming_uniform_", ...)
  local bound = math.sqrt(3.0) * std
  return fill(tensor, "uniform_", -bound, bound)
end

--- Kaiming (He) initialisation, normal.
function init.kaiming_normal_(...)
  if core.is_tensor((...)) and (...):numel() == 0 then
    return (...)
  end
  local tensor, std = kaiming_std("kaiming_normal_", ...)
  return fill(tensor, "normal_", 0.0, std)
end

return init
