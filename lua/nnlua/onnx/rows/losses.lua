-- Rows that are losses. Class labels count from 1 here and from 0 in ONNX.

local nl = require "nnlua"
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

--- The sum of the weights of the targets that count.
function losses.total_weight(e, a, step)
  local dtype, int = words.result_dtype(e, step), nl.int64
  local target = words.as(e, a, "target", int)
  local counts = e:add("Not", {e:add("Equal", {target, e:number(a.ignore_index, int)})})
  local each = e:cast(counts, nl.bool, dtype)
  if a.weight then
    local label = e:add("Where", {counts, words.from_zero(e, a, "target"), e:number(0, int)})
    local weight = e:add("Gather", {e:cast(a.weight, words.dtype(e, a, "weight"), dtype), label}, {axis = 0})
    each = e:add("Mul", {each, weight})
  end
  return reduced(e, each, "sum")
end

--- Labels in rows up to the first -1: positions that may be gathered, which of them count, which classes are named.
function losses.listed_labels(e, a)
  local int, classes = nl.int64, words.known_shape(e, a, "input")
  if not classes then return nil end
  local target, one = words.as(e, a, "target", int), e:number(1, int)
  local is_end = e:cast(e:add("Less", {target, one}), nl.bool, int)
  local counts = e:add("Less", {e:add("CumSum", {is_end, e:number(-1, int)}), one})
  local positions = e:add("Where", {counts, target, one})
  local named = e:add("ScatterElements", {
    e:constant(nl.zeros(classes, {dtype = int})), e:add("Sub", {positions, one}), e:cast(counts, nl.bool, int),
  }, {axis = -1, reduction = "add"})
  return positions, counts, e:add("Greater", {named, e:number(0, int)})
end

function losses.binary_cross_entropy_with_logits(e, a, step)
  local dtype = words.result_dtype(e, step)
  if a.weight or a.pos_weight or not words.is_floating(dtype) then return nil end
  local x = words.as(e, a, "input", dtype)
  local above = e:add("Max", {x, e:number(0.0, dtype)})
  local rest = e:add("Softplus", {e:add("Neg", {e:add("Abs", {x})})})
  local each = e:add("Add", {e:add("Sub", {above, e:add("Mul", {x, words.as(e, a, "target", dtype)})}), rest})
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
