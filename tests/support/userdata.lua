-- Every kind of userdata of ours, and of others, given as every argument: for specs, and for a C host, whose allocator
-- hides nothing that is read beyond a block. A call may succeed or raise; what it raises is the caller's fault.
local nl = require "nnlua"
local samples = require "support.samples"

local nn, optim = nl.nn, nl.optim

local userdata = {}

--- A list of {name, value}.
function userdata.values()
  local x = nl.ones(2, 3, {requires_grad = true})
  local y = x * 2
  local token <close> = nl.no_grad()
  return {
    {"a tensor", nl.ones(2)}, {"a meta tensor", nl.zeros(2, {device = "meta"})}, {"a size", x.shape},
    {"an empty size", nl.ones({}).shape}, {"a dtype", nl.float32}, {"nl.none", nl.none}, {"nl.newaxis", nl.newaxis},
    {"nl.ellipsis", nl.ellipsis}, {"a generator", nl.Generator()}, {"a node", y.grad_fn},
    {"a hook's handle", y:register_hook(function() end)}, {"a closed mode", token}, {"a module", nn.Linear(2, 2)},
    {"a buffer", nn.Buffer(nl.ones(2))}, {"an uninitialized parameter", nn.LazyLinear(2).weight},
    {"a step list", optim.SGD({nn.Parameter(nl.ones(2))}, {lr = 0.1}).param_groups[1]._list}, {"a file", io.stdin},
  }
end

--- What is wrong with an error, or nil: it names a line of ours.
local function fault_of(message)
  if type(message) ~= "string" then return "no text" end
  return message:match "nnlua/[%w_/]+%.lua:%d+"
end

local function function_of(row)
  return row.in_nl and nl[row.name] or row.functional and nl.F[row.name] or row.space and nl[row.space][row.name]
    or row.method and nl.ones(1)[row.name]
end

--- Other functions than rows, with arguments that they take.
local function others()
  local x = nl.ones(2, 3)
  local node = (nl.ones(1, {requires_grad = true}) * 2).grad_fn
  return {
    {"tensor", nl.tensor, {1, 2}}, {"Size", nl.Size, 2, 3}, {"broadcast_shapes", nl.broadcast_shapes, {1}, {2}},
    {"index", function(i) return x[i] end, 1}, {"a list of indices", function(i, j) return x[{i, j}] end, 1, 2},
    {"assignment", function(i, v) nl.ones(2, 3)[i] = v end, 1, 2}, {"item", x.item, x}, {"size", x.size, x, 1},
    {"to", x.to, x, nl.float32}, {"requires_grad_", x.requires_grad_, x, true}, {"backward", x.backward, x, x},
    {"data", function(v) nl.ones(2).data = v end, x}, {"grad", function(v) nl.ones(2).grad = v end, x},
    {"register_hook", x.register_hook, x, print}, {"node hooks", node.register_hook, node, print},
    {"mode", nl.set_grad_enabled, true}, {"a mode's close", nl.no_grad().close, nl.no_grad()},
    {"a handle's remove", node:register_hook(print).remove, node:register_hook(print)},
    {"generator", nl.Generator().manual_seed, nl.Generator(), 1}, {"state", nl.set_rng_state, nl.get_rng_state()},
    {"Parameter", nn.Parameter, x, true}, {"Buffer", nn.Buffer, x, true}, {"Linear", nn.Linear, 2, 2},
    {"module call", nn.Linear(3, 2), x}, {"LSTM", nn.LSTM(3, 2), nl.ones(1, 1, 3)}, {"SGD", optim.SGD, {x}, {lr = 1}},
    {"attribute", function(v) nn.Linear(2, 2).weight = v end, nn.Parameter(x)},
    {"register_buffer", function(v) nn.Module():register_buffer("b", v) end, x},
    {"state dict", function(v) nn.Linear(2, 2):load_state_dict {weight = v} end, x},
    {"autograd.grad", nl.autograd.grad, x, x}, {"equal", nl.equal, x, x}, {"tostring", tostring, x},
    {"comparison", function(a, b) return a < b end, nl.ones(1), 2}, {"sum", function(a, b) return a + b end, x, 2},
  }
end

local function try(name, f, list, n, i, given, report)
  local copy = table.move(list, 1, n, 1, {})
  copy[i] = given[2]
  local ok, message = pcall(f, table.unpack(copy, 1, n))
  if not ok and fault_of(message) then report(("%s, argument %d is %s: %s"):format(name, i, given[1], message)) end
end

--- Calls everything with each kind in the place of each argument; report(text) for what is wrong.
function userdata.try_all(report)
  local values = userdata.values()
  for _, row in ipairs(samples.rows()) do
    local f, list = function_of(row), samples.of(row)
    for _, sample in ipairs(f and list or {}) do
      for i = 1, #row.args do
        for _, given in ipairs(values) do
          try(row.name, f, sample, math.max(sample.n or #sample, i), i, given, report)
        end
      end
    end
  end
  for _, other in ipairs(others()) do
    local list = table.move(other, 3, #other, 1, {})
    for i = 1, #list + 1 do
      for _, given in ipairs(values) do try(other[1], other[2], list, math.max(#list, i), i, given, report) end
    end
  end
  nl._reset_modes()
end

return userdata
