-- Pools whose windows lie at random, and maxima put back to where they came from.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local settings = require "nnlua.nn.spatial_settings"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"

local placed = {}

local F = nl.F
local raise = core.raise

-- ------------------------------------------------------------------- at random

local function fractional_class(n)
  local short = ("FractionalMaxPool%dd"):format(n)
  local name = "nn." .. short
  local class, f = core.class(name, Module), F[("fractional_max_pool%dd"):format(n)]
  local parse = args.parser(name, {
    {"kernel_size", "any"}, {"output_size", "any?"}, {"output_ratio", "any?"}, {"return_indices", "boolean", false},
    {"_random_samples", "tensor?"},
  })

  function class:init(...)
    local kernel_size, output_size, output_ratio, return_indices, samples = parse(...)
    settings.list(name, "kernel_size", kernel_size, n, 1)
    if (output_size == nil) == (output_ratio == nil) then
      raise(name .. ": one of output_size and output_ratio is wanted")
    end
    for _, ratio in ipairs(type(output_ratio) == "table" and output_ratio or {output_ratio}) do
      if type(ratio) ~= "number" or ratio <= 0 or ratio >= 1 then
        raise(("%s: output_ratio must lie between 0 and 1, not be %s"):format(name, core.describe(ratio)))
      end
    end
    if output_size then settings.list(name, "output_size", output_size, n, 1) end
    self.kernel_size, self.output_size, self.output_ratio = kernel_size, output_size, output_ratio
    self.return_indices = return_indices
    self:register_buffer("_random_samples", samples)
  end

  function class:forward(x)
    return f(x, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples)
  end

  placed[short] = class
end

--- The maxima of windows of images that lie at random, so that the result is output_size, or output_ratio of the input
--- (B. Graham, "Fractional max-pooling", 2015). `nn.FractionalMaxPool2d(kernel_size, {output_size, output_ratio,
--- return_indices = false})`.
--- Shapes: input (N, C, H, W) or (C, H, W), result (N, C, output_size)
---     > nn.FractionalMaxPool2d(3, {output_size = {13, 12}})(nl.randn(20, 16, 50, 32)).shape
---     [20, 16, 13, 12]
---@class FractionalMaxPool2d: Module
fractional_class(2)

--- The same of volumes. `nn.FractionalMaxPool3d(kernel_size, {output_size, output_ratio, return_indices = false})`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result (N, C, output_size)
---     > nn.FractionalMaxPool3d(3, {output_ratio = 0.5})(nl.randn(2, 4, 10, 12, 14)).shape
---     [2, 4, 5, 6, 7]
---@class FractionalMaxPool3d: Module
fractional_class(3)

-- ------------------------------------------------------------------ the way back

local function unpool_class(n)
  local short = ("MaxUnpool%dd"):format(n)
  local name = "nn." .. short
  local class, f = core.class(name, Module), F[("max_unpool%dd"):format(n)]
  local parse = args.parser(name, {{"kernel_size", "any"}, {"stride", "any?"}, {"padding", "any", 0}})
  local parse_call = args.parser(name, {{"input", "tensor"}, {"indices", "tensor"}, {"output_size", "any?"}})

  function class:init(...)
    local kernel_size, stride, padding = parse(...)
    self.kernel_size = settings.list(name, "kernel_size", kernel_size, n, 1)
    self.stride = settings.list(name, "stride", stride or kernel_size, n, 1)
    self.padding = settings.list(name, "padding", padding, n)
  end

  function class:forward(...)
    local x, indices, output_size = parse_call(...)
    return f(x, indices, self.kernel_size, self.stride, self.padding, output_size)
  end

  function class:extra_repr()
    local text = settings.text
    return ("kernel_size=%s, stride=%s, padding=%s"):format(text(self.kernel_size), text(self.stride),
      text(self.padding))
  end

  placed[short] = class
end

--- Puts the maxima that MaxPool1d gave with return_indices back to their places, zeros elsewhere.
--- `nn.MaxUnpool1d(kernel_size, stride = kernel_size, padding = 0)`; a call may end with {output_size = …}.
--- Shapes: input and indices (N, C, L) or (C, L), result (N, C, L_out) with L_out = (L - 1) stride - 2 padding +
--- kernel_size
---     > y, indices = nn.MaxPool1d(2, {return_indices = true})(nl.tensor({{1.0, 3.0, 2.0, 0.0}}))
---     > nn.MaxUnpool1d(2)(y, indices)
---     tensor([[0., 3., 2., 0.]])
---@class MaxUnpool1d: Module
unpool_class(1)

--- Puts the maxima that MaxPool2d gave with return_indices back to their places, zeros elsewhere.
--- `nn.MaxUnpool2d(kernel_size, stride = kernel_size, padding = 0)`.
--- Shapes: input and indices (N, C, H, W) or (C, H, W), result (N, C, H_out, W_out), each as of MaxUnpool1d
---     > y, indices = nn.MaxPool2d(2, {return_indices = true})(nl.randn(1, 2, 4, 6))
---     > nn.MaxUnpool2d(2)(y, indices).shape
---     [1, 2, 4, 6]
---@class MaxUnpool2d: Module
unpool_class(2)

--- Puts the maxima that MaxPool3d gave with return_indices back to their places, zeros elsewhere.
--- `nn.MaxUnpool3d(kernel_size, stride = kernel_size, padding = 0)`.
--- Shapes: input and indices (N, C, D, H, W) or (C, D, H, W), result (N, C, D_out, H_out, W_out), each as of
--- MaxUnpool1d
---     > y, indices = nn.MaxPool3d(2, {return_indices = true})(nl.randn(1, 2, 4, 6, 2))
---     > nn.MaxUnpool3d(2)(y, indices).shape
---     [1, 2, 4, 6, 2]
---@class MaxUnpool3d: Module
unpool_class(3)

return placed
