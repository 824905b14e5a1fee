-- A list of what is drawn (axes.lua) as a PNG file, by cairo.

local system = require "nnlua.system"
local themes = require "nnlua.plot.themes"

local png = {}

local anchors = {start = 0, middle = 0.5, ["end"] = 1}
local directions = {left = {-1, 0}, right = {1, 0}, down = {0, 1}}
local draw = {}

function draw.line(drawing, one) drawing:line(one.points, one.width, one.dash) end

function draw.dots(drawing, one) drawing:dots(one.points, one.radius) end

function draw.rect(drawing, one, theme)
  drawing:rectangle(one.x, one.y, one.width, one.height)
  if one.line then
    local c = themes.colour(theme, one.line)
    drawing:color(c[1] / 255, c[2] / 255, c[3] / 255, 1)
    drawing:rectangle(one.x, one.y, one.width, one.height, 1)
  end
end

function draw.rule(drawing, one) drawing:line({one.x0, one.y0, one.x1, one.y1}, one.width) end

function draw.tick(drawing, one)
  local d = directions[one.direction]
  drawing:line({one.x, one.y, one.x + d[1] * one.length, one.y + d[2] * one.length}, 1)
end

function draw.text(drawing, one)
  drawing:text(one.x, one.y, one.text, one.size, one.is_bold, anchors[one.anchor], one.angle or 0)
end

function draw.picture(drawing, one)
  local pixels = one.pixels
  drawing:picture(one.x, one.y, one.width, one.height, pixels:contiguous():tobytes(), pixels:size(2), pixels:size(1))
end

--- The bytes of a PNG file of width x height units, each of `scale` pixels. `name` is the function in errors.
function png.bytes(name, list, width, height, scale, theme)
  local drawing = system.drawing(name, width, height, scale)
  local function use(colour, alpha) drawing:color(colour[1] / 255, colour[2] / 255, colour[3] / 255, alpha) end
  use(themes.colour(theme, "paper"), 1)
  drawing:rectangle(0, 0, width, height)
  for _, one in ipairs(list) do
    local role = one.color or one.kind == "tick" and "frame"
    if role then use(themes.colour(theme, role), one.alpha or 1) end
    draw[one.kind](drawing, one, theme)
  end
  return drawing:png(name)
end

return png
