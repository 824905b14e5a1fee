-- nnlua.optim.lr_scheduler: how learning rates change from epoch to epoch.

local base = require "nnlua.optim.lr_scheduler.base"
local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

--- Schedulers: `local scheduler = optim.lr_scheduler.StepLR(optimizer, 10)`, then `scheduler:step()` after each epoch.
local lr_scheduler = {LRScheduler = base.LRScheduler, class = base.class}

-- What calls no function of the user's, in all classes and in some.
local pure = {
  "scaled", "scaled_base", "_is_better", "_reset", "state_dict", "load_state_dict", "_first_rates", "_set_rates",
  "_count_step", "_go_on", "_get_closed_form_lr", "_next", "_place", "_rates_at", "_mode_scale",
}

local function guard_classes(classes)
  local takes_functions = {classes.LambdaLR, classes.MultiplicativeLR, classes.CyclicLR}
  local steps_alone = {classes.ReduceLROnPlateau, classes.CosineAnnealingWarmRestarts}
  guard.classes(takes_functions, {levelled = pure})
  guard.classes(steps_alone, {levelled = {"step", "get_lr", table.unpack(pure)}})
  guard.classes(classes, {levelled = {"get_lr", table.unpack(pure)}})
end

guard.classes({base.LRScheduler}, {levelled = pure})

return on_demand.fields(lr_scheduler, guard_classes, {
  ["nnlua.optim.lr_scheduler.decay"] = [[
    ConstantLR ExponentialLR LambdaLR LinearLR MultiStepLR MultiplicativeLR PolynomialLR StepLR]],
  ["nnlua.optim.lr_scheduler.cycle"] = "CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR OneCycleLR",
  ["nnlua.optim.lr_scheduler.combine"] = "ChainedScheduler ReduceLROnPlateau SequentialLR",
})
