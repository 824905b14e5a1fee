-- Writing NumPy's .npz files: zip archives of .npy files, as numpy.savez makes them.

local Walk = require "nnlua.files.walk"
local core = require "nnlua.nn.core"
local npy = require "nnlua.files.write_npy"
local system = require "nnlua.system"

--- Writes a table of tensors to a path; those of a list are called arr_0, arr_1, …. Without a path the bytes are
--- returned.
return function(path, value)
  if type(value) ~= "table" or not Walk.ordered_kind(value) and getmetatable(value) ~= nil then
    core.raise(("save: value is %s: a .npz file has a table of names and tensors, or a list of tensors"):format(
      core.describe(value)))
  end
  local names, members = {}, {}
  for key, t in Walk.entries(value) do
    local place = math.type(key) == "integer" and #value >= key and key >= 1
    if not place and (type(key) ~= "string" or not utf8.len(key)) then
      core.raise(("save: value has a key that is %s: the arrays of a .npz file have names"):format(core.describe(key)))
    end
    names[#names + 1] = (place and ("arr_%d"):format(key - 1) or key) .. ".npy"
    members[#members + 1] = npy.pieces(t, place and ("value[%d]"):format(key) or ("value[%q]"):format(key))
  end
  return system.write_zip(path, names, members)
end
