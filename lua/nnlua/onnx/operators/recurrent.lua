-- Recurrent layers.

local recurrent = {}

--- The arguments that all have in common.
local function arguments_of(node, x, w, r, bias, lengths, h)
  return {
    x, w, r, b = bias, sequence_lens = lengths, initial_h = h, direction = node:text("direction", "forward"),
    activations = table.concat(node:texts "activations" or {}, ","), alpha = node:floats "activation_alpha",
    beta = node:floats "activation_beta", clip = node:float("clip", 0), layout = node:int("layout", 0),
  }
end

function recurrent.RNN(b, node, ...)
  return b:call("onnx_rnn", arguments_of(node, ...))
end

function recurrent.GRU(b, node, ...)
  local arguments = arguments_of(node, ...)
  arguments.flag = node:flag "linear_before_reset"
  return b:call("onnx_gru", arguments)
end

function recurrent.LSTM(b, node, x, w, r, bias, lengths, h, c, peepholes)
  local arguments = arguments_of(node, x, w, r, bias, lengths, h)
  arguments.initial_c, arguments.p, arguments.flag = c, peepholes, node:flag "input_forget"
  return b:call("onnx_lstm", arguments)
end

return recurrent
