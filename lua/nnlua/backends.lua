-- nl.backends: the switches that PyTorch programs set for libraries that are not here.

local core = require "nnlua.nn.core"

--- Whether there is CUDA, cuDNN or a GPU of Apple's: never.
---     > nl.backends.cuda.is_built(), nl.backends.mps.is_available()
---     false	false
---@return boolean
local function no() return false end

local leaves_padding_out = true

local mha = {}

--- Whether nn.TransformerEncoder may leave padding out.
---     > nl.backends.mha.get_fastpath_enabled()
---     true
---@return boolean
function mha.get_fastpath_enabled()
  return leaves_padding_out
end

--- Sets whether nn.TransformerEncoder may leave padding out.
---     > nl.backends.mha.set_fastpath_enabled(false)
---     > nl.backends.mha.get_fastpath_enabled()
---     false
---     > nl.backends.mha.set_fastpath_enabled(true)
---@param value boolean
function mha.set_fastpath_enabled(value)
  if type(value) ~= "boolean" then core.raise("set_fastpath_enabled: true or false expected") end
  leaves_padding_out = value
end

--- Switches of PyTorch's for CUDA, cuDNN and Apple's GPUs. They may be set and change nothing; questions are answered
--- with no: `nl.backends.cudnn.benchmark = true`, `nl.backends.mps.is_available()`. `mha.set_fastpath_enabled(false)`
--- lets nn.TransformerEncoder work on padding as on all else.
return {
  cudnn = {enabled = false, benchmark = false, deterministic = false, allow_tf32 = false, is_available = no},
  cuda = {is_built = no, matmul = {allow_tf32 = false}},
  mha = mha, mps = {is_available = no, is_built = no},
}
