-- nl.plot.graph and nl.plot.net: graphs of gradients, and of the modules of a network.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local nn = nl.nn

local Graph = require "nnlua.plot.graph".Graph
local terminal_text = require "nnlua.utils.terminal_text"

local graphs = {}

local raise = core.raise

local MOST = 20000

local function shape_text(x)
  return tostring(x.shape)
end

--- What a node of the autograd is called: "MulBackward" is Mul.
local function op_name(node)
  return (node:name():gsub("Backward%d*$", ""))
end

-- ------------------------------------------------------------------ walking

-- A walk back through the autograd graph: `nodes` is what is told, in order; `places` of ops by their number, `leaves`
-- are tensors with their places; `place_of(node)`, if there is one, knows some nodes by itself.
local function new_walk(names, place_of)
  return {nodes = {}, places = {}, leaves = {}, names = names or {}, place_of = place_of}
end

local function add(walk, node)
  if #walk.nodes >= MOST then raise(("nl.plot: the graph has more than %d nodes"):format(MOST)) end
  walk.nodes[#walk.nodes + 1] = node
  return #walk.nodes
end

--- The name that a leaf has. It is found by its memory: an accumulator's `variable` is another userdata each time.
local function leaf_name(walk, leaf)
  for _, one in ipairs(walk.names) do
    if one.tensor:is_set_to(leaf) then return one.name end
  end
  return "leaf"
end

local function add_leaf(walk, leaf, node)
  local place = add(walk, node)
  table.insert(walk.leaves, {tensor = leaf, place = place})
  return place
end

--- The place of a leaf, whose tensor an accumulator has; nil if it is gone.
local function place_of_leaf(walk, node)
  local leaf = node.variable
  if leaf == nil then return nil end
  for _, one in ipairs(walk.leaves) do
    if one.tensor:is_set_to(leaf) then return one.place end
  end
  return add_leaf(walk, leaf, {label = leaf_name(walk, leaf), note = shape_text(leaf), kind = "leaf", inputs = {}})
end

local function known_place(walk, node)
  if node == nl.none then return nil, true end
  if node:name() == "AccumulateGrad" then return place_of_leaf(walk, node), true end
  local sequence = node:_sequence_nr()
  local place = walk.places[sequence] or walk.place_of and walk.place_of(sequence)
  return place, place ~= nil
end

--- Adds a node and all that it depends on, those first; gives its place. Deep graphs need no recursion.
local function visit(walk, root)
  local place, is_known = known_place(walk, root)
  if is_known then return place end
  local stack = {{node = root, next = 1, edges = root.next_functions, inputs = {}}}
  while #stack > 0 do
    local top = stack[#stack]
    local edge = top.edges[top.next]
    if edge then
      local found, known = known_place(walk, edge[1])
      if known then
        top.inputs[#top.inputs + 1] = found
        top.next = top.next + 1
      else
        stack[#stack + 1] = {node = edge[1], next = 1, edges = edge[1].next_functions, inputs = {}}
      end
    else
      stack[#stack] = nil
      place = add(walk, {label = op_name(top.node), kind = "op", inputs = top.inputs})
      walk.places[top.node:_sequence_nr()] = place
    end
  end
  return place
end

-- -------------------------------------------------------------------- graph

local function names_of(params)
  local names = {}
  if core.is_module(params) then
    for name, p in params:named_parameters() do names[#names + 1] = {name = name, tensor = p} end
  elseif type(params) == "table" then
    for name, p in next, params do
      if type(name) ~= "string" or not core.is_tensor(p) then
        raise "nl.plot.graph: params must be a module, or a table of names and tensors"
      end
      names[#names + 1] = {name = terminal_text.clean(name), tensor = p}
    end
  elseif params ~= nil then
    raise(("nl.plot.graph: params must be a module, or a table of names and tensors, not %s"):format(
      core.describe(params)))
  end
  return names
end

--- The operations by which a tensor was computed, as its backward knows them: `print` shows a text, `save` draws it.
--- `params` gives leaves their names: a module, or a table {name = tensor}.
---     > net = nn.Linear(3, 2)
---     > nl.plot.graph(net(nl.ones(1, 3)):sum(), net)
---     1  Linear     ← weight [2, 3], bias [2]
---     2  Sum        ← 1
---     3  result []  ← 2
---@param x Tensor
---@param params? Module|table
---@return Graph
function graphs.graph(x, params, ...)
  if not core.is_tensor(x) then
    raise(("nl.plot.graph: x must be a tensor, not %s"):format(core.describe(x)))
  elseif select("#", ...) > 0 then
    raise "nl.plot.graph: a tensor and names of leaves are taken"
  end
  local walk = new_walk(names_of(params))
  local inputs = {}
  if x.grad_fn ~= nil then
    inputs[1] = visit(walk, x.grad_fn)
  elseif not x.requires_grad then
    raise "nl.plot.graph: x has no graph: it was computed of nothing that requires gradients, or under no_grad"
  end
  add(walk, {label = "result", note = shape_text(x), kind = "end", inputs = inputs})
  return Graph(walk.nodes)
end

-- ---------------------------------------------------------------------- net

--- Calls a function with each tensor among values, in tables too.
local function each_tensor(value, f, depth)
  if core.is_tensor(value) then f(value)
  elseif type(value) == "table" and (depth or 0) < 4 then
    for _, one in ipairs(value) do each_tensor(one, f, (depth or 0) + 1) end
  end
end

local function shapes_text(values)
  local texts = {}
  each_tensor(values, function(x) texts[#texts + 1] = shape_text(x) end)
  return table.concat(texts, ", ")
end

--- What a module is: its class, and what it was made with if that is short.
local function module_text(module)
  local text = tostring(module):match "^[^\n]*"
  local is_short = #text <= 20 and text:sub(-1) ~= "("
  return terminal_text.clean(is_short and text or core.class_name(module))
end

local function has_children(module)
  for _ in module:named_children() do return true end
  return false
end

-- What is known while a network runs: `calls` of modules without children, in order; the tensors and the autograd's
-- nodes that came out of each.
local function new_record(walk)
  return {walk = walk, nodes = {}, tensors = {}, pending = {}}
end

--- Where a tensor came from: the last call that gave it, or an op in between.
local function source_of(record, x)
  for i = #record.tensors, 1, -1 do
    local one = record.tensors[i]
    if one.tensor == x and one.version == x._version then return one.place end
  end
  local node = x.grad_fn
  return node ~= nil and visit(record.walk, node) or nil
end

local function note_output(record, x, place)
  record.tensors[#record.tensors + 1] = {tensor = x, place = place, version = x._version}
  if x.grad_fn ~= nil then record.nodes[x.grad_fn:_sequence_nr()] = place end
end

local function before(record, module, values)
  local inputs, seen = {}, {}
  each_tensor(values, function(x)
    local place = source_of(record, x)
    if place and not seen[place] then
      seen[place] = true
      inputs[#inputs + 1] = place
    end
  end)
  record.pending[module] = inputs
end

local function after(record, module, name, outputs)
  local place = add(record.walk, {label = name == "" and module_text(module) or name .. ": " .. module_text(module),
    note = shapes_text(outputs), kind = "module", inputs = record.pending[module] or {}})
  each_tensor(outputs, function(x) note_output(record, x, place) end)
end

--- Runs a network with hooks on its modules without children, in eval, and gives its results.
local function run(record, net, values)
  local handles, modes = {}, {}
  local function restore()
    for _, handle in ipairs(handles) do handle:remove() end
    for _, mode in ipairs(modes) do mode.module.training = mode.was end
  end
  local _ <close> = setmetatable({}, {__close = restore})
  for name, module in net:named_modules() do
    modes[#modes + 1] = {module = module, was = module.training}
    if not has_children(module) then
      handles[#handles + 1] = module:register_forward_pre_hook(function(m, inputs) before(record, m, inputs) end)
      handles[#handles + 1] = module:register_forward_hook(function(m, _, ...) after(record, m, name, {...}) end)
    end
  end
  net:eval()
  return nl.enable_grad(function() return table.pack(net(table.unpack(values, 1, values.n))) end)
end

--- Inputs whose way can be followed: floats require gradients.
local function followed(record, values)
  local list = {n = values.n}
  for i = 1, values.n do
    local x = values[i]
    list[i] = x
    if core.is_tensor(x) then
      x = x:detach()
      if x.dtype.is_floating_point then x = x:requires_grad_(true) end
      list[i] = x
      local name = values.n > 1 and ("input %d"):format(i) or "input"
      local place = add_leaf(record.walk, x, {label = name, note = shape_text(x), kind = "end", inputs = {}})
      note_output(record, x, place)
    end
  end
  return list
end

--- The modules of a network as they pass tensors on to each other, with the operations in between: `print` shows a
--- text, `save` draws it. The network is called once, in eval and with gradients, with the inputs that are given.
---     > net = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
---     > nl.plot.net(net, nl.ones(1, 3))
---     1  input [1, 3]
---     2  0: Linear [1, 4]  ← 1
---     3  1: ReLU() [1, 4]  ← 2
---     4  output [1, 4]     ← 3
---@param net Module
---@param ... any
---@return Graph
function graphs.net(net, ...)
  if not core.is_module(net) then
    raise(("nl.plot.net: a module was expected first, not %s"):format(core.describe(net)))
  end
  local walk = new_walk(names_of(net))
  local record = new_record(walk)
  walk.place_of = function(sequence) return record.nodes[sequence] end
  local results = run(record, net, followed(record, table.pack(...)))
  local inputs = {}
  each_tensor(results, function(x) inputs[#inputs + 1] = source_of(record, x) end)
  add(walk, {label = "output", note = shapes_text(results), kind = "end", inputs = inputs})
  return Graph(walk.nodes)
end

return graphs
