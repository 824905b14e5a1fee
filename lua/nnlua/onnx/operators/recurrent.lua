-- Recurrent layers.

local words = require "nnlua.onnx.operators.words"

local recurrent = {}

function recurrent.RNN(b, node, ...)
  return b:call("onnx_rnn", words.recurrence(node, ...))
end

function recurrent.GRU(b, node, ...)
  local arguments = words.recurrence(node, ...)
  arguments.flag = node:flag "linear_before_reset"
  return b:call("onnx_gru", arguments)
end

function recurrent.LSTM(b, node, x, w, r, bias, lengths, h, c, peepholes)
  local arguments = words.recurrence(node, x, w, r, bias, lengths, h)
  arguments.initial_c, arguments.p, arguments.flag = c, peepholes, node:flag "input_forget"
  return b:call("onnx_lstm", arguments)
end

return recurrent
