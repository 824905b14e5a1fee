-- Layers and optimizers: made from samples with arguments that fit or don't, called, hooked, saved, cast and stepped.
local layers = require "support.layers"
local nl = require "nnlua"
local optimizers = require "support.optimizers"
local values = require "fuzz.values"

local nn, optim = nl.nn, nl.optim
local names, optimizer_names = layers.names(), optimizers.names()

--- The arguments of a sample, of which some may be replaced by anything.
local function arguments_of(program, sample)
  local draw, list = program.draw, {}
  for i, value in ipairs(sample) do
    list[i] = nn.deepcopy {value}[1]
    if draw:chance(0.1) then list[i] = values.any(draw) or 1 end
  end
  return list
end

local function net_of(program)
  if #program.nets > 0 then return program.draw:pick(program.nets) end
end

local function keep_net(program, net, inputs)
  local place = #program.nets >= 3 and program.draw:integer(1, 3) or #program.nets + 1
  program.nets[place] = {net = net, inputs = inputs}
end

local function make_layer(program)
  local name = program.draw:pick(names)
  local sample = program.draw:pick(layers.samples(name))
  local ok, results = program:call("nn." .. name, nn[name], arguments_of(program, sample))
  if not ok then return end
  results[1]:to(nl.float64)
  keep_net(program, results[1], sample.inputs)
end

local function call_layer(program)
  local entry = net_of(program)
  if not entry then return make_layer(program) end
  local draw, list = program.draw, {}
  for i, value in ipairs(entry.inputs) do
    list[i] = value
    if draw:chance(0.15) then list[i] = draw:chance(0.7) and program:tensor() or values.any(draw) or 1 end
  end
  local net = entry.net
  local ok, results = program:call("net", function(...) return net(...) end, list)
  if ok then program:keep(table.unpack(results, 1, results.n)) end
end

local uses = {
  function(net, draw) net:train(draw:chance(0.5)) end,
  function(net) net:load_state_dict(net:state_dict()) end,
  function(net, _, other) net:load_state_dict(other:state_dict()) end,
  function(net, _, other) net:load_state_dict(other:state_dict(), {strict = false}) end,
  function(net) return nn.deepcopy(net) end,
  function(net) net:zero_grad() end,
  function(net, draw) net:to(draw:pick {nl.float32, nl.float64, nl.float16, nl.complex64}) end,
  function(net) net:to "meta" end,
  function(net) tostring(net) end,
  function(net) net:requires_grad_(false) end,
  function(net) net:register_forward_hook(function(_, _, y) return y end) end,
  function(net) net:register_forward_pre_hook(function() return nl.ones(2) end):remove() end,
  function(net) net:register_full_backward_hook(function(_, dx) return dx end) end,
  function(net, draw) net.extra = values.any(draw) end,
  function(net) for _, p in net:named_parameters() do p.data = p.data:clone() end end,
  function(net) for _, p in net:named_parameters() do nn.init.normal_(p) end end,
  function(net) net:apply(function(m) m:eval() end) end,
}

local function use_layer(program)
  local entry, other = net_of(program), net_of(program)
  if not entry then return make_layer(program) end
  local which = program.draw:integer(1, #uses)
  program:call("use " .. which, function() uses[which](entry.net, program.draw, other.net) end, {}, {may_change = true})
end

local function make_optimizer(program)
  local draw = program.draw
  local name = draw:pick(optimizer_names)
  local options = {}
  for key, value in pairs(draw:pick(optimizers.of(name))) do
    if key ~= "steps" and key ~= "decays" then options[key] = value end
  end
  if draw:chance(0.2) then options[draw:pick {"lr", "weight_decay", "momentum", "wrong"}] = values.any(draw) end
  local entry = net_of(program)
  local what = entry and draw:chance(0.6) and entry.net:parameters() or {program:tensor(), program:tensor()}
  local ok, results = program:call("optim." .. name, optim[name], {what, options})
  if ok then program.optimizers[draw:integer(1, 2)] = results[1] end
end

local function step(program)
  local o = program.optimizers[1] or program.optimizers[2]
  if not o then return make_optimizer(program) end
  local kind = program.draw:integer(1, 4)
  program:call("optimizer " .. kind, function()
    if kind == 1 then o:load_state_dict(o:state_dict()) end
    if kind == 2 then o:zero_grad() end
    if kind >= 3 then o:step(function() return nl.zeros(1) end) end
  end, {}, {may_change = true})
end

return {{4, make_layer}, {6, call_layer}, {3, use_layer}, {2, make_optimizer}, {3, step}}
