-- Finds speech in a sound file with Silero's detector of voices (silero-vad, an ONNX file of 2 MB): how sure it is of
-- each thirtieth of a second, drawn as a line, and where speech begins and ends.
-- The net:  pip download --no-deps silero-vad==6.2.3 && unzip silero_vad-*.whl      (./bootstrap models does)
-- Run:      ./bootstrap run examples/speech.lua [--weights PATH] [SOUND.wav]
-- Of the sound that lies here, two sentences that a machine speaks:
--   |       █████████████████  ▂▁     ████████████████████ ▁       |
--   speech from  0.93 s to  3.01 s
--   speech from  4.32 s to  6.72 s
local nl = require "nnlua"

local here = arg[0]:match "^(.*)/[^/]*$" or "."
local parser = nl.argparse.ArgumentParser {description = "Finds speech in a WAV file."}
parser:add_argument("sound", {nargs = "?", default = here .. "/data/speech.wav", help = "the WAV file"})
parser:add_argument("--weights", {default = here .. "/../build/zoo/silero_vad/data/silero_vad.onnx",
  help = "Silero's net"})
parser:add_argument("--sure", {default = 0.5, help = "from which probability on it is speech"})
local options = parser:parse_args()

local RATE <const>, WINDOW <const>, BEFORE <const> = 16000, 512, 64 -- samples that a call hears, and once more

local function read_sound(path)
  local sound, rate = nl.io.read_wav(path)
  return nl.audio.resample(sound:mean(1), rate, RATE)
end

-- The probability of speech in each window. A net for streams: each call gives the state for the next one.
local function probabilities(net, sound)
  local state, sr, before, found = nl.zeros(2, 1, 128), nl.tensor(RATE), nl.zeros(BEFORE), {}
  for i = 1, #sound - WINDOW + 1, WINDOW do
    local window = nl.cat({before, sound[{{i, i + WINDOW - 1}}]})
    local probability
    probability, state = net {input = window:unsqueeze(1), state = state, sr = sr}
    found[#found + 1] = probability:item()
    before = window[{{-BEFORE, -1}}]
  end
  return found
end

-- Where speech begins and ends, in seconds: a pause ends it when it is longer than a fifth of a second.
local function spans(found)
  local second, list, last = WINDOW / RATE, {}, nil
  for i, probability in ipairs(found) do
    if probability >= options.sure then
      if last and i - last <= 0.2 / second then list[#list][2] = i * second
      else list[#list + 1] = {(i - 1) * second, i * second} end
      last = i
    end
  end
  return list
end

-- A line of bars, several windows a bar.
local function show(found)
  local bars, each, line = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, math.ceil(#found / 70), {}
  for i = 1, #found, each do
    local highest = math.max(table.unpack(found, i, math.min(#found, i + each - 1)))
    line[#line + 1] = bars[1 + math.floor(highest * 8 + 0.5)]
  end
  print("|" .. table.concat(line) .. "|")
end

local _ <close> = nl.no_grad()
local net, sound = nl.onnx.load(options.weights), read_sound(options.sound)
local start = nl.time()
local found = probabilities(net, sound)
local seconds = nl.time() - start
show(found)
for _, span in ipairs(spans(found)) do print(("speech from %5.2f s to %5.2f s"):format(span[1], span[2])) end
io.stderr:write(("%.1f s of sound in %.0f ms\n"):format(#sound / RATE, seconds * 1000))
