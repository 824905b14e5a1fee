-- The report of a trainer's run: what nl.report wants, taken from the trainer.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local parse = args.parser("report", {
  {"path", "string"}, {"title", "string?"}, {"samples", "any?"}, {"summary", "any?"},
})

--- An optimizer as it is printed, with the rates that it was made with, or that the run began with, where something
--- has changed them.
local function optimizer_text(trainer)
  local lines, initial, group = {}, nil, 0
  for line in (tostring(trainer.optimizer) .. "\n"):gmatch "(.-)\n" do
    if line:find "^Parameter Group" then initial, group = nil, group + 1 end
    local of_schedule = line:match "^    initial_lr: (.*)$"
    if of_schedule then initial = of_schedule
    elseif line:find "^    lr: " then
      local first = initial or (trainer.first_rates or {})[group]
      lines[#lines + 1] = first and core.format("    lr: %s", first) or line
    else lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

--- Of the trainer's options those that are plain values, and the names of those that are objects.
local function settings_of(trainer, options)
  local settings = {}
  for _, option in ipairs(options) do
    local name, value = option[1], trainer[option[1]]
    local kind = type(value)
    if kind == "number" or kind == "string" or kind == "boolean" then settings[name] = value end
    if core.is_module(value) and name ~= "model" then settings[name] = tostring(core.class_of(value)) end
    if kind == "table" and value.__name then settings[name] = value.__name end
  end
  if settings.max_epochs == math.maxinteger then settings.max_epochs = nil end
  settings.optimizer = optimizer_text(trainer)
  settings.batch_size = trainer.loader and trainer.loader.batch_size
  return settings
end

--- The summary of the model on the first batch that the trainer called it with. A model that evaluates may refuse what
--- it trained on: then nil, as the report of a run mustn't fail for that.
local function summary_of(trainer)
  local batch = trainer._example
  if not batch then return nil end
  local works, summary = pcall(nl.nn.summary, trainer.model, table.unpack(batch, 1, batch.n - 1))
  return works and summary or nil
end

return function(trainer, options, ...)
  local path, title, samples, summary = parse(...)
  local best = trainer.best
  nl.report(path, {
    history = trainer.history, title = title or trainer.folder, model = trainer.model,
    best = best and {epoch = best.epoch, value = best.value, name = trainer.monitor},
    settings = settings_of(trainer, options), samples = samples,
    summary = summary or summary_of(trainer),
  })
end
