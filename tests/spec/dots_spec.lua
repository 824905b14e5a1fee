-- Methods called with a dot, or on something else, and objects whose fields were changed: errors that users understand,
-- at their lines.
local nl = require "nnlua"
local core = require "nnlua.nn.core"
local optimizers = require "support.optimizers"
local public_names = require "support.public_names"

local nn, optim, data = nl.nn, nl.optim, nl.utils.data

local values = {
  true, 0, -1, 1.5, "text", {}, {1, 2}, {a = 1}, function() end, nl.ones(2, 3), nl.none, nn.Linear(2, 2), 0 / 0,
  nn.Linear, optim.SGD, data.Subset, coroutine.create(type), nl.ones(2).shape,
}

local faults

local function try(name, f, ...)
  local ok, message = pcall(f, ...)
  if ok then return end
  if type(message) == "string" and message:find "^%./tests/support/" then return end -- a function of a sample
  local own = type(message) ~= "string" and "no text" or message:match "nnlua/[%w_/]+%.lua:%d+"
    or message:match "%(local '[^']*'%)" or message:match "%(upvalue '[^']*'%)"
  local unknown = not own and public_names.unknown_in(message)
  if own or unknown then
    table.insert(faults, ("%s: %s (%s)"):format(name, message, unknown and "no public name" or own))
  end
end

--- Calls what users can call of a class, and of those it comes from, on nothing, on all values, and with more.
local function try_methods(name, class)
  for key, f in pairs(class) do
    if type(f) == "function" and type(key) == "string" and key:sub(1, 1) ~= "_" then
      local full = name .. "." .. key
      try(full, f)
      try(full, f, nil, 1)
      for _, value in ipairs(values) do
        try(full, f, value)
        try(full, f, value, nl.ones(2))
      end
    end
  end
end

local function is_class(value)
  return core.is_class(value) or type(value) == "table" and rawget(value, "__name") ~= nil and value.init ~= nil
end

describe("methods called with a dot", function()
  before_each(function() faults = {} end)
  after_each(function() assert.same({}, faults) end)

  for _, part in ipairs {
    {"nn.", nn}, {"optim.", optim}, {"optim.lr_scheduler.", optim.lr_scheduler}, {"utils.data.", data},
    {"nn.utils.prune.", nn.utils.prune}, {"metrics.", nl.metrics},
    {"distributions.", nl.distributions}, {"distributions.transforms.", nl.distributions.transforms},
    {"distributions.constraints.", nl.distributions.constraints},
  } do
    it("of " .. part[1] .. "*", function()
      local classes = 0
      for name, class in pairs(part[2]) do
        if is_class(class) then
          classes = classes + 1
          try_methods(part[1] .. name, class)
        end
      end
      assert.is_true(classes > 5)
    end)
  end

  it("say what was expected", function()
    local function message(f, ...) return select(2, pcall(f, ...)) end
    assert.matches("^[^:]*dots_spec.lua:%d+: forward: a module was expected first, got a tensor: "
      .. "call it with a colon, as net:forward%(%)$", message(function() nn.Conv2d.forward(nl.ones(2)) end))
    assert.matches("forward: this is not a method of the module Linear: call it with a colon",
      message(nn.Conv2d.forward, nn.Linear(2, 2)))
    assert.matches("get_lr: the first argument must be optim.lr_scheduler.StepLR, not nil: "
      .. "call it with a colon, as object:get_lr%(%)", message(optim.lr_scheduler.StepLR.get_lr))
    assert.matches("iter: the first argument must be utils.data.RandomSampler, not a table",
      message(data.RandomSampler.iter, {}))
  end)

  it("are all the same for classes of one's own", function()
    local Net = nn.class("Net", nn.Linear)
    function Net:init() Net.super.init(self, 2, 2) end
    function Net:forward(x) return Net.super.forward(self, x) * 2 end
    assert.same({3, 2}, Net()(nl.ones(3, 2)).shape:totable())
    local Borrowed = nn.class "Borrowed"
    Borrowed.forward = nn.Conv2d.forward
    assert.matches("this is not a method of the module Borrowed", select(2, pcall(function() Borrowed():forward() end)))
  end)
end)

-- A method of each kind on an object whose field has a value that it can't have.
local function try_fields(make, methods, is_tried)
  for key in pairs(make()) do
    for _, value in ipairs(is_tried(key) and values or {}) do
      for _, method in ipairs(methods) do
        local object = make()
        object[key] = value
        local name = ("%s with %s = %s: %s"):format(object.__name, key, core.describe(value), method[1])
        try(name, function() return object[method[1]](object, table.unpack(method, 2)) end)
      end
    end
  end
end

describe("fields of objects with other values", function()
  before_each(function() faults = {} end)
  after_each(function() assert.same({}, faults) end)

  it("are told by schedules", function()
    for _, name in ipairs(optimizers.schedule_names()) do
      local sample = optimizers.schedules_of(name)[1]
      local function make() return sample(optim.SGD({nn.Parameter(nl.ones(2))}, {lr = 0.8, momentum = 0.9})) end
      local state = make():state_dict()
      local metric = name == "ReduceLROnPlateau" and 1.0 or nil
      try_fields(make, {
        {"step", metric}, {"step", 3}, {"get_lr"}, {"get_last_lr"}, {"state_dict"}, {"load_state_dict", state},
        {"scaled", 2}, {"scaled_base", 2},
      }, function() return true end)
    end
  end)

  it("are told by schedules in words", function()
    local function message(field, value)
      local schedule = optim.lr_scheduler.StepLR(optim.SGD({nl.zeros(1)}, {lr = 0.1}), 2)
      schedule[field] = value
      return select(2, pcall(function() schedule:get_lr() schedule:step(1) end))
    end
    assert.matches("^[^:]*dots_spec.lua:%d+: optim.lr_scheduler.StepLR: %g+ met a value that it can't work with, "
      .. "as where a field was changed: attempt to perform arithmetic on a table value %(field 'last_epoch'%)$",
      message("last_epoch", {}))
    assert.matches("_get_closed_form_lr met a value that it can't work with.*divide by zero$", message("step_size", 0))
  end)

  it("are told by optimizers", function()
    for _, name in ipairs(optimizers.names()) do
      local function make() return optimizers.ready(name) end
      local state = make():state_dict()
      try_fields(make, {
        {"step", function() return 1.0 end}, {"zero_grad"}, {"state_dict"}, {"load_state_dict", state},
        {"add_param_group", {params = {nn.Parameter(nl.ones(2))}}}, {"register_step_post_hook", print},
      }, function(key) return key:sub(1, 1) ~= "_" end)
    end
  end)

  it("are told by datasets, samplers and loaders", function()
    local function tensors() return data.TensorDataset(nl.arange(0, 4)) end
    local makers = {
      tensors, function() return data.ConcatDataset {{1, 2}, {3}} end,
      function() return data.Subset(tensors(), {3, 1}) end,
      function() return data.SequentialSampler {1, 2} end, function() return data.RandomSampler {1, 2} end,
      function() return data.SubsetRandomSampler {1, 2} end,
      function() return data.WeightedRandomSampler({1, 1}, 2) end,
      function() return data.BatchSampler(data.SequentialSampler {1, 2, 3}, 2, false) end,
      function() return data.StackDataset(tensors(), {1, 2, 3, 4}) end,
      function() return data.DistributedSampler(tensors(), 2, 1) end,
      function() return data.DataLoader(tensors(), {batch_size = 2}) end,
      function() return data.DataLoader({1, 2, 3}, {batch_size = nl.none}) end,
    }
    for _, make in ipairs(makers) do
      local object, methods = make(), {}
      if object.get then methods = {{"get", 1}, {"len"}} end
      if object.gather then table.insert(methods, {"gather", nl.tensor {1}}) end
      if object.iter then methods = {{"iter"}, {"len"}} end
      if object.enumerate then methods = {{"iter"}, {"enumerate"}} end
      try_fields(make, methods, function(key) return key:sub(1, 1) ~= "_" end)
    end
  end)
end)
