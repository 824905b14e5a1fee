-- Figures: what nl.plot's functions give, shown in the terminal, saved as SVG and PNG.

local args = require "nnlua.args"
local axes = require "nnlua.plot.axes"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local media = require "nnlua.plot.media"
local options = require "nnlua.plot.options"
local system = require "nnlua.system"
local themes = require "nnlua.plot.themes"

local raise, max = core.raise, math.max

-- A figure's axes are kept here, not in it: what it shows doesn't change under it.
local kept = setmetatable({}, {__mode = "k"})

--- A picture of data: what nl.plot's functions return. Printed, or as the prompt's result, it is drawn in the terminal;
--- `fig:save "loss.svg"` and `fig:save "loss.png"` write files. Its methods line, scatter, bar and so on add to it,
--- with the arguments of nl.plot's functions of these names.
---     > fig = nl.plot.Figure({title = "two series"})
---     > fig = fig:line({1, 4, 2}, {label = "a"}):scatter({1, 2, 3}, {3, 1, 2}, {label = "b"})
---     > fig:svg():sub(1, 4)
---     <svg
---@class Figure
local Figure = class.new "nl.plot.Figure"

Figure.__draws = true -- so the prompt shows its text as it is

local parse_figure = options.parser("nl.plot.Figure", {})

function Figure:init(...)
  local o = parse_figure(...)
  kept[self] = {marks = {}, series = 0}
  options.apply("nl.plot.Figure", kept[self], o)
end

local function axes_of(self)
  return kept[self]
end

--- Has a function change a figure's axes; if it raises, they are as they were.
local function change(self, f)
  local draft = {}
  for key, value in next, kept[self] do draft[key] = value end
  draft.marks = table.move(draft.marks, 1, #draft.marks, 1, {})
  f(draft)
  kept[self] = draft
  return self
end

local WIDTH, HEIGHT = 640, 400 -- of pictures, in pixels

--- The size of a picture in pixels: figsize is in inches of 100 pixels.
local function size_of(self)
  local size = axes_of(self).figsize
  if not size then
    local wanted = axes_of(self).wanted_size
    if wanted then return wanted(axes_of(self), WIDTH) end
    return WIDTH, HEIGHT
  end
  return math.floor(size[1] * 100 + 0.5), math.floor(size[2] * 100 + 0.5)
end

local function drawn(self, medium)
  local a = axes_of(self)
  return (a.layout or axes.draw)(a, medium)
end

local function check_theme(name, theme)
  if not themes.exists(theme) then
    raise(("%s: theme must be \"light\" or \"dark\", not '%s'"):format(name, theme))
  end
end

local parse_svg = args.parser("nl.plot.Figure:svg", {{"theme", "string", "light"}})

--- The figure as the text of an SVG file. `theme` is "light" or "dark".
---     > nl.plot.line({1, 4, 2}):svg({theme = "dark"}):match "<svg xmlns"
---     <svg xmlns
---@param theme? string
---@return string
function Figure:svg(...)
  local theme = parse_svg(...)
  check_theme("nl.plot.Figure:svg", theme)
  local width, height = size_of(self)
  return require "nnlua.plot.svg".text(drawn(self, media.pixels(width, height)), width, height, theme)
end

local parse_png = args.parser("nl.plot.Figure:png", {{"dpi", "number", 100}, {"theme", "string", "light"}})
local MOST_PIXELS = 1 << 28

--- The figure as the bytes of a PNG file, `dpi` pixels to an inch of figsize. Needs cairo, Debian's libcairo2.
---     > nl.plot.line({1, 4, 2}):png():sub(2, 4)
---     PNG
---@param dpi? number
---@param theme? string
---@return string
function Figure:png(...)
  local dpi, theme = parse_png(...)
  check_theme("nl.plot.Figure:png", theme)
  local width, height = size_of(self)
  if not (dpi >= 10 and max(width, height) * dpi / 100 <= 30000 and width * height * dpi ^ 2 <= 1e4 * MOST_PIXELS) then
    raise(("nl.plot.Figure:png: dpi must be from 10 on, and the picture at most 30000 pixels wide and high, not %s")
      :format(core.format("%g", dpi)))
  end
  local list = drawn(self, media.pixels(width, height))
  return require "nnlua.plot.png".bytes("nl.plot.Figure:png", list, width, height, dpi / 100, theme)
end

local AROUND_A_MATRIX = 6 -- lines for what stands above and below one whose rows have numbers in them

local parse_text = args.parser("nl.plot.Figure:text", {
  {"width", "integer?"}, {"height", "integer?"}, {"colors", "integer?"},
})

--- The figure as lines of a terminal, `width` columns and `height` rows, in 0, 16, 256 or 16777216 `colors`; else as
--- the terminal has them, or 80 columns in no colours.
---     > fig = nl.plot.bar({"a", "b"}, {1, 2})
---     > fig:text({width = 20, height = 5, colors = 0}) ~= ""
---     true
---@param width? integer
---@param height? integer
---@param colors? integer
---@return string
function Figure:text(...)
  local width, height, colours = parse_text(...)
  local screen = require "nnlua.plot.screen"
  local columns, rows = screen.size()
  if width then rows = max(14, math.min(40, width // 4)) end
  local a = axes_of(self)
  if a.matrix and a.matrix.is_annotated then rows = max(rows, math.min(40, a.matrix.rows + AROUND_A_MATRIX)) end
  columns, rows, colours = width or columns, height or rows, colours or screen.colours()
  if columns < 1 or columns > 2000 or rows < 1 or rows > 2000 then
    raise(("nl.plot.Figure:text: width and height must be from 1 to 2000, not %d and %d"):format(columns, rows))
  end
  columns, rows = max(columns, 16), max(rows, 5)
  local medium = media.cells(columns, rows, colours == 0)
  return require "nnlua.plot.cells".text(drawn(self, medium), columns, a.rows and a.rows(a, medium) or rows, colours)
end

local parse_save = args.parser("nl.plot.Figure:save", {
  {"path", "string"}, {"dpi", "number", 100}, {"theme", "string", "light"},
})

--- Writes a file, of the kind that its name asks for: .svg, .png, or .txt. `dpi` is the number of pixels in an inch of
--- figsize, for PNG.
---     > path = os.tmpname() .. ".svg"
---     > nl.plot.line({1, 4, 2}):save(path)
---     > os.remove(path)
---     true
---@param path string
---@param dpi? number
---@param theme? string
function Figure:save(...)
  local path, dpi, theme = parse_save(...)
  local ending = path:match "%.(%w+)$"
  ending = ending and ending:lower()
  local text
  if ending == "svg" then text = self:svg(theme)
  elseif ending == "png" then text = self:png(dpi, theme)
  elseif ending == "txt" then text = self:text({width = 80, height = 20, colors = 0}) .. "\n"
  else raise(("nl.plot.Figure:save: '%s' must end in .svg, .png or .txt"):format(path)) end
  system.check_path("nl.plot.Figure:save", path)
  system.write_bytes("nl.plot.Figure:save", path, text)
end

--- Prints the figure in the terminal.
---     > figure = nl.plot.line({1, 2, 4})
---     > figure:show() -- draws it
function Figure:show()
  io.write(tostring(self), "\n")
end

local LARGEST = 1200 -- pixels of a picture in the terminal

--- The figure as a picture in the terminal's way; nil where it shows none, or cairo isn't there.
local function picture(self)
  local screen = require "nnlua.plot.screen"
  local shown = screen.pictures()
  if not shown then return nil end
  local columns, rows = screen.size()
  local width, height = size_of(self)
  local room_x, room_y = math.min(columns * shown.cell_width, LARGEST), math.min(rows * shown.cell_height, LARGEST)
  local dpi = 100 * max(0.1, math.min(room_x / width, room_y / height))
  local ok, bytes = pcall(self.png, self, dpi, shown.is_dark and "dark" or "light")
  return ok and require "nnlua.plot.protocols"[shown.protocol](bytes) or nil
end

--- As print shows it, for the terminal that it goes to.
function Figure:__tostring()
  if not class.is_a(self, Figure) or not kept[self] then return "nl.plot.Figure" end
  return picture(self) or self:text()
end

return {Figure = Figure, change = change}
