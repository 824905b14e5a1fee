-- Moving pictures as GIF files (GIF89a), whose pixels are packed by LZW.

local nl = require "nnlua"

local CLEAR, END, MOST = 256, 257, 4096

--- Bytes of codes, each of as many bits as it comes with, the lowest first.
local function new_bits()
  local bytes, rest, count = {}, 0, 0
  local function put(code, width)
    rest, count = rest | code << count, count + width
    while count >= 8 do
      bytes[#bytes + 1] = string.char(rest & 255)
      rest, count = rest >> 8, count - 8
    end
  end
  local function text()
    if count > 0 then bytes[#bytes + 1] = string.char(rest & 255) end
    return table.concat(bytes)
  end
  return put, text
end

--- Places in the palette as LZW's codes. A sequence is known by its code and the byte behind it.
local function packed(pixels)
  local put, text = new_bits()
  local known, following, width, code = {}, END + 1, 9, nil
  put(CLEAR, width)
  for at = 1, #pixels do
    local byte = pixels:byte(at)
    local key = code and code << 8 | byte
    local longer = key and known[key]
    if longer or not code then
      code = longer or byte
    else
      put(code, width)
      if following == MOST then
        put(CLEAR, width)
        known, following, width = {}, END + 1, 9
      else
        if following == 1 << width then width = width + 1 end
        known[key], following = following, following + 1
      end
      code = byte
    end
  end
  put(code, width)
  if following == 1 << width and width < 12 then width = width + 1 end
  put(END, width)
  return text()
end

--- A text in the blocks of at most 255 bytes that a GIF is made of.
local function blocks(text)
  local list = {}
  for at = 1, #text, 255 do
    local part = text:sub(at, at + 254)
    list[#list + 1] = string.char(#part) .. part
  end
  return table.concat(list) .. "\0"
end

--- The palette and the places in it of pictures (T, H, W, 3), uint8: all grays where they are gray, else 6 x 7 x 6
--- colours.
local function indexed(pictures)
  local red, green, blue = pictures:unbind(4)
  local palette = {}
  if nl.equal(red, green) and nl.equal(green, blue) then
    for i = 0, 255 do palette[i + 1] = string.char(i, i, i) end
    return table.concat(palette), red
  end
  for i = 0, 255 do
    local r, g, b = i // 42, i // 6 % 7, i % 6
    palette[i + 1] = i < 252 and string.char(r * 51, g * 85 // 2, b * 51) or "\0\0\0"
  end
  local function step(x, n) return (x:float() * (n / 255)):round() end
  return table.concat(palette), (step(red, 5) * 42 + step(green, 6) * 6 + step(blue, 5)):to(nl.uint8)
end

--- The bytes of a GIF that shows pictures (T, H, W, 3), uint8, over and over, so many a second.
return function(pictures, fps)
  local height, width = pictures:size(2), pictures:size(3)
  local palette, places = indexed(pictures)
  local delay = math.max(1, math.min(65535, math.floor(100 / fps + 0.5)))
  local parts = {
    ("<c6I2I2BBB"):pack("GIF89a", width, height, 0xF7, 0, 0), palette, "\33\255\11NETSCAPE2.0\3\1\0\0\0",
  }
  for i = 1, pictures:size(1) do
    parts[#parts + 1] = ("<BBBBI2BB"):pack(33, 0xF9, 4, 4, delay, 0, 0)
    parts[#parts + 1] = ("<c1I2I2I2I2BB"):pack(",", 0, 0, width, height, 0, 8)
    parts[#parts + 1] = blocks(packed(places[i]:contiguous():tobytes()))
  end
  parts[#parts + 1] = ";"
  return table.concat(parts)
end
