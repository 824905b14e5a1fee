-- Reading NumPy's .npz files: zip archives of .npy files.

local read_npy = require "nnlua.files.read_npy"
local state = require "nnlua.nn.state_dict"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

--- The arrays of an archive by their names, in its order.
return function(source, options)
  local archive, names = system.open_zip(source)
  local dict = state.StateDict.ordered()
  for i, name in ipairs(names) do
    local key = name:match "^(.*)%.npy$"
    if not key then
      raise(("load: %s: it is a zip archive, but neither PyTorch's nor NumPy's: it has the member '%s'"):format(
        options.name, name:gsub("%c", "?"):sub(1, 80)))
    end
    dict[key] = read_npy(system.zip_member(archive, i), options)
  end
  return dict
end
