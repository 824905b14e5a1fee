-- Misuse of functions written in Lua is told at the line of who calls, never at one of nnlua's own.
local nl = require "nnlua"
local layers = require "support.layers"
local optimizers = require "support.optimizers"
local public_names = require "support.public_names"
local warnings = require "support.warnings"

local nn, optim = nl.nn, nl.optim

--- Values of every kind.
local function values()
  local o = optim.SGD({nn.Parameter(nl.ones(2))}, {lr = 0.1})
  return {
    {"true", true}, {"0", 0}, {"-1", -1}, {"1.5", 1.5}, {"a text", "text"}, {"an empty table", {}}, {"a list", {1, 2}},
    {"names", {a = 1}}, {"both", {1, a = 2}}, {"a function", function() end}, {"a coroutine", coroutine.create(type)},
    {"a tensor", nl.ones(2, 3)}, {"a 0-dim tensor", nl.tensor(2.0)}, {"a meta tensor", nl.zeros(2, {device = "meta"})},
    {"a dtype", nl.float32}, {"nl.none", nl.none}, {"nl.newaxis", nl.newaxis}, {"a size", nl.ones(2).shape},
    {"a module", nn.Linear(2, 2)}, {"a class", nn.Linear}, {"a buffer", nn.Buffer(nl.ones(2))},
    {"an uninitialized parameter", nn.LazyLinear(2).weight}, {"an optimizer", o}, {"nan", 0 / 0},
  }
end

local faults

local function try(name, f, ...)
  local _, ok, result = warnings.of(pcall, f, ...)
  local own = not ok and (type(result) ~= "string" and "no text" or result:match "nnlua/[%w_/]+%.lua:%d+")
  local unknown = not ok and not own and public_names.unknown_in(result)
  if unknown then own = "no public name: " .. unknown end
  if own then table.insert(faults, ("%s: %s (%s)"):format(name, tostring(result), own)) end
  return ok and result
end

local function replaced(list, n, i, value)
  local copy = table.move(list, 1, n, 1, {})
  copy[i] = value
  return table.unpack(copy, 1, math.max(n, i))
end

describe("misuse", function()
  before_each(function() faults = {} end)
  after_each(function() assert.same({}, faults) end)

  it("of layers", function()
    for _, name in ipairs(layers.names()) do
      for _, sample in ipairs(layers.samples(name)) do
        for _, given in ipairs(values()) do
          for i = 1, #sample do
            try(name .. " of " .. given[1], nn[name], replaced(sample, #sample, i, given[2]))
          end
          for _, entry in ipairs(layers.constructor(name)) do
            local more = {[entry[1]] = given[2]}
            for key, value in pairs(layers.named(sample) or {}) do
              if more[key] == nil then more[key] = value end
            end
            local n = layers.named(sample) and #sample - 1 or #sample
            try(name .. "." .. entry[1] .. " of " .. given[1], nn[name], replaced(sample, n, n + 1, more))
          end
        end
      end
    end
  end)

  it("of what layers are called with", function()
    for _, name in ipairs(layers.names()) do
      for _, sample in ipairs(layers.samples(name)) do
        local net = not sample.call and layers.make(name, sample)
        for _, given in ipairs(net and values() or {}) do
          for i = 1, #sample.inputs + 1 do
            try(name .. " on " .. given[1], net, replaced(sample.inputs, #sample.inputs, i, given[2]))
          end
        end
      end
    end
  end)

  it("of modules' methods, with a dot too", function()
    local methods = {"to", "train", "eval", "apply", "load_state_dict", "requires_grad_", "type", "get_submodule",
      "register_buffer", "register_parameter", "register_module", "named_parameters", "zero_grad", "set_submodule",
      "parameters", "to_empty", "register_forward_hook", "register_full_backward_hook", "half", "cpu", "state_dict"}
    for _, method in ipairs(methods) do
      local f = nn.Module[method]
      try(method, f)
      for _, given in ipairs(values()) do
        if not nn.is_module(given[2]) then try(method .. " with a dot, on " .. given[1], f, given[2]) end
        if given[1] ~= "a class" then -- which state_dict would fill
          try(method .. " of " .. given[1], f, nn.Linear(2, 2), given[2])
          try(method .. " of n and " .. given[1], f, nn.Linear(2, 2), "n", given[2])
        end
      end
    end
  end)

  it("of optimizers, their groups and states", function()
    for _, name in ipairs(optimizers.names()) do
      local options = optimizers.options(optimizers.of(name)[1])
      local function make() return optimizers.ready(name) end
      local function loss() return 1.0 end
      for _, given in ipairs(values()) do
        try(name .. " of " .. given[1], optim[name], given[2], options)
        try(name .. " of a group of " .. given[1], optim[name], {{params = given[2]}}, options)
        for _, method in ipairs {"step", "zero_grad", "state_dict", "load_state_dict", "add_param_group",
          "register_step_pre_hook"} do
          local o = make()
          try(name .. ":" .. method .. " of " .. given[1], o[method], o, given[2])
          if given[1] ~= "an optimizer" then try(name .. "." .. method .. " of " .. given[1], o[method], given[2]) end
          for key in pairs(o.param_groups[1]) do
            o = make()
            o.param_groups[1][key] = given[2]
            try(name .. ":" .. method .. " with " .. key .. " = " .. given[1], o[method], o, loss)
          end
          o = make()
          o.param_groups = given[2]
          try(name .. ":" .. method .. " with groups of " .. given[1], o[method], o, loss)
        end
        for _, place in ipairs {"step", "exp_avg", "sum"} do
          local o = make()
          local dict = o:state_dict()
          dict.state = {[0] = {[place] = given[2]}}
          try(name .. " loads " .. place .. " of " .. given[1], o.load_state_dict, o, dict)
          try(name .. " steps after that", o.step, o, loss)
        end
      end
    end
  end)

  it("of schedules and their states", function()
    for _, name in ipairs(optimizers.schedule_names()) do
      local function make()
        return optimizers.schedules_of(name)[1](optim.SGD({nn.Parameter(nl.ones(2))}, {lr = 0.8, momentum = 0.9}))
      end
      for _, given in ipairs(values()) do
        local s = make()
        try(name .. " of " .. given[1], optim.lr_scheduler[name], given[2])
        try(name .. ":step of " .. given[1], s.step, s, given[2])
        try(name .. ".step of " .. given[1], s.step, given[2])
        try(name .. " loads " .. given[1], s.load_state_dict, s, given[2])
        for _, key in ipairs {"last_epoch", "base_lrs", "_last_lr", "_step_count", "milestones"} do
          s = make()
          try(name .. " loads " .. key .. " of " .. given[1], s.load_state_dict, s, {[key] = given[2]})
        end
      end
    end
  end)

  it("of initializers, packing and gradcheck", function()
    for _, given in ipairs(values()) do
      for name, f in pairs(nn.init) do
        if type(f) == "function" then
          try(name .. " of " .. given[1], f, given[2])
          try(name .. " of a tensor and " .. given[1], f, nl.ones(2, 3), given[2])
        end
      end
      for name, f in pairs(nn.utils.rnn) do
        if type(f) == "function" then
          try(name .. " of " .. given[1], f, given[2])
          try(name .. " of a tensor and " .. given[1], f, nl.ones(2, 3), given[2])
        end
      end
      try("gradcheck of " .. given[1], nl.autograd.gradcheck, given[2], nl.ones(1))
    end
  end)
end)
