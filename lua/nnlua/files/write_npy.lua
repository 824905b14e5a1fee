-- Writing NumPy's .npy files.

local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local npy = {}

--- The bytes of an array, as a list of strings and tensors: the header, of a length such that the elements begin at a
--- multiple of 64, and the elements row by row. `name` is what the tensor is called in errors.
function npy.pieces(t, name)
  if not nl.is_tensor(t) then
    core.raise(("save: %s is %s: NumPy's files have tensors only"):format(name, core.describe(t)))
  end
  local descr = system.npy_text(t.dtype)
  if t.is_meta then
    core.raise(("save: %s is on the meta device and has no elements"):format(name))
  elseif not descr then
    core.raise(("save: %s is of %s, which NumPy does not have: save %s:float()"):format(name, t.dtype, name))
  end
  local sizes = {}
  for i = 1, t.ndim do sizes[i] = tostring(t:size(i)) end
  local shape = table.concat(sizes, ", ") .. (#sizes == 1 and "," or "")
  local header = ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"):format(descr, shape)
  header = header .. (" "):rep(-(#header + 11) % 64) .. "\n"
  return {"\x93NUMPY\1\0" .. string.pack("<I2", #header) .. header, t:detach():contiguous()}
end

--- Writes a tensor to a path; without one the bytes are returned.
local function write(_, path, value)
  return system.write_pieces(path, npy.pieces(value, "value"))
end

return setmetatable(npy, {__call = write})
