-- optim.functional: a step of an optimizer as a function of parameters, gradients and what is kept for each.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local optim = require "nnlua.optim"

local raise = core.raise

local functional = {}

-- What PyTorch's functions are told beside their options, and what has no meaning here.
local ignored = {has_complex = true, has_sparse_grad = true}

--- The options of the class from those of the function: of `joined`, the classes' lists of two, from two numbers each.
local function class_options(name, required, joined, given)
  if given ~= nil and not args.is_named(name, given) then
    raise(("%s: options are a table of names, not %s"):format(name, core.describe(given)))
  end
  local options = {}
  for key, value in pairs(given or {}) do
    if not ignored[key] then options[key] = value end
  end
  for key in required:gmatch "%S+" do
    if options[key] == nil then raise(("%s: the option %s is missing"):format(name, key)) end
  end
  for key, parts in pairs(joined) do
    options[key] = {options[parts[1]], options[parts[2]]}
    options[parts[1]], options[parts[2]] = nil, nil
  end
  return options
end

--- The i-th tensor of a list of what is kept; nil where the list is empty or has none yet.
local function kept(name, list, field, i)
  if list == nil then return nil end
  if type(list) ~= "table" then
    raise(("%s: %s is a list of tensors, not %s"):format(name, field, core.describe(list)))
  end
  local tensor = list[i]
  return not core.is_none(tensor) and tensor or nil
end

--- A step of a class for parameters that are none of an optimizer's: apart from graphs, over the same memory.
local function make_step(name, class, states, required, joined)
  name = "optim.functional." .. name
  local fields = {}
  for field in states:gmatch "%S+" do fields[#fields + 1] = field end
  return function(params, grads, ...)
    local lists = {...}
    local options = class_options(name, required, joined or {}, lists[#fields + 1])
    local used, places = {}, {}
    for i, p in ipairs(params) do
      local grad = kept(name, grads, "grads", i)
      if grad then
        local q = p:detach()
        q.grad = grad:detach()
        used[#used + 1], places[#used + 1] = q, i
      end
    end
    if #used == 0 then return end
    local optimizer = optim[class](used, options)
    for k, q in ipairs(used) do
      local state = {}
      for at, field in ipairs(fields) do state[field] = kept(name, lists[at], field, places[k]) end
      optimizer.state[q] = next(state) ~= nil and state or nil
    end
    optimizer:step()
    for k, q in ipairs(used) do
      local state = optimizer.state[q]
      for at, field in ipairs(fields) do
        local list, new = lists[at], state[field]
        local old = kept(name, list, field, places[k])
        if old and new and old ~= new then old:copy_(new) end
        if list and not old and new then list[places[k]] = new end
      end
    end
  end
end

local betas = {betas = {"beta1", "beta2"}}

--- A step of SGD: `sgd(params, grads, momentum_buffers, {lr = …, momentum = …, weight_decay = …, dampening = …,
--- nesterov = …, maximize = …})`. Parameters and buffers change in place; a missing buffer is put into the list.
---     > w, buffers = nl.tensor({1.0}), {}
---     > options = {lr = 0.1, momentum = 0.9, weight_decay = 0.0, dampening = 0.0, nesterov = false, maximize = false}
---     > optim.functional.sgd({w}, {nl.tensor({2.0})}, buffers, options)
---     > w, buffers[1]
---     tensor([0.8000])	tensor([2.])
functional.sgd = make_step("sgd", "SGD", "momentum_buffer", "lr momentum weight_decay dampening nesterov maximize")

--- A step of Adam: `adam(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, state_steps, {lr = …, beta1 = …,
--- beta2 = …, eps = …, weight_decay = …, amsgrad = …, maximize = …})`; all lists of tensors change in place.
---     > w, m, v, step = nl.tensor({1.0}), nl.zeros(1), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0}
---     > options.amsgrad, options.maximize = false, false
---     > optim.functional.adam({w}, {nl.tensor({2.0})}, {m}, {v}, {}, {step}, options)
---     > w, m, step
---     tensor([0.9000])	tensor([0.2000])	tensor(1.)
functional.adam = make_step("adam", "Adam", "exp_avg exp_avg_sq max_exp_avg_sq step",
  "lr beta1 beta2 eps weight_decay amsgrad maximize", betas)

--- A step of AdamW; arguments as of adam.
---     > w, m, v, step = nl.tensor({1.0}), nl.zeros(1), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.01}
---     > options.amsgrad, options.maximize = false, false
---     > optim.functional.adamw({w}, {nl.tensor({2.0})}, {m}, {v}, {}, {step}, options)
---     > w
---     tensor([0.8990])
functional.adamw = make_step("adamw", "AdamW", "exp_avg exp_avg_sq max_exp_avg_sq step",
  "lr beta1 beta2 eps weight_decay amsgrad maximize", betas)

--- A step of Adamax: `adamax(params, grads, exp_avgs, exp_infs, state_steps, {lr = …, beta1 = …, beta2 = …, eps = …,
--- weight_decay = …})`.
---     > w, m, norm, step = nl.tensor({1.0}), nl.zeros(1), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0}
---     > optim.functional.adamax({w}, {nl.tensor({2.0})}, {m}, {norm}, {step}, options)
---     > w, norm
---     tensor([0.9000])	tensor([2.])
functional.adamax = make_step("adamax", "Adamax", "exp_avg exp_inf step", "lr beta1 beta2 eps weight_decay", betas)

--- A step of NAdam: `nadam(params, grads, exp_avgs, exp_avg_sqs, mu_products, state_steps, {lr = …, beta1 = …,
--- beta2 = …, eps = …, weight_decay = …, momentum_decay = …})`.
---     > w, m, v, mu, step = nl.tensor({1.0}), nl.zeros(1), nl.zeros(1), nl.tensor(1.0), nl.tensor(0.0)
---     > options = {lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0, momentum_decay = 0.004}
---     > optim.functional.nadam({w}, {nl.tensor({2.0})}, {m}, {v}, {mu}, {step}, options)
---     > w, mu
---     tensor([0.8944])	tensor(0.4501)
functional.nadam = make_step("nadam", "NAdam", "exp_avg exp_avg_sq mu_product step",
  "lr beta1 beta2 eps weight_decay momentum_decay", betas)

--- A step of RAdam: `radam(params, grads, exp_avgs, exp_avg_sqs, state_steps, {lr = …, beta1 = …, beta2 = …, eps = …,
--- weight_decay = …})`.
---     > w, m, v, step = nl.tensor({1.0}), nl.zeros(1), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0}
---     > optim.functional.radam({w}, {nl.tensor({2.0})}, {m}, {v}, {step}, options)
---     > w
---     tensor([0.8000])
functional.radam = make_step("radam", "RAdam", "exp_avg exp_avg_sq step", "lr beta1 beta2 eps weight_decay", betas)

--- A step of Adagrad: `adagrad(params, grads, state_sums, state_steps, {lr = …, lr_decay = …, eps = …,
--- weight_decay = …, maximize = …})`.
---     > w, sum, step = nl.tensor({1.0}), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, lr_decay = 0.0, eps = 1e-10, weight_decay = 0.0, maximize = false}
---     > optim.functional.adagrad({w}, {nl.tensor({2.0})}, {sum}, {step}, options)
---     > w, sum
---     tensor([0.9000])	tensor([4.])
functional.adagrad = make_step("adagrad", "Adagrad", "sum step", "lr lr_decay eps weight_decay maximize")

--- A step of Adadelta: `adadelta(params, grads, square_avgs, acc_deltas, state_steps, {lr = …, rho = …, eps = …,
--- weight_decay = …, maximize = …})`.
---     > w, squares, deltas, step = nl.tensor({1.0}), nl.zeros(1), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 1.0, rho = 0.9, eps = 1e-6, weight_decay = 0.0, maximize = false}
---     > optim.functional.adadelta({w}, {nl.tensor({2.0})}, {squares}, {deltas}, {step}, options)
---     > w, squares
---     tensor([0.9968])	tensor([0.4000])
functional.adadelta = make_step("adadelta", "Adadelta", "square_avg acc_delta step",
  "lr rho eps weight_decay maximize")

--- A step of RMSprop: `rmsprop(params, grads, square_avgs, grad_avgs, momentum_buffers, state_steps, {lr = …,
--- alpha = …, eps = …, weight_decay = …, momentum = …, centered = …})`.
---     > w, squares, step = nl.tensor({1.0}), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, alpha = 0.75, eps = 1e-8, weight_decay = 0.0, momentum = 0.0, centered = false}
---     > optim.functional.rmsprop({w}, {nl.tensor({2.0})}, {squares}, {}, {}, {step}, options)
---     > w, squares
---     tensor([0.8000])	tensor([1.])
functional.rmsprop = make_step("rmsprop", "RMSprop", "square_avg grad_avg momentum_buffer step",
  "lr alpha eps weight_decay momentum centered")

--- A step of Rprop: `rprop(params, grads, prevs, step_sizes, state_steps, {step_size_min = …, step_size_max = …,
--- etaminus = …, etaplus = …})`.
---     > w, last, size, step = nl.tensor({1.0}), nl.tensor({1.0}), nl.tensor({0.1}), nl.tensor(1.0)
---     > options = {step_size_min = 1e-6, step_size_max = 50.0, etaminus = 0.5, etaplus = 1.2}
---     > optim.functional.rprop({w}, {nl.tensor({2.0})}, {last}, {size}, {step}, options)
---     > w, size
---     tensor([0.8800])	tensor([0.1200])
functional.rprop = make_step("rprop", "Rprop", "prev step_size step", "step_size_min step_size_max etaminus etaplus",
  {step_sizes = {"step_size_min", "step_size_max"}, etas = {"etaminus", "etaplus"}})

--- A step of ASGD: `asgd(params, grads, axs, mus, etas, state_steps, {lr = …, lambd = …, t0 = …, alpha = …,
--- weight_decay = …})`.
---     > w, mean, mu, eta, step = nl.tensor({1.0}), nl.zeros(1), nl.tensor(1.0), nl.tensor(0.1), nl.tensor(0.0)
---     > options = {lr = 0.1, lambd = 0.0, t0 = 1e6, alpha = 0.75, weight_decay = 0.0}
---     > optim.functional.asgd({w}, {nl.tensor({2.0})}, {mean}, {mu}, {eta}, {step}, options)
---     > w, mean
---     tensor([0.8000])	tensor([0.8000])
functional.asgd = make_step("asgd", "ASGD", "ax mu eta step", "lr lambd t0 alpha weight_decay")

--- A step of Adafactor: `adafactor(params, grads, row_vars, col_vars, variances, state_steps, {lr = …, beta2_decay = …,
--- eps1 = …, eps2 = …, d = …, weight_decay = …, maximize = …})`; an eps1 of nl.none is that of the dtype.
---     > w, variance, step = nl.tensor({1.0}), nl.zeros(1), nl.tensor(0.0)
---     > options = {lr = 0.1, beta2_decay = -0.8, eps1 = nl.none, eps2 = 1e-3, d = 1.0, weight_decay = 0.0}
---     > options.maximize = false
---     > optim.functional.adafactor({w}, {nl.tensor({2.0})}, {}, {}, {variance}, {step}, options)
---     > w, variance
---     tensor([0.9000])	tensor([4.])
functional.adafactor = make_step("adafactor", "Adafactor", "row_var col_var variance step",
  "lr beta2_decay eps1 eps2 d weight_decay maximize", {eps = {"eps1", "eps2"}})

--- A step of Muon, of matrices: `muon(params, grads, momentum_buffers, {lr = …, weight_decay = …, momentum = …,
--- nesterov = …, ns_coefficients = …, eps = …, ns_steps = …})`.
---     > w, buffer = nl.eye(2), nl.zeros(2, 2)
---     > options = {lr = 0.1, weight_decay = 0.0, momentum = 0.95, nesterov = true, eps = 1e-7, ns_steps = 5}
---     > options.ns_coefficients = {3.4445, -4.775, 2.0315}
---     > optim.functional.muon({w}, {2 * nl.eye(2)}, {buffer}, options)
---     > buffer
---     tensor([[0.1000, 0.0000],
---             [0.0000, 0.1000]])
functional.muon = make_step("muon", "Muon", "momentum_buffer",
  "lr weight_decay momentum nesterov ns_coefficients eps ns_steps")

--- Not there: gradients are never sparse.
---     > (select(2, pcall(optim.functional.sparse_adam)):match "optim%..*")
---     optim.functional.sparse_adam: gradients are never sparse here; use optim.functional.adam
function functional.sparse_adam()
  raise "optim.functional.sparse_adam: gradients are never sparse here; use optim.functional.adam"
end

return {functional = functional}
