-- What standard output is: a terminal of what size and with how many colours, or something else.

local system = require "nnlua.system"

local screen = {}

local MANY = 1 << 24

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= ""
end

--- How many colours a terminal has: 0, 16, 256 or 16777216.
function screen.colours()
  if not system.is_terminal(1) or is_set "NO_COLOR" then return 0 end
  local kind, depth = os.getenv "TERM" or "", os.getenv "COLORTERM" or ""
  if depth == "truecolor" or depth == "24bit" or kind:find "direct" or kind:find "kitty" then return MANY end
  return kind:find "256" and 256 or 16
end

--- Columns and rows for a figure that is shown: a terminal's width, of its height what leaves the prompt in sight.
function screen.size()
  local columns, rows = 80, 24
  if system.is_terminal(1) then columns, rows = system.terminal_size(1) end
  return columns, math.max(8, math.min(rows - 2, math.max(14, columns // 4), 40))
end

return screen
