-- Short programs that between them use every part of the binding, to be run while something fails: a list of
-- {name, function}. They leave nothing behind.
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local programs = {}

local function program(name, f) table.insert(programs, {name, f}) end

local x = nl.arange(0, 30):view(3, 10):float()
local labels = nl.tensor {1, 2, 1}

local function leaf() return nl.ones(3, 10, {requires_grad = true}) end

-- ------------------------------------------------------------------ tensors

program("operators", function() return -x + 2 * x ^ 2 // 3 end)
program("several results", function() return x:max(2, {keepdim = true}) end)
program("a list of results", function() return x:split(3, 2) end)
program("a table of results", function() return x:split(3, {dim = 2, as_table = true}) end)
program("indexing", function() return x[1], x[{{}, {2, 4}}], x[x:gt(4)], x[nl.tensor {1, 2}], x[{1, 1}]:item() end)
program("assignment", function()
  local y = x:clone()
  y[1] = 0
  y[{{}, 2}] = nl.ones(3)
  y[y:gt(1)] = 1
  y[nl.tensor {1, 2}] = 3
end)
program("tensors from tables and back", function()
  return nl.tensor {{1, 2}, {3, 4}}:tolist(), nl.tensor {1.5, true}, nl.tensor {}, x:tolist()
end)
program("printing", function()
  return tostring(x), tostring(nl.arange(0, 2000)), tostring(x.shape), tostring(nl.complex(1, 2)), tostring(nl.float32)
end)
program("properties", function() return x.shape, x.grad, x.T, x.dtype, x:size(), x:stride(), #x, x.device end)
program("a generator", function()
  local g = nl.Generator():manual_seed(1)
  g:set_state(g:get_state())
  return nl.randn(3, {generator = g})
end)

-- ----------------------------------------------------------------- autograd

program("backward", function()
  local l = leaf()
  ;(l * l):sum():backward()
  return l.grad
end)
program("gradients of gradients", function()
  local l = leaf()
  local g = nl.autograd.grad((l ^ 3):sum(), l, {create_graph = true})
  return nl.autograd.grad(g:sum(), {l}, {as_table = true})
end)
program("hooks of tensors", function()
  local l = leaf()
  local y = l * 2
  local handle <close> = y:register_hook(function(g) return g * 2 end)
  l:register_hook(function(g) return g + 1 end)
  l:register_post_accumulate_grad_hook(function(t) t.grad = nil end)
  y:retain_grad()
  y:sum():backward()
  return y.grad
end)
program("hooks of nodes", function()
  local l = leaf()
  local y = l * l
  y.grad_fn:register_hook(function(inputs) return inputs end)
  y.grad_fn:register_prehook(function(outputs) return {outputs[1]} end)
  y:sum():backward()
  return y.grad_fn.next_functions, y.grad_fn:name()
end)
program("a hook that closes over its graph", function()
  local l = leaf()
  local y = l * 2
  y:register_hook(function(g) return g, y, l end)
  return y:sum()
end)
program("a hook of several tensors", function()
  local l = leaf()
  local a, b = l * 1, l * 2
  local _ <close> = nl.autograd.graph.register_multi_grad_hook({a, b}, function() end)
  ;(a + b):sum():backward()
end)
program("a backward within a hook", function()
  local l = leaf()
  local y = l * 2
  y:register_hook(function()
    local _ <close> = nl.enable_grad()
    local inner = leaf()
    ;(inner * 3):sum():backward()
    return inner.grad
  end)
  y:sum():backward()
end)
program("in-place changes of views", function()
  local y = leaf() * 1
  y:add_(1)
  y[1]:mul_(2)
  y:t()[1]:zero_()
  y:sum():backward()
end)
program("a custom function", function()
  local Square = nl.autograd.Function "Square"
  function Square.forward(ctx, a)
    ctx:save_for_backward(a)
    ctx.factor = 2
    return a * a, a
  end
  function Square.backward(ctx, g) return g * ctx.saved_tensors[1] * ctx.factor end
  local l = leaf()
  Square.apply(l):sum():backward()
  return Square.apply(l)
end)
program("modes", function()
  nl.no_grad(function() return x + 1 end)
  local run = coroutine.wrap(function()
    local _ <close> = nl.no_grad()
    coroutine.yield(x * 2)
  end)
  run()
  run()
  local _ <close> = nl.enable_grad()
  return nl.inference_mode(function() return x + 1 end)
end)
program("anomaly mode", function()
  nl.autograd.detect_anomaly(function() (leaf() * 2):sum():backward() end)
end)
program("an error in a hook", function()
  local y = leaf() * 2
  y:register_hook(function() error {} end)
  local ok, value = pcall(y.backward, y:sum())
  if not ok and type(value) ~= "table" then error(value, 0) end
end)

-- ------------------------------------------------------------------ modules

local Net = nn.class "Net"

function Net:init(hidden)
  self.first = nn.Linear(10, hidden)
  self.rest = nn.ModuleList {nn.ReLU(), nn.Linear(hidden, 2)}
  self:register_buffer("shift", nl.zeros(2))
  self.note = "kept"
end

function Net:forward(input)
  return self.rest[2](self.rest[1](self.first(input))) + self.shift
end

local net = Net(4)

program("a class", function()
  local Child = nn.class("Child", Net)
  function Child:forward(input) return Child.super.forward(self, input) * 2 end
  local child = Child(3)
  return child(x), tostring(child), child:is_a(Net)
end)
program("a call", function() return net(x) end)
program("Sequential", function()
  return nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 2))(x)
end)
program("hooks of modules", function()
  local m, input = Net(3), leaf()
  m:register_forward_pre_hook(function(_, args) return args[1] * 1 end)
  m:register_forward_hook(function(_, _, out) return out * 2 end)
  m.first:register_forward_hook(function() end, {always_call = true})
  m:register_full_backward_hook(function() end)
  m.first:register_full_backward_pre_hook(function(_, g) return g[1] * 2 end)
  m(input):sum():backward()
  return coroutine.wrap(function() return m(input) end)()
end)
program("state dicts", function()
  local other = Net(4)
  other:load_state_dict(net:state_dict())
  local ok, message = pcall(other.load_state_dict, other, nn.Linear(2, 2):state_dict())
  if not ok and message:find "not enough memory" then error(message, 0) end
  return other
end)
program("walks over modules", function()
  local n = 0
  for _ in net:named_parameters() do n = n + 1 end
  for _ in net:named_modules() do n = n + 1 end
  for _ in net:named_children() do n = n + 1 end
  for _ in net:named_buffers() do n = n + 1 end
  return n, net:parameters()
end)
program("conversions", function()
  local m = Net(3)
  m:double()
  m:to(nl.float32):eval():train()
  m:apply(function() end)
  m:requires_grad_(false)
end)
program("attributes", function()
  local m = nn.Module()
  m.p = nn.Parameter(nl.ones(2))
  m.child = nn.Linear(2, 2)
  m.p = nil
  m.list = {1, 2}
  return m.missing, m:parameters(), tostring(m)
end)
program("containers", function()
  local dict = nn.ModuleDict {{"a", nn.Linear(2, 2)}, {"b", nn.ReLU()}}
  dict.c = nn.Linear(1, 1)
  dict:pop "a"
  return tostring(dict)
end)
program("a lazy module", function() return nn.LazyLinear(3)(x) end)
program("training", function()
  local m = Net(3)
  for _, make in ipairs {optim.SGD, optim.Adam} do
    local optimizer = make(m:parameters(), {lr = 0.01})
    optimizer:zero_grad()
    F.cross_entropy(m(x), labels):backward()
    optimizer:step()
    optimizer:load_state_dict(optimizer:state_dict())
    optimizer:step(function() return F.cross_entropy(m(x), labels) end)
  end
end)
program("data", function()
  local set = nl.utils.data.TensorDataset(x, labels)
  for a, b in nl.utils.data.DataLoader(set, {batch_size = 2, shuffle = true}) do assert(a and b) end
end)
program("files", function()
  local path = os.tmpname()
  local _ <close> = setmetatable({}, {__close = function() os.remove(path) end})
  nl.save(path, {model = net:state_dict(), list = {1, 2.5, "text", true, nl.none}, tied = {x, x}})
  return nl.load(path)
end)
program("errors", function()
  local function attempt(f, ...)
    local ok, message = pcall(f, ...)
    if not ok and message:find "not enough memory" then error(message, 0) end
  end
  attempt(nl.mm, x, x)
  attempt(function() return x[100] end)
  attempt(net, nl.ones(2, 3))
  attempt(nl.sum, x, {unknown = 1})
end)

return programs
