-- Samples of the rows of src/ops/nn/rnn.def; see tests/support/samples.lua.
local inputs = require "support.inputs"
local nl = require "nnlua"
local real = inputs.real

--- The parameters of layers of 2 hidden units over 2 features.
local function parameters(gates, layers, directions, biases)
  local list = {}
  for layer = 1, layers do
    for _ = 1, directions do
      table.insert(list, real(gates * 2, layer == 1 and 2 or 2 * directions))
      table.insert(list, real(gates * 2, 2))
      if biases then
        table.insert(list, real(gates * 2))
        table.insert(list, real(gates * 2))
      end
    end
  end
  return list
end

local function states(row, n)
  if row == "lstm" then return {real(n, 2, 2), real(n, 2, 2)} end
  return real(n, 2, 2)
end

local function plain(row, gates)
  return function()
    return {
      {real(3, 2, 2), states(row, 1), parameters(gates, 1, 1, true), true, 1, 0.0, false, false, false},
      {real(2, 2, 2), states(row, 4), parameters(gates, 2, 2, false), false, 2, 0.0, true, true, true},
    }
  end
end

local function packed(row, gates)
  return function()
    return {
      {real(3, 2), nl.tensor {2, 1}, states(row, 2), parameters(gates, 1, 2, true), true, 1, 0.0, false, true,
       strided = false},
      {real(4, 2), nl.tensor {2, 2}, states(row, 1), parameters(gates, 1, 1, true), true, 1, 0.0, false, false},
    }
  end
end

local function cell(gates)
  return function()
    return {
      {real(2, 3), real(2, 2), real(gates * 2, 3), real(gates * 2, 2), real(gates * 2), real(gates * 2)},
      {real(3), real(2), real(gates * 2, 3), real(gates * 2, 2)},
    }
  end
end

return {
  lstm = plain("lstm", 4),
  lstm_packed = packed("lstm", 4),
  gru = plain("gru", 3),
  gru_packed = packed("gru", 3),
  rnn_tanh = plain("rnn_tanh", 1),
  rnn_tanh_packed = packed("rnn_tanh", 1),
  rnn_relu = plain("rnn_relu", 1),
  rnn_relu_packed = packed("rnn_relu", 1),
  lstm_cell = function()
    return {{real(2, 3), {real(2, 2), real(2, 2)}, real(8, 3), real(8, 2), real(8), real(8)}}
  end,
  gru_cell = cell(3),
  rnn_tanh_cell = cell(1),
  rnn_relu_cell = cell(1),
}
