-- The voice encoder of the package resemblyzer of PyPI, to which speech becomes a vector that tells who speaks (Wan and
-- others, "Generalized end-to-end loss for speaker verification", 2018):
--   net:load_state_dict(nl.load("pretrained.pt").model_state, false)
local nl = require "nnlua"
local nn = nl.nn

local VoiceEncoder = nn.class("VoiceEncoder")

function VoiceEncoder:init()
  self.lstm = nn.LSTM(40, 256, 3, {batch_first = true})
  self.linear = nn.Linear(256, 256)
end

--- A vector of length 1 for each voice. Shapes: mel spectra (N, frames, 40), result (N, 256)
function VoiceEncoder:forward(mels)
  local _, hidden = self.lstm(mels)
  local raw = nl.relu(self.linear(hidden[1][-1]))
  return raw / raw:norm {dim = 2, keepdim = true}
end

return VoiceEncoder
