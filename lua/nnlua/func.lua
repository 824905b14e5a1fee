-- nl.func: functions of functions.

local grad = require "nnlua.func.grad"
local jacobian = require "nnlua.func.jacobian"
local modules = require "nnlua.func.modules"
local rearrange = require "nnlua.func.rearrange"
local vmap = require "nnlua.func.vmap"

return {
  vmap = vmap.vmap, set_vmap_fallback_warning_enabled = vmap.set_vmap_fallback_warning_enabled,
  is_vmap_fallback_warning_enabled = vmap.is_vmap_fallback_warning_enabled,
  grad = grad.grad, grad_and_value = grad.grad_and_value, vjp = grad.vjp, jvp = grad.jvp, linearize = grad.linearize,
  jacrev = jacobian.jacrev, jacfwd = jacobian.jacfwd, hessian = jacobian.hessian,
  functional_call = modules.functional_call, stack_module_state = modules.stack_module_state,
  replace_all_batch_norm_modules_ = modules.replace_all_batch_norm_modules_, rearrange = rearrange.rearrange,
}
