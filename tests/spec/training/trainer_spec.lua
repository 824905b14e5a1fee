-- nl.Trainer, and nl.callbacks.
local nl = require "nnlua"
local process = require "support.process"
local nn, optim, data = nl.nn, nl.optim, nl.utils.data

local folder

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
end)

after_each(function() os.execute("rm -rf '" .. folder .. "'") end)

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- A problem of two classes, a net with dropout and what trains it. Options: those of the trainer, and batch_size.
local function trainer_of(options)
  nl.manual_seed(1)
  local x = nl.randn(60, 4)
  local y = x:sum(2):gt(0):long() + 1
  local net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
  local given = {
    optimizer = optim.Adam(net:parameters(), {lr = 0.02}), loss = nn.CrossEntropyLoss(), progress = false,
    metrics = {accuracy = nl.metrics.Accuracy()}, max_epochs = 3,
  }
  for key, value in pairs(options or {}) do
    if key ~= "batch_size" then given[key] = value end
  end
  if given.scheduler then given.scheduler = given.scheduler(given.optimizer) end
  local size = options and options.batch_size or 10
  return nl.Trainer(net, given), data.DataLoader(data.TensorDataset(x, y), {batch_size = size, shuffle = true}),
    data.DataLoader(data.TensorDataset(x, y), {batch_size = 20})
end

describe("a trainer", function()
  it("does what a loop of one's own does, to the bit", function()
    local trainer, loader, val = trainer_of {scheduler = function(o) return optim.lr_scheduler.StepLR(o, 1, 0.5) end}
    local history = trainer:fit(loader, val)
    local found = trainer.model:state_dict()

    local other, again, val_again = trainer_of()
    local net, optimizer = other.model, other.optimizer
    local scheduler = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    for epoch = 1, 3 do
      local sum, right = 0, 0
      net:train()
      for x, y in again do
        local output = net(x)
        local loss = nn.CrossEntropyLoss()(output, y)
        optimizer:zero_grad()
        loss:backward()
        optimizer:step()
        sum, right = sum + loss:item() * #x, right + output:argmax(2):eq(y):sum():item()
      end
      net:eval()
      local val_right = 0
      nl.no_grad(function()
        for x, y in val_again do val_right = val_right + net(x):argmax(2):eq(y):sum():item() end
      end)
      assert.near(sum / 60, history[epoch].loss, 1e-12)
      assert.equal(right / 60, history[epoch].accuracy)
      assert.equal(val_right / 60, history[epoch].val_accuracy)
      assert.equal(0.02 * 0.5 ^ (epoch - 1), history[epoch].lr)
      assert.equal(epoch * 6, history[epoch].step)
      scheduler:step()
    end
    for name, t in pairs(net:state_dict()) do assert.is_true(nl.equal(t, found[name]), name) end
  end)

  it("looks for a learning rate, and puts everything back", function()
    local trainer, loader = trainer_of {scheduler = function(o) return optim.lr_scheduler.StepLR(o, 1, 0.5) end}
    trainer.model:eval()
    local before, random = nn.deepcopy(trainer.model:state_dict()), nl.get_rng_state()
    local found = trainer:lr_find(loader, {min_lr = 1e-5, max_lr = 1e4, steps = 80})
    for name, t in pairs(trainer.model:state_dict()) do assert.is_true(nl.equal(t, before[name]), name) end
    assert.equal(random, nl.get_rng_state())
    assert.same({}, trainer.optimizer:state_dict().state)
    assert.equal(0.02, trainer.optimizer.param_groups[1].lr)
    assert.is_false(trainer.model.training)
    assert.equal(0, trainer.step)
    assert.near((1e9) ^ (1 / 79), found.lr[2] / found.lr[1], 1e-9)
    assert.is_true(#found.lr > 10 and #found.lr < 80, #found.lr) -- it ends where the loss explodes
    assert.is_true(found.suggestion > 1e-4 and found.suggestion < 100, found.suggestion)
    assert.matches("smoothed", found.figure:text({width = 60, height = 12, colors = 0}))
    local history, other, again = trainer:fit(loader), trainer_of {
      scheduler = function(o) return optim.lr_scheduler.StepLR(o, 1, 0.5) end}
    assert.same(other:fit(again), history) -- as of a run that never looked
    assert.error_matches(function() trainer:lr_find(loader, {min_lr = 1, max_lr = 0.1}) end, "max_lr above that")
    assert.error_matches(function() trainer:lr_find(loader, {steps = 1}) end, "steps must be from 2 on")
  end)

  it("keeps the shares of groups where it looks for a learning rate, and puts them back after an error", function()
    local net, rates = nn.Linear(2, 1), {}
    local optimizer = optim.SGD({{params = {net.weight}}, {params = {net.bias}, lr = 0.01}}, {lr = 0.1})
    local trainer = nl.Trainer(net, {optimizer = optimizer, training_step = function()
      rates[#rates + 1] = {optimizer.param_groups[1].lr, optimizer.param_groups[2].lr}
      if #rates == 3 then error "no more" end
      return net(nl.ones(1, 2)):sum() ^ 2
    end})
    assert.error_matches(function() trainer:lr_find(data.DataLoader({1, 2}), {min_lr = 1e-3}) end, "no more")
    for _, pair in ipairs(rates) do assert.near(pair[1] / 10, pair[2], 1e-12) end
    assert.equal(3, #rates) -- of two batches
    assert.same({0.1, 0.01}, {optimizer.param_groups[1].lr, optimizer.param_groups[2].lr})
  end)

  it("looks for a learning rate without a step of the schedule, and leaves frozen layers frozen", function()
    local net, modes, steps = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1)), {}, 0
    net[1]:eval()
    local optimizer = optim.SGD(net:parameters(), {lr = 0.1})
    local scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, {total_steps = 24})
    local state = nn.deepcopy(scheduler:state_dict())
    local trainer = nl.Trainer(net, {optimizer = optimizer, scheduler = scheduler, scheduler_interval = "step",
      training_step = function(model, x)
        modes[model[1].training], steps = true, steps + 1
        return model(x):square():mean()
      end})
    trainer:lr_find(data.DataLoader(nl.randn(16, 2), {batch_size = 4}), {steps = 30})
    assert.is_true(steps > 10)
    assert.same({[false] = true}, modes)
    assert.same(state, scheduler:state_dict())
  end)

  it("looks for a learning rate with losses below zero as with others, and suggests none for one that stays", function()
    local function look(shift, scale)
      nl.manual_seed(0)
      local x, net = nl.randn(64, 2), nn.Linear(2, 1)
      local trainer = nl.Trainer(net, {optimizer = optim.SGD(net:parameters(), {lr = 0.1}), loss = function(a, b)
        return (a - b):square():mean() * scale + shift
      end})
      return trainer:lr_find(data.DataLoader(data.TensorDataset(x, x:sum(2, true)), {batch_size = 8}), {max_lr = 1})
    end
    local plain, below = look(0, 1), look(-100, 1)
    assert.equal(100, #below.lr)
    assert.is_true(below.suggestion > plain.suggestion / 10 and below.suggestion < plain.suggestion * 10)
    for _, constant in ipairs {0.1, 0, -7.3} do
      local found = look(constant, 0)
      assert.equal(100, #found.lr)
      assert.is_nil(found.suggestion)
    end
  end)

  it("puts buffers, gradients and extra back after it looked for a learning rate, and takes no lazy modules", function()
    local net, other, generator = nn.Linear(2, 1), nn.Linear(1, 1), nl.Generator()
    net:register_buffer("count", nl.zeros(1), false)
    net:register_buffer("later", nil)
    net(nl.ones(1, 2)):sum():backward()
    local extra = {n = 0, seen = nl.zeros(2), inner = {generator, other}}
    local count, seen, state, weight = net.count, extra.seen, generator:get_state(), other.weight:item()
    local trainer = nl.Trainer(net, {
      optimizer = optim.SGD({net.weight, net.bias, other.weight}, {lr = 0.1}), extra = extra,
      training_step = function(model, x)
        model.count, model.later = model.count + 1, nl.ones(3)
        extra.n, extra.more = extra.n + 1, true
        extra.seen:add_(1)
        nl.rand(1, {generator = generator})
        return other(model(x)):square():mean()
      end})
    trainer:lr_find(data.DataLoader(nl.randn(16, 2), {batch_size = 4}), {steps = 5})
    assert.is_true(rawequal(count, net.count) and rawequal(seen, extra.seen))
    assert.same({0, 0, 0, 0}, {net.count:item(), extra.n, table.unpack(extra.seen:tolist())})
    assert.is_nil(net.later or extra.more)
    assert.same({{1, 1}}, net.weight.grad:tolist())
    assert.is_nil(other.weight.grad)
    assert.equal(state, generator:get_state())
    assert.equal(weight, other.weight:item())

    local lazy = nn.Sequential(nn.Linear(2, 2), nn.LazyLinear(1))
    local before = lazy[1].weight:clone()
    trainer = nl.Trainer(lazy, {optimizer = optim.SGD(lazy:parameters(), {lr = 0.1}), loss = nn.MSELoss()})
    assert.error_matches(function() trainer:lr_find(data.DataLoader {1, 2}) end, "lr_find: the model's 1 has no "
      .. "parameters before its first call, which couldn't be put back: call the model with a batch first", 1, true)
    assert.is_true(nl.equal(before, lazy[1].weight))
  end)

  it("puts back what it can after it looked for a learning rate", function()
    local net = nn.Linear(2, 1)
    local broken = {state_dict = function() return {} end, load_state_dict = function() error("broken", 0) end}
    local trainer = nl.Trainer(net, {optimizer = optim.SGD(net:parameters(), {lr = 0.1}), extra = {broken},
      training_step = function(model, x) return model(x):square():mean() end})
    local weight, random = net.weight:clone(), nl.get_rng_state()
    local loader = data.DataLoader(nl.ones(16, 2), {batch_size = 4})
    assert.error_matches(function() trainer:lr_find(loader, {steps = 5}) end, "^broken$")
    assert.is_true(nl.equal(weight, net.weight))
    assert.equal(0.1, trainer.optimizer.param_groups[1].lr)
    assert.equal(random, nl.get_rng_state())
  end)

  it("gathers gradients over batches, and clips them", function()
    local trainer, loader = trainer_of {accumulate_grad_batches = 4, gradient_clip_val = 0.1, max_epochs = 1}
    local history = trainer:fit(loader)
    assert.equal(2, history[1].step) -- of 6 batches 4, and the 2 that are left
    local other, again = trainer_of()
    local net, optimizer, n = other.model, other.optimizer, 0
    for x, y in again do
      (nn.CrossEntropyLoss()(net(x), y) / 4):backward()
      n = n + 1
      if n == 4 or n == 6 then
        nn.utils.clip_grad_norm_(net:parameters(), 0.1)
        optimizer:step()
        optimizer:zero_grad()
      end
    end
    for name, t in pairs(net:state_dict()) do assert.is_true(nl.equal(t, trainer.model:state_dict()[name]), name) end
  end)

  it("steps a schedule after each step if that is wanted, and one by a metric", function()
    local trainer, loader = trainer_of {scheduler_interval = "step", max_epochs = 2,
      scheduler = function(o) return optim.lr_scheduler.ExponentialLR(o, 0.5) end}
    assert.near(0.02 * 0.5 ^ 12, trainer:fit(loader)[2].lr, 1e-12)
    local rates = {}
    trainer, loader = trainer_of {monitor = "accuracy", callbacks = {{on_epoch_end = function(_, t)
      rates[#rates + 1] = t.optimizer.param_groups[1].lr
    end}}, scheduler = function(o) return optim.lr_scheduler.ReduceLROnPlateau(o, {mode = "min", patience = 0}) end}
    trainer:fit(loader)
    assert.is_true(rates[3] < rates[1])
  end)

  it("takes autocast, a scaler, a step of one's own, and ends after max_steps", function()
    local dtypes = {}
    local trainer, loader = trainer_of {
      autocast = nl.bfloat16, scaler = nl.amp.GradScaler(), max_steps = 8, loss = nl.none,
      training_step = function(net, x, y)
        local output = net(x)
        dtypes[output.dtype] = true
        return nl.F.cross_entropy(output:float(), y), output, y
      end,
    }
    local history = trainer:fit(loader)
    assert.same({[nl.bfloat16] = true}, dtypes)
    assert.equal(8, trainer.step)
    assert.equal(2, #history)
    assert.is_true(history[2].accuracy > 0)
    local Net = nn.class "Net"
    function Net:init() self.w = nn.Parameter(nl.zeros(1)) end
    function Net:training_step(batch) return (self.w - batch.x):pow(2):mean() end
    local net = Net()
    local own = nl.Trainer(net, {optimizer = optim.SGD(net:parameters(), {lr = 0.5}), progress = false, max_epochs = 9})
    own:fit(data.DataLoader(data.StackDataset {x = nl.ones(8)}, {batch_size = 4}))
    assert.near(1, net.w:item(), 1e-4)
  end)

  it("leaves the model's mode as it was, validates without gradients, and predicts", function()
    local trainer, loader, val = trainer_of()
    local logs = trainer:validate(val)
    assert.is_true(trainer.model.training)
    assert.near(0.7, logs.val_loss, 0.3)
    trainer:fit(loader, val)
    assert.is_true(trainer.model.training)
    local outputs = trainer:predict(val)
    assert.same({60, 2}, outputs.shape:totable())
    assert.is_false(outputs.requires_grad)
    trainer.model:eval()
    local x = val.dataset.tensors[1]
    assert.is_true(nl.allclose(outputs, trainer.model(x)))
  end)

  it("calls its callbacks in their order", function()
    local calls = {}
    local spy = setmetatable({}, {__index = function(_, event)
      if not event:find "^on_" then return nil end
      return function() calls[#calls + 1] = event:sub(4) end
    end})
    local trainer, loader = trainer_of {max_epochs = 2, callbacks = {spy}, batch_size = 30}
    trainer:fit(loader)
    local epoch = "epoch_begin batch_end batch_end epoch_end "
    assert.equal("fit_begin " .. epoch .. epoch .. "fit_end", table.concat(calls, " "))
  end)

  it("stops early", function()
    local trainer, loader = trainer_of {max_epochs = 50, early_stopping = {patience = 2, min_delta = 1}}
    assert.equal(3, #trainer:fit(loader))
    trainer, loader = trainer_of {max_epochs = 4, early_stopping = 9}
    assert.equal(4, #trainer:fit(loader))
    local Net = trainer_of()
    Net.optimizer.param_groups[1].lr = 1e30
    Net.callbacks = {nl.callbacks.TerminateOnNaN()}
    assert.has_error(function() Net:fit(loader) end)
  end)

  it("says what is missing or wrong", function()
    local net = nn.Linear(2, 1)
    local optimizer = optim.SGD(net:parameters(), {lr = 0.1})
    for text, f in pairs {
      ["Trainer: optimizer must be one of nl.optim, not a number"] =
        function() nl.Trainer(net, {loss = nn.MSELoss(), optimizer = 3}) end,
      ["Trainer: give loss, a function of output and target, or training_step, which returns a loss"] =
        function() nl.Trainer(net, {optimizer = optimizer}) end,
      ["Trainer: no argument is called 'epochs'; there are: model, optimizer, loss"] =
        function() nl.Trainer(net, {optimizer = optimizer, epochs = 3}) end,
      ["Trainer: checkpoint_every needs a folder to save to"] =
        function() nl.Trainer(net, {optimizer = optimizer, loss = nn.MSELoss(), checkpoint_every = 3}) end,
      ["Trainer: it has no folder for last.ckpt"] = function()
        local trainer, loader = trainer_of()
        trainer:fit(loader, {resume = true})
      end,
      ["fit: there is no 'val_f1' to monitor"] = function()
        local trainer, loader = trainer_of {monitor = "val_f1"}
        trainer:fit(loader)
      end,
      ["fit: a batch has one value: give training_step, which knows what to do with it"] = function()
        trainer_of():fit(data.DataLoader(data.TensorDataset(nl.ones(2, 4))))
      end,
      ["fit: loader must be a DataLoader, or have its method iter"] = function() trainer_of():fit {1, 2} end,
    } do
      local _, message = pcall(f)
      assert.equal(text, message:gsub("^[^\n:]*trainer_spec.lua:%d+: ", ""):sub(1, #text))
    end
  end)
end)

describe("a run with a folder", function()
  it("goes on from its last checkpoint as if it had not ended", function()
    local function options(epochs, name)
      return {folder = folder .. name, max_epochs = epochs, early_stopping = 7,
        scheduler = function(o) return optim.lr_scheduler.CosineAnnealingLR(o, 5) end}
    end
    local alone, loader, val = trainer_of(options(5, "/alone"))
    alone:fit(loader, val, {resume = true})
    for i, epochs in ipairs {2, 2, 4, 5} do
      local trainer
      trainer, loader, val = trainer_of(options(epochs, "/parts"))
      if i > 1 then nl.manual_seed(epochs) end -- which the checkpoint's random numbers stand in for
      trainer:fit(loader, val, {resume = true})
    end
    for _, file in ipairs {"/last.ckpt", "/best.ckpt", "/log.csv"} do
      assert.is_true(read(folder .. "/alone" .. file) == read(folder .. "/parts" .. file), file)
    end
    local events = 0
    for _, name in ipairs(require "nnlua.system".list_folder("spec", folder .. "/alone")) do
      if name:find "^events%.out%.tfevents" then events = events + 1 end
    end
    assert.equal(1, events)
    local lines = read(folder .. "/alone/log.csv")
    assert.matches("^epoch,step,loss,accuracy,val_loss,val_accuracy,lr\n1,6,", lines)
    assert.equal(6, select(2, lines:gsub("\n", "")))
    local best = trainer_of(options(5, "/alone"))
    best:load "best"
    local row = best.history[best.best.epoch]
    assert.near(row.val_loss, best:validate(val).val_loss, 1e-12)
    for _, other in ipairs(alone.history) do assert.is_true(row.val_loss <= other.val_loss) end
  end)

  -- Prints the digests of what a run leaves; the seconds that each step takes are the second argument.
  local program = [[
    local nl = require "nnlua"
    local nn, optim, data = nl.nn, nl.optim, nl.utils.data
    nl.manual_seed(1)
    local x = nl.randn(200, 4)
    local y = x:sum(2):gt(0):long() + 1
    local net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    local optimizer = optim.Adam(net:parameters(), {lr = 0.02})
    local function slow()
      local stop = nl.time() + tonumber(arg[2])
      while nl.time() < stop do end
    end
    local trainer = nl.Trainer(net, {
      optimizer = optimizer, loss = nn.CrossEntropyLoss(), folder = arg[1], checkpoint_every = 3, max_epochs = 4,
      metrics = {accuracy = nl.metrics.Accuracy(), f1 = nl.metrics.F1Score {average = "macro"}}, early_stopping = 3,
      scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 4), accumulate_grad_batches = 2,
      callbacks = {{on_batch_end = slow}},
    })
    trainer:fit(data.DataLoader(data.TensorDataset(x, y), {batch_size = 8, shuffle = true}),
      data.DataLoader(data.TensorDataset(x, y), {batch_size = 50, shuffle = true}), {resume = true})
    print "ended"
  ]]

  local script

  before_each(function()
    script = os.tmpname()
    local file <close> = assert(io.open(script, "w"))
    file:write(program)
  end)

  after_each(function() os.remove(script) end)

  -- Runs the program, and sends it a signal after so many seconds.
  local function run(name, step_seconds, signal, after)
    local program_of = {process.nnlua, script, folder .. name, tostring(step_seconds)}
    if not signal then return process.run(program_of) end
    return process.run {"timeout", "-s", signal, after, table.unpack(program_of)}
  end

  it("killed at twenty random moments equals the one left alone, to the bit", function()
    assert.matches("ended\n$", run("/alone", 0).stdout)
    local kills, seed = 0, os.time()
    math.randomseed(seed)
    for _ = 1, 20 do
      local result = run("/killed", 0.004, "KILL", ("%.3f"):format(0.05 + 0.15 * math.random()))
      if not result.stdout:find "ended" then kills = kills + 1 end
    end
    assert.matches("ended\n$", run("/killed", 0).stdout)
    assert.is_true(kills > 0)
    for _, file in ipairs {"/last.ckpt", "/best.ckpt", "/log.csv"} do
      assert.is_true(read(folder .. "/alone" .. file) == read(folder .. "/killed" .. file), file .. ", seed " .. seed)
    end
  end)

  it("is saved by Ctrl-C, and goes on", function()
    assert.matches("ended\n$", run("/alone", 0).stdout)
    local stopped
    for _ = 1, 20 do
      stopped = run("/stopped", 0.02, "INT", "0.4")
      if stopped.stderr:find "The run is saved" then break end -- and not before the run began
    end
    assert.matches("interrupted! The run is saved in .*/stopped/last.ckpt: fit with {resume = true} goes on",
      stopped.stderr)
    local result = run("/stopped", 0)
    assert.matches("^goes on in epoch %d, after step %d+\n", result.stdout)
    for _, file in ipairs {"/last.ckpt", "/best.ckpt", "/log.csv"} do
      assert.is_true(read(folder .. "/alone" .. file) == read(folder .. "/stopped" .. file), file)
    end
  end)

  it("tells each epoch on a line where there is no terminal", function()
    local lines = run("/alone", 0).stdout
    assert.matches("^epoch 1: loss %d%.%d+, accuracy %d%.%d+, f1 %d%.%d+, val_loss %d%.%d+, val_accuracy %d%.%d+, "
      .. "val_f1 %d%.%d+, lr 0%.0200 %(0:%d%d%)\nepoch 2: ", lines)
  end)
end)

describe("Ctrl-C that is only noted", function()
  it("is told, once", function()
    local result = process.run {process.nnlua, "-e", [[
      local nl = require "nnlua"
      local function ctrl_c() io.popen("kill -INT " .. io.open("/proc/self/stat"):read "n"):close() end
      do
        local noted <close> = nl.utils.interrupts()
        print(noted:asked())
        ctrl_c()
        print(noted:asked())
        print(pcall(function() ctrl_c() for i = 1, 1e9 do end end))
      end
      local never <close> = nl.utils.interrupts(false)
      print(never:asked())
    ]]}
    assert.equal("false\ntrue\nfalse\t(command line):2: interrupted!\nfalse\n", result.stdout)
  end)
end)

describe("the table of epochs", function()
  local terminal = require "support.terminal"

  local program = [[
    local nl = require "nnlua"
    local net = nl.nn.Linear(2, 2)
    local loader = nl.utils.data.DataLoader(nl.utils.data.TensorDataset(nl.randn(40, 2), nl.ones(40):long()))
    local trainer = nl.Trainer(net, {
      optimizer = nl.optim.SGD(net:parameters(), {lr = 0.1}), loss = nl.nn.CrossEntropyLoss(), max_epochs = 2,
      metrics = {accuracy = nl.metrics.Accuracy()}, callbacks = {{on_batch_end = function(_, trainer)
        local stop = nl.time() + 0.2
        while trainer.epoch == 2 and trainer.batch > 10 and nl.time() < stop and not io.open(arg[1]) do end
      end}},
    })
    trainer:fit(loader, loader)
  ]]

  local function shown(width, waits_for)
    local script, go_on = os.tmpname(), os.tmpname()
    os.remove(go_on)
    local file <close> = assert(io.open(script, "w"))
    file:write(program)
    file:close()
    local t = terminal.start({process.nnlua, script, go_on}, {width = width})
    local running = t:wait(waits_for)
    assert(io.open(go_on, "w")):close()
    local ended = t:wait "ended with 0"
    t:close()
    os.remove(script)
    os.remove(go_on)
    return running, ended
  end

  it("has a line for each epoch, and tells how far the last one is", function()
    local running, ended = shown(100, "\n    2 .* %d%d %%.* left.*/s")
    assert.matches("^epoch      loss  accuracy  val_loss  val_accuracy        lr    time\n"
      .. "    1    %d%.%d+    %d%.%d+    %d%.%d+        %d%.%d+    0%.1000    0:%d%d %*\n", running)
    assert.matches("\n    2    %d%.%d+    %d%.%d+   %d%d %%  %d:%d%d left  [%d.]+/s", running)
    assert.matches("\n    2    %d%.%d+    1%.0000    %d%.%d+        1%.0000    0%.1000    0:%d%d %*\nended with 0$",
      ended)
  end)

  it("is lines of names and values where it doesn't fit", function()
    local running, ended = shown(50, "\nepoch 2 +%d%d %%.*/s")
    assert.matches("^epoch 1: loss %d%.%d+, accuracy %d%.%d+,\n  val_loss %d%.%d+, val_accuracy %d%.%d+, lr 0%.1000\n"
      .. "  %(0:%d%d%)\n", running)
    assert.matches("\nepoch 2   %d%d %%  loss %d%.%d+  %d:%d%d left  [%d.]+/s", running)
    assert.matches("epoch 2: loss %d%.%d+, accuracy 1%.0000,\n  val_loss", ended)
  end)

  it("tells what there is room for on the line of the running epoch", function()
    local running = shown(40, "\nepoch 2 +%d%d %%.*left")
    assert.matches("\nepoch 2   %d%d %%  loss %d%.%d+  %d:%d%d left\n*$", running)
  end)
end)

describe("a trainer that fails", function()
  it("leaves gradients and the model's modes as they were", function()
    local trainer, loader = trainer_of()
    local net, bad = trainer.model, {iter = function() error("no data", 0) end}
    net:train()
    net[3]:eval()
    local wrong = data.DataLoader(data.TensorDataset(nl.zeros(2, 9), nl.ones(2):long()))
    for _, one in ipairs {bad, wrong} do
      for _, name in ipairs {"validate", "predict"} do
        assert.is_false(pcall(trainer[name], trainer, one))
        assert.is_true(nl.is_grad_enabled())
        assert.same({true, true, false}, {net.training, net[1].training, net[3].training})
      end
    end
    trainer:validate(loader)
    assert.is_false(net[3].training)
    trainer:fit(loader, loader)
    assert.same({true, false}, {net.training, net[3].training})
    net:eval()
    trainer:fit(loader)
    assert.is_true(net[3].training)
  end)

  it("ends the callbacks that it began, and tells what failed first", function()
    local ended = {}
    local function callback(name, fields)
      fields.on_fit_end = function()
        ended[#ended + 1] = name
        error("the end fails too", 0)
      end
      return fields
    end
    local trainer, loader = trainer_of {callbacks = {
      callback("first", {}), callback("second", {on_batch_end = function() error("stop here", 0) end}),
    }}
    local ok, problem = pcall(trainer.fit, trainer, loader)
    assert.same({false, "stop here", {"first", "second"}}, {ok, problem, ended})
    local whole, again = trainer_of {callbacks = {callback("third", {})}}
    assert.same({false, "the end fails too"}, {pcall(whole.fit, whole, again)})
  end)

  it("says which argument is wrong", function()
    local step = function() return nl.zeros(1) end
    local accuracy = nl.metrics.Accuracy()
    for text, options in pairs {
      ["scheduler must be one of nl.optim.lr_scheduler, not a number"] = {scheduler = function() return 5 end},
      ["scaler must be one such as nl.amp.GradScaler(), not a boolean"] = {scaler = true},
      ["metrics.acc must be a metric, as nl.metrics.Accuracy(), not a string"] = {metrics = {acc = "x"}},
      ["metrics.acc must be a metric, as nl.metrics.Accuracy(), not a table"] = {metrics = {acc = nl.metrics.Mean}},
      ["metrics must have names"] = {metrics = {accuracy}},
      ["callbacks must be a list, as {nl.callbacks.TerminateOnNaN()}, not a number"] = {callbacks = 5},
      ["callbacks must be a list, as"] = {callbacks = nl.callbacks.TerminateOnNaN()},
      ["callbacks[1] must be a callback: a table with methods, not a number"] = {callbacks = {5}},
      ["callbacks[2] must be a callback"] = {callbacks = {{}, nl.callbacks.TerminateOnNaN}},
      ["mode must be 'min' or 'max', not 'up'"] = {mode = "up"},
      ["loss must give a tensor of one element, the loss, not a number"] = {loss = function() return 5 end},
      ["loss must give a tensor of one element, the loss, not nil"] = {loss = function() end},
      ["training_step must give a tensor of one element, the loss, not one of shape [2]"] = {
        training_step = function() return nl.zeros(2) end},
      ["fit: 'r' can't be monitored: it must be one number, not a tensor of shape [2]"] = {monitor = "r",
        metrics = {r = nl.metrics.Recall {average = "none"}}},
      ["callbacks.EarlyStopping: there is no 'z' to monitor"] = {early_stopping = {monitor = "z"}},
      ["callbacks.EarlyStopping: patience must be from 1 on"] = {early_stopping = -1},
      ["gradient_clip_val must be above 0, not -1"] = {gradient_clip_val = -1},
      ["gradient_clip_val must be above 0, not 0"] = {gradient_clip_val = 0},
      ["gradient_clip_val must be above 0, not nan"] = {gradient_clip_val = 0 / 0}, -- a nan with a sign on x86
      ["max_epochs and max_steps must be from 0 on"] = {max_epochs = -1},
      ["callbacks[1] has on_epoch_ends, which is called by nobody; did you mean on_epoch_end?"] = {
        callbacks = {{on_epoch_ends = print}}},
      ["callbacks.TerminateOnNaN: the loss is nan after step 1"] = {
        training_step = function(net, x) return net(x):sum() * nl.nan end, callbacks = {nl.callbacks.TerminateOnNaN()}},
    } do
      local ok, problem = pcall(function()
        local trainer, loader = trainer_of(options)
        trainer:fit(loader)
      end)
      assert.is_false(ok, text)
      assert.matches("^[^\n]*trainer_spec.lua:%d+: ", problem)
      assert.is_truthy(problem:find(text, 1, true), text .. "\n" .. problem)
    end
    local trainer, loader = trainer_of {training_step = step}
    assert.error_matches(function() trainer:fit(loader, 5) end, "fit: val_loader must be a DataLoader.*not a number")
    assert.error_matches(function() trainer:fit(5) end, "fit: loader must be a table, not a number")
    assert.error_matches(function() trainer:fit {} end, "fit: loader must be a DataLoader.*not a table")
    assert.error_matches(function() trainer:fit(loader, nil, 5) end, "fit: resume must be true, false or a path")
    assert.error_matches(function() trainer:validate {} end, "validate: loader must be a DataLoader")
    local empty = data.DataLoader(data.TensorDataset(nl.zeros(0, 4)))
    for _, name in ipairs {"fit", "validate", "predict"} do
      assert.error_matches(function() trainer[name](trainer, empty) end, name .. ": the loader gives no batches")
    end
  end)
end)

describe("what a trainer saves", function()
  local function counter()
    return {
      n = 0, on_epoch_end = function(self) self.n = self.n + 1 end, state_dict = function(self) return {n = self.n} end,
      load_state_dict = function(self, state) self.n = state.n end,
    }
  end

  it("is the state of all its callbacks, and the values in extra", function()
    local function run(epochs, extra)
      local stop = nl.callbacks.EarlyStopping
      local list = {stop {patience = 50, monitor = "loss"}, stop {patience = 60, monitor = "lr"}, counter()}
      local trainer, loader = trainer_of {folder = folder, tensorboard = false, max_epochs = epochs, callbacks = list,
        extra = extra}
      local history = trainer:fit(loader, nil, {resume = true})
      return list, history, trainer
    end
    local inner = {1, 2}
    local first, history = run(2, {n = 5, list = inner, deep = {name = "a"}})
    local list = {7, 8, 9}
    local second, _, trainer = run(2, {n = 0, list = list, deep = {new = true}})
    assert.same({0, history[2].loss, 1, 0.02, 2}, {second[1].wait, second[1].best, second[2].wait, second[2].best,
      second[3].n})
    assert.equal(first[1].best, second[1].best)
    assert.same({n = 5, list = {1, 2}, deep = {name = "a", new = true}}, trainer.extra)
    assert.equal(list, trainer.extra.list)
  end)

  it("is said after a Ctrl-C in the last epoch's validation, too", function()
    local result = process.run {process.nnlua, "-e", ([[
      local nl = require "nnlua"
      local data, net = nl.utils.data, nl.nn.Linear(2, 1)
      local loader = data.DataLoader(data.TensorDataset(nl.randn(8, 2), nl.randn(8, 1)), {batch_size = 4})
      local val = {iter = function()
        io.popen("kill -INT " .. io.open("/proc/self/stat"):read "n"):close()
        return loader:iter()
      end}
      local function trainer()
        return nl.Trainer(net, {optimizer = nl.optim.SGD(net:parameters(), {lr = 0.1}), loss = nl.nn.MSELoss(),
          progress = false, folder = "%s"})
      end
      print(select(2, pcall(function() trainer():fit(loader, val, nil) end)))
      print(#trainer():fit(loader, {iter = function() return loader:iter() end}, {resume = true}))
    ]]):format(folder)}
    assert.matches("interrupted! The run is saved in .*/last.ckpt: fit with {resume = true} goes on\n1\n$",
      result.stdout)
  end)
end)

describe("early stopping", function()
  it("waits from a first value that is no number, and goes on from the first that is", function()
    local stop, trainer = nl.callbacks.EarlyStopping {patience = 2, monitor = "loss", mode = "min"}, {}
    for _, loss in ipairs {nl.nan, 3, nl.nan, 2} do stop:on_epoch_end(trainer, {loss = loss}) end
    assert.same({0, 2, nil}, {stop.wait, stop.best, trainer.should_stop})
    for _ = 1, 2 do stop:on_epoch_end(trainer, {loss = nl.nan}) end
    assert.is_true(trainer.should_stop)
  end)
end)
