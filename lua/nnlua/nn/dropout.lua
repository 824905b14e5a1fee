-- Dropout, element by element or channel by channel.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local repr = require "nnlua.nn.repr"

local format = core.format

local dropout = {}

local F = nl.F

--- A class of modules that pass their input, p, training and inplace to a function.
local function dropout_class(name, f)
  local class, full_name = core.class("nn." .. name, Module), "nn." .. name
  local parse = args.parser(full_name, {{"p", "number", 0.5}, {"inplace", "boolean", false}})

  function class:init(...)
    self.p, self.inplace = parse(...)
    if self.p < 0 or self.p > 1 then
      core.raise(format("%s: p is a probability from 0 to 1, not %s", full_name, self.p))
    end
  end

  function class:forward(x)
    return f(x, self.p, self.training, self.inplace)
  end

  function class:extra_repr()
    return ("p=%s, inplace=%s"):format(repr.value(self.p), repr.value(self.inplace))
  end

  dropout[name] = class
  return class
end

--- Sets elements to zero with probability p while training, and scales the others up. `nn.Dropout(p = 0.5)`.
--- Shapes: input (*), result the same
---     > nn.Dropout(0.5):eval()(nl.tensor({1.0, 2.0}))
---     tensor([1., 2.])
---@class Dropout: Module
dropout_class("Dropout", F.dropout)

--- Sets whole channels of sequences, [N, C, L] or [C, L], to zero. `nn.Dropout1d(p = 0.5)`.
--- Shapes: input (N, C, L) or (C, L), result the same
---     > nn.Dropout1d(0.5):eval()(nl.tensor({{1.0, 2.0}}))
---     tensor([[1., 2.]])
---@class Dropout1d: Module
dropout_class("Dropout1d", F.dropout1d)

--- Sets whole channels of images, [N, C, H, W], to zero. `nn.Dropout2d(p = 0.5)`.
--- Shapes: input (N, C, H, W) or (C, H, W), result the same
---     > nn.Dropout2d(0.5)(nl.ones(2, 3, 4, 4)).shape
---     [2, 3, 4, 4]
---@class Dropout2d: Module
dropout_class("Dropout2d", F.dropout2d)

--- Sets whole channels of volumes, [N, C, D, H, W] or [C, D, H, W], to zero. `nn.Dropout3d(p = 0.5)`.
--- Shapes: input (N, C, D, H, W) or (C, D, H, W), result the same
---     > nn.Dropout3d(0.5)(nl.ones(2, 3, 4, 4, 4)).shape
---     [2, 3, 4, 4, 4]
---@class Dropout3d: Module
dropout_class("Dropout3d", F.dropout3d)

--- Sets elements to the value that selu saturates at, keeping mean and variance. `nn.AlphaDropout(p = 0.5)`.
--- Shapes: input (*), result the same
---     > nn.AlphaDropout(0.2):eval()(nl.tensor({1.0, 2.0}))
---     tensor([1., 2.])
---@class AlphaDropout: Module
dropout_class("AlphaDropout", F.alpha_dropout)

--- AlphaDropout of whole channels. `nn.FeatureAlphaDropout(p = 0.5)`.
--- Shapes: input (N, C, *), result the same
---     > nn.FeatureAlphaDropout(0.5):eval()(nl.tensor({{1.0, 2.0}}))
---     tensor([[1., 2.]])
---@class FeatureAlphaDropout: Module
dropout_class("FeatureAlphaDropout", F.feature_alpha_dropout)

return dropout
