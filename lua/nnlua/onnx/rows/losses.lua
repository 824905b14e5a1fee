-- Rows that are losses. Class labels count from 1 here and from 0 in ONNX.

local words = require "nnlua.onnx.rows.words"

local losses = {}

--- Losses, their mean or their sum.
local function reduced(e, losses_name, reduction)
  if reduction == "none" then return losses_name end
  return e:add(reduction == "sum" and "ReduceSum" or "ReduceMean", {losses_name}, {keepdims = 0})
end

--- A loss of an input and a target, from their difference.
local function of_difference(f)
  return function(e, a, step)
    local dtype = words.result_dtype(e, step)
    if a.weight or not words.is_floating(dtype) then return nil end
    local apart = e:add("Sub", {words.as(e, a, "input", dtype), words.as(e, a, "target", dtype)})
    local each = f(e, apart, a, dtype)
    return each and reduced(e, each, a.reduction)
  end
end

losses.mse_loss = of_difference(function(e, apart) return e:add("Mul", {apart, apart}) end)
losses.l1_loss = of_difference(function(e, apart) return e:add("Abs", {apart}) end)

--- Half of the square up to a distance, and a line beyond it.
local function huber(e, apart, distance, dtype)
  local far = e:add("Abs", {apart})
  local half = e:number(0.5, dtype)
  local near = e:add("Mul", {e:add("Mul", {apart, apart}), half})
  local line = e:add("Mul", {e:number(distance, dtype), e:add("Sub", {far, e:number(distance / 2, dtype)})})
  return (e:add("Where", {e:add("Less", {far, e:number(distance, dtype)}), near, line}))
end

losses.huber_loss = of_difference(function(e, apart, a, dtype) return huber(e, apart, a.delta + 0.0, dtype) end)
losses.smooth_l1_loss = of_difference(function(e, apart, a, dtype)
  if a.beta == 0 then return e:add("Abs", {apart}) end
  return e:add("Div", {huber(e, apart, a.beta + 0.0, dtype), e:number(a.beta + 0.0, dtype)})
end)

--- The arguments of the losses of classes: labels from 0, and which is ignored.
local function of_classes(op)
  return function(e, a)
    local target = words.dtype(e, a, "target")
    if words.is_floating(target) or (a.label_smoothing or 0) ~= 0 or a.size_average or a.reduce then return nil end
    if words.rank(e, a, "input") == 1 then return nil end
    return e:add(op, {a.input, words.from_zero(e, a, "target"), a.weight}, {
      ignore_index = a.ignore_index and a.ignore_index - 1, reduction = a.reduction,
    })
  end
end

losses.nll_loss = of_classes "NegativeLogLikelihoodLoss"
losses.cross_entropy = of_classes "SoftmaxCrossEntropyLoss"

function losses.binary_cross_entropy_with_logits(e, a, step)
  local dtype = words.result_dtype(e, step)
  if a.weight or a.pos_weight then return nil end
  local x = a.input
  local above = e:add("Max", {x, e:number(0.0, dtype)})
  local rest = e:add("Softplus", {e:add("Neg", {e:add("Abs", {x})})})
  local each = e:add("Add", {e:add("Sub", {above, e:add("Mul", {x, a.target})}), rest})
  return reduced(e, each, a.reduction)
end

function losses.binary_cross_entropy(e, a, step)
  local dtype = words.result_dtype(e, step)
  local least, one = e:number(-100.0, dtype), e:number(1.0, dtype)
  local yes = e:add("Max", {e:add("Log", {a.input}), least})
  local no = e:add("Max", {e:add("Log", {e:add("Sub", {one, a.input})}), least})
  local sum = e:add("Add", {
    (e:add("Mul", {a.target, yes})), (e:add("Mul", {e:add("Sub", {one, a.target}), no})),
  })
  local each = e:add("Neg", {sum})
  if a.weight then each = e:add("Mul", {each, a.weight}) end
  return reduced(e, each, a.reduction)
end

return losses
