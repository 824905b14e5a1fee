-- Whole training steps of every module that the oracle has cases of, compiled: results, gradients and states are those
-- of the plain path, to the bit.
-- parts: 2
local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
package.path = here .. "/../../?.lua;" .. package.path

local json = require "oracle.json"
local nl = require "nnlua"
local oracle = require "oracle.modules"
local runner = require "oracle.runner"
local same = require "support.same"
local values = require "oracle.values"

-- Of which modules some steps are no plans, since their way depends on elements, or on memory that no op makes.
local refused = {
  AdaptiveLogSoftmaxWithLoss = "item reads elements", BatchNorm1d = "item reads elements",
  BatchNorm2d = "item reads elements", BatchNorm3d = "item reads elements", BCELoss = "an op reads elements",
  Embedding = "embedding_renorm depends on elements",
  GaussianNLLLoss = "an op reads elements",
}
for _, name in ipairs {"CircularPad1d", "CircularPad2d", "CircularPad3d", "Conv2d", "Upsample",
  "UpsamplingNearest2d"} do
  refused[name] = "memory of a tensor from outside is seen anew"
end

local function add_tensors(list, value)
  if nl.is_tensor(value) then
    table.insert(list, value)
  elseif type(value) == "table" then
    for _, item in ipairs(value) do add_tensors(list, item) end
  end
end

--- A module of a case, and a step of its training: results go back with themselves as gradients.
local function prepared(case)
  nl.manual_seed(1)
  local module = oracle.built(case, case.dtype, case.state)
  module:train(case.training)
  local parameters = {}
  for p in module:parameters() do table.insert(parameters, p) end
  local optimizer = #parameters > 0 and nl.optim.SGD(parameters, {lr = 0.01, momentum = 0.9})
  local function step(...)
    if optimizer then optimizer:zero_grad() end
    local results, roots, seeds, given = {}, {}, {}, {}
    add_tensors(results, {module(...)})
    for _, t in ipairs(results) do
      if t.requires_grad then
        table.insert(roots, t)
        table.insert(seeds, t:detach())
      end
      table.insert(given, t:detach():clone())
    end
    if #roots > 0 then nl.autograd.backward(roots, seeds) end
    if optimizer then optimizer:step() end
    return given
  end
  return module, step, optimizer
end

--- What a call gives: results, gradients, states.
local function outcome(case, module, step, optimizer, call)
  local collector = values.collector(true)
  local arguments = values.arguments(case.inputs, case.input_kwargs, collector)
  nl.manual_seed(call)
  local results, gradients = table.pack(pcall(step, values.unpack(arguments))), {}
  for name, p in module:named_parameters() do gradients[name] = p.grad or false end
  if not results[1] then results = {false} end
  return {results, gradients, module:state_dict(), optimizer and optimizer:state_dict().state}
end

--- The reason why a case's step is no plan, or nil.
local function check(case)
  local plain, plain_step, plain_optimizer = prepared(case)
  local module, step, optimizer = prepared(case)
  local fast = nl.compile(step)
  for call = 1, 3 do
    local expected = outcome(case, plain, plain_step, plain_optimizer, call)
    local got = outcome(case, module, fast, optimizer, call)
    assert.is_nil(same.difference(expected, got), ("%s, call %d"):format(case.id, call))
  end
  local programs = nl.compile_report(fast).programs
  return programs[1] and programs[1].reason
end

describe("a compiled step of training", function()
  for _, file in ipairs(runner.files(here .. "/../../oracle/cases", "modules")) do
    it(file.name, function()
      local lines = io.lines(file.path)
      lines()
      for line in lines do
        local case = json.decode(line)
        local reason = case.inputs ~= json.null and check(case)
        local expected = refused[file.name]
        assert(not reason or expected and reason:find(expected, 1, true), reason)
      end
    end)
  end
end)
