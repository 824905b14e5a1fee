-- Operators on shapes.

local nl = require "nnlua"
local words = require "nnlua.onnx.operators.words"

local dim, ints = words.dim, words.ints

local shapes = {}

--- The axes of an operator: an attribute in earlier operator sets, an input later.
local function axes_of(node, since, input)
  if node.version < since then return ints(node:ints "axes") end
  return input
end

function shapes.Reshape(b, node, data, shape)
  if node.version < 5 then shape = ints(node:ints "shape") end
  return b:call("onnx_reshape", {data, shape, allowzero = node:flag "allowzero"})
end

function shapes.Flatten(b, node, x)
  return b:call("onnx_flatten", {x, axis = node:int("axis", 1)})
end

function shapes.Squeeze(b, node, x, axes)
  return b:call("onnx_squeeze", {x, axes = axes_of(node, 13, axes)})
end

function shapes.Unsqueeze(b, node, x, axes)
  return b:call("onnx_unsqueeze", {x, axes_of(node, 13, axes)})
end

shapes.Expand, shapes.Tile = words.row "onnx_expand", words.row "onnx_tile"

function shapes.Transpose(b, node, x)
  return b:call("onnx_transpose", {x, perm = node:ints "perm"})
end

function shapes.Shape(b, node, x)
  return b:call("onnx_shape", {x, start = node:int("start", 0), stop = node:int "end"})
end

shapes.Size = words.row "onnx_size"

function shapes.Concat(b, node)
  node:want(node.n)
  return b:call("cat", {node.inputs, dim = dim(node:int("axis", 1))})
end

function shapes.Split(b, node, x, split)
  if node.version < 13 then split = ints(node:ints "split") end
  local parts = b:call("onnx_split", {x, split = split, axis = node:int("axis", 0), num_outputs = #node.output})
  local outputs = {}
  for i = 1, #node.output do outputs[i] = b:item(parts, i) end
  return table.unpack(outputs)
end

function shapes.Slice(b, node, x, starts, ends, axes, steps)
  if node.version < 10 then
    starts, ends, axes = ints(node:ints "starts"), ints(node:ints "ends"), ints(node:ints "axes")
  end
  return b:call("onnx_slice", {x, starts, ends, axes = axes, steps = steps})
end

function shapes.Pad(b, node, x, pads, value, axes)
  if node.version < 11 and node.domain == "" then
    pads, value = ints(node:ints "pads" or node:ints "paddings"), nl.tensor(node:float("value", 0))
  end
  return b:call("onnx_pad", {x, pads, value = value, axes = axes, mode = node:text("mode", "constant")})
end

function shapes.CenterCropPad(b, node, x, shape)
  return b:call("onnx_center_crop_pad", {x, shape, axes = node:ints "axes"})
end

function shapes.DepthToSpace(b, node, x)
  return b:call("onnx_depth_to_space", {x, blocksize = node:int "blocksize", mode = node:text("mode", "DCR")})
end

function shapes.SpaceToDepth(b, node, x)
  return b:call("onnx_space_to_depth", {x, blocksize = node:int "blocksize", mode = node:text("mode", "DCR")})
end

function shapes.Trilu(b, node, x, k)
  return b:call("onnx_trilu", {x, k = k, upper = node:flag("upper", true)})
end

function shapes.ReverseSequence(b, node, x, lengths)
  return b:call("onnx_reverse_sequence", {
    x, lengths, batch_axis = node:int("batch_axis", 1), time_axis = node:int("time_axis", 0),
  })
end

return shapes
