-- Colours: names, the order in which series take them, and maps of values to colours.

local core = require "nnlua.nn.core"

local colours = {}

-- matplotlib's, which are told apart on white and on black.
local cycle = {"1f77b4", "ff7f0e", "2ca02c", "d62728", "9467bd", "8c564b", "e377c2", "7f7f7f", "bcbd22", "17becf"}

local names = {
  blue = cycle[1], orange = cycle[2], green = cycle[3], red = cycle[4], purple = cycle[5], brown = cycle[6],
  pink = cycle[7], gray = cycle[8], grey = cycle[8], olive = cycle[9], cyan = cycle[10], black = "000000",
  white = "ffffff", yellow = "ffd700", magenta = "d62ad6",
}

-- matplotlib's maps at 17 places; between them colours are mixed, within 10 of 255 of matplotlib's.
local maps = {
  viridis = "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 "
    .. "d8e219 fde725",
  plasma = "0d0887 310597 4c02a1 6600a7 7e03a8 9511a1 aa2395 bc3587 cc4778 da5a6a e66c5c f0804e f89540 fdac33 fdc527 "
    .. "f8df25 f0f921",
  inferno = "000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 d24644 e45a31 f1731d f98e09 fcac11 f9cb35 "
    .. "f2ea69 fcffa4",
  magma = "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 d0416f e75263 f56b5c fc8961 fea772 fec488 "
    .. "fde2a3 fcfdbf",
  cividis = "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 "
    .. "f0d846 fee838",
  gray = "000000 ffffff",
  Greys = "ffffff f7f7f7 f0f0f0 e4e4e4 d9d9d9 cbcbcb bdbdbd a9a9a9 959595 848484 727272 626262 515151 3a3a3a 242424 "
    .. "111111 000000",
  Blues = "f7fbff eaf3fb deebf7 d2e3f3 c6dbef b2d2e8 9dcae1 84bcdb 6aaed6 56a0ce 4191c6 3181bd 2070b4 1460a8 08509b "
    .. "084082 08306b",
  hot = "0b0000 350000 5f0000 890000 b30000 dd0000 ff0800 ff3200 ff5c00 ff8600 ffb000 ffda00 ffff07 ffff46 ffff85 "
    .. "ffffc4 ffffff",
  coolwarm = "3b4cc0 4e68d8 6282ea 779af7 8db0fe a3c2fe b9d0f9 ccd9ed dddcdc ecd3c5 f5c4ac f7b093 f4987a eb7d62 dd5f4b "
    .. "ca3b37 b40426",
  RdBu = "67001f 960f27 bb2a34 d25849 e58368 f5ac8b fbceb7 fbe6da f6f7f7 deebf2 c0dceb 98c8e0 68abd0 3e8cbf 2870b1 "
    .. "15508d 053061",
}

local function from_hex(text)
  local r, g, b = text:match "^(%x%x)(%x%x)(%x%x)$"
  return {tonumber(r, 16), tonumber(g, 16), tonumber(b, 16)}
end

--- The colour of the i-th series.
function colours.of_series(i)
  return from_hex(cycle[(i - 1) % #cycle + 1])
end

--- A colour by its name: "red", "tab:red", "C3" (of the fourth series, as matplotlib counts), "#d62728", "#d22".
function colours.named(function_name, text)
  local short = type(text) == "string" and text:gsub("^tab:", "")
  local shown = type(text) == "string" and ("'%s'"):format(text) or core.describe(text)
  local number = short and short:match "^C(%d+)$"
  if number and #number < 10 then return colours.of_series(tonumber(number) + 1) end
  if short and names[short] then return from_hex(names[short]) end
  local hex = short and short:match "^#(%x+)$"
  if hex and #hex == 3 then hex = hex:gsub("%x", "%0%0") end
  if hex and #hex == 6 then return from_hex(hex) end
  local known = {}
  for name in next, names do known[#known + 1] = name end
  table.sort(known)
  core.raise(("%s: color must be \"#rrggbb\", \"C0\" and so on, or one of %s, not %s"):format(
    function_name, table.concat(known, ", "), shown))
end

--- A map's colours from 0 to 255: a list of 256 colours, the first at 0. A name with "_r" behind it is turned round.
function colours.map(function_name, name)
  local base = type(name) == "string" and name:gsub("_r$", "")
  if not base or not maps[base] then
    local known = {}
    for one in next, maps do known[#known + 1] = one end
    table.sort(known)
    local shown = type(name) == "string" and ("'%s'"):format(name) or core.describe(name)
    core.raise(("%s: cmap must be one of %s, or one with _r behind it, not %s"):format(
      function_name, table.concat(known, ", "), shown))
  end
  local stops, map = {}, {}
  for hex in maps[base]:gmatch "%x+" do stops[#stops + 1] = from_hex(hex) end
  for i = 0, 255 do
    local at = (name == base and i or 255 - i) / 255 * (#stops - 1)
    local k = math.min(math.floor(at), #stops - 2)
    local from, to, colour = stops[k + 1], stops[k + 2], {}
    for c = 1, 3 do colour[c] = math.floor(from[c] + (to[c] - from[c]) * (at - k) + 0.5) end
    map[i] = colour
  end
  return map
end

--- A colour in a map of a value between limits; gray for what is no number.
function colours.in_map(map, v, low, high)
  if v ~= v then return {160, 160, 160} end
  local share = high > low and (v - low) / (high - low) or 0.5
  return map[math.floor(math.max(0, math.min(1, share)) * 255 + 0.5)]
end

--- How light a colour is, from 0 to 1.
function colours.lightness(c)
  return (0.299 * c[1] + 0.587 * c[2] + 0.114 * c[3]) / 255
end

--- What is readable on a colour: black or white.
function colours.on(c)
  return colours.lightness(c) > 0.55 and {0, 0, 0} or {255, 255, 255}
end

return colours
