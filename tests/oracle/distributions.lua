--- Cases of `distributions`: fields, densities, draws and their gradients; divergences, transforms, constraints.

local api = require "oracle.api"
local compare = require "oracle.compare"
local json = require "oracle.json"
local values = require "oracle.values"

local nl = api.nl

local distributions = {}

-- -------------------------------------------------------------- construction

local make

local function decode(encoded, collector)
  if type(encoded) == "table" and encoded.made then return make(encoded, collector) end
  if type(encoded) == "table" and (encoded[1] ~= nil or next(encoded) == nil) then
    local list = {}
    for i, one in ipairs(encoded) do list[i] = decode(one, collector) end
    return list
  end
  return values.decode(encoded, collector)
end

--- What `made` names: a value, or what a class of that name makes of arguments.
function make(encoded, collector)
  local made = api.lookup(encoded.made)
  if not encoded.args then return made end
  local own, names = {}, {}
  for i, one in ipairs(encoded.args) do own[i] = decode(one, collector) end
  for name in pairs(encoded.kwargs) do table.insert(names, name) end
  table.sort(names)
  local named = {}
  for _, name in ipairs(names) do named[name] = decode(encoded.kwargs[name], collector) end
  if #names > 0 then table.insert(own, named) end
  made = made(table.unpack(own))
  return encoded.inverse and made.inv or made
end

-- ------------------------------------------------------------------ comparing

local function compare_one(got, recorded, case, outcome)
  compare.value({n = 1, got}, {recorded}, compare.tolerance(case), outcome.stage, outcome.wrong)
end

local function compare_gradients(gradients, leaves, recorded, what, case, outcome)
  for i, one in ipairs(recorded) do
    local stage = ("%s, %s %d"):format(outcome.stage, what, i)
    local got = gradients[i]
    if one ~= json.null then
      if not api.is_tensor(got) then got = nl.zeros_like(leaves[i]) end
      compare.value({n = 1, got}, {one}, compare.tolerance(case), stage, outcome.wrong)
    elseif api.is_tensor(got) and got:ne(0):any():item() then
      table.insert(outcome.wrong, stage .. ": there is one")
    end
  end
end

--- The gradients of the sum of the squares of those that have some.
local function check_second(gradients, leaves, recorded, case, outcome)
  local sum = 0
  for i = 1, #leaves do
    local one = gradients[i]
    if api.is_tensor(one) and one.requires_grad then sum = sum + one:nan_to_num(0, 0, 0):square():sum() end
  end
  if sum == 0 then
    table.insert(outcome.wrong, outcome.stage .. ": no gradient has a gradient")
    return
  end
  local second = nl.autograd.grad({sum}, leaves, {allow_unused = true, as_table = true, retain_graph = true})
  compare_gradients(second, leaves, recorded, "second gradient", case, outcome)
end

--- The gradients of a sum with weights from 0.5 to 1.5; what is not finite counts as 0. And theirs, if there are any.
local function check_gradients(result, leaves, recorded, case, outcome, second)
  if recorded == nil or recorded == json.null or #recorded == 0 then return end
  local weights = nl.linspace(0.5, 1.5, result:numel(), {dtype = result.dtype}):reshape(result.shape)
  local sum = (result * weights):nan_to_num(0, 0, 0):sum()
  local gradients = nl.autograd.grad({sum}, leaves,
    {allow_unused = true, as_table = true, retain_graph = true, create_graph = second ~= nil})
  compare_gradients(gradients, leaves, recorded, "gradient", case, outcome)
  if second then check_second(gradients, leaves, second, case, outcome) end
end

local function check_plain(got, recorded, what, outcome)
  if got ~= recorded then
    table.insert(outcome.wrong, ("%s: %s instead of %s"):format(what, got, recorded))
  end
end

local function check_shape(got, recorded, what, outcome)
  check_plain(table.concat({table.unpack(got, 1, #got)}, " "), table.concat(recorded, " "), what, outcome)
end

-- -------------------------------------------------------------------- cases

local function run_step(built, leaves, step, case, outcome)
  if step.seed then nl.manual_seed(step.seed) end
  local result, all = nil, {table.unpack(leaves)}
  if step.field then
    outcome.stage = step.field
    result = built[step.field]
  else
    outcome.stage = step.call
    local collector = values.collector(true)
    local arguments = decode(step.args, collector)
    result = built[step.call](built, table.unpack(arguments))
    for _, tensor in ipairs(collector.tensors) do
      if tensor.requires_grad then table.insert(all, tensor) end
    end
  end
  compare_one(result, step.out, case, outcome)
  check_gradients(result, all, step.grads, case, outcome, step.second)
end

local function run_distribution(case, outcome)
  local collector = values.collector(true)
  local built = make(case.made, collector)
  check_shape(built.batch_shape:totable(), case.batch_shape, "batch_shape", outcome)
  check_shape(built.event_shape:totable(), case.event_shape, "event_shape", outcome)
  check_plain(tostring(built), case.text, "text", outcome)
  check_plain(built.has_rsample, case.has_rsample, "has_rsample", outcome)
  for _, step in ipairs(case.steps) do
    run_step(built, collector.tensors, step, case, outcome)
  end
end

local function run_divergence(case, outcome)
  local collector = values.collector(true)
  local p, q = make(case.p, collector), make(case.q, collector)
  outcome.stage = "kl_divergence"
  local result = nl.distributions.kl_divergence(p, q)
  compare_one(result, case.out, case, outcome)
  check_gradients(result, collector.tensors, case.grads, case, outcome)
end

local function run_transform(case, transform, leaves, outcome)
  local x = values.decode(case.x):requires_grad_()
  table.insert(leaves, x)
  outcome.stage = "forward"
  local y = transform(x)
  compare_one(y, case.y, case, outcome)
  check_gradients(y, leaves, case.grads, case, outcome)
  check_plain(transform.bijective, case.bijective, "bijective", outcome)
  check_shape(transform:forward_shape(x.shape), case.forward_shape, "forward_shape", outcome)
  check_shape(transform:inverse_shape(y.shape), case.inverse_shape, "inverse_shape", outcome)
  check_plain(transform.domain.event_dim, case.domain_event_dim, "event_dim of the domain", outcome)
  check_plain(transform.codomain.event_dim, case.codomain_event_dim, "event_dim of the codomain", outcome)
  if case.inverse then
    outcome.stage = "inverse"
    compare_one(transform.inv(y:detach()), case.inverse, case, outcome)
  end
  if case.log_abs_det_jacobian then
    outcome.stage = "log_abs_det_jacobian"
    local jacobian = transform:log_abs_det_jacobian(x, transform(x))
    compare_one(jacobian, case.log_abs_det_jacobian, case, outcome)
    check_gradients(jacobian, leaves, case.jacobian_grads, case, outcome)
  end
end

local function run_constraint(case, outcome)
  local constraint = make(case.constraint)
  outcome.stage = "check"
  compare_one(constraint:check(values.decode(case.value)), case.out, case, outcome)
  check_plain(constraint.event_dim, case.event_dim, "event_dim", outcome)
  check_plain(constraint.is_discrete, case.is_discrete, "is_discrete", outcome)
end

function distributions.run(case, outcome)
  outcome.stage = "construction"
  if case.steps then return run_distribution(case, outcome) end
  if case.p then return run_divergence(case, outcome) end
  if case.constraint then return run_constraint(case, outcome) end
  local collector = values.collector(true)
  local made = make(case.made or case.biject_to or case.transform_to, collector)
  if case.biject_to then made = nl.distributions.biject_to(made) end
  if case.transform_to then made = nl.distributions.transform_to(made) end
  run_transform(case, made, collector.tensors, outcome)
end

return distributions
