-- nn.init: fills tensors in place, drawing the same numbers as PyTorch.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local init = {}

local format, raise = core.format, core.raise

-- ------------------------------------------------------------------- gains

local gains = {
  linear = 1, conv1d = 1, conv2d = 1, conv3d = 1, conv_transpose1d = 1, conv_transpose2d = 1, conv_transpose3d = 1,
  sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 3 / 4,
}

--- The factor by which a nonlinearity wants its weights larger. `param` is leaky_relu's slope (0.01 by default).
---     > nn.init.calculate_gain "tanh" == 5 / 3
---     true
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
  return gains[nonlinearity] or raise(format("calculate_gain: the nonlinearity %s is not known",
    nonlinearity))
end

--- How many inputs and outputs an element of the result depends on.
local function fans(name, tensor)
  if not core.is_tensor(tensor) then
    raise(("%s: a tensor was expected, not %s"):format(name, core.describe(tensor)))
  elseif tensor.ndim < 2 then
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
---     > nn.init.uniform_(nl.empty(2))
---     tensor([0.4963, 0.7682])
filler("uniform_", {{"a", "number", 0.0}, {"b", "number", 1.0}}, "uniform_")
--- Normal with a mean (0) and a standard deviation (1).
---     > nn.init.normal_(nl.empty(2), 10, 2)
---     tensor([13.0820,  9.4131])
filler("normal_", {{"mean", "number", 0.0}, {"std", "number", 1.0}}, "normal_")
--- All one value.
---     > nn.init.constant_(nl.empty(2), 3)
---     tensor([3., 3.])
filler("constant_", {{"val", "number"}}, "fill_")

--- All 1.
---     > nn.init.ones_(nl.empty(2))
---     tensor([1., 1.])
function init.ones_(tensor)
  return init.constant_(tensor, 1)
end

--- All 0.
---     > nn.init.zeros_(nl.empty(2))
---     tensor([0., 0.])
function init.zeros_(tensor)
  return init.constant_(tensor, 0)
end

-- -------------------------------------------------------- Xavier and Kaiming

--- A function that gives the tensor and the standard deviation that the arguments of a function ask for.
local function xavier_std(name)
  local parse = args.parser("nn.init." .. name, {{"tensor", "tensor"}, {"gain", "number", 1.0}})
  return function(...)
    local tensor, gain = parse(...)
    local fan_in, fan_out = fans(name, tensor)
    return tensor, gain * math.sqrt(2.0 / (fan_in + fan_out))
  end
end

local xavier_uniform_std, xavier_normal_std = xavier_std "xavier_uniform_", xavier_std "xavier_normal_"

--- Xavier (Glorot) initialisation, uniform: `xavier_uniform_(tensor, gain = 1)`.
---     > nn.init.xavier_uniform_(nl.empty(1, 2))
---     tensor([[-0.0106,  0.7586]])
function init.xavier_uniform_(...)
  local tensor, std = xavier_uniform_std(...)
  local bound = math.sqrt(3.0) * std
  return fill(tensor, "uniform_", -bound, bound)
end

--- Xavier (Glorot) initialisation, normal.
---     > nn.init.xavier_normal_(nl.empty(1, 2))
---     tensor([[ 1.2582, -0.2396]])
function init.xavier_normal_(...)
  local tensor, std = xavier_normal_std(...)
  return fill(tensor, "normal_", 0.0, std)
end

--- The same for Kaiming's.
local function kaiming_std(name)
  local parse = args.parser("nn.init." .. name, {
    {"tensor", "tensor"}, {"a", "number", 0}, {"mode", "string", "fan_in"}, {"nonlinearity", "string", "leaky_relu"},
  })
  return function(...)
    local tensor, a, mode, nonlinearity = parse(...)
    local fan_in, fan_out = fans(name, tensor)
    local fan = mode == "fan_in" and fan_in or mode == "fan_out" and fan_out
      or raise(("%s: mode is 'fan_in' or 'fan_out', not '%s'"):format(name, mode))
    return tensor, init.calculate_gain(nonlinearity, a) / math.sqrt(fan)
  end
end

local kaiming_uniform_std, kaiming_normal_std = kaiming_std "kaiming_uniform_", kaiming_std "kaiming_normal_"

--- Kaiming (He) initialisation, uniform: `kaiming_uniform_(tensor, a = 0, mode = "fan_in",
--- nonlinearity = "leaky_relu")`.
---     > nn.init.kaiming_uniform_(nl.empty(1, 2))
---     tensor([[-0.0130,  0.9291]])
function init.kaiming_uniform_(...)
  if core.is_tensor((...)) and (...):numel() == 0 then
    return (...)
  end
  local tensor, std = kaiming_uniform_std(...)
  local bound = math.sqrt(3.0) * std
  return fill(tensor, "uniform_", -bound, bound)
end

--- Kaiming (He) initialisation, normal.
---     > nn.init.kaiming_normal_(nl.empty(1, 2))
---     tensor([[ 1.5410, -0.2934]])
function init.kaiming_normal_(...)
  if core.is_tensor((...)) and (...):numel() == 0 then
    return (...)
  end
  local tensor, std = kaiming_normal_std(...)
  return fill(tensor, "normal_", 0.0, std)
end

-- ------------------------------------------------------ identities and others

--- Changes a tensor by a function under no_grad, and gives it back.
local function change(tensor, f)
  nl.no_grad(f)
  return tensor
end

local function check_tensor(name, tensor, ...)
  if not core.is_tensor(tensor) then
    raise(("%s: a tensor was expected, not %s"):format(name, core.describe(tensor)))
  end
  for i = 1, select("#", ...) do
    if tensor.ndim == select(i, ...) then return end
  end
  raise(("%s: a tensor of %s dimensions is needed, not of %d"):format(name, table.concat({...}, " or "), tensor.ndim))
end

--- A matrix with 1 on the diagonal and 0 elsewhere.
---     > nn.init.eye_(nl.empty(2, 2))
---     tensor([[1., 0.],
---             [0., 1.]])
function init.eye_(tensor)
  check_tensor("eye_", tensor, 2)
  return change(tensor, function()
    tensor:zero_():diagonal():fill_(1)
  end)
end

local parse_dirac = args.parser("nn.init.dirac_", {{"tensor", "tensor"}, {"groups", "integer", 1}})

--- The weight of a convolution that gives its inputs back, as many channels as it can: `dirac_(tensor, groups = 1)`.
---     > nn.init.dirac_(nl.empty(1, 1, 3))
---     tensor([[[0., 1., 0.]]])
function init.dirac_(...)
  local tensor, groups = parse_dirac(...)
  check_tensor("dirac_", tensor, 3, 4, 5)
  if groups < 1 or tensor:size(1) % groups ~= 0 then
    raise(("dirac_: %d output channels can't be divided into %d groups"):format(tensor:size(1), groups))
  end
  local each = tensor:size(1) // groups
  return change(tensor, function()
    tensor:zero_()
    for g = 0, groups - 1 do
      for d = 1, math.min(each, tensor:size(2)) do
        local place = {g * each + d, d}
        for i = 3, tensor.ndim do place[i] = tensor:size(i) // 2 + 1 end
        tensor[place] = 1
      end
    end
  end)
end

local parse_sparse = args.parser("nn.init.sparse_",
  {{"tensor", "tensor"}, {"sparsity", "number"}, {"std", "number", 0.01}})

--- A normal matrix with a share of each column set to 0: `sparse_(tensor, sparsity, std = 0.01)`.
---     > nn.init.sparse_(nl.empty(10, 1), 0.3):eq(0):sum()
---     tensor(3)
function init.sparse_(...)
  local tensor, sparsity, std = parse_sparse(...)
  check_tensor("sparse_", tensor, 2)
  local rows, columns = tensor:size(1), tensor:size(2)
  local zeros = math.ceil(sparsity * rows)
  return change(tensor, function()
    tensor:normal_(0, std)
    for column = 1, columns do
      local order = nl.randperm(rows)
      if zeros > 0 then tensor[{order[{{1, zeros}}], column}] = 0 end
    end
  end)
end

local parse_truncated = args.parser("nn.init.trunc_normal_", {
  {"tensor", "tensor"}, {"mean", "number", 0.0}, {"std", "number", 1.0}, {"a", "number", -2.0}, {"b", "number", 2.0},
})

--- The standard normal distribution's share below x.
local function normal_share(x)
  return (1 + nl.erf(nl.tensor(x, {dtype = nl.float64}) / math.sqrt(2)):item()) / 2
end

--- Where many of the distribution's numbers lie between the bounds: those that don't are drawn again.
local function redraw_outside(tensor, mean, std, a, b)
  local low, high = nl.tensor(a, {dtype = tensor.dtype}):item(), nl.tensor(b, {dtype = tensor.dtype}):item()
  local result = tensor:normal_(mean, std)
  while true do
    local outside = result:lt(low):logical_or(result:gt(high))
    if not outside:any():item() then break end
    result = nl.where(outside, nl.empty_like(result):normal_(mean, std), result)
  end
  return result
end

--- Where few of them do: uniform numbers between the bounds, each kept with the probability of its density over the
--- highest one there.
local function reject_uniform(tensor, mean, std, a, b)
  local peak = -0.5 * ((math.max(a, math.min(mean, b)) - mean) / std) ^ 2
  local function refused(numbers)
    local density = numbers:clone():sub_(mean):div_(std):pow_(2):mul_(-0.5):sub_(peak)
    return nl.empty_like(tensor):uniform_():log_():gt(density)
  end
  local result = tensor:uniform_(a, b)
  local pending = refused(result)
  while pending:any():item() do
    local numbers = nl.empty_like(tensor):uniform_(a, b)
    result = nl.where(pending, numbers, result)
    pending = pending:logical_and(refused(numbers))
  end
  return result
end

--- Normal numbers between a and b, by drawing again those that lie elsewhere:
--- `trunc_normal_(tensor, mean = 0, std = 1, a = -2, b = 2)`.
---     > nn.init.trunc_normal_(nl.empty(100)):abs():max():le(2)
---     tensor(True)
function init.trunc_normal_(...)
  local tensor, mean, std, a, b = parse_truncated(...)
  if not (std > 0 and a <= b) then
    raise(core.format("trunc_normal_: std must be positive and a not above b, not %g, %g and %g", std, a, b))
  elseif tensor.is_meta then
    return tensor
  end
  return change(tensor, function()
    local share = normal_share((b - mean) / std) - normal_share((a - mean) / std)
    local result = (share > 0.3 and redraw_outside or reject_uniform)(tensor, mean, std, a, b)
    if result ~= tensor then tensor:copy_(result) end
  end)
end

--- The rows of a matrix made orthonormal one after the other (Gram and Schmidt, each row twice for accuracy): the Q of
--- its transpose's QR decomposition in which R has a positive diagonal.
local function orthonormal_rows(matrix)
  local q = matrix:to(nl.float64):clone()
  for i = 1, q:size(1) do
    local row, before = q[i], q:narrow(1, 1, i - 1)
    for _ = 1, i > 1 and 2 or 0 do row:sub_(nl.mv(before:t(), nl.mv(before, row))) end
    row:div_(row:norm())
  end
  return q
end

local parse_orthogonal = args.parser("nn.init.orthogonal_", {{"tensor", "tensor"}, {"gain", "number", 1.0}})

--- An orthogonal matrix, or rows or columns of one; dimensions after the first count as one: `orthogonal_(tensor,
--- gain = 1)`.
---     > w = nn.init.orthogonal_(nl.empty(2, 2))
---     > (w:mm(w:t()) - nl.eye(2)):abs():max():lt(1e-6)
---     tensor(True)
function init.orthogonal_(...)
  local tensor, gain = parse_orthogonal(...)
  if tensor.ndim < 2 then
    raise(("orthogonal_: a tensor of at least 2 dimensions is needed, not of %d"):format(tensor.ndim))
  elseif tensor:numel() == 0 then
    return tensor
  end
  return change(tensor, function()
    local rows = tensor:size(1)
    local drawn = tensor:new_empty({rows, tensor:numel() // rows}):normal_(0, 1)
    local wide = drawn:size(1) < drawn:size(2)
    local q = orthonormal_rows(wide and drawn or drawn:t())
    tensor:copy_((wide and q or q:t()):reshape(tensor.shape)):mul_(gain)
  end)
end

return init
