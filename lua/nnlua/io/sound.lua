-- Sound in WAV files: tensors (channels, frames) and the rate of frames a second, as torchaudio has them.

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local system = require "nnlua.system"

local sound = {}

local raise = core.raise

local PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
local names_of_tags = {[PCM] = "integers", [FLOAT] = "floats", [2] = "ADPCM", [6] = "A-law", [7] = "mu-law",
  [17] = "IMA ADPCM", [85] = "MP3"}

-- ------------------------------------------------------------------ reading

--- Raises what is wrong with a file.
local function fail(name, what, ...)
  raise(core.format("%s: " .. what, name, ...))
end

--- The chunk "fmt ": what samples are like.
local function read_format(name, text, first, size)
  if size < 16 then fail(name, "its format has %d bytes, at least 16 are wanted", size) end
  local format = {}
  local tag, _
  tag, format.channels, format.rate, _, format.align, format.bits = ("<I2I2I4I4I2I2"):unpack(text, first)
  if tag == EXTENSIBLE then
    if size < 40 then fail(name, "its extended format has %d bytes, 40 are wanted", size) end
    tag = ("<I2"):unpack(text, first + 24)
  end
  format.is_float = tag == FLOAT
  local is_known = tag == PCM and (format.bits == 8 or format.bits == 16 or format.bits == 24 or format.bits == 32)
    or tag == FLOAT and (format.bits == 32 or format.bits == 64)
  if not is_known then
    fail(name, "samples of format %d (%s) and %d bits can't be read: integers of 8, 16, 24 or 32 bits can, and "
      .. "floats of 32 or 64", tag, names_of_tags[tag] or "unknown", format.bits)
  elseif format.channels == 0 then
    fail(name, "it has no channels")
  elseif format.align ~= format.channels * (format.bits // 8) then
    fail(name, "a frame of %d channels of %d bits can't have %d bytes", format.channels, format.bits, format.align)
  end
  return format
end

--- What samples are like, and the first byte and the length of the samples.
local function read_header(name, text)
  if #text < 12 or text:sub(1, 4) ~= "RIFF" or text:sub(9, 12) ~= "WAVE" then
    fail(name, #text == 0 and "it is empty" or "it is no WAV file")
  end
  local at, format = 13, nil
  while at + 7 <= #text do
    local kind, size = ("<c4I4"):unpack(text, at)
    local rest = #text - at - 7
    if kind == "data" then
      if not format then fail(name, "samples come before their format") end
      -- who writes into a pipe doesn't know the length
      if size == 0xFFFFFFFF then size = rest end
      if size > rest then fail(name, "the file ends too early: %d bytes of samples, but %d are left", size, rest) end
      return format, at + 8, size
    end
    if size > rest then break end
    if kind == "fmt " then format = read_format(name, text, at + 8, size) end
    at = at + 8 + size + size % 2
  end
  return fail(name, "the file ends too early: there are no samples")
end

--- Integers of 24 bits as the bytes of int32, whose upper ones they are.
local function widened(bytes)
  local n = #bytes // 3
  return nl.cat({nl.zeros(n, 1, {dtype = nl.uint8}), bytes:view(n, 3)}, 2)
end

--- Samples from bytes: of the file's own type, or floats from -1 to 1.
local function samples_of(text, format, first, count, normalize)
  local bits = format.bits
  local options = {count = count, offset = first - 1}
  if format.is_float then
    local x = nl.frombuffer(text, bits == 32 and nl.float32 or nl.float64, options)
    return normalize and x:float() or x
  elseif bits == 24 then
    options.count = count * 3
    local x = nl.frombuffer(widened(nl.frombuffer(text, nl.uint8, options)):tobytes(), nl.int32)
    return normalize and x:float():div_(2.0 ^ 31) or x
  end
  local x = nl.frombuffer(text, bits == 8 and nl.uint8 or bits == 16 and nl.int16 or nl.int32, options)
  if not normalize then return x end
  x = x:float()
  return bits == 8 and x:sub_(128):div_(128) or x:div_(2.0 ^ (bits - 1))
end

local parse_read = args.parser("nl.io.read_wav", {
  {"path", "any"}, {"frame_offset", "integer", 0}, {"num_frames", "integer", -1}, {"normalize", "boolean", true},
})

--- The sound in a WAV file, and how many frames a second has, as torchaudio.load gives them: float32 from -1 to 1, or
--- with `normalize = false` what is stored: uint8, int16, int32 (24 bits are its upper ones), float32 or float64.
--- `frame_offset` frames are passed over, then at most `num_frames` read.
--- Shapes: result (channels, frames)
---     > path = os.tmpname()
---     > nl.io.write_wav(path, nl.tensor({{0, 0.5, -1}}), 16000)
---     > nl.io.read_wav(path)
---     tensor([[ 0.0000,  0.5000, -1.0000]])	16000
---@param path string
---@param frame_offset? integer
---@param num_frames? integer
---@param normalize? boolean
---@return Tensor
---@return integer
function sound.read_wav(...)
  local path, offset, frames, normalize = parse_read(...)
  local text = system.read_bytes("nl.io.read_wav", path)
  local name = "nl.io.read_wav: " .. path
  local format, first, size = read_header(name, text)
  if offset < 0 then fail("nl.io.read_wav", "frame_offset must be from 0 on, not %d", offset) end
  if frames < -1 then fail("nl.io.read_wav", "num_frames must be -1, for all, or from 0 on, not %d", frames) end
  local count = math.max(size // format.align - offset, 0)
  if frames >= 0 then count = math.min(frames, count) end
  if count == 0 then offset = 0 end
  local x = samples_of(text, format, first + offset * format.align, count * format.channels, normalize)
  return x:view(count, format.channels):t():contiguous(), format.rate
end

-- ------------------------------------------------------------------ writing

-- What torchaudio takes for each dtype.
local defaults = {
  [nl.float32] = {"PCM_F", 32}, [nl.float64] = {"PCM_F", 64}, [nl.uint8] = {"PCM_U", 8}, [nl.int16] = {"PCM_S", 16},
  [nl.int32] = {"PCM_S", 32},
}
local bits_of = {PCM_U = {[8] = true}, PCM_S = {[16] = true, [24] = true, [32] = true},
  PCM_F = {[32] = true, [64] = true}}

--- Samples as float64 from -1 to 1.
local function normalized(x)
  if x.dtype.is_floating_point then return x:double() end
  if x.dtype == nl.uint8 then return x:double():sub_(128):div_(128) end
  return x:double():div_(x.dtype == nl.int16 and 2.0 ^ 15 or 2.0 ^ 31)
end

--- Samples as the bytes of a file; floats beyond -1 and 1 are cut off there.
local function bytes_of(x, encoding, bits)
  local own = defaults[x.dtype]
  if own[1] == encoding and own[2] == bits then return x:tobytes() end
  if encoding == "PCM_F" then return normalized(x):to(bits == 32 and nl.float32 or nl.float64):tobytes() end
  local top = 2.0 ^ (bits - 1)
  local whole = normalized(x):mul_(top):round_():clamp_(-top, top - 1)
  if bits == 8 then return whole:add_(128):to(nl.uint8):tobytes() end
  if bits ~= 24 then return whole:to(bits == 16 and nl.int16 or nl.int32):tobytes() end
  local data = whole:to(nl.int32):tobytes()
  local bytes = nl.frombuffer(data, nl.uint8):view(#data // 4, 4)
  return bytes:narrow(2, 1, 3):tobytes()
end

local parse_write = args.parser("nl.io.write_wav", {
  {"path", "any"}, {"waveform", "tensor"}, {"sample_rate", "integer"}, {"encoding", "string?"},
  {"bits_per_sample", "integer?"},
})

--- How samples are to be stored.
local function chosen(x, encoding, bits)
  local own = defaults[x.dtype]
  if not own then
    raise(("nl.io.write_wav: waveform must be float32, float64, uint8, int16 or int32, not %s"):format(
      tostring(x.dtype):gsub("^nnlua%.", "")))
  end
  if not encoding then
    local is_float = not bits and own[1] == "PCM_F" or bits == 64 or own[1] == "PCM_F" and bits == 32
    encoding = is_float and "PCM_F" or (bits or own[2]) == 8 and "PCM_U" or "PCM_S"
  end
  bits = bits or encoding == own[1] and own[2] or encoding == "PCM_U" and 8 or encoding == "PCM_F" and 32 or 16
  if not bits_of[encoding] or not bits_of[encoding][bits] then
    raise(core.format("nl.io.write_wav: encoding and bits_per_sample must be PCM_U and 8, PCM_S and 16, 24 or 32, or "
      .. "PCM_F and 32 or 64, not %s and %d", encoding, bits))
  end
  return encoding, bits
end

--- Writes sound as a WAV file, which appears whole or not at all. `encoding` is "PCM_S" (integers of 16, 24 or 32
--- bits), "PCM_U" (of 8) or "PCM_F" (floats of 32 or 64); what isn't given is the dtype's own, as in torchaudio.save.
--- Floats go from -1 to 1.
--- Shapes: waveform (channels, frames) or (frames)
---     > path = os.tmpname()
---     > nl.io.write_wav(path, nl.zeros(2, 100), 8000, {bits_per_sample = 16})
---     > x, rate = nl.io.read_wav(path, {normalize = false})
---     > x.shape, x.dtype, rate
---     [2, 100]	nnlua.int16	8000
---@param path string
---@param waveform Tensor
---@param sample_rate integer
---@param encoding? string
---@param bits_per_sample? integer
function sound.write_wav(...)
  local path, x, rate, encoding, bits = parse_write(...)
  if x.ndim == 1 then x = x:unsqueeze(1) end
  if x.ndim ~= 2 or x:size(1) < 1 or x:size(1) > 65535 // 8 then
    raise(("nl.io.write_wav: waveform has shape %s: (channels, frames) is wanted"):format(x.shape))
  elseif rate < 1 or rate > 0xFFFFFFFF then
    raise(("nl.io.write_wav: sample_rate must be from 1 to 4294967295, not %d"):format(rate))
  end
  encoding, bits = chosen(x, encoding, bits)
  local channels, align = x:size(1), x:size(1) * (bits // 8)
  if x:size(2) * align > 0xFFFFFFFF - 64 then raise "nl.io.write_wav: a WAV file has at most 4 GB" end
  local data = bytes_of(x:detach():t():contiguous(), encoding, bits)
  local format = ("<c4I4I2I2I4I4I2I2"):pack("fmt ", 16, encoding == "PCM_F" and FLOAT or PCM, channels, rate,
    math.min(rate * align, 0xFFFFFFFF), align, bits)
  local body = "WAVE" .. format .. ("<c4I4"):pack("data", #data) .. data .. (#data % 2 == 1 and "\0" or "")
  system.write_bytes("nl.io.write_wav", path, ("<c4I4"):pack("RIFF", #body) .. body)
end

return sound
