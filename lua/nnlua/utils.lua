-- nnlua.utils: what surrounds models.

--- `checkpoint` is read when it is first asked for.
local function read(utils, name)
  if name ~= "checkpoint" then return nil end
  utils.checkpoint = require "nnlua.utils.checkpoint"
  return utils.checkpoint
end

return setmetatable({data = require "nnlua.utils.data"}, {__index = read})
