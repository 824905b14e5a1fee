-- Calls f(net, inputs) after the first call of a network of the script that runs, instead of going on with that: what
-- specs put before an example.
local nl = require "nnlua"
local nn = nl.nn

return function(f)
  local depth, is_done = 0, false
  nn.register_module_forward_pre_hook(function() depth = depth + 1 end)
  nn.register_module_forward_hook(function(net, inputs)
    depth = depth - 1
    if depth > 0 or is_done then return end
    is_done = true
    f(net, inputs)
    os.exit()
  end)
end
