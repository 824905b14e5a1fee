-- What programs do with tensors besides calling ops: reading and writing elements, views, changes of leaves between
-- forward and backward, gradients, hooks, files.
local nl = require "nnlua"
local values = require "fuzz.values"

-- ------------------------------------------------------------------- elements

local function index_entry(draw)
  return draw:weighted {
    {6, function() return values.integer(draw) end},
    {4, function() return {draw:integer(-2, 3), draw:integer(-2, 4)} end},
    {2, function() return {} end},
    {1, function() return {1, -1, draw:integer(-1, 3)} end},
    {1, function() return nl.newaxis end},
    {1, function() return nl.ellipsis end},
    {2, function() return nl.randint(1, 4, {draw:integer(0, 3)}) end},
    {1, function() return nl.randn(2, 2) :gt(0) end},
    {1, function() return values.any(draw) end},
  }()
end

local function index(draw)
  if draw:chance(0.4) then return draw:integer(-2, 3) end
  local list = {}
  for i = 1, draw:integer(1, 3) do
    local entry = index_entry(draw)
    if entry == nil then entry = 1 end
    list[i] = entry
  end
  return list
end

local function read(program)
  local ok, results = program:call("x[i]", function(x, i) return x[i] end, {program:tensor(), index(program.draw)})
  if ok then program:keep(results[1]) end
end

local function write(program)
  local draw = program.draw
  local value = draw:chance(0.7) and program:tensor() or values.any(draw)
  program:call("x[i] = v", function(x, i, v) x[i] = v end, {n = 3, program:tensor(), index(draw), value})
end

-- Changes by a value whose graph holds the tensor.
local function write_own(program)
  local x = program:tensor()
  if x:dim() > 0 and x:size(1) > 0 then -- else x[1] is nil, so that loops end
    program:call("x[1] = x[1] * x[1]", function(t) t[1] = t[1] * t[1] end, {x})
  end
  program:call("x:add_(x * x)", function(x) x:add_(x * x) end, {program:tensor()})
end

-- ------------------------------------------------------------- leaves and data

local function set_data(program)
  local draw = program.draw
  local x = program:tensor()
  local options = draw:chance(0.5) and {dtype = x.dtype} or {}
  program:call(".data =", function(t, v) t.data = v end, {x, values.tensor(draw, options):detach()})
end

local function set_grad(program)
  local value = program.draw:chance(0.5) and program:tensor():detach() or nil -- one with a graph may be a cycle
  program:call(".grad =", function(t, v) t.grad = v end, {n = 2, program:tensor(), value})
end

local reshapes = {
  {"t_"}, {"swapdims_", 1, 2}, {"transpose_", 1, -1}, {"squeeze_"}, {"unsqueeze_", 1}, {"requires_grad_"}, {"detach_"},
  {"zero_"}, {"requires_grad_", false}, {"retain_grad"}, {"squeeze_", 1},
}

local function change_form(program)
  local change = program.draw:pick(reshapes)
  local x = program:tensor()
  local list = {x, table.unpack(change, 2)}
  local method = x[change[1]]
  program:call("no_grad " .. change[1], function(...)
    local packed = table.pack(...)
    nl.no_grad(function() method(table.unpack(packed, 1, packed.n)) end)
  end, list)
end

local views = {
  function(x) return x:t() end, function(x) return x:view(-1) end, function(x) return x:detach() end,
  function(x) return x:transpose(1, 2) end, function(x) return x:unsqueeze(2) end, function(x) return x[1] end,
  function(x) return x:unbind(1) end, function(x) return x:split(1, 1) end, function(x) return x:chunk(2, -1) end,
  function(x) return x:unfold(1, 1, 1) end, function(x) return x:expand(2, table.unpack(x.shape)) end,
  function(x) return x:diagonal() end, function(x) return x:to "meta" end, function(x) return x:clone() end,
}

local function view(program)
  local ok, results = program:call("view", program.draw:pick(views), {program:tensor()})
  if ok then program:keep(table.unpack(results, 1, math.min(results.n, 2))) end
end

-- ------------------------------------------------------------------ gradients

local function backward(program)
  local draw = program.draw
  local options = {retain_graph = draw:chance(0.3)} -- create_graph makes a cycle: see docs/architecture.md
  program:call("backward", function(x) x:sum():backward(options) end, {program:tensor()})
end

local function backward_own(program)
  program:call("y:backward(y)", function(x)
    local y = x * 2
    y:retain_grad()
    y:backward(y)
  end, {program:tensor()})
end

local function gradients(program)
  local draw = program.draw
  local options = {allow_unused = draw:chance(0.7), create_graph = draw:chance(0.3), is_grads_batched = draw:chance(0.1)}
  local ok, results = program:call("autograd.grad", function(y, x)
    return nl.autograd.grad(y:sum(), x, options)
  end, {program:tensor(), program:tensor()})
  if ok then program:keep(results[1]) end
end

local hooks = {
  function() end, function(g) return g end, function(g) return g * 2 end, function() return nl.ones(1) end,
  function() error {} end, function() return 3 end, function(g) return g:sum() end,
}

local function hook(program)
  local draw = program.draw
  local ok, results = program:call("register_hook", function(x, f) return x:register_hook(f) end,
    {program:tensor(), draw:pick(hooks)})
  if ok and draw:chance(0.3) then results[1]:remove() end
end

-- ----------------------------------------------------------------- the rest

local function set_mode(program)
  local mode = program.draw:pick {
    function() nl.set_grad_enabled(false) end, function() nl.set_grad_enabled(true) end,
    function() nl.set_default_dtype(nl.float64) end, function() nl.inference_mode(function() return nl.ones(2) end) end,
    function() nl.manual_seed(7) end, function() nl.autograd.set_detect_anomaly(program.draw:chance(0.5)) end,
    function() nl.set_num_threads(program.draw:integer(1, 3)) end,
  }
  program:call("mode", mode, {})
end

local function through_file(program)
  local path = os.tmpname()
  program:call("save", nl.save, {path, {a = program:tensor(), b = {program:tensor(), 3}}})
  local ok, results = program:call("load", nl.load, {path})
  os.remove(path)
  if ok then program:keep(results[1].a) end
end

local function create(program)
  program:keep(values.tensor(program.draw))
end

local function forget(program)
  if #program.tensors > 1 then table.remove(program.tensors, program.draw:integer(1, #program.tensors)) end
  if program.draw:chance(0.2) then collectgarbage() end
end

return {
  {5, read}, {5, write}, {1, write_own}, {4, set_data}, {2, set_grad}, {5, change_form}, {6, view}, {6, backward},
  {1, backward_own}, {3, gradients}, {2, hook}, {2, set_mode}, {1, through_file}, {4, create}, {2, forget},
}
