-- Convolutions and transposed convolutions.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local settings = require "nnlua.nn.spatial_settings"
local init = require "nnlua.nn.initializers"
local lazy = require "nnlua.nn.lazy"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local conv = {}

local F = nl.F
local raise = core.raise

-- --------------------------------------------------------- what layers share

--- A convolution of any kind: `_dims` is its number of spatial dimensions, `_name` what it is called in errors.
---@class ConvNd: Module
---@field weight Tensor
---@field bias? Tensor
local ConvNd = core.class("nn._ConvNd", Module)

local modes = {zeros = true, reflect = true, replicate = true, circular = true}

local function check_channels(self, name)
  if self.groups < 1 then
    raise(("%s: groups must be positive, not %d"):format(name, self.groups))
  end
  for _, field in ipairs {"in_channels", "out_channels"} do
    if self[field] < 0 then
      raise(("%s: %s must not be negative, and is %d"):format(name, field, self[field]))
    elseif self[field] % self.groups ~= 0 then
      raise(("%s: %s (%d) must be a multiple of groups (%d)"):format(name, field, self[field], self.groups))
    end
  end
end

local function check_padding(self, name)
  if not modes[self.padding_mode] then
    raise(("%s: padding_mode is 'zeros', 'reflect', 'replicate' or 'circular', not '%s'"):format(
      name, self.padding_mode))
  elseif type(self.padding) == "string" then
    if self.padding ~= "same" and self.padding ~= "valid" then
      raise(("%s: padding is 'same', 'valid' or numbers, not '%s'"):format(name, self.padding))
    elseif self.padding == "same" and not settings.all(self.stride, 1) then
      raise(("%s: padding 'same' goes with a stride of 1 only"):format(name))
    end
  end
end

--- What nl.F.pad is to put around an input, last dimension first, for modes other than zeros.
local function borders(self)
  local pad = {}
  for i = self._dims, 1, -1 do
    local before, behind = 0, 0
    if self.padding == "same" then
      local total = self.dilation[i] * (self.kernel_size[i] - 1)
      before, behind = total // 2, total - total // 2
    elseif self.padding ~= "valid" then
      before, behind = self.padding[i], self.padding[i]
    end
    pad[#pad + 1], pad[#pad + 2] = before, behind
  end
  return pad
end

--- Takes the settings, all but the bias and what the parameters are made of.
function ConvNd:_configure(inputs, outputs, kernel_size, stride, padding, dilation, output_padding, groups, mode)
  local name, n = self._name, self._dims
  self.in_channels, self.out_channels, self.groups, self.padding_mode = inputs, outputs, groups, mode
  self.kernel_size = settings.list(name, "kernel_size", kernel_size, n, 1)
  self.stride = settings.list(name, "stride", stride, n, 1)
  self.padding = type(padding) == "string" and padding or settings.list(name, "padding", padding, n)
  self.dilation = settings.list(name, "dilation", dilation, n, 1)
  self.output_padding = settings.list(name, "output_padding", output_padding, n)
  self.transposed = self._transposed
  check_channels(self, name)
  check_padding(self, name)
  self._borders = borders(self)
end

--- The shape of the weight.
function ConvNd:_weight_shape()
  local rows, columns = self.out_channels, self.in_channels // self.groups
  if self.transposed then
    rows, columns = self.in_channels, self.out_channels // self.groups
  end
  return {rows, columns, table.unpack(self.kernel_size)}
end

function ConvNd:_add_parameters(bias, device, dtype)
  local kind = (device or dtype) and {device = device, dtype = dtype} or nil
  self.weight = core.parameter(nl.empty(self:_weight_shape(), kind))
  if bias then
    self.bias = core.parameter(nl.empty(self.out_channels, kind))
  else
    core.register_parameter(self, "bias", nil)
  end
  self:reset_parameters()
end

--- Draws weight and bias anew.
function ConvNd:reset_parameters()
  init.kaiming_uniform_(self.weight, math.sqrt(5))
  if self.bias then
    local fan_in = self.weight:size(2)
    for _, size in ipairs(self.kernel_size) do fan_in = fan_in * size end
    if fan_in > 0 then
      init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
    end
  end
end

function ConvNd:extra_repr()
  local text = settings.text
  local parts = {("%d, %d, kernel_size=%s, stride=%s"):format(self.in_channels, self.out_channels,
    text(self.kernel_size), text(self.stride))}
  local function add(name, value, is_default)
    if not is_default then parts[#parts + 1] = name .. "=" .. value end
  end
  local padding = self.padding
  add("padding", text(padding), type(padding) == "table" and settings.all(padding, 0))
  add("dilation", text(self.dilation), settings.all(self.dilation, 1))
  add("output_padding", text(self.output_padding), settings.all(self.output_padding, 0))
  add("groups", self.groups, self.groups == 1)
  add("bias", repr.value(false), self.bias ~= nil)
  add("padding_mode", self.padding_mode, self.padding_mode == "zeros")
  return table.concat(parts, ", ")
end

-- -------------------------------------------------------------- convolutions

local function convolution_spec(with_inputs)
  local spec = {
    {"out_channels", "integer"}, {"kernel_size", "any"}, {"stride", "any", 1}, {"padding", "any", 0},
    {"dilation", "any", 1}, {"groups", "integer", 1}, {"bias", "boolean", true}, {"padding_mode", "string", "zeros"},
    {"device", "any?"}, {"dtype", "any?"},
  }
  if with_inputs then table.insert(spec, 1, {"in_channels", "integer"}) end
  return spec
end

local function convolution_class(n)
  local name = ("nn.Conv%dd"):format(n)
  local class, f = core.class(name, ConvNd), F[("conv%dd"):format(n)]
  local parse = args.parser(name, convolution_spec(true))
  class._dims, class._name, class._transposed = n, name, false

  function class:init(...)
    local inputs, outputs, kernel_size, stride, padding, dilation, groups, bias, mode, device, dtype = parse(...)
    self:_configure(inputs, outputs, kernel_size, stride, padding, dilation, 0, groups, mode)
    self:_add_parameters(bias, device, dtype)
  end

  function class:forward(x)
    local padding = self.padding
    if self.padding_mode ~= "zeros" then
      x, padding = F.pad(x, self._borders, self.padding_mode), 0
    end
    return f(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
  end

  conv[("Conv%dd"):format(n)] = class
  return class
end

--- A convolution of sequences, [N, C, L] or [C, L]. `nn.Conv1d(in_channels, out_channels, kernel_size, {stride = 1,
--- padding = 0, dilation = 1, groups = 1, bias = true, padding_mode = "zeros"})`; padding may be "same" or "valid".
--- Shapes: input (N, C_in, L) or (C_in, L), result (N, C_out, L_out) with L_out = (L + 2 padding - dilation
--- (kernel_size - 1) - 1) / stride + 1, rounded down
---     > nn.Conv1d(16, 33, 3, {stride = 2})(nl.randn(20, 16, 50)).shape
---     [20, 33, 24]
---@class Conv1d: ConvNd
convolution_class(1)

--- A convolution of images, [N, C, H, W] or [C, H, W]. `nn.Conv2d(in_channels, out_channels, kernel_size, {stride = 1,
--- padding = 0, dilation = 1, groups = 1, bias = true, padding_mode = "zeros"})`; sizes are integers or lists of two,
--- padding may be "same" or "valid"; weight has shape [out_channels, in_channels / groups, height, width].
--- Shapes: input (N, C_in, H, W) or (C_in, H, W), result (N, C_out, H_out, W_out), each as L_out of Conv1d
---     > nn.Conv2d(16, 33, {3, 5}, {stride = {2, 1}, padding = {4, 2}})(nl.randn(2, 16, 50, 100)).shape
---     [2, 33, 28, 100]
---@class Conv2d: ConvNd
convolution_class(2)

--- A convolution of volumes, [N, C, D, H, W] or [C, D, H, W]. `nn.Conv3d(in_channels, out_channels, kernel_size,
--- {stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, padding_mode = "zeros"})`; sizes are integers or
--- lists of three, padding may be "same" or "valid"; weight has shape [out_channels, in_channels / groups, depth,
--- height, width].
--- Shapes: input (N, C_in, D, H, W) or (C_in, D, H, W), result (N, C_out, D_out, H_out, W_out), each as L_out of Conv1d
---     > nn.Conv3d(16, 33, {3, 5, 2}, {stride = {2, 1, 1}, padding = {4, 2, 0}})(nl.randn(2, 16, 5, 10, 8)).shape
---     [2, 33, 6, 10, 7]
---@class Conv3d: ConvNd
convolution_class(3)

-- ------------------------------------------------------- transposed convolutions

local function transposed_spec(with_inputs)
  local spec = {
    {"out_channels", "integer"}, {"kernel_size", "any"}, {"stride", "any", 1}, {"padding", "any", 0},
    {"output_padding", "any", 0}, {"groups", "integer", 1}, {"bias", "boolean", true}, {"dilation", "any", 1},
    {"padding_mode", "string", "zeros"}, {"device", "any?"}, {"dtype", "any?"},
  }
  if with_inputs then table.insert(spec, 1, {"in_channels", "integer"}) end
  return spec
end

function ConvNd:_configure_transposed(inputs, outputs, kernel_size, stride, padding, output_padding, groups, dilation,
                                      mode)
  if mode ~= "zeros" then
    raise(("%s: padding_mode must be 'zeros', not '%s'"):format(self._name, mode))
  elseif type(padding) == "string" then
    raise(("%s: padding must be numbers, not '%s'"):format(self._name, padding))
  end
  self:_configure(inputs, outputs, kernel_size, stride, padding, dilation, output_padding, groups, mode)
end

--- The output_padding that gives an input this size, of the spatial dimensions or of all.
local function padding_for(self, x, output_size)
  local n, name = self._dims, self._name
  if not core.is_tensor(x) then
    raise(("%s: the input must be a tensor, not %s"):format(name, core.describe(x)))
  end
  local sizes = output_size
  if type(sizes) == "table" and #sizes == x.ndim then sizes = table.move(sizes, #sizes - n + 1, #sizes, 1, {}) end
  sizes = settings.list(name, "output_size", sizes, n)
  local padding = {}
  for i = 1, n do
    local least = (x:size(i - n - 1) - 1) * self.stride[i] - 2 * self.padding[i]
      + self.dilation[i] * (self.kernel_size[i] - 1) + 1
    if sizes[i] < least or sizes[i] >= least + self.stride[i] then
      raise(("%s: output_size %s can't be had from an input of shape %s: dimension %d may have %d to %d"):format(name,
        settings.text(sizes), tostring(x.shape), i, least, least + self.stride[i] - 1))
    end
    padding[i] = sizes[i] - least
  end
  return padding
end

local function transposed_class(n)
  local name = ("nn.ConvTranspose%dd"):format(n)
  local class, f = core.class(name, ConvNd), F[("conv_transpose%dd"):format(n)]
  local parse = args.parser(name, transposed_spec(true))
  class._dims, class._name, class._transposed = n, name, true

  function class:init(...)
    local inputs, outputs, kernel_size, stride, padding, output_padding, groups, bias, dilation, mode, device, dtype =
      parse(...)
    self:_configure_transposed(inputs, outputs, kernel_size, stride, padding, output_padding, groups, dilation, mode)
    self:_add_parameters(bias, device, dtype)
  end

  local parse_call = args.parser(name, {{"input", "any"}, {"output_size", "any?"}})

  function class:forward(...)
    local x, output_size = ..., nil
    if select("#", ...) > 1 then x, output_size = parse_call(...) end
    local output_padding = output_size and padding_for(self, x, output_size) or self.output_padding
    return f(x, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation)
  end

  conv[("ConvTranspose%dd"):format(n)] = class
  return class
end

--- The transpose of a convolution, of sequences. `nn.ConvTranspose1d(in_channels, out_channels, kernel_size,
--- {stride = 1, padding = 0, output_padding = 0, groups = 1, bias = true, dilation = 1})`. `layer(x, output_size)`
--- chooses among the sizes that a stride allows.
--- Shapes: input (N, C_in, L) or (C_in, L), result (N, C_out, L_out) with L_out = (L - 1) stride - 2 padding +
--- dilation (kernel_size - 1) + output_padding + 1
---     > nn.ConvTranspose1d(4, 2, 3, {stride = 2})(nl.randn(1, 4, 5)).shape
---     [1, 2, 11]
---@class ConvTranspose1d: ConvNd
transposed_class(1)

--- The transpose of a convolution, of images. `nn.ConvTranspose2d(in_channels, out_channels, kernel_size, {stride = 1,
--- padding = 0, output_padding = 0, groups = 1, bias = true, dilation = 1})`; weight has shape [in_channels,
--- out_channels / groups, height, width]. `layer(x, output_size)` chooses among the sizes that a stride allows.
--- Shapes: input (N, C_in, H, W) or (C_in, H, W), result (N, C_out, H_out, W_out), each as L_out of ConvTranspose1d
---     > nn.ConvTranspose2d(16, 33, 3, {stride = 2})(nl.randn(2, 16, 5, 10)).shape
---     [2, 33, 11, 21]
---@class ConvTranspose2d: ConvNd
transposed_class(2)

--- The transpose of a convolution, of volumes. `nn.ConvTranspose3d(in_channels, out_channels, kernel_size, {stride = 1,
--- padding = 0, output_padding = 0, groups = 1, bias = true, dilation = 1})`; weight has shape [in_channels,
--- out_channels / groups, depth, height, width]. `layer(x, output_size)` chooses among the sizes that a stride allows.
--- Shapes: input (N, C_in, D, H, W) or (C_in, D, H, W), result (N, C_out, D_out, H_out, W_out), each as L_out of
--- ConvTranspose1d
---     > nn.ConvTranspose3d(16, 33, 3, {stride = 2})(nl.randn(2, 16, 2, 5, 10)).shape
---     [2, 33, 5, 11, 21]
---@class ConvTranspose3d: ConvNd
transposed_class(3)

-- ---------------------------------------------------------------------- lazy

local function first_channels(self, x)
  local name, n = "nn." .. self:_get_name(), self._dims
  if not core.is_tensor(x) then
    raise(("%s: the input must be a tensor, not %s"):format(name, core.describe(x)))
  elseif x.ndim ~= n + 1 and x.ndim ~= n + 2 then
    raise(("%s: the input must have %d or %d dimensions, not %d"):format(name, n + 1, n + 2, x.ndim))
  end
  return x:size(-n - 1)
end

--- A convolution that learns in_channels from its first input, and is a plain one from then on.
local function lazy_class(base)
  local transposed, name = base._transposed, "Lazy" .. base._name:sub(4)
  local class = lazy.class("nn." .. name, base)
  local parse = args.parser("nn." .. name, transposed and transposed_spec() or convolution_spec())

  function class:init(...)
    local outputs, kernel_size, stride, padding, fifth, groups, bias, eighth, ninth, device, dtype = parse(...)
    if transposed then
      self:_configure_transposed(0, outputs, kernel_size, stride, padding, fifth, groups, eighth, ninth)
    else
      device, dtype = ninth, device
      self:_configure(0, outputs, kernel_size, stride, padding, fifth, 0, groups, eighth)
    end
    lazy.add_parameters(self, bias, device, dtype)
    lazy.prepare(self)
  end

  function class:initialize_parameters(input)
    if type(input) == "table" then input = input.input end
    local wanted = self:has_uninitialized_params()
    self.in_channels = wanted and first_channels(self, input)
      or transposed and self.weight:size(1) or self.weight:size(2) * self.groups -- it has been loaded
    check_channels(self, "nn." .. name)
    if not wanted then return end
    if lazy.is_lazy(self.weight) then self.weight:materialize(table.unpack(self:_weight_shape())) end
    if lazy.is_lazy(self.bias) then self.bias:materialize(self.out_channels) end
    self:reset_parameters()
  end

  conv[name] = class
end

--- Conv1d that learns in_channels from its first input: `nn.LazyConv1d(out_channels, kernel_size, {…})`.
--- Shapes: as Conv1d
---     > nn.LazyConv1d(8, 3)(nl.randn(2, 4, 10)).shape
---     [2, 8, 8]
---@class LazyConv1d: Conv1d
lazy_class(conv.Conv1d)

--- Conv2d that learns in_channels from its first input: `nn.LazyConv2d(out_channels, kernel_size, {…})`.
--- Shapes: as Conv2d
---     > nn.LazyConv2d(8, 3)(nl.randn(2, 4, 10, 10)).shape
---     [2, 8, 8, 8]
---@class LazyConv2d: Conv2d
lazy_class(conv.Conv2d)

--- Conv3d that learns in_channels from its first input: `nn.LazyConv3d(out_channels, kernel_size, {…})`.
--- Shapes: as Conv3d
---     > nn.LazyConv3d(8, 3)(nl.randn(2, 4, 5, 10, 10)).shape
---     [2, 8, 3, 8, 8]
---@class LazyConv3d: Conv3d
lazy_class(conv.Conv3d)

--- ConvTranspose1d that learns in_channels from its first input.
--- Shapes: as ConvTranspose1d
---     > nn.LazyConvTranspose1d(8, 3)(nl.randn(2, 4, 10)).shape
---     [2, 8, 12]
---@class LazyConvTranspose1d: ConvTranspose1d
lazy_class(conv.ConvTranspose1d)

--- ConvTranspose2d that learns in_channels from its first input.
--- Shapes: as ConvTranspose2d
---     > nn.LazyConvTranspose2d(8, 3)(nl.randn(2, 4, 10, 10)).shape
---     [2, 8, 12, 12]
---@class LazyConvTranspose2d: ConvTranspose2d
lazy_class(conv.ConvTranspose2d)

--- ConvTranspose3d that learns in_channels from its first input.
--- Shapes: as ConvTranspose3d
---     > nn.LazyConvTranspose3d(8, 3)(nl.randn(2, 4, 3, 10, 10)).shape
---     [2, 8, 5, 12, 12]
---@class LazyConvTranspose3d: ConvTranspose3d
lazy_class(conv.ConvTranspose3d)

return conv
