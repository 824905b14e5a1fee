--- Cases of `ops`: results, gradients, second gradients and other forms of the same call.

local api = require "oracle.api"
local calls = require "oracle.calls"
local compare = require "oracle.compare"
local json = require "oracle.json"
local properties = require "oracle.properties"
local values = require "oracle.values"

local ops = {}

-- ---------------------------------------------------------------- properties

-- Names of the positional arguments of operations whose results have properties.
local PARAMETERS = {
  sort = {"input", "dim", "descending"}, argsort = {"input", "dim", "descending"},
  topk = {"input", "k", "dim", "largest", "sorted"}, kthvalue = {"input", "k", "dim", "keepdim"},
  median = {"input", "dim", "keepdim"}, nanmedian = {"input", "dim", "keepdim"},
  mode = {"input", "dim", "keepdim"},
  unique = {"input", "sorted", "return_inverse", "return_counts", "dim"},
  qr = {"A", "mode"}, svd = {"A", "some", "compute_uv"}, eigh = {"A", "UPLO"},
  eig = {"A"}, eigvals = {"A"}, geqrf = {"A"},
}

--- The arguments of a call by name.
local function bound_arguments(case, args)
  local bound = {}
  for i, name in ipairs(PARAMETERS[case.call:match("[%w_]+$")] or {}) do
    bound[name] = i <= #case.args and args[i] or nil
  end
  for name, encoded in pairs(case.kwargs) do
    bound[name] = values.decode(encoded)
  end
  return bound
end

local function decoded_results(case)
  local recorded = {}
  for i, encoded in ipairs(case.out) do
    recorded[i] = values.decode(encoded)
  end
  return recorded
end

--- Whether a tensor is close to another one, which may come from nnlua too.
local function closeness(tolerance)
  return function(a, b)
    if a.dtype ~= b.dtype or a.shape ~= b.shape then
      return false
    end
    local off = (a - b):abs()
    return off:le(tolerance.atol + tolerance.rtol * b:abs()):all():item()
  end
end

local function has_property(name, case, args, results)
  local detached = {}
  for i = 1, results.n do
    detached[i] = results[i]:detach()
  end
  return properties[name](bound_arguments(case, args), detached, decoded_results(case),
                          closeness(compare.tolerance(case)))
end

-- ------------------------------------------------------------------- results

local function has_flag(case, wanted)
  for _, flag in ipairs(case.flags or {}) do
    if flag == wanted then
      return true
    end
  end
  return false
end

local function run(case, form, args)
  local results = calls.run(form, args)
  return has_flag(case, "list_result") and calls.as_list(results) or results
end

--- The results on record, a complex number as the two that nnlua's item() gives.
local function recorded_results(case)
  local only = case.out[1]
  return case.call == "x:item" and type(only) == "table" and only.complex or case.out
end

local function check_results(case, args, results, where, wrong)
  local property = case.check:match("^property:(.*)$")
  if not property or property == "shape" then
    compare.value(results, recorded_results(case), compare.tolerance(case), where, wrong)
  elseif not has_property(property, case, args, results) then
    table.insert(wrong, where .. ": lacks the property " .. property)
  end
end

-- ----------------------------------------------------------------- gradients

--- Whether the gradients on record are to be expected, given the results.
local function gradients_hold(case, results)
  local wrong = {}
  if has_flag(case, "grads_if_close") then
    compare.value(results, case.out, compare.tolerance(case), "out", wrong)
  end
  return #wrong == 0
end

local function is_zero(data)
  for _, number in ipairs(data) do
    if number ~= 0 then
      return false
    end
  end
  return true
end

--- The second gradients on record, with nil for zeros where nnlua gives nil, and zeros for nil where it gives zeros:
--- which of them says that a gradient doesn't depend on a variable is decided by how a formula was written.
local function with_nothing_for_zeros(recorded, got)
  local own = {}
  for i, encoded in ipairs(recorded) do
    local given = got[i]
    if encoded == json.null then
      own[i] = given and is_zero(values.elements(given))
        and {tensor = tostring(given.dtype):match("%w+$"), shape = given.shape, data = json.null} or encoded
    else
      own[i] = not given and is_zero(encoded.data) and json.null or encoded
    end
  end
  return own
end

local function check_gradients(case, results, inputs, outcome)
  outcome.stage = "gradients"
  local gradients, cotangents = calls.gradients(results, inputs, case)
  compare.value(gradients, case.grads, compare.tolerance(case, "grad"), "grad", outcome.wrong)
  if case.second then
    outcome.stage = "second gradients"
    local second = calls.second_gradients(gradients, inputs, cotangents)
    compare.value(second, with_nothing_for_zeros(case.second, second), compare.tolerance(case, "second"), "second",
                  outcome.wrong)
  end
end

-- --------------------------------------------------------------- other forms

local function check_form(case, form, outcome)
  outcome.stage = form
  local found, why = pcall(calls.target, form)
  if not found then
    outcome.lacking[api.missing_name(why)] = true
    return
  end
  local args = values.arguments(case.args, case.kwargs, values.collector(false))
  check_results(case, args, run(case, form, args), form, outcome.wrong)
end

--- Runs a case and notes in `outcome` what is wrong with it.
function ops.run(case, outcome)
  calls.target(case.call)
  outcome.stage = "inputs"
  local collector = values.collector(true)
  local args = values.arguments(case.args, case.kwargs, collector)
  local inputs = calls.differentiable(collector)
  outcome.stage = case.call
  local results = run(case, case.call, args)
  check_results(case, args, results, "out", outcome.wrong)
  if #outcome.wrong == 0 then
    compare.layout(results, case.out, "out", outcome.wrong)
  end
  if case.grads and gradients_hold(case, results) then
    check_gradients(case, results, inputs, outcome)
  end
  for _, form in ipairs(case.also or {}) do
    check_form(case, form, outcome)
  end
end

return ops
