-- Samples of the layers of lua/nnlua/nn/rnn.lua; see tests/support/layers.lua.
local inputs = require "support.inputs"
local real = inputs.real

return {
  RNN = function()
    return {
      {2, 3, inputs = {real(3, 2, 2)}, text = "RNN(2, 3)"},
      {2, 3, {nonlinearity = "relu", batch_first = true, bidirectional = true}, inputs = {real(2, 3, 2)},
        text = "RNN(2, 3, batch_first=True, bidirectional=True)"},
    }
  end,
  LSTM = function()
    return {
      {2, 3, 2, {dropout = 0.5, proj_size = 2, bias = false}, inputs = {real(3, 2, 2)},
        text = "LSTM(2, 3, proj_size=2, num_layers=2, bias=False, dropout=0.5)"},
      {2, 2, inputs = {real(2, 1, 2), {real(1, 1, 2), real(1, 1, 2)}}, text = "LSTM(2, 2)"},
    }
  end,
  GRU = function()
    return {{2, 3, {bidirectional = true}, inputs = {real(2, 2, 2)}, text = "GRU(2, 3, bidirectional=True)"}}
  end,
  RNNCell = function()
    return {{3, 4, {bias = false, nonlinearity = "relu"}, text = "RNNCell(3, 4, bias=False, nonlinearity=relu)"}}
  end,
  LSTMCell = function()
    return {{3, 2, inputs = {real(2, 3), {real(2, 2), real(2, 2)}}, text = "LSTMCell(3, 2)"}}
  end,
  GRUCell = function() return {{3, 2, text = "GRUCell(3, 2)"}} end,
}
