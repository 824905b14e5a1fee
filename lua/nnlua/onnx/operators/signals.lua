-- Operators on signals.

local signals = {}

function signals.DFT(b, node, x, length, axis)
  return b:call("onnx_dft", {
    x, dft_length = length, axis_tensor = axis, axis = node:int("axis", node.version < 20 and 1 or -2),
    inverse = node:flag "inverse", onesided = node:flag "onesided",
  })
end

function signals.STFT(b, node, x, step, window, length)
  return b:call("onnx_stft", {x, step, window = window, frame_length = length, onesided = node:flag("onesided", true)})
end

function signals.MelWeightMatrix(b, node, bins, length, rate, low, high)
  return b:call("onnx_mel_weights", {bins, length, rate, low, high, dtype = node:dtype "output_datatype"})
end

return signals
