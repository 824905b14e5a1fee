-- Linear layers whose weights are shared out over processes.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local functional = require "nnlua.distributed.functional"
local membership = require "nnlua.distributed.membership"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"

local tensor_parallel = {}

local F, raise = nl.F, core.raise

local function group_of(name, given)
  return membership.group(name, given) or raise(name .. ": this process is not in the group")
end

local function share(name, what, n, group)
  if n % group:size() ~= 0 then
    raise(("%s: %s, %d, can't be shared out evenly over %d ranks"):format(name, what, n, group:size()))
  end
  return n // group:size()
end

--- The own part of a weight that all ranks draw alike, so that the whole is that of nn.Linear with the same seed.
local function own_part(whole, dim, group)
  local n = whole:size(dim) // group:size()
  return core.parameter(whole:detach():narrow(dim, group:rank() * n + 1, n):clone())
end

--- A linear layer of which each process has some outputs (rows of the weight). All ranks give the same input; with
--- gather_output each gets the whole result, else its part, as a RowParallelLinear takes it.
--- `nn.parallel.ColumnParallelLinear(in_features, out_features, {bias = true, gather_output = true,
--- process_group = nil})`.
--- The weights are those that nn.Linear draws from the same seed, which all ranks must have.
--- Shapes: input (*, in_features), result (*, out_features), or that by the number of ranks
---     > nn.parallel.ColumnParallelLinear(4, 6)(nl.ones(2, 4)).shape
---     [2, 6]
---@class ColumnParallelLinear: Module
---@field weight Tensor [out_features / ranks, in_features]
---@field bias Tensor [out_features / ranks]
local Column = core.class("nn.parallel.ColumnParallelLinear", Module)
tensor_parallel.ColumnParallelLinear = Column

local parse_column = args.parser("nn.parallel.ColumnParallelLinear", {
  {"in_features", "integer"}, {"out_features", "integer"}, {"bias", "boolean", true},
  {"gather_output", "boolean", true},
  {"process_group", "any?"},
})

function Column:init(...)
  local n, m, has_bias, gathers, given = parse_column(...)
  local group = group_of("ColumnParallelLinear", given)
  share("ColumnParallelLinear", "out_features", m, group)
  local whole = nl.nn.Linear(n, m, has_bias)
  self.in_features, self.out_features, self.gather_output, self.process_group = n, m, gathers, group
  self.weight = own_part(whole.weight, 1, group)
  if has_bias then self.bias = own_part(whole.bias, 1, group) else core.register_parameter(self, "bias", nil) end
end

function Column:forward(x)
  local y = F.linear(functional.copy(x, self.process_group), self.weight, self.bias)
  return self.gather_output and functional.gather(y, self.process_group) or y
end

--- A linear layer of which each process has some inputs (columns of the weight); the parts of the result are summed.
--- With input_is_parallel each rank gives its part of the input, as a ColumnParallelLinear leaves it.
--- `nn.parallel.RowParallelLinear(in_features, out_features, {bias = true, input_is_parallel = false,
--- process_group = nil})`.
--- Shapes: input (*, in_features), or that by the number of ranks, result (*, out_features)
---     > nn.parallel.RowParallelLinear(4, 6)(nl.ones(2, 4)).shape
---     [2, 6]
---@class RowParallelLinear: Module
---@field weight Tensor [out_features, in_features / ranks]
---@field bias Tensor [out_features]
local Row = core.class("nn.parallel.RowParallelLinear", Module)
tensor_parallel.RowParallelLinear = Row

local parse_row = args.parser("nn.parallel.RowParallelLinear", {
  {"in_features", "integer"}, {"out_features", "integer"}, {"bias", "boolean", true},
  {"input_is_parallel", "boolean", false}, {"process_group", "any?"},
})

function Row:init(...)
  local n, m, has_bias, is_parallel, given = parse_row(...)
  local group = group_of("RowParallelLinear", given)
  share("RowParallelLinear", "in_features", n, group)
  local whole = nl.nn.Linear(n, m, has_bias)
  self.in_features, self.out_features, self.input_is_parallel, self.process_group = n, m, is_parallel, group
  self.weight = own_part(whole.weight, 2, group)
  if has_bias then
    self.bias = core.parameter(whole.bias:detach():clone())
  else
    core.register_parameter(self, "bias", nil)
  end
end

function Row:forward(x)
  local part = self.input_is_parallel and x or functional.split(x, self.process_group)
  local y = functional.reduce(F.linear(part, self.weight), self.process_group)
  return self.bias and y + self.bias or y
end

for _, class in ipairs {Column, Row} do
  function class:extra_repr()
    return ("in_features=%d, out_features=%d, bias=%s, ranks=%d"):format(
      self.in_features, self.out_features, self.bias ~= nil and "True" or "False", self.process_group:size())
  end
end

return tensor_parallel
