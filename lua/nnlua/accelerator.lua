-- nl.accelerator: PyTorch's questions about whatever device computes besides the CPU. There is none.

local raise = require "nnlua.nn.core".raise

--- Questions about a device besides the CPU; there is none. What would use one raises.
local accelerator = {}

--- Whether there is a device to compute on besides the CPU: no.
---     > nl.accelerator.is_available() and nl.accelerator.current_accelerator() or nl.device "cpu"
---     cpu
---@return boolean
function accelerator.is_available() return false end

--- How many such devices there are: none.
---     > nl.accelerator.device_count()
---     0
---@return integer
function accelerator.device_count() return 0 end

--- The device besides the CPU: nil.
---     > nl.accelerator.current_accelerator()
---     nil
---@param check_available? boolean
---@return nil
function accelerator.current_accelerator(check_available) return nil end -- luacheck: no unused args

--- Nothing, as there is no device with memory of its own; nl.empty_cache gives back that of the CPU.
---     > nl.accelerator.empty_cache()
function accelerator.empty_cache() end

--- The bytes that tensors take on such devices: none. nl.memory_allocated tells of the CPU's.
---     > nl.accelerator.memory_allocated()
---     0
---@return integer
function accelerator.memory_allocated() return 0 end

--- The most bytes that tensors took on such devices: none. nl.max_memory_allocated tells of the CPU's.
---     > nl.accelerator.max_memory_allocated()
---     0
---@return integer
function accelerator.max_memory_allocated() return 0 end

--- Raises, as all that uses an accelerator does: current_device_index, current_stream, set_device_index, set_stream,
--- synchronize.
---     > (select(2, pcall(nl.accelerator.current_device_index)):match "accelerator:.*")
---     accelerator: there is none: all computing is done on the CPU
local function refuse()
  raise "accelerator: there is none: all computing is done on the CPU"
end

for _, name in ipairs {"current_device_index", "current_stream", "set_device_index", "set_stream", "synchronize"} do
  accelerator[name] = refuse
end

return accelerator
