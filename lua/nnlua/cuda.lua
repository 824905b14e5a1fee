-- nl.cuda: what programs ask before they move to a GPU. There is none.

local raise = require "nnlua.nn.core".raise

--- Questions about CUDA devices, answered with no: all computing is done on the CPU. What would use a device raises.
local cuda = {}

--- Whether there is a CUDA device: no.
---     > nl.device(nl.cuda.is_available() and "cuda" or "cpu")
---     cpu
---@return boolean
function cuda.is_available() return false end

--- How many CUDA devices there are: none.
---     > nl.cuda.device_count()
---     0
---@return integer
function cuda.device_count() return 0 end

--- Whether CUDA has been started: no.
---     > nl.cuda.is_initialized()
---     false
---@return boolean
function cuda.is_initialized() return false end

--- Whether a CUDA device computes in bfloat16: no. The CPU does.
---     > nl.cuda.is_bf16_supported()
---     false
---@return boolean
function cuda.is_bf16_supported() return false end

--- Nothing, as there is no CUDA device to seed: nl.manual_seed seeds all there is.
---     > nl.cuda.manual_seed_all(1)
---@param seed integer
function cuda.manual_seed_all(seed) end -- luacheck: no unused args

--- Nothing, as manual_seed_all.
---     > nl.cuda.manual_seed(1)
---@param seed integer
function cuda.manual_seed(seed) end -- luacheck: no unused args

--- Nothing, as there is no memory of a CUDA device; nl.empty_cache gives back that of the CPU.
---     > nl.cuda.empty_cache()
function cuda.empty_cache() end

--- The bytes that tensors take on CUDA devices: none. nl.memory_allocated tells of the CPU's.
---     > nl.cuda.memory_allocated()
---     0
---@return integer
function cuda.memory_allocated() return 0 end

--- The most bytes that tensors took on CUDA devices: none. nl.max_memory_allocated tells of the CPU's.
---     > nl.cuda.max_memory_allocated()
---     0
---@return integer
function cuda.max_memory_allocated() return 0 end

--- Raises, as all that uses a CUDA device does: current_device, get_device_name, get_device_properties, set_device,
--- synchronize.
---     > (select(2, pcall(nl.cuda.current_device)):match "cuda:.*")
---     cuda: there is no CUDA device: all computing is done on the CPU
local function refuse()
  raise "cuda: there is no CUDA device: all computing is done on the CPU"
end

for _, name in ipairs {"current_device", "get_device_name", "get_device_properties", "set_device", "synchronize"} do
  cuda[name] = refuse
end

return cuda
