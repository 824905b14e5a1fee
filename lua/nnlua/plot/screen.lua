-- What standard output is: a terminal of what size, with how many colours, which shows pictures or not; or something
-- else.

local system = require "nnlua.system"

local screen = {}

local MANY = 1 << 24

local function variable(name)
  return os.getenv(name) or ""
end

--- How many colours a terminal has: 0, 16, 256 or 16777216.
function screen.colours()
  if not system.is_terminal(1) or variable "NO_COLOR" ~= "" then return 0 end
  local kind, depth = variable "TERM", variable "COLORTERM"
  if depth == "truecolor" or depth == "24bit" or kind:find "direct" or kind:find "kitty" then return MANY end
  return kind:find "256" and 256 or 16
end

--- Columns and rows for a figure that is shown: a terminal's width, of its height what leaves the prompt in sight.
function screen.size()
  local columns, rows = system.terminal_size(1)
  return columns, math.max(8, math.min(rows - 2, math.max(14, columns // 4), 40))
end

-- ----------------------------------------------------------------- pictures

-- Whether it knows kitty's pictures, the colour of its background, the size of a cell in pixels, and what kind of
-- terminal it is: 4 is for sixel. All terminals answer the last one, and in order.
local QUESTIONS = "\27_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\27\\" .. "\27]11;?\27\\" .. "\27[16t" .. "\27[c"
local PATIENCE = 300 -- milliseconds, for terminals that never answer

local known

--- What a terminal says of itself: `protocol` ("kitty", "sixel" or nil), `is_dark`, `cell_width`, `cell_height`.
function screen.read_answers(answers)
  local said = {}
  local kind = answers:match "\27%[%?([%d;]*)c"
  if kind and (";" .. kind .. ";"):find(";4;", 1, true) then said.protocol = "sixel" end
  if answers:find("\27_Gi=31;OK", 1, true) then said.protocol = "kitty" end
  local r, g, b = answers:match "\27%]11;rgb:(%x%x)%x*/(%x%x)%x*/(%x%x)"
  said.is_dark = r ~= nil and 0.3 * tonumber(r, 16) + 0.59 * tonumber(g, 16) + 0.11 * tonumber(b, 16) < 128
  local height, width = answers:match "\27%[6;(%d+);(%d+)t"
  said.cell_width, said.cell_height = tonumber(width), tonumber(height)
  return said
end

--- The size of a cell by that of the window.
local function fill_in_cell(said)
  local columns, rows, width, height = system.terminal_size(1)
  if not said.cell_width or said.cell_width == 0 or said.cell_height == 0 then
    said.cell_width = width > 0 and width / columns or 9
    said.cell_height = height > 0 and height / rows or 18
  end
  return said
end

local function asked()
  local kind = variable "TERM"
  if kind == "linux" or variable "NO_COLOR" ~= "" then return {} end
  return screen.read_answers(system.ask_terminal(QUESTIONS, "c", PATIENCE) or "")
end

--- How pictures are shown: what the terminal says, asked once, or the variable NNLUA_GRAPHICS ("text", "kitty",
--- "sixel"); nil if it shows none.
function screen.pictures()
  if not system.is_terminal(1) then return nil end
  known = known or fill_in_cell(asked())
  local wanted = variable "NNLUA_GRAPHICS"
  local protocol = known.protocol
  if wanted == "kitty" or wanted == "sixel" then protocol = wanted elseif wanted ~= "" then protocol = nil end
  return protocol and setmetatable({protocol = protocol}, {__index = known}) or nil
end

return screen
