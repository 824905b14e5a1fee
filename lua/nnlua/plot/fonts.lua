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

return fonts
