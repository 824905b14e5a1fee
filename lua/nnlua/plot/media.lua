-- What axes are laid out for: pictures of so many pixels, and cells of a terminal.

local fonts = require "nnlua.plot.fonts"
local terminal_text = require "nnlua.utils.terminal_text"

local media = {}

--- A picture: SVG, or PNG.
function media.pixels(width, height)
  local size = 12
  return {
    width = width, height = height, size = size, line = 16, gap = 4, tick = 4, pad = 10, title_line = 26,
    title_size = 14, is_cells = false,
    text_width = function(text) return fonts.width(text, size) end,
  }
end

--- Cells of a terminal. Plain ones have no colours.
function media.cells(columns, rows, is_plain)
  return {
    width = columns * 2, height = rows * 4, size = 4, line = 4, gap = 0, tick = 0, pad = 0, title_line = 4,
    title_size = 4, is_cells = true, is_plain = is_plain,
    text_width = function(text) return 2 * terminal_text.columns(text) end,
  }
end

return media
