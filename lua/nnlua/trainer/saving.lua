-- What a Trainer saves of its run, and puts back.
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local things_of = require "nnlua.trainer.things"

local plain = {"epoch", "step", "batch", "in_epoch", "history", "best", "should_stop", "first_rates"}

--- Gives the class its methods.
return function(Trainer)
  --- Saves all of the run to a file, which `load` and `fit` with resume go on from.
  ---     > net, path = nn.Linear(2, 1), os.tmpname()
  ---     > trainer = nl.Trainer(net, {optimizer = optim.SGD(net:parameters(), {lr = 0.1}), loss = nn.MSELoss()})
  ---     > trainer:save(path)
  ---     > net.bias.data:fill_(5);
  ---     > trainer:load(path)
  ---     > net.bias:item() < 5
  ---     true
  ---@param path string
  function Trainer:save(path)
    local things, run = things_of(self), {}
    for _, name in ipairs(plain) do run[name] = self[name] end
    things.run = run
    nl.checkpoint.save(path, things)
  end

  --- Puts the run where a checkpoint was saved: model, optimizer and all else. "best" and "last" are those in the
  --- folder.
  ---@param path string
  function Trainer:load(path)
    if path == "best" or path == "last" then path = self:_path(path) end
    local rest = nl.checkpoint.load(path, things_of(self))
    local run = rest.run
    if type(run) ~= "table" then core.raise(("load: %s was saved by no Trainer"):format(path)) end
    if self.extra ~= nil then self.extra = nl.checkpoint._put_back(self.extra, rest.extra) end
    for _, name in ipairs(plain) do self[name] = run[name] end
  end

  function Trainer:_path(name)
    if not self.folder then core.raise("Trainer: it has no folder for " .. name .. ".ckpt") end
    return ("%s/%s.ckpt"):format(self.folder, name)
  end
end
