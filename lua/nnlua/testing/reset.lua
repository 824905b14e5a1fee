-- testing.reset: what specs change of the library's state, back to what it was when nnlua.testing was loaded.

local hooks = require "nnlua.nn.hooks"
local nl = require "nnlua"

local start = {dtype = nl.get_default_dtype(), threads = nl.get_num_threads(), hooks = hooks.global_lists()}

--- Seeds the random numbers with 0, ends all modes (no_grad and the like, anomaly detection), and puts back the default
--- dtype, the number of threads, the global hooks of modules (as they were when nnlua.testing was loaded) and the
--- options of printing (PyTorch's). `nnlua test` does it before each spec.
---     > nl.set_default_dtype(nl.float64)
---     > nl.testing.reset()
---     > nl.get_default_dtype()
---     nnlua.float32
local function reset()
  nl._reset_modes()
  nl.manual_seed(0)
  nl.set_default_dtype(start.dtype)
  nl.set_num_threads(start.threads)
  nl.set_printoptions {profile = "default"}
  hooks.restore_global(start.hooks)
end

return reset
