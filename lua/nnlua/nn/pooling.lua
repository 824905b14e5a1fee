-- Pooling: maxima and means of windows, and of as many windows as are wanted.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local settings = require "nnlua.nn.spatial_settings"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local pooling = {}

local F = nl.F
local raise = core.raise

--- A setting as it is, one integer or a list of n; `least` bounds it.
local function checked(name, setting, value, n, least)
  settings.list(name, setting, value, n, least)
  return value
end

-- -------------------------------------------------------------------- maxima

local function max_class(n)
  local short = ("MaxPool%dd"):format(n)
  local name = "nn." .. short
  local class, f = core.class(name, Module), F[("max_pool%dd"):format(n)]
  local parse = args.parser(name, {
    {"kernel_size", "any"}, {"stride", "any?"}, {"padding", "any", 0}, {"dilation", "any", 1},
    {"return_indices", "boolean", false}, {"ceil_mode", "boolean", false},
  })

  function class:init(...)
    local kernel_size, stride, padding, dilation, return_indices, ceil_mode = parse(...)
    self.kernel_size = checked(name, "kernel_size", kernel_size, n, 1)
    self.stride = checked(name, "stride", stride or kernel_size, n, 1)
    self.padding = checked(name, "padding", padding, n)
    self.dilation = checked(name, "dilation", dilation, n, 1)
    self.return_indices, self.ceil_mode = return_indices, ceil_mode
  end

  function class:forward(x)
    return f(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)
  end

  function class:extra_repr()
    local text = settings.text
    return ("kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s"):format(text(self.kernel_size),
      text(self.stride), text(self.padding), text(self.dilation), repr.value(self.ceil_mode))
  end

  pooling[short] = class
end

--- The maxima of windows of sequences, [N, C, L] or [C, L]. `nn.MaxPool1d(kernel_size, {stride = kernel_size, padding =
--- 0, dilation = 1, return_indices = false, ceil_mode = false})`.
--- Shapes: input (N, C, L) or (C, L), result (N, C, L_out) with L_out = (L + 2 padding - dilation (kernel_size - 1) -
--- 1) / stride + 1, rounded down
---     > nn.MaxPool1d(2)(nl.tensor({{1.0, 3.0, 2.0, 0.0}}))
---     tensor([[3., 2.]])
---@class MaxPool1d: Module
max_class(1)

--- The maxima of windows of images, [N, C, H, W] or [C, H, W]. `nn.MaxPool2d(kernel_size, {stride = kernel_size,
--- padding = 0, dilation = 1, return_indices = false, ceil_mode = false})`;
--- with return_indices their positions in the plane too.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H_out, W_out), each as L_out of MaxPool1d
---     > nn.MaxPool2d(3, {stride = 2})(nl.randn(20, 16, 50, 32)).shape
---     [20, 16, 24, 15]
---@class MaxPool2d: Module
max_class(2)

--- The maxima of windows of volumes, [N, C, D, H, W] or [C, D, H, W]. `nn.MaxPool3d(kernel_size, {stride =
--- kernel_size, padding = 0, dilation = 1, return_indices = false, ceil_mode = false})`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result (N, C, D_out, H_out, W_out), each as L_out of MaxPool1d
---     > nn.MaxPool3d(3, {stride = 2})(nl.randn(2, 16, 20, 44, 31)).shape
---     [2, 16, 9, 21, 15]
---@class MaxPool3d: Module
max_class(3)

-- --------------------------------------------------------------------- means

--- The means of windows of sequences, [N, C, L] or [C, L]. `nn.AvgPool1d(kernel_size, {stride = kernel_size,
--- padding = 0, ceil_mode = false, count_include_pad = true})`.
--- Shapes: input (N, C, L) or (C, L), result (N, C, L_out) with L_out = (L + 2 padding - kernel_size) / stride + 1,
--- rounded down
---     > nn.AvgPool1d(2)(nl.tensor({{1.0, 3.0, 2.0, 0.0}}))
---     tensor([[2., 1.]])
---@class AvgPool1d: Module
local AvgPool1d = core.class("nn.AvgPool1d", Module)

local average_spec = {
  {"kernel_size", "any"}, {"stride", "any?"}, {"padding", "any", 0}, {"ceil_mode", "boolean", false},
  {"count_include_pad", "boolean", true},
}

local parse_1d = args.parser("nn.AvgPool1d", average_spec)

function AvgPool1d:init(...)
  local kernel_size, stride, padding, ceil_mode, count_include_pad = parse_1d(...)
  self.kernel_size = settings.list("nn.AvgPool1d", "kernel_size", kernel_size, 1, 1)
  self.stride = settings.list("nn.AvgPool1d", "stride", stride or kernel_size, 1, 1)
  self.padding = settings.list("nn.AvgPool1d", "padding", padding, 1)
  self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
end

function AvgPool1d:forward(x)
  return F.avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
end

local function average_repr(self)
  return ("kernel_size=%s, stride=%s, padding=%s"):format(settings.text(self.kernel_size), settings.text(self.stride),
    settings.text(self.padding))
end

AvgPool1d.extra_repr = average_repr
pooling.AvgPool1d = AvgPool1d

local wide_spec = table.move({{"divisor_override", "integer?"}}, 1, 1, 6, table.move(average_spec, 1, 5, 1, {}))

local function average_class(n)
  local short = ("AvgPool%dd"):format(n)
  local name = "nn." .. short
  local class, f = core.class(name, Module), F[("avg_pool%dd"):format(n)]
  local parse = args.parser(name, wide_spec)

  function class:init(...)
    local kernel_size, stride, padding, ceil_mode, count_include_pad, divisor = parse(...)
    self.kernel_size = checked(name, "kernel_size", kernel_size, n, 1)
    self.stride = checked(name, "stride", stride or kernel_size, n, 1)
    self.padding = checked(name, "padding", padding, n)
    self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor
  end

  function class:forward(x)
    return f(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
      self.divisor_override)
  end

  class.extra_repr = average_repr
  pooling[short] = class
end

--- The means of windows of images, [N, C, H, W] or [C, H, W]. `nn.AvgPool2d(kernel_size, {stride = kernel_size,
--- padding = 0, ceil_mode = false, count_include_pad = true, divisor_override})`.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H_out, W_out), each as of AvgPool1d
---     > nn.AvgPool2d(3, {stride = 2})(nl.randn(20, 16, 50, 32)).shape
---     [20, 16, 24, 15]
---@class AvgPool2d: Module
average_class(2)

--- The means of windows of volumes, [N, C, D, H, W] or [C, D, H, W]. `nn.AvgPool3d(kernel_size, {stride =
--- kernel_size, padding = 0, ceil_mode = false, count_include_pad = true, divisor_override})`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result (N, C, D_out, H_out, W_out), each as of AvgPool1d
---     > nn.AvgPool3d(3, {stride = 2})(nl.randn(2, 16, 20, 44, 31)).shape
---     [2, 16, 9, 21, 15]
---@class AvgPool3d: Module
average_class(3)

-- -------------------------------------------------------------------- powers

local function power_class(n)
  local short = ("LPPool%dd"):format(n)
  local name = "nn." .. short
  local class, f = core.class(name, Module), F[("lp_pool%dd"):format(n)]
  local parse = args.parser(name, {
    {"norm_type", "number"}, {"kernel_size", "any"}, {"stride", "any?"}, {"ceil_mode", "boolean", false},
  })

  function class:init(...)
    local norm_type, kernel_size, stride, ceil_mode = parse(...)
    self.norm_type, self.ceil_mode = norm_type, ceil_mode
    self.kernel_size = checked(name, "kernel_size", kernel_size, n, 1)
    self.stride = stride and checked(name, "stride", stride, n, 1) or nil
  end

  function class:forward(x)
    return f(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
  end

  function class:extra_repr()
    return ("norm_type=%s, kernel_size=%s, stride=%s, ceil_mode=%s"):format(repr.value(self.norm_type),
      settings.text(self.kernel_size), self.stride and settings.text(self.stride) or "None",
      repr.value(self.ceil_mode))
  end

  pooling[short] = class
end

--- (The sum of x^norm_type)^(1 / norm_type) of windows of sequences, [N, C, L] or [C, L].
--- `nn.LPPool1d(norm_type, kernel_size, {stride = kernel_size, ceil_mode = false})`.
--- Shapes: input (N, C, L) or (C, L), result (N, C, L_out) as of AvgPool1d
---     > nn.LPPool1d(2, 2)(nl.tensor({{3.0, 4.0, 0.0, 1.0}}))
---     tensor([[5., 1.]])
---@class LPPool1d: Module
power_class(1)

--- The same of images, [N, C, H, W] or [C, H, W]. `nn.LPPool2d(norm_type, kernel_size, {stride = kernel_size,
--- ceil_mode = false})`.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C, H_out, W_out) as of AvgPool2d
---     > nn.LPPool2d(2, 3, {stride = 2})(nl.ones(20, 16, 50, 32)).shape
---     [20, 16, 24, 15]
---@class LPPool2d: Module
power_class(2)

--- The same of volumes, [N, C, D, H, W] or [C, D, H, W]. `nn.LPPool3d(norm_type, kernel_size, {stride = kernel_size,
--- ceil_mode = false})`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result (N, C, D_out, H_out, W_out) as of AvgPool3d
---     > nn.LPPool3d(2, 3, {stride = 2})(nl.ones(2, 16, 20, 44, 31)).shape
---     [2, 16, 9, 21, 15]
---@class LPPool3d: Module
power_class(3)

-- ------------------------------------------------------------------ adaptive

--- Checks a size of results: an integer, or a list of n in which nl.none keeps that of the input.
local function check_output(name, value, n)
  local is_list = type(value) == "table" and value ~= core.none
  if is_list and #value ~= n then
    raise(("%s: output_size must be an integer or a list of %d, not %s"):format(name, n, settings.text(value)))
  end
  for i = 1, is_list and n or 1 do
    local item = value
    if is_list then item = value[i] end
    if item ~= core.none then settings.list(name, "output_size", item, 1) end
  end
  return value
end

local function adaptive_class(short, f, n, has_indices)
  local name = "nn." .. short
  local class = core.class(name, Module)
  local parse = args.parser(name, {{"output_size", "any"}, has_indices and {"return_indices", "boolean", false} or nil})

  function class:init(...)
    local output_size, return_indices = parse(...)
    self.output_size, self.return_indices = check_output(name, output_size, n), return_indices
  end

  if has_indices then
    function class:forward(x)
      return f(x, self.output_size, self.return_indices)
    end
  else
    function class:forward(x)
      return f(x, self.output_size)
    end
  end

  function class:extra_repr()
    return "output_size=" .. settings.text(self.output_size)
  end

  pooling[short] = class
end

--- The means of output_size windows that cover a sequence. `nn.AdaptiveAvgPool1d(output_size)`.
--- Shapes: input (N, C, L) or (C, L), result (N, C, output_size)
---     > nn.AdaptiveAvgPool1d(2)(nl.tensor({{1.0, 3.0, 2.0, 0.0}}))
---     tensor([[2., 1.]])
---@class AdaptiveAvgPool1d: Module
adaptive_class("AdaptiveAvgPool1d", F.adaptive_avg_pool1d, 1, false)

--- The means of windows that cover an image: `nn.AdaptiveAvgPool2d(output_size)`, an integer or {height, width}, in
--- which nl.none keeps the input's.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C, output_size)
---     > nn.AdaptiveAvgPool2d({5, 7})(nl.randn(1, 64, 8, 9)).shape
---     [1, 64, 5, 7]
---@class AdaptiveAvgPool2d: Module
adaptive_class("AdaptiveAvgPool2d", F.adaptive_avg_pool2d, 2, false)

--- The means of windows that cover a volume: `nn.AdaptiveAvgPool3d(output_size)`, an integer or {depth, height, width},
--- in which nl.none keeps the input's.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result (N, C, output_size)
---     > nn.AdaptiveAvgPool3d({5, 7, 9})(nl.randn(1, 64, 8, 9, 10)).shape
---     [1, 64, 5, 7, 9]
---@class AdaptiveAvgPool3d: Module
adaptive_class("AdaptiveAvgPool3d", F.adaptive_avg_pool3d, 3, false)

--- The maxima of output_size windows that cover a sequence.
--- `nn.AdaptiveMaxPool1d(output_size, return_indices = false)`.
--- Shapes: input (N, C, L) or (C, L), result (N, C, output_size)
---     > nn.AdaptiveMaxPool1d(2)(nl.tensor({{1.0, 3.0, 2.0, 0.0}}))
---     tensor([[3., 2.]])
---@class AdaptiveMaxPool1d: Module
adaptive_class("AdaptiveMaxPool1d", F.adaptive_max_pool1d, 1, true)

--- The maxima of windows that cover an image. `nn.AdaptiveMaxPool2d(output_size, return_indices = false)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C, output_size)
---     > nn.AdaptiveMaxPool2d({5, 7})(nl.randn(1, 64, 8, 9)).shape
---     [1, 64, 5, 7]
---@class AdaptiveMaxPool2d: Module
adaptive_class("AdaptiveMaxPool2d", F.adaptive_max_pool2d, 2, true)

--- The maxima of windows that cover a volume. `nn.AdaptiveMaxPool3d(output_size, return_indices = false)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result (N, C, output_size)
---     > nn.AdaptiveMaxPool3d({5, 7, 9})(nl.randn(1, 64, 8, 9, 10)).shape
---     [1, 64, 5, 7, 9]
---@class AdaptiveMaxPool3d: Module
adaptive_class("AdaptiveMaxPool3d", F.adaptive_max_pool3d, 3, true)

return pooling
