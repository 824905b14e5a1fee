-- Colours as a terminal takes them.

local floor = math.floor

local sgr = {}

-- The codes of the 16 colours that most terminals show readably on black and on white, for each of the cycle's.
local ansi = {
  {34, {31, 119, 180}}, {33, {255, 127, 14}}, {32, {44, 160, 44}}, {31, {214, 39, 40}}, {35, {148, 103, 189}},
  {36, {23, 190, 207}}, {95, {227, 119, 194}}, {90, {127, 127, 127}}, {30, {0, 0, 0}}, {97, {255, 255, 255}},
}

local function distance(a, b)
  return (a[1] - b[1]) ^ 2 + (a[2] - b[2]) ^ 2 + (a[3] - b[3]) ^ 2
end

local function nearest_of_16(c)
  local best, least
  for _, one in ipairs(ansi) do
    local d = distance(one[2], c)
    if not least or d < least then best, least = one[1], d end
  end
  return best
end

-- Of 256 colours: a cube of 6 levels, and 24 grays.
local levels = {[0] = 0, 95, 135, 175, 215, 255}

local function level_of(v)
  return v < 48 and 0 or v < 115 and 1 or floor((v - 35) / 40)
end

local function nearest_of_256(c)
  local r, g, b = level_of(c[1]), level_of(c[2]), level_of(c[3])
  local gray = math.max(0, math.min(23, floor(((c[1] + c[2] + c[3]) / 3 - 3) / 10)))
  local v = 8 + 10 * gray
  if distance({v, v, v}, c) < distance({levels[r], levels[g], levels[b]}, c) then return 232 + gray end
  return 16 + 36 * r + 6 * g + b
end

local function colour_code(count, c, is_back)
  if count == 16 then return tostring(nearest_of_16(c) + (is_back and 10 or 0)) end
  local base = is_back and "48;" or "38;"
  if count == 256 then return base .. "5;" .. nearest_of_256(c) end
  return ("%s2;%d;%d;%d"):format(base, c[1], c[2], c[3])
end

--- What switches to a colour and a background, "" for none. `count` is how many colours there are.
function sgr.code(count, colour, back, is_bold)
  if count == 0 or not (colour or back or is_bold) then return "" end
  local parts = {}
  if is_bold then parts[#parts + 1] = "1" end
  if colour then parts[#parts + 1] = colour_code(count, colour) end
  if back then parts[#parts + 1] = colour_code(count, back, true) end
  return "\27[" .. table.concat(parts, ";") .. "m"
end

return sgr
