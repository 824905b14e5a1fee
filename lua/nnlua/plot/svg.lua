-- A list of what is drawn (axes.lua) as SVG. That is text, so no library is needed.

local core = require "nnlua.nn.core"
local fonts = require "nnlua.plot.fonts"
local nl = require "nnlua"
local themes = require "nnlua.plot.themes"

local format, concat = core.format, table.concat

local svg = {}

local escapes = {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;"}

local function escaped(text)
  return (text:gsub('[&<>"]', escapes))
end

--- A length with at most two digits behind the point.
local function length(v)
  return (format("%.2f", v):gsub("%.?0+$", "", 1))
end

local function hex(c)
  return ("#%02x%02x%02x"):format(c[1], c[2], c[3])
end

local function point_list(points)
  local texts = {}
  for i = 1, #points, 2 do texts[#texts + 1] = format("%.1f,%.1f", points[i], points[i + 1]) end
  return concat(texts, " "):gsub("%.0%f[ ,\0]", "")
end

local writers = {}

function writers.line(one, colour)
  local dash = one.dash and (' stroke-dasharray="%s"'):format(concat(one.dash, " ")) or ""
  return ('<polyline points="%s" fill="none" stroke="%s" stroke-width="%s" stroke-linejoin="round"%s%s/>'):format(
    point_list(one.points), hex(colour), length(one.width), dash,
    one.alpha and one.alpha < 1 and (' stroke-opacity="%s"'):format(length(one.alpha)) or "")
end

--- Dots are strokes of no length with round ends: a few bytes each.
function writers.dots(one, colour)
  local texts = {}
  for i = 1, #one.points, 2 do texts[#texts + 1] = format("M%.1f,%.1fh0", one.points[i], one.points[i + 1]) end
  return ('<path d="%s" fill="none" stroke="%s" stroke-width="%s" stroke-linecap="round"%s/>'):format(
    concat(texts), hex(colour), length(2 * one.radius),
    one.alpha and one.alpha < 1 and (' stroke-opacity="%s"'):format(length(one.alpha)) or "")
end

function writers.rect(one, colour, theme)
  return ('<rect x="%s" y="%s" width="%s" height="%s" fill="%s"%s%s/>'):format(length(one.x), length(one.y),
    length(one.width), length(one.height), hex(colour),
    one.alpha and one.alpha < 1 and (' fill-opacity="%s"'):format(length(one.alpha)) or "",
    one.line and (' stroke="%s"'):format(hex(themes.colour(theme, one.line))) or "")
end

function writers.rule(one, colour)
  return ('<path d="M%s,%sL%s,%s" stroke="%s" stroke-width="%s"/>'):format(length(one.x0), length(one.y0),
    length(one.x1), length(one.y1), hex(colour), length(one.width))
end

local directions = {left = {-1, 0}, right = {1, 0}, down = {0, 1}}

function writers.tick(one, colour)
  local d = directions[one.direction]
  return ('<path d="M%s,%sl%s,%s" stroke="%s"/>'):format(length(one.x), length(one.y), length(d[1] * one.length),
    length(d[2] * one.length), hex(colour))
end

function writers.text(one, colour)
  local x, y = length(one.x), length(one.y)
  local place = ('x="%s" y="%s" dy="0.35em"'):format(x, y)
  if one.angle then place = ('transform="translate(%s,%s) rotate(%d)" dy="0.35em"'):format(x, y, one.angle) end
  return ('<text %s font-size="%s"%s%s fill="%s">%s</text>'):format(place, length(one.size),
    one.anchor ~= "start" and (' text-anchor="%s"'):format(one.anchor) or "",
    one.is_bold and ' font-weight="bold"' or "", hex(colour), escaped(one.text))
end

local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Bytes in base 64.
function svg.base64(bytes)
  local texts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    local function digit(shift)
      local at = (n >> shift & 63) + 1
      return digits:sub(at, at)
    end
    texts[#texts + 1] = digit(18) .. digit(12) .. (b and digit(6) or "=") .. (c and digit(0) or "=")
  end
  return concat(texts)
end

--- Pictures are PNG within the text, of so many pixels that what smooths them can't blur the edges of small ones.
function writers.picture(one)
  local pixels = one.pixels
  local fit = math.min(one.width / pixels:size(2), one.height / pixels:size(1))
  local times = math.max(1, math.min(math.ceil(2 * fit), 1000000 // math.max(1, pixels:size(1) * pixels:size(2))))
  if fit > 1 and times > 1 then
    pixels = pixels:repeat_interleave(times, 1):repeat_interleave(times, 2)
  end
  local bytes = nl.io.encode_png(pixels:permute(3, 1, 2):contiguous(), {compression_level = 9}):tobytes()
  return ('<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" style="image-rendering:%s" '
    .. 'href="data:image/png;base64,%s"/>'):format(length(one.x), length(one.y), length(one.width), length(one.height),
    fit > 1 and "pixelated" or "auto", svg.base64(bytes))
end

--- The text of an SVG file.
function svg.text(list, width, height, theme)
  local texts = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="%s">'):format(
      width, height, width, height, fonts.family),
    ('<rect width="100%%" height="100%%" fill="%s"/>'):format(hex(themes.colour(theme, "paper"))),
  }
  for _, one in ipairs(list) do
    local role = one.color or one.kind == "tick" and "frame"
    texts[#texts + 1] = writers[one.kind](one, role and themes.colour(theme, role), theme)
  end
  texts[#texts + 1] = "</svg>\n"
  return concat(texts, "\n")
end

return svg
