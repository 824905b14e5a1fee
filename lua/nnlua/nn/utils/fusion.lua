-- nn.utils.fuse_…: a convolution or a linear layer and the batch normalization behind it as one layer.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local copy = require "nnlua.nn.copy"
local nl = require "nnlua"

local fusion = {}

local raise = core.raise

--- Weight and bias times the scale of each channel, which stands in a dimension of the weight.
local function fused(weight, bias, mean, var, eps, scale, shift, dim)
  local factor = (var + eps):rsqrt()
  if scale then factor = factor * scale end
  local sizes = {}
  for i = 1, weight.ndim do sizes[i] = i == dim and -1 or 1 end
  local new_bias = ((bias or nl.zeros_like(mean)) - mean) * factor
  if shift then new_bias = new_bias + shift end
  return core.parameter((weight * factor:reshape(sizes)):to(weight.dtype):detach(), weight.requires_grad),
    core.parameter(new_bias:to((bias or weight).dtype):detach(), bias ~= nil and bias.requires_grad)
end

local parse_conv_weights = args.parser("fuse_conv_bn_weights", {
  {"conv_w", "tensor"}, {"conv_b", "tensor?"}, {"bn_rm", "tensor"}, {"bn_rv", "tensor"}, {"bn_eps", "number"},
  {"bn_w", "tensor?"}, {"bn_b", "tensor?"}, {"transpose", "boolean", false},
})

--- The weight and the bias, Parameters, of a convolution that does what one does together with the batch normalization
--- behind it: from its weight and bias, and running mean, running variance, eps, weight and bias of the normalization.
--- With transpose it is a transposed convolution. Missing tensors are nil.
---     > nn.utils.fuse_conv_bn_weights(nl.ones(1, 1, 1), nil, nl.ones(1), nl.full({1}, 4.0), 0, nil, nil)
---     Parameter containing:
---     tensor([[[0.5000]]])	Parameter containing:
---     tensor([-0.5000])
function fusion.fuse_conv_bn_weights(...)
  local weight, bias, mean, var, eps, scale, shift, transpose = parse_conv_weights(...)
  return fused(weight, bias, mean, var, eps, scale, shift, transpose and 2 or 1)
end

local parse_linear_weights = args.parser("fuse_linear_bn_weights", {
  {"linear_w", "tensor"}, {"linear_b", "tensor?"}, {"bn_rm", "tensor"}, {"bn_rv", "tensor"}, {"bn_eps", "number"},
  {"bn_w", "tensor?"}, {"bn_b", "tensor?"},
})

--- As fuse_conv_bn_weights, of a linear layer.
---     > nn.utils.fuse_linear_bn_weights(nl.ones(1, 1), nil, nl.ones(1), nl.full({1}, 4.0), 0, nl.ones(1), nl.zeros(1))
---     Parameter containing:
---     tensor([[0.5000]])	Parameter containing:
---     tensor([-0.5000])
function fusion.fuse_linear_bn_weights(...)
  local weight, bias, mean, var, eps, scale, shift = parse_linear_weights(...)
  return fused(weight, bias, mean, var, eps, scale, shift, 1)
end

--- A copy of a layer with the batch normalization behind it in its weight and bias.
local function fused_layer(name, layer, bn, dim)
  if layer.training or bn.training then
    raise(("%s: both modules must be in evaluation mode: call eval() first"):format(name))
  elseif not core.is_tensor(bn.running_mean) or not core.is_tensor(bn.running_var) then
    raise(("%s: %s keeps no running mean and variance"):format(name, core.class_name(bn)))
  end
  local new = copy(layer)
  new.weight, new.bias = fused(new.weight, new.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, dim)
  return new
end

local parse_conv = args.parser("fuse_conv_bn_eval", {
  {"conv", "module"}, {"bn", "module"}, {"transpose", "boolean", false},
})

--- A copy of a convolution that does what it and the batch normalization behind it do in evaluation mode; both are in
--- that mode. With transpose it is a transposed one.
---     > conv, bn = nn.Conv2d(3, 4, 3):eval(), nn.BatchNorm2d(4):eval()
---     > x = nl.randn(2, 3, 8, 8)
---     > nl.allclose(nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), {atol = 1e-5})
---     true
function fusion.fuse_conv_bn_eval(...)
  local conv, bn, transpose = parse_conv(...)
  return fused_layer("fuse_conv_bn_eval", conv, bn, transpose and 2 or 1)
end

local parse_linear = args.parser("fuse_linear_bn_eval", {{"linear", "module"}, {"bn", "module"}})

--- A copy of a linear layer that does what it and the batch normalization behind it do in evaluation mode; both are in
--- that mode. The normalization has as many features as the layer gives, or one.
---     > linear, bn = nn.Linear(3, 4):eval(), nn.BatchNorm1d(4):eval()
---     > x = nl.randn(2, 3)
---     > nl.allclose(nn.utils.fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), {atol = 1e-5})
---     true
function fusion.fuse_linear_bn_eval(...)
  local linear, bn = parse_linear(...)
  if linear.out_features ~= bn.num_features and bn.num_features ~= 1 then
    raise(("fuse_linear_bn_eval: the layer has %s outputs, the normalization %s features"):format(
      tostring(linear.out_features), tostring(bn.num_features)))
  end
  return fused_layer("fuse_linear_bn_eval", linear, bn, 1)
end

return fusion
