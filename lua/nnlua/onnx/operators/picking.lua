-- Operators that take, put and find elements.

local words = require "nnlua.onnx.operators.words"

local picking = {}

--- An operator with an axis among its attributes.
local function with_axis(row, default)
  return function(b, node, x, indices, updates)
    local arguments = {x, indices, updates, axis = node:int("axis", default)}
    if updates then arguments.reduction = node:text("reduction", "none") end
    return b:call(row, arguments)
  end
end

picking.Gather = with_axis("onnx_gather", 0)
picking.GatherElements = with_axis("onnx_gather_elements", 0)
picking.ScatterElements = with_axis("onnx_scatter_elements", 0)
picking.Scatter = picking.ScatterElements

function picking.GatherND(b, node, x, indices)
  return b:call("onnx_gather_nd", {x, indices, batch_dims = node:int("batch_dims", 0)})
end

function picking.ScatterND(b, node, x, indices, updates)
  return b:call("onnx_scatter_nd", {x, indices, updates, reduction = node:text("reduction", "none")})
end

function picking.TensorScatter(b, node, cache, update, places)
  return b:call("onnx_tensor_scatter", {
    cache, update, write_indices = places, axis = node:int("axis", -2),
    circular = node:text("mode", "linear") == "circular",
  })
end

function picking.Compress(b, node, x, condition)
  return b:call("onnx_compress", {x, condition, axis = node:int "axis"})
end

picking.NonZero = words.row "onnx_non_zero"

function picking.TopK(b, node, x, k)
  if node.version < 10 then k = words.ints {node:int("k", 1)} end
  return b:call("onnx_top_k", {
    x, k, axis = node:int("axis", -1), largest = node:flag("largest", true), sorted = node:flag("sorted", true),
  })
end

function picking.Unique(b, node, x)
  local parts = b:call("onnx_unique", {x, axis = node:int "axis", sorted = node:flag("sorted", true)})
  return b:item(parts, 1), b:item(parts, 2), b:item(parts, 3), b:item(parts, 4)
end

for name, greatest in pairs {ArgMax = true, ArgMin = false} do
  picking[name] = function(b, node, x)
    return b:call("onnx_arg", {
      x, axis = node:int("axis", 0), keepdims = node:flag("keepdims", true), last = node:flag "select_last_index",
      greatest = greatest,
    })
  end
end

function picking.NonMaxSuppression(b, node, boxes, scores, most, iou, score)
  return b:call("onnx_non_max_suppression", {
    boxes, scores, most = most, iou_threshold = iou, score_threshold = score,
    center_point_box = node:int("center_point_box", 0),
  })
end

return picking
