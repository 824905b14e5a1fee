-- Writes in place. ONNX has none: a row that changes its first tensor is written as one that gives a new tensor, which
-- is the same as long as nobody looks at the old one, or at another view of its memory, afterwards.

local raise = require "nnlua.nn.core".raise

-- Rows whose results may share memory with their first operand.
local views = {}
for name in ([[
  view view_dtype reshape view_as reshape_as flatten unflatten ravel transpose swapaxes swapdims t permute
  expand expand_as broadcast_to select narrow slice unsqueeze squeeze squeeze_dims diagonal as_strided unfold
  detach alias split split_sizes split_with_sizes chunk unbind movedim moveaxis contiguous to_dtype to_other
  real imag view_as_real view_as_complex positive adjoint onnx_reshape onnx_flatten onnx_squeeze onnx_unsqueeze
  onnx_expand onnx_transpose onnx_slice onnx_split
]]):gmatch "%S+" do
  views[name] = true
end

--- The values that each step reads, and those that are outputs, by when they are read last.
local function last_reads(contents)
  local last = {}
  for i, step in ipairs(contents.steps) do
    for _, id in ipairs(step.operands) do
      if id then last[id] = i end
    end
    for _, body in ipairs(step.bodies or {}) do
      for _, id in ipairs(body.given) do last[id] = i end
    end
  end
  for _, output in ipairs(contents.outputs) do
    if output.value then last[output.value] = math.huge end
  end
  return last
end

--- Raises if a write in place can be seen by way of anything but its result.
return function(contents)
  local last, roots, members = nil, {}, {}
  local function join(id, root)
    roots[id] = root
    members[root] = members[root] or {root}
    table.insert(members[root], id)
  end
  for i, step in ipairs(contents.steps) do
    local from = step.operands[1]
    if step.in_place then
      local value = contents.values[from]
      if value.kind ~= "result" then
        raise(("onnx.export: '%s_' changes %s '%s' in place, which ONNX can't express%s"):format(step.name, value.kind,
          value.name or "", value.kind == "buffer" and ": trace the network in evaluation mode" or ""))
      end
      last = last or last_reads(contents)
      for _, id in ipairs(members[roots[from] or from] or {from}) do
        if (last[id] or 0) > i then
          raise(("onnx.export: '%s_' changes memory in place that is read afterwards by another name, which ONNX can't "
            .. "express: change a clone()"):format(step.name))
        end
      end
      join(step.results[1], roots[from] or from)
    elseif views[step.row] and from then
      for _, id in ipairs(step.results) do join(id, roots[from] or from) end
    end
  end
end
