-- nnlua.optim.lr_scheduler: how learning rates change from epoch to epoch.

local base = require "nnlua.optim.lr_scheduler.base"
local guard = require "nnlua.guard"

--- Schedulers: `local scheduler = optim.lr_scheduler.StepLR(optimizer, 10)`, then `scheduler:step()` after each epoch.
local lr_scheduler = {LRScheduler = base.LRScheduler, class = base.class}

for _, name in ipairs {"decay", "cycle", "combine"} do
  for class_name, class in pairs(require("nnlua.optim.lr_scheduler." .. name)) do
    lr_scheduler[class_name] = class
  end
end


-- What calls no function of the user's, in all classes and in some.
local pure = {
  "scaled", "scaled_base", "is_better", "state_dict", "load_state_dict", "_first_rates", "_set_rates", "_go_on",
  "_closed_form", "_next", "_place", "_rates_at",
}
local takes_functions = {lr_scheduler.LambdaLR, lr_scheduler.MultiplicativeLR, lr_scheduler.CyclicLR}
local steps_alone = {lr_scheduler.ReduceLROnPlateau, lr_scheduler.CosineAnnealingWarmRestarts}

guard.classes(takes_functions, {levelled = pure})
guard.classes(steps_alone, {levelled = {"step", "get_lr", table.unpack(pure)}})
guard.classes(lr_scheduler, {levelled = {"get_lr", table.unpack(pure)}})

return lr_scheduler
