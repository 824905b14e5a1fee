--- Cases of `train`: a whole training, the loss of each step and what the model is then.

local api = require "oracle.api"
local calls = require "oracle.calls"
local compare = require "oracle.compare"
local json = require "oracle.json"
local modules = require "oracle.modules"
local optim = require "oracle.optim"
local values = require "oracle.values"

local train = {}

local nl = api.nl

local function or_nil(value)
  return value ~= json.null and value or nil
end

--- The logits of a model; a ModuleDict is the one of `char_lstm`.
local function forward(model, case, x)
  if case.model.module ~= "nn.ModuleDict" then
    return model(x)
  end
  local hidden = model.lstm(model.embedding(x))
  return model.head(hidden)
end

local function batches(tensor, size)
  return calls.as_list(table.pack(tensor:split(size)))
end

--- The loss of each step.
local function losses_of(model, case)
  local optimizer = api.lookup(case.optimizer)(model:parameters(),
                                               values.decode(case.optimizer_kwargs))
  local scheduler = or_nil(case.scheduler) and optim.build_scheduler(case.scheduler, optimizer)
  local criterion = values.module(case.loss)
  local inputs = batches(values.decode(case.inputs), case.batch_size)
  local targets = batches(values.decode(case.targets), case.batch_size)
  local losses = {}
  for step = 1, #case.losses do
    local turn = (step - 1) % inputs.n + 1
    optimizer:zero_grad()
    local logits = forward(model, case, inputs[turn])
    local loss = criterion(logits:reshape(-1, logits:size(-1)), targets[turn]:reshape(-1))
    loss:backward()
    if or_nil(case.clip_grad_norm) then
      api.lookup("nn.utils.clip_grad_norm_")(model:parameters(), case.clip_grad_norm)
    end
    optimizer:step()
    if scheduler then
      scheduler:step()
    end
    losses[step] = loss:item()
  end
  return losses
end

function train.run(case, outcome)
  local tolerance = compare.tolerance(case)
  outcome.stage = "constructor"
  local model = modules.built(case.model, case.dtype, case.state)
  outcome.stage = "training"
  compare.numbers(losses_of(model, case), case.losses, tolerance, "loss", outcome.wrong)
  modules.compare_state(model:state_dict(), case.final_state, tolerance, "state", outcome.wrong)
  outcome.stage = "evaluation"
  model:eval()
  local result = nl.no_grad(function()
    return forward(model, case, values.decode(case.inputs))
  end)
  compare.value(result, case.eval_out, tolerance, "eval_out", outcome.wrong)
end

return train
