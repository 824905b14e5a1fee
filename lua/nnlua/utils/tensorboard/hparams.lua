-- What the plugin for hyperparameters wants: an experiment, a session's start and its end.

local core = require "nnlua.nn.core"
local message = require "nnlua.utils.tensorboard.message"
local summary = require "nnlua.utils.tensorboard.summary"

local raise = core.raise

-- Numbers of the plugin's messages.
local STRING, FLOAT64, SUCCESS = 1, 3, 1

--- A value of a hyperparameter, and its type's number. As PyTorch's, truth values are written as numbers.
local function typed(name, value)
  if type(value) == "string" then return message("any_value", {string_value = value}), STRING end
  local is_number = type(value) == "number" or type(value) == "boolean" or core.is_tensor(value)
  if not is_number then
    raise(("add_hparams: %s is %s: values are numbers, texts, booleans or tensors of one element"):format(name,
      core.describe(value)))
  end
  return message("any_value", {number_value = summary.number("add_hparams", value)}), FLOAT64
end

local function plugin_value(tag, field, content)
  return summary.value(tag, {metadata = summary.plugin("hparams", message("hparams", {[field] = content}))})
end

--- The three values of summaries.
return function(hparams, metrics, domains)
  local infos, values = {}, {}
  for _, name in ipairs(summary.sorted_names("add_hparams", hparams)) do
    local value, kind = typed(name, hparams[name])
    local domain
    if domains and domains[name] then
      local allowed = {}
      for i, one in ipairs(domains[name]) do allowed[i] = typed(name, one) end
      domain = message("list_value", {values = allowed})
    end
    infos[#infos + 1] = message("hparam_info", {name = name, type = kind, domain_discrete = domain})
    values[#values + 1] = message("hparam", {key = name, value = value})
  end
  local metric_infos = {}
  for i, name in ipairs(summary.sorted_names("add_hparams", metrics)) do
    metric_infos[i] = message("metric_info", {name = message("metric_name", {tag = name})})
  end
  return plugin_value("_hparams_/experiment", "experiment",
      message("experiment", {hparam_infos = infos, metric_infos = metric_infos})),
    plugin_value("_hparams_/session_start_info", "session_start_info",
      message("session_start_info", {hparams = values})),
    plugin_value("_hparams_/session_end_info", "session_end_info",
      message("session_end_info", {status = SUCCESS}))
end
