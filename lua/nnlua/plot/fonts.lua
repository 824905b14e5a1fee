-- How wide texts are in the font of pictures, DejaVu Sans or what is as wide.

local fonts = {}

--- For SVG: the first one that is there.
fonts.family = "'DejaVu Sans', Verdana, sans-serif"

-- DejaVu Sans' widths of the characters from 32 to 126, in 2048ths of its size.
local widths = {
  651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690, 1303, 1303, 1303, 1303, 1303,
  1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1087, 2048, 1401, 1405, 1430, 1577, 1294, 1178, 1587, 1540,
  604, 604, 1343, 1141, 1767, 1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401, 2025, 1403, 1251, 1403, 799, 690,
  799, 1716, 1024, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186, 569, 1995, 1298, 1253, 1300,
  1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075, 1303, 690, 1303, 1716,
}

--- The width of a text of UTF-8, in the unit of its size.
function fonts.width(text, size)
  local sum = 0
  for _, code in utf8.codes(text) do
    sum = sum + (widths[code - 31] or code > 0x2E80 and 2048 or 1260)
  end
  return sum * size / 2048
end

-- Signs that take two columns of a terminal (East Asian and pictures), and those that take none.
local wide = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
  {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6},
  {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}}
local none = {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

--- The columns of a character in a terminal.
function fonts.columns_of(code)
  if code < 0x300 then return 1 end
  return is_in(none, code) and 0 or is_in(wide, code) and 2 or 1
end

--- The columns of a text.
function fonts.columns(text)
  local sum = 0
  for _, code in utf8.codes(text) do sum = sum + fonts.columns_of(code) end
  return sum
end

--- A text in which nothing acts on a terminal or breaks a file: bytes that are no UTF-8 and control characters are
--- replaced, line ends become blanks.
function fonts.clean(text)
  if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
  text = text:gsub("\xC2[\x80-\x9F]", "?"):gsub("\xEF\xBF[\xBE\xBF]", "?")
  return (text:gsub("[\n\r\t]", " "):gsub("[\0-\31\127]", "?"))
end

return fonts
