-- Reading NumPy's .npy files.

local system = require "nnlua.system"

--- The array of a file. One in Fortran's order keeps it: its first dimension's elements lie together.
return function(source, options)
  local t, is_fortran = system.read_npy(source)
  if is_fortran and t.ndim > 1 then
    local dims = {}
    for i = 1, t.ndim do dims[i] = t.ndim + 1 - i end
    t = t:permute(dims)
  end
  return options.place(t)
end
