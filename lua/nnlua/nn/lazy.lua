-- The library's table for its own Lua code, which is loaded while that table is still being made.
local library

return setmetatable({}, {
  __index = function(_, name)
    library = library or require "nnlua"
    return library[name]
  end,
})
