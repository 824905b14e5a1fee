--- Cases of `optim`: parameters after each step, learning rates after each step.

local api = require "oracle.api"
local compare = require "oracle.compare"
local json = require "oracle.json"
local values = require "oracle.values"

local optim = {}

local nl = api.nl

-- ---------------------------------------------------------------- optimizers

--- Parameter groups of a case, or nil if it has none.
local function groups_of(case, parameters)
  if not case.groups then
    return nil
  end
  local groups = {}
  for i, encoded in ipairs(case.groups) do
    groups[i] = values.decode(encoded.kwargs)
    groups[i].params = {}
    for j, number in ipairs(encoded.params) do
      groups[i].params[j] = parameters[number]
    end
  end
  return groups
end

--- A closure that computes the loss of the parameters and its gradients.
local function slope(optimizer, parameters, targets, curvatures)
  return function()
    optimizer:zero_grad()
    local loss
    for i, parameter in ipairs(parameters) do
      local distance = parameter - targets[i]
      local term = (curvatures[i] * distance * distance):sum() / 2
      loss = loss and loss + term or term
    end
    loss:backward()
    return loss
  end
end

local function run_optimizer(case, outcome)
  local class = api.lookup(case.optimizer)
  local parameters = values.decode(case.params)
  for i, parameter in ipairs(parameters) do
    parameters[i] = parameter:requires_grad_()
  end
  local options = values.arguments({}, case.kwargs)
  local optimizer = class(groups_of(case, parameters) or parameters, values.unpack(options))
  local closure = slope(optimizer, parameters, values.decode(case.targets),
                        values.decode(case.curvatures))
  for i, recorded in ipairs(case.steps) do
    outcome.stage = "step " .. i
    optimizer:step(closure)
    compare.value(parameters, recorded, compare.tolerance(case), outcome.stage, outcome.wrong)
  end
end

-- ---------------------------------------------------------------- schedulers

local build_scheduler

--- An argument of a scheduler, which may be a scheduler or a list of them.
local function scheduler_argument(encoded, optimizer)
  if type(encoded) ~= "table" or encoded == json.null then
    return values.decode(encoded)
  elseif encoded.scheduler then
    return build_scheduler(encoded, optimizer)
  elseif type(encoded[1]) == "table" then
    local list = {}
    for i, inner in ipairs(encoded) do
      list[i] = scheduler_argument(inner, optimizer)
    end
    return list
  end
  return values.decode(encoded)
end

function build_scheduler(encoded, optimizer)
  local class = api.lookup(encoded.scheduler)
  local args = {}
  if not encoded.scheduler:find("ChainedScheduler", 1, true) then
    args[1] = optimizer  -- the schedulers in a chain know it already
  end
  for _, value in ipairs(encoded.args) do
    table.insert(args, scheduler_argument(value, optimizer))
  end
  local options = values.arguments({}, encoded.kwargs)
  return class(table.unpack(table.move(options, 1, options.n, #args + 1, args)))
end

optim.build_scheduler = build_scheduler

--- An optimizer with two groups of one parameter each.
local function scheduled_optimizer(case)
  local groups = {}
  for i, options in ipairs(case.groups) do
    groups[i] = values.decode(options)
    groups[i].params = {nl.zeros(1):requires_grad_()}
  end
  return api.lookup(case.optimizer)(groups, values.decode(case.optimizer_kwargs))
end

--- Appends an option of each group to a list.
local function note(optimizer, option, list)
  local row = {}
  for i = 1, #optimizer.param_groups do
    row[i] = optimizer.param_groups[i][option]
  end
  table.insert(list, row)
end

local function run_scheduler(case, outcome)
  local optimizer = scheduled_optimizer(case)
  local scheduler = build_scheduler(case, optimizer)
  local rates, momenta = {}, {}
  note(optimizer, "lr", rates)
  note(optimizer, "momentum", momenta)
  for i = 1, #case.lrs - 1 do
    outcome.stage = "step " .. i
    optimizer:step()
    scheduler:step(case.metrics and case.metrics[i])
    note(optimizer, "lr", rates)
    note(optimizer, "momentum", momenta)
  end
  local tolerance = compare.tolerance(case)
  compare.numbers(rates, case.lrs, tolerance, "lr", outcome.wrong)
  compare.numbers(momenta, case.momenta or {}, tolerance, "momentum", outcome.wrong)
end

function optim.run(case, outcome)
  outcome.stage = "constructor"
  local run = case.scheduler and run_scheduler or run_optimizer
  run(case, outcome)
end

return optim
