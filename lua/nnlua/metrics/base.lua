-- The base of all metrics: what they have counted, in a table that can be saved.

local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local deepcopy = require "nnlua.nn.copy"
local nl = require "nnlua"

local base = {}

local raise = core.raise

--- What all metrics share: update, compute, reset, state_dict, load_state_dict. A subclass keeps all that it counts in
--- the table `self.state`, which its `empty()` gives anew, and defines `update`, which returns self, and `compute`:
---
---     > Largest = nl.metrics.class "Largest"
---     > function Largest:empty() return {value = -math.huge} end
---     > function Largest:update(x) self.state.value = math.max(self.state.value, x:max():item()) return self end
---     > function Largest:compute() return self.state.value end
---     > Largest():update(nl.tensor {3, 1}):compute()
---     3
---@class Metric
---@field state table
local Metric = class.new "metrics.Metric"
base.Metric = Metric

--- A new class of metrics, of Metric itself or of another one.
---     > Count = nl.metrics.class "Count"
---     > function Count:empty() return {n = 0} end
---     > function Count:update(x) self.state.n = self.state.n + #x return self end
---     > function Count:compute() return self.state.n end
---     > Count():update(nl.ones(3)):update(nl.ones(2)):compute()
---     5
function base.class(name, parent)
  return class.new(name, parent or Metric)
end

function Metric:init()
  self:reset()
end

--- What a metric begins with; a subclass gives its own.
function Metric:empty()
  raise(self.__name .. " has no method empty(), which gives the table that it counts in")
end

--- Forgets all batches.
---     > mean = nl.metrics.Mean():update(5)
---     > mean:reset();
---     > mean:update(1):compute()
---     1.0
function Metric:reset()
  self.state = self:empty()
  return self
end

--- Counts a batch: what a model gave, and what was right. Gives the metric, so that calls can be chained.
function Metric:update()
  raise(self.__name .. " has no method update()")
end

--- The value over all batches since the last reset: a number, or a tensor where there are several; nan before the first
--- batch, where it can't be told.
function Metric:compute()
  raise(self.__name .. " has no method compute()")
end

--- What was counted so far, to be saved: nl.checkpoint takes metrics.
---     > mean = nl.metrics.Mean():update(5)
---     > nl.checkpoint.save(os.tmpname(), {metric = mean:state_dict()})
function Metric:state_dict()
  return deepcopy(self.state)
end

--- Numbers and tensors are one kind, as a count that begins with 0 may become a tensor; else it is the type.
local function kind_of(value)
  return (type(value) == "number" or core.is_tensor(value)) and "numeric" or type(value)
end

--- Goes on from what state_dict gave: a table whose values are of the kinds that empty() gives.
---     > mean = nl.metrics.Mean()
---     > mean:load_state_dict(nl.metrics.Mean():update(5):state_dict());
---     > mean:compute()
---     5.0
function Metric:load_state_dict(state_dict)
  local fits = type(state_dict) == "table"
  for key, value in pairs(self:empty()) do
    fits = fits and kind_of(state_dict[key]) == kind_of(value)
      and (core.is_tensor(state_dict[key]) or not core.is_tensor(value))
  end
  if not fits then
    raise(("load_state_dict: what state_dict() of a %s gave is wanted, not %s"):format(self.__name,
      core.describe(state_dict)))
  end
  self.state = deepcopy(state_dict)
end

-- -------------------------------------------------------------------- inputs

--- Checks that a value is a tensor, and takes it out of the graph.
function base.tensor(self, name, value)
  if not core.is_tensor(value) then
    raise(("%s: %s must be a tensor, not %s"):format(self.__name, name, core.describe(value)))
  end
  return value:detach()
end

--- Two tensors of one shape.
function base.alike(self, input, target)
  input, target = base.tensor(self, "input", input), base.tensor(self, "target", target)
  if not core.same_shape(input, target) then
    raise(("%s: input has shape %s, target %s: they must be the same"):format(self.__name, input.shape, target.shape))
  end
  return input, target
end

--- A share of a whole; nan of nothing.
function base.share(part, whole)
  return whole ~= 0 and part / whole or nl.nan
end

return base
