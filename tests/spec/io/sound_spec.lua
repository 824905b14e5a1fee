-- nl.io.read_wav and write_wav.
local nl = require "nnlua"

local folder = "tests/files/sounds/"
local expected = dofile "tests/files/sounds.lua"
local path = os.tmpname()

local function from_hex(hex)
  return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local function bytes_of(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read "a"
end

local function read(text, ...)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return nl.io.read_wav(path, ...)
end

describe("nl.io.read_wav", function()
  teardown(function() os.remove(path) end)

  it("gives what libsndfile gives of each kind", function()
    local n = 0
    for name, sound in pairs(expected) do
      local want = nl.frombuffer(from_hex(sound[3]), nl.float32):view(-1, sound[2]):t()
      local got, rate = nl.io.read_wav(folder .. name .. ".wav")
      assert.is_true(nl.equal(want, got), name)
      assert.is_true(got:is_contiguous())
      assert.equal(sound[1], rate)
      n = n + 1
    end
    assert.equal(10, n)
  end)

  it("gives what is stored, and parts", function()
    local stored = {u8 = nl.uint8, s16 = nl.int16, s24 = nl.int32, s32 = nl.int32, f32 = nl.float32, f64 = nl.float64}
    for name, dtype in pairs(stored) do
      local x = nl.io.read_wav(folder .. name .. ".wav", {normalize = false})
      assert.equal(dtype, x.dtype)
      local whole = nl.io.read_wav(folder .. name .. ".wav")
      if dtype == nl.int16 then assert.is_true(nl.equal(x:float() / 32768, whole)) end
      if dtype == nl.int32 then assert.is_true(nl.equal(x:float() / 2.0 ^ 31, whole)) end
      local part = nl.io.read_wav(folder .. name .. ".wav", {frame_offset = 3, num_frames = 4})
      assert.is_true(nl.equal(whole[{{}, {4, 7}}], part), name)
      assert.equal("[" .. whole:size(1) .. ", 1]", tostring(nl.io.read_wav(folder .. name .. ".wav", 9, 5).shape))
      assert.equal("[" .. whole:size(1) .. ", 0]", tostring(nl.io.read_wav(folder .. name .. ".wav", 20).shape))
      assert.equal("[" .. whole:size(1) .. ", 0]", tostring(nl.io.read_wav(folder .. name .. ".wav", 0, 0).shape))
    end
  end)

  it("stands each file that is cut off and each byte that is wrong", function()
    math.randomseed(4)
    for _, name in ipairs {"s16", "x24", "odd8"} do
      local text = bytes_of(folder .. name .. ".wav")
      local data = text:find("data", 1, true)
      for n = 0, #text - 1 do
        local ok = pcall(read, text:sub(1, n))
        assert.is_true(not ok or n >= data + 8, name .. " of " .. n)
      end
      for at = 1, #text do
        pcall(read, text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1))
      end
    end
  end)

  it("passes over other chunks, and takes what a pipe left open", function()
    local text = bytes_of(folder .. "s16.wav")
    local want = nl.io.read_wav(folder .. "s16.wav")
    local data = text:find("data", 1, true)
    assert.is_true(nl.equal(want, (read(text:sub(1, data - 1) .. "LIST\3\0\0\0abc\0" .. text:sub(data)))))
    local open = text:sub(1, data + 3) .. "\xFF\xFF\xFF\xFF" .. text:sub(data + 8)
    assert.is_true(nl.equal(want, (read(open))))
    assert.is_true(nl.equal(want[{{}, {1, 9}}], (read(open:sub(1, -3)))))
  end)

  it("says what it can't read", function()
    local function refused(pattern, text, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() read(text, table.unpack(arguments)) end, pattern)
    end
    local text = bytes_of(folder .. "s16.wav")
    local format = text:find("fmt ", 1, true) + 8
    local function with(at, format_of, value)
      return text:sub(1, at - 1) .. format_of:pack(value) .. text:sub(at + #format_of:pack(value))
    end
    refused("^nl%.io%.read_wav: .*: it is empty", "")
    refused("it is no WAV file", "RIFX" .. text:sub(5))
    refused("samples of format 85 %(MP3%) and 16 bits can't be read", with(format, "<I2", 85))
    refused("samples of format 1 %(integers%) and 12 bits", with(format + 14, "<I2", 12))
    refused("it has no channels", with(format + 2, "<I2", 0))
    refused("a frame of 2 channels of 16 bits can't have 5 bytes", with(format + 12, "<I2", 5))
    refused("the file ends too early: 2147483647 bytes of samples, but 40 are left",
      with(text:find("data", 1, true) + 4, "<I4", 2147483647))
    refused("samples come before their format", text:sub(1, 12) .. text:sub(text:find("data", 1, true), -1))
    refused("frame_offset must be from 0 on", text, -1)
    refused("num_frames must be %-1, for all, or from 0 on, not %-2", text, 0, -2)
    assert.error_matches(function() nl.io.read_wav "/no/such/file" end, "No such file or directory")
  end)
end)

describe("nl.io.write_wav", function()
  teardown(function() os.remove(path) end)

  it("writes the dtype's own, and what else is wanted", function()
    local x = nl.rand(2, 7) * 2 - 1
    local function again(y, rate, options)
      nl.io.write_wav(path, y, rate or 16000, options)
      return nl.io.read_wav(path, {normalize = false})
    end
    for _, dtype in ipairs {nl.float32, nl.float64} do
      assert.is_true(nl.equal(x:to(dtype), again(x:to(dtype))))
    end
    for dtype, top in pairs {[nl.int16] = 32767, [nl.int32] = 2147483647} do
      local y = (x * top):to(dtype)
      assert.is_true(nl.equal(y, again(y)))
    end
    local bytes = nl.tensor({{0, 128, 255}}, {dtype = nl.uint8})
    assert.is_true(nl.equal(bytes, again(bytes)))
    assert.same({{-32768, 0, 16384, 32767, 32767}}, again(nl.tensor({{-1, 0, 0.5, 1, 2}}), nil,
      {bits_per_sample = 16}):tolist())
    assert.same({{-128 * 2 ^ 24, 0, 64 * 2 ^ 24, (2 ^ 23 - 1) * 256}}, again(nl.tensor({{-1.5, 0, 0.5, 1}}), nil,
      {bits_per_sample = 24}):tolist())
    assert.same({{0, 128, 192, 255}}, again(nl.tensor({-1.0, 0, 0.5, 1}), nil, {encoding = "PCM_U"}):tolist())
    local whole = nl.tensor({{16384, -32768}}, {dtype = nl.int16})
    assert.same({{0.5, -1.0}}, again(whole, nil, {encoding = "PCM_F"}):tolist())
    assert.equal("[2, 0]", tostring(again(nl.zeros(2, 0)).shape))
    assert.equal("[2, 0]", tostring(again(nl.zeros(2, 0), 8000, {bits_per_sample = 24}).shape))
    for channels = 1, 3 do
      local y = nl.rand(channels, 5)
      assert.is_true((again(y:t():contiguous():t(), 8000, {bits_per_sample = 24}):double() / 2.0 ^ 31 - y):abs():max()
        :item() < 2.0 ^ -23)
    end
  end)

  it("refuses what is no sound", function()
    local function refused(pattern, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() nl.io.write_wav(table.unpack(arguments, 1, arguments.n)) end, pattern)
    end
    refused("waveform has shape %[1, 2, 3%]", path, nl.ones(1, 2, 3), 8000)
    refused("sample_rate must be from 1", path, nl.ones(2, 3), 0)
    refused("float32, float64, uint8, int16 or int32, not bool", path, nl.ones(2, 3):bool(), 8000)
    refused("encoding and bits_per_sample must be", path, nl.ones(2, 3), 8000, "PCM_S", 8)
    refused("encoding and bits_per_sample must be", path, nl.ones(2, 3), 8000, "ULAW")
    refused("path must be a string", 3, nl.ones(2, 3), 8000)
  end)
end)
