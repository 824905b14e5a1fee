-- nl.io: pictures as torchvision.io reads them, to the bit.
local nl = require "nnlua"
local process = require "support.process"

local folder = "tests/files/pictures/"
local expected = dofile "tests/files/pictures.lua".pictures

local function bytes_of(name)
  local file <close> = assert(io.open(folder .. name, "rb"))
  return file:read "a"
end

local function from_hex(hex)
  return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

-- A string of pairs of bytes as int32.
local function from_words(text)
  local words = {}
  for word in text:gmatch ".." do words[#words + 1] = ("<I2"):unpack(word) end
  return nl.tensor(words, {dtype = nl.int32})
end

describe("nl.io.read_image", function()
  it("gives what torchvision gives of each kind in each mode", function()
    local n = 0
    for key, value in pairs(expected) do
      local name, mode = key:match "(%S+) (%S+)"
      local elements = from_hex(value[2])
      local want = name:find "16" and from_words(elements) or nl.frombuffer(elements, nl.uint8)
      local got = nl.io.read_image(folder .. name, {mode = mode, apply_exif_orientation = name:find "turned" ~= nil})
      assert.is_true(nl.equal(want:view(value[1]), got), key)
      n = n + 1
    end
    assert.is_true(n > 60)
  end)

  it("leaves a picture as it is unless its orientation is wanted", function()
    assert.equal("[3, 3, 5]", tostring(nl.io.read_image(folder .. "turned6.jpg").shape))
    assert.equal("[3, 5, 3]", tostring(nl.io.read_image(folder .. "turned6.jpg", "UNCHANGED", true).shape))
  end)

  it("makes alpha of what is transparent, and adds it where nothing is", function()
    local key = nl.io.read_image(folder .. "key.png", "RGB_ALPHA")
    local rgb = nl.io.read_image(folder .. "key.png", "RGB")
    local is_key = (rgb:eq(rgb[{{}, {1, 1}, {1, 1}}])):all(1)
    assert.is_true(nl.equal(key[4]:eq(0), is_key))
    assert.is_true(nl.equal(key[{{1, 3}}], rgb))
    for _, name in ipairs {"bits.png", "palette.png"} do
      local x = nl.io.read_image(folder .. name, "RGB_ALPHA")
      assert.is_true(nl.equal(x[{{1, 3}}], nl.io.read_image(folder .. name, "RGB")))
      assert.equal(255, x[4]:min():item())
    end
    local indices = nl.io.read_image(folder .. "palette_alpha.png")
    assert.is_true(indices:max():item() < 7)
  end)

  it("reads bytes from a string or a tensor", function()
    local want = nl.io.read_image(folder .. "rgb.jpg")
    local text = bytes_of "rgb.jpg"
    assert.is_true(nl.equal(want, nl.io.decode_image(text)))
    assert.is_true(nl.equal(want, nl.io.decode_image(nl.frombuffer(text, nl.uint8))))
    local every_second = nl.stack({nl.frombuffer(text, nl.uint8), nl.zeros(#text, {dtype = nl.uint8})}, 2)
    assert.is_true(nl.equal(want, nl.io.decode_image(every_second:select(2, 1))))
  end)

  it("refuses each file that is cut off, and what is none", function()
    for _, name in ipairs {"rgba.png", "palette_alpha.png", "interlaced.png", "gray16.png", "rgb.jpg", "cmyk.jpg",
      "progressive.jpg"} do
      local text = bytes_of(name)
      for n = 0, #text - 1 do
        assert.is_false(pcall(nl.io.decode_image, text:sub(1, n)), name .. " of " .. n .. " bytes")
      end
    end
    assert.error_matches(function() nl.io.decode_image "" end, "^nl%.io%.decode_image: it is empty")
    assert.error_matches(function() nl.io.decode_image "GIF89a" end, "it is neither a PNG nor a JPEG picture")
    assert.error_matches(function() nl.io.read_image "/no/such/file" end,
      "io%.read_image: /no/such/file: No such file or directory")
    assert.error_matches(function() nl.io.read_image(folder .. "rgb.jpg", "RGB_ALPHA") end,
      "rgb%.jpg: a JPEG picture has no alpha")
    assert.error_matches(function() nl.io.read_image(folder .. "rgb.jpg", "BGR") end, "mode must be UNCHANGED, GRAY")
    assert.error_matches(function() nl.io.read_image(3) end, "path must be a string")
    assert.error_matches(function() nl.io.decode_image(nl.zeros(3)) end, "must be a string or a uint8 tensor")
  end)

  it("stands bytes that are wrong", function()
    math.randomseed(11)
    for _, name in ipairs {"rgba.png", "interlaced.png", "rgb.jpg", "progressive.jpg", "ycck.jpg", "turned7.jpg",
      "turned6.png"} do
      local text = bytes_of(name)
      for _ = 1, 300 do
        local at = math.random(#text)
        local changed = text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1)
        pcall(nl.io.decode_image, changed, "RGB", true) -- a picture or an error
      end
    end
  end)

  it("leaves no pictures behind, however short their files are", function()
    local text = nl.io.encode_png(nl.zeros(3, 1000, 1000, {dtype = nl.uint8})):tobytes()
    local most = 0
    for _ = 1, 100 do
      nl.io.decode_image(text)
      most = math.max(most, nl.memory_allocated())
    end
    assert.is_true(most < 100e6, "bytes: " .. most)
  end)

  it("takes no memory by what a header says", function()
    local function with_size(text, at, format, width, height)
      return text:sub(1, at - 1) .. format:pack(height, width) .. text:sub(at + #format:pack(0, 0))
    end
    local jpeg = bytes_of "rgb.jpg"
    local frame = jpeg:find("\xFF\xC0", 1, true)
    assert.error_matches(function() nl.io.decode_image(with_size(jpeg, frame + 5, ">I2I2", 65000, 65000)) end,
      "its header wants 65000 x 65000 pixels, more than")
    assert.error_matches(function() nl.io.decode_image(with_size(jpeg, frame + 5, ">I2I2", 9000, 9000)) end,
      "its header wants 9000 x 9000 pixels, more than its bytes can hold")
    local function png_of(width, height)
      local header = "IHDR" .. (">I4I4"):pack(width, height) .. "\8\2\0\0\0"
      local crc = 0xFFFFFFFF -- PNG's checksum, by bits
      for i = 1, #header do
        crc = crc ~ header:byte(i)
        for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0xEDB88320 or crc >> 1 end
      end
      local text = bytes_of "rgb.png"
      return text:sub(1, 12) .. header .. (">I4"):pack(crc ~ 0xFFFFFFFF) .. text:sub(34)
    end
    assert.equal("[3, 9, 10]", tostring(nl.io.decode_image(png_of(10, 9)).shape))
    assert.error_matches(function() nl.io.decode_image(png_of(20000, 20000)) end, "more than the 268435456 that")
    assert.error_matches(function() nl.io.decode_image(png_of(5000, 5000)) end, "more than its bytes can hold")
    assert.is_false(pcall(nl.io.decode_image, png_of(0, 5)))
  end)
end)

describe("nl.io.write_png and write_jpeg", function()
  local path = os.tmpname()
  teardown(function() os.remove(path) end)

  it("write what is read again", function()
    for channels = 1, 4 do
      local x = nl.randint(0, 256, {channels, 5, 7}, {dtype = nl.uint8})
      nl.io.write_png(x, path)
      assert.is_true(nl.equal(x, nl.io.read_image(path)))
      local turned = x:transpose(2, 3):contiguous():transpose(2, 3)
      assert.is_true(nl.equal(x, nl.io.decode_image(nl.io.encode_png(turned, 0))))
    end
    local smooth = (nl.arange(0, 3 * 16 * 16):view(3, 16, 16) / 4):to(nl.uint8)
    nl.io.write_jpeg(smooth, path, {quality = 100})
    assert.is_true((nl.io.read_image(path):to(nl.int32) - smooth:to(nl.int32)):abs():max():item() <= 4)
    nl.io.write_jpeg(smooth[{{1, 1}}], path, 95)
    assert.is_true((nl.io.read_image(path):to(nl.int32) - smooth[{{1, 1}}]:to(nl.int32)):abs():max():item() <= 2)
  end)

  it("refuse what is no picture", function()
    assert.error_matches(function() nl.io.write_png(nl.ones(3, 2, 2), path) end, "write_png: input must be uint8, not")
    local x = nl.zeros(5, 2, 2, {dtype = nl.uint8})
    assert.error_matches(function() nl.io.write_png(x, path) end, "input has shape %[5, 2, 2%]: .* 1 %(gray%)")
    assert.error_matches(function() nl.io.write_jpeg(x[{{1, 2}}], path) end, "of 1 %(gray%) or 3 %(RGB%) channels")
    assert.error_matches(function() nl.io.write_jpeg(x[{{1, 3}}], path, 0) end, "quality must be from 1 to 100, not 0")
    assert.error_matches(function() nl.io.write_png(x[{{1, 3}}], path, 10) end, "compression_level must be from 0 to 9")
    assert.error_matches(function() nl.io.write_png(x[{{1, 3}}], "/no/such/folder/x.png") end, "No such file")
    assert.error_matches(function() nl.io.write_png(x[{{1, 3}}], 3) end, "path must be a string")
    assert.error_matches(function() nl.io.encode_png(x[{{1, 3}, {1, 0}}]) end, "is wanted")
    local meta = nl.zeros(3, 2, 2, {dtype = nl.uint8, device = "meta"})
    for name, f in pairs {encode_png = nl.io.encode_png, encode_jpeg = nl.io.encode_jpeg} do
      assert.error_matches(function() f(meta) end, name .. ": a meta tensor has no elements")
    end
    assert.error_matches(function() nl.io.decode_image(meta:flatten()) end, "decode_image: a meta tensor has no")
    assert.error_matches(function() nl.io.resize(meta, 3) end, "nl%.io%.resize: a meta tensor has no elements")
    assert.error_matches(function() nl.vision.connected_components(meta[1]) end, "components: a meta tensor has no el")
  end)

  it("name the package of a library that isn't there", function()
    if process.is_sanitized() then return end
    local program = "local ok, e = pcall(require'nnlua'.io.read_image, '" .. folder .. "rgb.%s') print(e)"
    for kind, package in pairs {png = "libpng16%-16", jpg = "libturbojpeg0"} do
      -- a folder of libraries that are none is looked into first
      local empty = os.tmpname()
      os.remove(empty)
      assert(os.execute("mkdir " .. empty .. " && cd " .. empty
        .. " && touch libpng16.so.16 libpng16.so libturbojpeg.so.0 libturbojpeg.so"))
      local result = process.run({process.nnlua, "-e", program:format(kind)}, {env = {LD_LIBRARY_PATH = empty}})
      os.execute("rm -r " .. empty)
      assert.matches("can't be loaded: .*%(Debian has it in the package " .. package, result.stdout)
    end
  end)
end)

describe("tobytes", function()
  it("gives the bytes that frombuffer reads, in order", function()
    local x = nl.randn(3, 4)
    assert.is_true(nl.equal(x, nl.frombuffer(x:tobytes(), nl.float32):view(3, 4)))
    assert.is_true(nl.equal(x:t():contiguous(), nl.frombuffer(x:t():tobytes(), nl.float32):view(4, 3)))
    assert.equal("\1\0\255\127", nl.tensor({1, 32767}, {dtype = nl.int16}):tobytes())
    assert.equal("\1\0", nl.tensor({true, false}):tobytes())
    assert.equal("", nl.zeros(0):tobytes())
    assert.equal(16, #nl.complex(1, 2):tobytes())
    assert.error_matches(function() nl.zeros(2, {device = "meta"}):tobytes() end, "tobytes: a meta tensor has no el")
  end)
end)
