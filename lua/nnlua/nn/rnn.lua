-- Recurrent layers: RNN, LSTM, GRU, and their single cells.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local init = require "nnlua.nn.initializers"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"
local packed = require "nnlua.nn.utils.rnn"
local repr = require "nnlua.nn.repr"

local format, raise = core.format, core.raise

local rnn = {}

-- --------------------------------------------------------- what layers share

--- A recurrent layer of any kind.
---     > nn.GRU(2, 3):is_a(nn.RNNBase)
---     true
---@class RNNBase: Module
local Base = core.class("nn.RNNBase", Module)

local common = {
  {"input_size", "integer"}, {"hidden_size", "integer"}, {"num_layers", "integer", 1}, {"bias", "boolean", true},
  {"batch_first", "boolean", false}, {"dropout", "number", 0.0}, {"bidirectional", "boolean", false},
  {"proj_size", "integer", 0}, {"device", "any?"}, {"dtype", "any?"},
}

local gates = {lstm = 4, gru = 3, rnn_tanh = 1, rnn_relu = 1}

local function check_options(self, name)
  args.check_layers(name, "num_layers", self.num_layers, 1)
  if self.input_size <= 0 or self.hidden_size <= 0 then
    raise(("%s: input_size and hidden_size must be positive"):format(name))
  elseif not (self.dropout >= 0 and self.dropout <= 1) then
    raise(format("%s: dropout is a probability from 0 to 1, not %s", name, self.dropout))
  elseif self.proj_size < 0 or self.proj_size >= self.hidden_size then
    raise(("%s: proj_size must be smaller than hidden_size and not negative, not %d"):format(name, self.proj_size))
  elseif self.proj_size > 0 and self._function ~= "lstm" then
    raise(("%s: only an LSTM takes proj_size"):format(name))
  end
  if self.dropout > 0 and self.num_layers == 1 then
    warn("nnlua: ", name, ": dropout comes between layers, and there is only one")
  end
end

local function add_parameters(self, device, dtype)
  local n, kind = gates[self._function] * self.hidden_size, (device or dtype) and {device = device, dtype = dtype}
  local state = self.proj_size > 0 and self.proj_size or self.hidden_size
  local directions = self.bidirectional and 2 or 1
  self._weights = {}
  local function add(name, ...)
    self[name] = core.parameter(nl.empty({...}, kind))
    self._weights[#self._weights + 1] = name
  end
  for layer = 0, self.num_layers - 1 do
    for direction = 1, directions do
      local suffix = "_l" .. layer .. (direction == 2 and "_reverse" or "")
      add("weight_ih" .. suffix, n, layer == 0 and self.input_size or state * directions)
      add("weight_hh" .. suffix, n, state)
      if self.bias then
        add("bias_ih" .. suffix, n)
        add("bias_hh" .. suffix, n)
      end
      if self.proj_size > 0 then add("weight_hr" .. suffix, self.proj_size, self.hidden_size) end
    end
  end
end

--- Sets the layer up: `name` is its class in errors, `f` the function of nl that computes it.
function Base:_setup(name, f, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                     device, dtype)
  self._function = f
  self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
  self.bias, self.batch_first, self.dropout = bias, batch_first, dropout + 0.0
  self.bidirectional, self.proj_size = bidirectional, proj_size
  check_options(self, name)
  add_parameters(self, device, dtype)
  self:reset_parameters()
end

--- Draws all parameters anew.
---     > layer = nn.GRU(2, 4)
---     > layer:reset_parameters()
---     > layer.weight_ih_l0:abs():max():item() <= 1 / math.sqrt(4)
---     true
function Base:reset_parameters()
  local bound = 1 / math.sqrt(self.hidden_size)
  for _, name in ipairs(self._weights) do init.uniform_(self[name], -bound, bound) end
end

--- The parameters in order, as functions such as nl.lstm take them.
function Base:_flat_weights()
  local list = {}
  for i, name in ipairs(self._weights) do list[i] = self[name] end
  return list
end

--- Nothing to do here: kept for programs that call it.
---     > nn.GRU(2, 4):flatten_parameters()
function Base:flatten_parameters() end -- luacheck: no self

local function check_input(self, x, dims)
  local name = self:_get_name()
  if not core.is_tensor(x) then
    raise(("%s: the input must be a tensor or a PackedSequence, not %s"):format(name, core.describe(x)))
  elseif x.ndim ~= dims and x.ndim ~= 2 then
    raise(("%s: the input must have 2 or 3 dimensions, not %d"):format(name, x.ndim))
  elseif x:size(-1) ~= self.input_size then
    raise(("%s: the input has %d features, and %d are wanted"):format(name, x:size(-1), self.input_size))
  end
end

local function zero_state(self, x, batch, size)
  return nl.zeros({self.num_layers * (self.bidirectional and 2 or 1), batch, size},
    {dtype = x.dtype, device = x.device})
end

local function map_states(states, f)
  local list = {}
  for i = 1, #states do list[i] = f(states[i]) end
  return list
end

--- The initial states as a list: given, or zeros.
local function initial_states(self, x, batch, states)
  if states then
    return states
  elseif self._function ~= "lstm" then
    return {zero_state(self, x, batch, self.hidden_size)}
  end
  local size = self.proj_size > 0 and self.proj_size or self.hidden_size
  return {zero_state(self, x, batch, size), zero_state(self, x, batch, self.hidden_size)}
end

--- Calls the function that computes the layer; states and results are lists.
local function compute(self, input, batch_sizes, states)
  local hx = self._function == "lstm" and states or states[1]
  local options = {self:_flat_weights(), self.bias, self.num_layers, self.dropout, self.training, self.bidirectional}
  if batch_sizes then
    return table.pack(nl[self._function](input, batch_sizes, hx, table.unpack(options)))
  end
  options[7] = self.batch_first
  return table.pack(nl[self._function](input, hx, table.unpack(options)))
end

local function run_packed(self, input, states)
  check_input(self, input.data, 2)
  local sorted, unsorted = input.sorted_indices, input.unsorted_indices
  if states and sorted then
    states = map_states(states, function(t) return t:index_select(2, sorted) end)
  end
  states = initial_states(self, input.data, input.batch_sizes[1]:item(), states)
  local results = compute(self, input.data, input.batch_sizes, states)
  local after = table.move(results, 2, #states + 1, 1, {})
  if unsorted then after = map_states(after, function(t) return t:index_select(2, unsorted) end) end
  return packed.PackedSequence(results[1], input.batch_sizes, sorted, unsorted), after
end

local function run_single(self, x, states)
  local place = self.batch_first and 1 or 2
  if states then states = map_states(states, function(t) return t:unsqueeze(2) end) end
  states = initial_states(self, x, 1, states)
  local results = compute(self, x:unsqueeze(place), nil, states)
  local after = table.move(results, 2, #states + 1, 1, {})
  return results[1]:squeeze(place), map_states(after, function(t) return t:squeeze(2) end)
end

local function run_batch(self, x, states)
  states = initial_states(self, x, x:size(self.batch_first and 1 or 2), states)
  local results = compute(self, x, nil, states)
  return results[1], table.move(results, 2, #states + 1, 1, {})
end

--- Checks states that were given: tensors of so many dimensions.
local function check_states(self, states, dims)
  for _, t in ipairs(states or {}) do
    if not core.is_tensor(t) or t.ndim ~= dims then
      raise(("%s: a state must be a tensor of %d dimensions here, not %s"):format(self:_get_name(), dims,
        core.is_tensor(t) and "of " .. t.ndim or core.describe(t)))
    end
  end
end

--- The output of all steps and the list of states at the end.
function Base:_run(x, states)
  if packed.is_packed(x) then
    check_states(self, states, 3)
    return run_packed(self, x, states)
  end
  check_input(self, x, 3)
  check_states(self, states, x.ndim)
  if x.ndim == 2 then return run_single(self, x, states) end
  return run_batch(self, x, states)
end

--- output, h = layer(input, h): the hidden states of all steps, and those of all layers after the last one. h is zeros
--- where it is not given.
---     > output, h = nn.GRU(2, 4):forward(nl.randn(5, 3, 2))
---     > output.shape, h.shape
---     [5, 3, 4]	[1, 3, 4]
function Base:forward(x, h)
  local output, after = self:_run(x, h and {h})
  return output, after[1]
end

function Base:extra_repr()
  local parts = {("%d, %d"):format(self.input_size, self.hidden_size)}
  local function add(name, default)
    if self[name] ~= default then parts[#parts + 1] = name .. "=" .. repr.value(self[name]) end
  end
  add("proj_size", 0)
  add("num_layers", 1)
  add("bias", true)
  add("batch_first", false)
  add("dropout", 0.0)
  add("bidirectional", false)
  return table.concat(parts, ", ")
end

rnn.RNNBase = Base

-- --------------------------------------------------------------------- layers

--- h = tanh(W x + b + V h + c) in each step, or relu. `nn.RNN(input_size, hidden_size, num_layers = 1,
--- nonlinearity = "tanh", bias = true, batch_first = false, dropout = 0, bidirectional = false)`.
--- Shapes: input (T, N, in) or (T, in), with batch_first (N, T, in); state (layers * directions, N, hidden); results
--- output (T, N, directions * hidden) and the last state
---     > nn.RNN(10, 20)(nl.randn(5, 3, 10)).shape
---     [5, 3, 20]
---@class RNN: RNNBase
local RNN = core.class("nn.RNN", Base)

local rnn_spec = table.move(common, 1, 3, 1, {})
rnn_spec[4] = {"nonlinearity", "string", "tanh"}
table.move(common, 4, #common, 5, rnn_spec)
local parse_rnn = args.parser("nn.RNN", rnn_spec)

function RNN:init(...)
  local input_size, hidden_size, num_layers, nonlinearity, bias, batch_first, dropout, bidirectional, proj_size, device,
    dtype = parse_rnn(...)
  if nonlinearity ~= "tanh" and nonlinearity ~= "relu" then
    raise(("nn.RNN: nonlinearity is 'tanh' or 'relu', not '%s'"):format(nonlinearity))
  end
  self.nonlinearity = nonlinearity
  self:_setup("nn.RNN", "rnn_" .. nonlinearity, input_size, hidden_size, num_layers, bias, batch_first, dropout,
    bidirectional, proj_size, device, dtype)
end

rnn.RNN = RNN

--- Long short-term memory. `nn.LSTM(input_size, hidden_size, num_layers = 1, bias = true, batch_first = false,
--- dropout = 0, bidirectional = false, proj_size = 0)`; `output, states = lstm(input, states)`, states being {h, c}.
--- Shapes: input (T, N, in) or (T, in), with batch_first (N, T, in); h (layers * directions, N, proj_size or hidden),
--- c (layers * directions, N, hidden); output (T, N, directions * hidden)
---     > output, states = nn.LSTM(10, 20, 2)(nl.randn(5, 3, 10))
---     > output.shape, states[1].shape, states[2].shape
---     [5, 3, 20]	[2, 3, 20]	[2, 3, 20]
---@class LSTM: RNNBase
local LSTM = core.class("nn.LSTM", Base)

local parse_lstm = args.parser("nn.LSTM", common)

function LSTM:init(...)
  self:_setup("nn.LSTM", "lstm", parse_lstm(...))
end

function LSTM:forward(x, states)
  if states ~= nil and (type(states) ~= "table" or #states ~= 2) then
    raise(("nn.LSTM: the states are a table {h, c}, not %s"):format(core.describe(states)))
  end
  return self:_run(x, states)
end

rnn.LSTM = LSTM

--- Gated recurrent units. `nn.GRU(input_size, hidden_size, num_layers = 1, bias = true, batch_first = false,
--- dropout = 0, bidirectional = false)`.
--- Shapes: input (T, N, in) or (T, in), with batch_first (N, T, in); state (layers * directions, N, hidden); results
--- output (T, N, directions * hidden) and the last state
---     > nn.GRU(10, 20, 2)(nl.randn(5, 3, 10)).shape
---     [5, 3, 20]
---@class GRU: RNNBase
local GRU = core.class("nn.GRU", Base)

local parse_gru = args.parser("nn.GRU", common)

function GRU:init(...)
  self:_setup("nn.GRU", "gru", parse_gru(...))
end

rnn.GRU = GRU

-- ---------------------------------------------------------------------- cells

--- A single step of a recurrent layer.
---     > nn.GRUCell(2, 3):is_a(nn.RNNCellBase)
---     true
---@class RNNCellBase: Module
local CellBase = core.class("nn.RNNCellBase", Module)

function CellBase:_setup(f, input_size, hidden_size, bias, device, dtype)
  local kind, n = (device or dtype) and {device = device, dtype = dtype}, gates[f] * hidden_size
  self._function = f .. "_cell"
  self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
  self.weight_ih = core.parameter(nl.empty({n, input_size}, kind))
  self.weight_hh = core.parameter(nl.empty({n, hidden_size}, kind))
  if bias then
    self.bias_ih = core.parameter(nl.empty({n}, kind))
    self.bias_hh = core.parameter(nl.empty({n}, kind))
  else
    core.register_parameter(self, "bias_ih", nil)
    core.register_parameter(self, "bias_hh", nil)
  end
  self:reset_parameters()
end

--- Draws all parameters anew.
---     > cell = nn.GRUCell(2, 4)
---     > cell:reset_parameters()
---     > cell.weight_ih:abs():max():item() <= 1 / math.sqrt(4)
---     true
function CellBase:reset_parameters()
  local bound = self.hidden_size > 0 and 1 / math.sqrt(self.hidden_size) or 0
  for p in self:parameters() do init.uniform_(p, -bound, bound) end
end

local function check_cell_input(self, x)
  if not core.is_tensor(x) or x.ndim < 1 or x.ndim > 2 or x:size(-1) ~= self.input_size then
    raise(("%s: the input must be [N, %d] or [%d], not %s"):format(self:_get_name(), self.input_size, self.input_size,
      core.is_tensor(x) and tostring(x.shape) or core.describe(x)))
  end
end

function CellBase:_zeros(x)
  local shape = x.ndim == 2 and {x:size(1), self.hidden_size} or {self.hidden_size}
  return nl.zeros(shape, {dtype = x.dtype, device = x.device})
end

--- The new state from an input and the state before it, zeros where it is not given.
---     > nn.GRUCell(2, 4):forward(nl.randn(3, 2), nl.zeros(3, 4)).shape
---     [3, 4]
function CellBase:forward(x, h)
  check_cell_input(self, x)
  return nl[self._function](x, h or self:_zeros(x), self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
end

function CellBase:extra_repr()
  local text = ("%d, %d"):format(self.input_size, self.hidden_size)
  if not self.bias then text = text .. ", bias=False" end
  if self.nonlinearity and self.nonlinearity ~= "tanh" then text = text .. ", nonlinearity=" .. self.nonlinearity end
  return text
end

rnn.RNNCellBase = CellBase

local function cell_parser(name, ...)
  return args.parser(name, {{"input_size", "integer"}, {"hidden_size", "integer"}, {"bias", "boolean", true}, ...})
end

local device, dtype = {"device", "any?"}, {"dtype", "any?"}

--- `nn.RNNCell(input_size, hidden_size, bias = true, nonlinearity = "tanh")`.
--- Shapes: input (N, in) or (in), state (N, hidden) or (hidden); result as state
---     > nn.RNNCell(10, 20)(nl.randn(3, 10)).shape
---     [3, 20]
---@class RNNCell: RNNCellBase
local RNNCell = core.class("nn.RNNCell", CellBase)

local parse_rnn_cell = cell_parser("nn.RNNCell", {"nonlinearity", "string", "tanh"}, device, dtype)

function RNNCell:init(...)
  local input_size, hidden_size, bias, nonlinearity, on, of = parse_rnn_cell(...)
  if nonlinearity ~= "tanh" and nonlinearity ~= "relu" then
    raise(("nn.RNNCell: nonlinearity is 'tanh' or 'relu', not '%s'"):format(nonlinearity))
  end
  self.nonlinearity = nonlinearity
  self:_setup("rnn_" .. nonlinearity, input_size, hidden_size, bias, on, of)
end

rnn.RNNCell = RNNCell

--- `nn.LSTMCell(input_size, hidden_size, bias = true)`; `h, c = cell(input, {h, c})`.
--- Shapes: input (N, in) or (in), h and c (N, hidden) or (hidden); results h and c
---     > h, c = nn.LSTMCell(10, 20)(nl.randn(3, 10))
---     > h.shape
---     [3, 20]
---@class LSTMCell: RNNCellBase
local LSTMCell = core.class("nn.LSTMCell", CellBase)

local parse_lstm_cell = cell_parser("nn.LSTMCell", device, dtype)

function LSTMCell:init(...)
  self:_setup("lstm", parse_lstm_cell(...))
end

function LSTMCell:forward(x, states)
  check_cell_input(self, x)
  if states == nil then
    local zeros = self:_zeros(x)
    states = {zeros, zeros}
  end
  return nl.lstm_cell(x, states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
end

rnn.LSTMCell = LSTMCell

--- `nn.GRUCell(input_size, hidden_size, bias = true)`.
--- Shapes: input (N, in) or (in), state (N, hidden) or (hidden); result as state
---     > nn.GRUCell(10, 20)(nl.randn(3, 10)).shape
---     [3, 20]
---@class GRUCell: RNNCellBase
local GRUCell = core.class("nn.GRUCell", CellBase)

local parse_gru_cell = cell_parser("nn.GRUCell", device, dtype)

function GRUCell:init(...)
  self:_setup("gru", parse_gru_cell(...))
end

rnn.GRUCell = GRUCell

return rnn
