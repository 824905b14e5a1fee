-- nnlua.optim.lr_scheduler: how learning rates change from epoch to epoch.

local base = require "nnlua.optim.lr_scheduler.base"

--- Schedulers: `local scheduler = optim.lr_scheduler.StepLR(optimizer, 10)`, then `scheduler:step()` after each epoch.
local lr_scheduler = {LRScheduler = base.LRScheduler, class = base.class}

for _, name in ipairs {"decay", "cycle", "combine"} do
  for class_name, class in pairs(require("nnlua.optim.lr_scheduler." .. name)) do
    lr_scheduler[class_name] = class
  end
end

return lr_scheduler
