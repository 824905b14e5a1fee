-- Kullback-Leibler divergences: which rule is for two distributions, by their classes.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local distribution = require "nnlua.distributions.distribution"
local rules = require "nnlua.distributions.kl_rules"

local kl = {}

local raise, names = core.raise, distribution.names

-- rules[p][q]: a function of two distributions. p and q are classes; nnlua's own go by their short names, so that their
-- files needn't be read for that.
local function key_of(one)
  return names[one] or one
end

-- The keys of a class and of those it comes from.
local function ancestry(one)
  local keys = {}
  while type(one) == "table" do
    keys[#keys + 1] = key_of(one)
    one = rawget(one, "super")
  end
  return keys
end

-- The rule whose first class is the nearest one to p's and then its second one to q's; with swap the other way round.
local function nearest(ps, qs, swap)
  for _, outer in ipairs(swap and qs or ps) do
    for _, inner in ipairs(swap and ps or qs) do
      local p, q = outer, inner
      if swap then p, q = inner, outer end
      local rule = rules[p] and rules[p][q]
      if rule then return rule end
    end
  end
end

local function rule_of(p, q)
  local ps, qs = ancestry(getmetatable(p)), ancestry(getmetatable(q))
  local rule = nearest(ps, qs)
  if rule ~= nearest(ps, qs, true) then
    warn(("nnlua: kl_divergence(%s, %s) has two rules that fit as well: register_kl tells which one holds"):format(
      p.__name, q.__name))
  end
  return rule
end

local function check_distribution(what, value)
  if not class.is_a(value, distribution.Distribution) then
    raise(("kl_divergence: %s must be a distribution, not %s"):format(what, core.describe(value)))
  end
end

--- The divergence KL(p || q) of two distributions, the mean under p of log p - log q: for each of the batch.
---     > Normal = nl.distributions.Normal
---     > nl.distributions.kl_divergence(Normal(0, 1), Normal(1, 1))
---     tensor(0.5000)
---@param p Distribution
---@param q Distribution
---@return Tensor
function kl.kl_divergence(p, q)
  check_distribution("p", p)
  check_distribution("q", q)
  local rule = rule_of(p, q)
  if not rule then raise(("kl_divergence: there is none of %s and %s"):format(p.__name, q.__name)) end
  return rule(p, q, kl.kl_divergence)
end

local function check_class(what, value)
  if type(value) ~= "table" or not rawget(value, "get") or value.log_prob == nil then
    raise(("register_kl: %s must be a class of distributions, not %s"):format(what, core.describe(value)))
  end
end

--- Says how kl_divergence is computed for two classes and those made from them: `rule(p, q)`. Without a rule the result
--- is a function that takes one, else the rule.
---     > Mine = nl.distributions.class("Mine")
---     > rule = nl.distributions.register_kl(Mine, Mine, function(p, q) return nl.tensor(0.0) end)
---     > nl.distributions.kl_divergence(Mine(), Mine())
---     tensor(0.)
---@param type_p table
---@param type_q table
---@param rule? function
function kl.register_kl(type_p, type_q, rule)
  check_class("type_p", type_p)
  check_class("type_q", type_q)
  if rule == nil then return function(f) return kl.register_kl(type_p, type_q, f) end end
  if not args.is_callable(rule) then
    raise("register_kl: the rule must be a function of two distributions, not " .. core.describe(rule))
  end
  local p = key_of(type_p)
  rules[p] = rules[p] or {}
  rules[p][key_of(type_q)] = rule
  return rule
end

return kl
