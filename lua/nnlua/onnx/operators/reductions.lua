-- Operators that reduce axes, or run along them.

local words = require "nnlua.onnx.operators.words"

local reductions = {}

for _, kind in ipairs {"L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"} do
  local since = kind == "Sum" and 13 or 18 -- axes are an input
  reductions["Reduce" .. kind] = function(b, node, x, axes)
    if node.version < since then axes = words.ints(node:ints "axes") end
    return b:call("onnx_reduce", {
      x, axes = axes, kind = kind, keepdims = node:flag("keepdims", true),
      noop_with_empty_axes = node:flag "noop_with_empty_axes",
    })
  end
end

for name, kind in pairs {Softmax = "softmax", LogSoftmax = "log", Hardmax = "hardmax"} do
  reductions[name] = function(b, node, x)
    local is_flat = node.version < 13 -- all axes from this one on are one
    return b:call("onnx_softmax", {x, axis = node:int("axis", is_flat and 1 or -1), flat = is_flat, kind = kind})
  end
end

for name, is_product in pairs {CumSum = false, CumProd = true} do
  reductions[name] = function(b, node, x, axis)
    return b:call("onnx_cumulate", {
      x, axis, exclusive = node:flag "exclusive", reverse = node:flag "reverse", product = is_product,
    })
  end
end

function reductions.LpNormalization(b, node, x)
  return b:call("onnx_lp_normalization", {x, axis = node:int("axis", -1), p = node:int("p", 2)})
end

return reductions
