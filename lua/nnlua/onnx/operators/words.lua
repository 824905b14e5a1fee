-- What the entries of operators share.

local nl = require "nnlua"

local words = {}

--- An axis from 0, or from the end, as our dimensions count.
function words.dim(axis)
  return axis >= 0 and axis + 1 or axis
end

--- A list of whole numbers as an int64 tensor, or nil of nil.
function words.ints(list)
  return list and nl.tensor(list, {dtype = nl.int64})
end

--- A list of numbers as a float32 tensor, or nil of nil.
function words.floats(list)
  return list and nl.tensor(list, {dtype = nl.float32})
end

--- The entry of an operator that is a row: its inputs in order.
function words.row(name)
  return function(b, node, ...)
    node:want(node.n)
    return b:call(name, {...})
  end
end

--- One that is a row of one tensor with numbers from attributes: {ours = {"theirs", default}}.
function words.row_with(name, numbers)
  return function(b, node, x)
    node:want(1)
    local arguments = {x}
    for ours, theirs in pairs(numbers) do arguments[ours] = node:float(theirs[1], theirs[2]) end
    return b:call(name, arguments)
  end
end

--- The second of two operands as operator sets before 7 broadcast it: from an axis of the first on.
function words.second(b, node, other)
  local axis = node.version < 7 and node:int "axis"
  if not axis then return other end
  return b:call("onnx_at_axis", {other, node.inputs[1], axis = axis})
end

--- All inputs joined by a row of two, one after the other.
function words.fold(name)
  return function(b, node)
    node:want(1)
    local all = node.inputs[1]
    for i = 2, node.n do all = b:call(name, {all, node.inputs[i]}) end
    return all
  end
end

--- The arguments that all recurrent layers have in common.
function words.recurrence(node, x, w, r, bias, lengths, h)
  return {
    x, w, r, b = bias, sequence_lens = lengths, initial_h = h, direction = node:text("direction", "forward"),
    activations = table.concat(node:texts "activations" or {}, ","), alpha = node:floats "activation_alpha",
    beta = node:floats "activation_beta", clip = node:float("clip", 0), layout = node:int("layout", 0),
  }
end

return words
