-- Adam and its kin: averages of the gradients and of their squares, corrected for their start at zero.

local fused = require "nnlua.optim.fused"

local function check(name, group)
  fused.not_negative(name, group, "lr", "eps", "weight_decay")
  fused.betas(name, group)
end

--- Adam (Kingma and Ba, 2014). `optim.Adam(params, {lr = 0.001, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0,
--- amsgrad = false, maximize = false, decoupled_weight_decay = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.Adam({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9000])
---@class Adam: Optimizer
local Adam = fused.class("Adam", {
  {"lr", "rate", 1e-3}, {"betas", "list", {0.9, 0.999}}, {"eps", "number", 1e-8}, {"weight_decay", "number", 0.0},
  {"amsgrad", "boolean", false}, {"foreach", "boolean?"}, {"maximize", "boolean", false}, {"capturable", "boolean?"},
  {"differentiable", "boolean", false}, {"fused", "boolean?"}, {"decoupled_weight_decay", "boolean", false},
}, check)

--- Adam whose weight decay is apart from the gradient (Loshchilov and Hutter, 2017). `optim.AdamW(params, {lr = 0.001,
--- betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0.01, amsgrad = false, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.AdamW({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.8990])
---@class AdamW: Optimizer
local AdamW = fused.class("AdamW", {
  {"lr", "rate", 1e-3}, {"betas", "list", {0.9, 0.999}}, {"eps", "number", 1e-8}, {"weight_decay", "number", 1e-2},
  {"amsgrad", "boolean", false}, {"maximize", "boolean", false}, {"foreach", "boolean?"},
}, check)

--- Adam with Nesterov's momentum (Dozat, 2016). `optim.NAdam(params, {lr = 0.002, betas = {0.9, 0.999}, eps = 1e-8,
--- weight_decay = 0, momentum_decay = 0.004, decoupled_weight_decay = false, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.NAdam({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w:item() < 0.9
---     true
---@class NAdam: Optimizer
local NAdam = fused.class("NAdam", {
  {"lr", "rate", 2e-3}, {"betas", "list", {0.9, 0.999}}, {"eps", "number", 1e-8}, {"weight_decay", "number", 0.0},
  {"momentum_decay", "number", 4e-3}, {"decoupled_weight_decay", "boolean", false},
}, function(name, group)
  check(name, group)
  fused.not_negative(name, group, "momentum_decay")
end)

--- Adam with rectified steps at the start (Liu et al., 2019). `optim.RAdam(params, {lr = 0.001, betas = {0.9, 0.999},
--- eps = 1e-8, weight_decay = 0, decoupled_weight_decay = false, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.RAdam({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.7000])
---@class RAdam: Optimizer
local RAdam = fused.class("RAdam", {
  {"lr", "rate", 1e-3}, {"betas", "list", {0.9, 0.999}}, {"eps", "number", 1e-8}, {"weight_decay", "number", 0.0},
  {"decoupled_weight_decay", "boolean", false},
}, check)

--- Adam with the largest gradient in place of the root of the squares (Kingma and Ba, 2014, section 7).
--- `optim.Adamax(params, {lr = 0.002, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0, maximize = false})`.
---     > w = nl.tensor({1.0}, {requires_grad = true})
---     > optimizer = optim.Adamax({w}, {lr = 0.1})
---     > (w * 3):sum():backward()
---     > optimizer:step()
---     > w.data
---     tensor([0.9000])
---@class Adamax: Optimizer
local Adamax = fused.class("Adamax", {
  {"lr", "rate", 2e-3}, {"betas", "list", {0.9, 0.999}}, {"eps", "number", 1e-8}, {"weight_decay", "number", 0.0},
}, check)

return {Adam = Adam, AdamW = AdamW, NAdam = NAdam, RAdam = RAdam, Adamax = Adamax}
