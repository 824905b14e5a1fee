-- The candidates of a completion, below the text.

local _ENV = require "nnlua.prompt.environment"()

local Screen = require "nnlua.prompt.screen"
local terminal = require "nnlua.terminal"

local Menu = {}
Menu.__index = Menu

local MOST_ROWS = 8

--- A menu of candidates, each of which may take the place of text from `from` on.
function Menu.new(from, candidates)
  return setmetatable({from = from, candidates = candidates, chosen = 0}, Menu)
end

--- What all candidates begin with.
function Menu.common_prefix(candidates)
  local prefix = candidates[1]
  for _, one in ipairs(candidates) do
    while one:sub(1, #prefix) ~= prefix do prefix = prefix:sub(1, -2) end
  end
  while #prefix > 0 and not utf8.len(prefix) do prefix = prefix:sub(1, -2) end
  return prefix
end

--- Chooses the next candidate, or the one before; returns it.
function Menu:step(by)
  self.chosen = (self.chosen - 1 + by) % #self.candidates + 1
  return self.candidates[self.chosen]
end

--- What of a candidate is shown: of a path the last part, of a name all.
local function label(candidate)
  return candidate:match "([^/]+/?)$" or candidate
end

--- The lines of the menu: columns that fit, the part around the chosen one, how many more there are.
function Menu:lines()
  local columns, widest = terminal.size(), 0
  for _, one in ipairs(self.candidates) do widest = math.max(widest, Screen.width_of(label(one))) end
  local per_row = math.max(1, columns // (widest + 2))
  local total = (#self.candidates + per_row - 1) // per_row
  local chosen_row = math.max(0, self.chosen - 1) // per_row
  local first = math.max(0, math.min(chosen_row - MOST_ROWS + 1, total - MOST_ROWS))
  local lines = {}
  for row = first, math.min(first + MOST_ROWS, total) - 1 do
    local cells = {}
    for i = row * per_row + 1, math.min((row + 1) * per_row, #self.candidates) do
      local text = label(self.candidates[i])
      local mark = i == self.chosen and ">" or " "
      cells[#cells + 1] = mark .. text .. (" "):rep(widest - Screen.width_of(text))
    end
    lines[#lines + 1] = {text = table.concat(cells, " "):gsub("%s+$", ""), code = "2"}
  end
  local hidden = #self.candidates - math.min(MOST_ROWS, total) * per_row
  if hidden > 0 then lines[#lines + 1] = {text = (" … and %d more"):format(hidden), code = "2"} end
  return lines
end

return Menu
