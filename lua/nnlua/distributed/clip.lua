-- Clipping gradients of parameters that are shared out over processes.

local args = require "nnlua.args"
local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local nl = require "nnlua"
local parameter_list = require "nnlua.nn.parameter_list"

local parse = args.parser("clip_grad_norm_", {
  {"parameters", "any"}, {"max_norm", "number"}, {"norm_type", "number", 2.0}, {"replicated", "any?"},
  {"group", "any?"},
})

local function gradients_of(parameters)
  local list = {}
  for _, p in ipairs(parameters and parameter_list("clip_grad_norm_", parameters) or {}) do
    if p.grad then table.insert(list, p.grad) end
  end
  return list
end

--- The sum of the p-th powers of all elements, or, of the norm infinity, the largest.
local function part_of(gradients, p)
  if #gradients == 0 then return nl.zeros({}, {dtype = nl.float64}) end
  local norm = nl.nn.utils.get_total_norm(gradients, p):double()
  return p == math.huge and norm or norm ^ p
end

--- Scales gradients so that the norm of all of them together is at most max_norm; returns what it was. `parameters` are
--- this rank's shares of what the group has, `replicated` those that all ranks have alike, which count once.
---     > share = nl.ones(2, {requires_grad = true}) -- of four elements
---     > share:sum():backward()
---     > dist.clip_grad_norm_({share}, 1.0):item()
---     2.0
---     > share.grad
---     tensor([0.5000, 0.5000])
---@param parameters any
---@param max_norm number
---@param norm_type? number
---@param replicated? any
---@param group? ProcessGroup
---@return Tensor
return function(...)
  local parameters, max_norm, p, replicated, given = parse(...)
  if not (max_norm >= 0) then core.raise "dist.clip_grad_norm_: max_norm must be 0 or more" end
  if not (p > 0) then core.raise "dist.clip_grad_norm_: norm_type must be above 0" end
  local group = membership.group("clip_grad_norm_", given)
  local own, common = gradients_of(parameters), gradients_of(replicated)
  return nl.no_grad(function()
    local total = part_of(own, p)
    local op = p == math.huge and "max" or "sum"
    if group then collectives.all_reduce(total, {group = group, op = op}) end
    local rest = part_of(common, p)
    local norm = p == math.huge and nl.maximum(total, rest) or (total + rest) ^ (1 / p)
    local factor = math.min(max_norm / (norm:item() + 1e-6), 1)
    for _, list in ipairs {own, common} do
      for _, gradient in ipairs(list) do gradient:mul_(factor) end
    end
    return norm:float()
  end)
end
