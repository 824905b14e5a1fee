-- What holds for all ops, which C keeps: declarations as those of core.lua, never run.

--- Where new tensors are, if nothing else is said.
---     > nl.get_default_device()
---     cpu
---@return device
function nl.get_default_device() end

--- Sets where new tensors are if nothing else is said: "cpu", or "meta", where they have no elements; nil is the CPU.
---     > nl.set_default_device "meta"
---     > x = nl.zeros(2)
---     > nl.set_default_device "cpu"
---     > x.device, nl.zeros(2).device
---     meta	cpu
---@param device? device|string
function nl.set_default_device(device) end

--- Keeps whether only deterministic algorithms are wanted. All are: results don't depend on threads or on luck.
---     > nl.use_deterministic_algorithms(true)
---     > nl.are_deterministic_algorithms_enabled()
---     true
---     > nl.use_deterministic_algorithms(false)
---@param mode boolean
---@param warn_only? boolean
function nl.use_deterministic_algorithms(mode, warn_only) end

--- Whether use_deterministic_algorithms was called with true.
---     > nl.are_deterministic_algorithms_enabled()
---     false
---@return boolean
function nl.are_deterministic_algorithms_enabled() end

--- Whether use_deterministic_algorithms was called with warn_only.
---     > nl.is_deterministic_algorithms_warn_only_enabled()
---     false
---@return boolean
function nl.is_deterministic_algorithms_warn_only_enabled() end

--- use_deterministic_algorithms by the name or number of a mode: "default" (0), "warn" (1) or "error" (2).
---     > nl.set_deterministic_debug_mode "warn"
---     > nl.get_deterministic_debug_mode()
---     1
---     > nl.set_deterministic_debug_mode "default"
---@param debug_mode string|integer
function nl.set_deterministic_debug_mode(debug_mode) end

--- The number of the mode: 0, 1 or 2.
---     > nl.get_deterministic_debug_mode()
---     0
---@return integer
function nl.get_deterministic_debug_mode() end

--- Keeps how exact products of float32 must be: "highest", "high" or "medium". They are exact to float32 always.
---     > nl.set_float32_matmul_precision "high"
---     > nl.get_float32_matmul_precision()
---     high
---     > nl.set_float32_matmul_precision "highest"
---@param precision string
function nl.set_float32_matmul_precision(precision) end

--- What was set by set_float32_matmul_precision.
---     > nl.get_float32_matmul_precision()
---     highest
---@return string
function nl.get_float32_matmul_precision() end

--- Keeps whether warnings come every time.
---     > nl.set_warn_always(true)
---     > nl.is_warn_always_enabled()
---     true
---     > nl.set_warn_always(false)
---@param b boolean
function nl.set_warn_always(b) end

--- What was set by set_warn_always.
---     > nl.is_warn_always_enabled()
---     false
---@return boolean
function nl.is_warn_always_enabled() end

--- Keeps how many threads run ops beside each other, which none do.
---     > nl.set_num_interop_threads(2)
---     > nl.get_num_interop_threads()
---     2
---     > nl.set_num_interop_threads(1)
---@param n integer
function nl.set_num_interop_threads(n) end

--- What was set by set_num_interop_threads, or 1.
---     > nl.get_num_interop_threads()
---     1
---@return integer
function nl.get_num_interop_threads() end

--- Whether numbers too small for full precision are treated as asked: they are never taken for 0.
---     > nl.set_flush_denormal(false), nl.set_flush_denormal(true)
---     true	false
---@param mode boolean
---@return boolean
function nl.set_flush_denormal(mode) end
