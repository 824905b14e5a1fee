-- PNG pictures as terminals take them.

local base64 = require "nnlua.plot.svg".base64
local nl = require "nnlua"

local protocols = {}

-- ------------------------------------------------------------------- kitty

local CHUNK = 4096

--- kitty's: the file itself in base 64, in pieces. q=2 asks for no answers.
function protocols.kitty(png)
  local text, pieces = base64(png), {}
  for at = 1, #text, CHUNK do
    local head = at == 1 and "a=T,f=100,q=2," or "q=2,"
    pieces[#pieces + 1] = ("\27_G%sm=%d;%s\27\\"):format(head, at + CHUNK <= #text and 1 or 0,
      text:sub(at, at + CHUNK - 1))
  end
  return table.concat(pieces)
end

-- ------------------------------------------------------------------- sixel

local MOST_COLOURS = 255

--- The number of each pixel's colour, and the colours by number: all there are, or those of the finest cube of which
--- there are no more than sixel has.
local function indexed(pixels)
  for _, levels in ipairs {256, 64, 32, 16, 12, 10, 9, 8, 7, 6} do
    local step = 255 / (levels - 1)
    local cube = (pixels:to(nl.float32) / step):round():to(nl.int64)
    local codes = (cube[1] * 256 + cube[2]) * 256 + cube[3]
    local values, inverse = nl.unique(codes:flatten(), {return_inverse = true})
    if #values <= MOST_COLOURS then
      local colours = {}
      for i, code in ipairs(values:tolist()) do
        local parts = {code >> 16, code >> 8 & 255, code & 255}
        for c = 1, 3 do parts[c] = math.floor(parts[c] * step * 100 / 255 + 0.5) end
        colours[i] = parts
      end
      return inverse:view(codes.shape), colours
    end
  end
end

--- Runs of a sign, short.
local function run(sign, n)
  return n > 3 and ("!%d%s"):format(n, sign) or sign:rep(n)
end

--- Six rows: for each colour that is there, which of the six have it, column by column.
local function band_text(rows)
  local masks, order = {}, {}
  for y, row in ipairs(rows) do
    for x, colour in ipairs(row) do
      local mask = masks[colour]
      if not mask then
        mask = {}
        masks[colour] = mask
        order[#order + 1] = colour
      end
      mask[x] = (mask[x] or 0) | 1 << (y - 1)
    end
  end
  local texts, width = {}, #rows[1]
  for k, colour in ipairs(order) do
    local mask, pieces, count, last = masks[colour], {}, 0, nil
    for x = 1, width + 1 do
      local bits = mask[x] or 0
      if x <= width and bits == last then count = count + 1
      else
        if last then pieces[#pieces + 1] = run(string.char(63 + last), count) end
        last, count = bits, 1
      end
    end
    texts[k] = ("#%d"):format(colour - 1) .. table.concat(pieces)
  end
  return table.concat(texts, "$")
end

--- DEC's sixel: six rows of pixels at once, one colour after the other.
function protocols.sixel(png)
  local pixels = nl.io.decode_image(png, {mode = "RGB"})
  local index, colours = indexed(pixels)
  local height, width = pixels:size(2), pixels:size(3)
  local pieces = {("\27P0;1q\"1;1;%d;%d"):format(width, height)}
  for i, c in ipairs(colours) do pieces[#pieces + 1] = ("#%d;2;%d;%d;%d"):format(i - 1, c[1], c[2], c[3]) end
  for top = 1, height, 6 do
    local bottom = math.min(top + 5, height)
    pieces[#pieces + 1] = band_text(index[{{top, bottom}}]:tolist()) .. "-"
  end
  return table.concat(pieces) .. "\27\\"
end

return protocols
