-- What is longer than the screen, a page at a time: it stays in the terminal's own memory of lines.

local _ENV = require "nnlua.prompt.environment"()

local Screen = require "nnlua.prompt.screen"
local keys = require "nnlua.prompt.keys"
local terminal = require "nnlua.terminal"

local pager = {}

local CLEAR_LINE = "\r\27[K"

local further = {[" "] = "page", f = "page", j = "line", G = "all", q = "end", Q = "end"}
local further_by_key = {enter = "line", down = "line", ["page-down"] = "page", ["end"] = "all", escape = "end",
  ["ctrl-c"] = "end", ["ctrl-d"] = "end"}

--- The rows that a line takes on the screen.
local function rows_of(line, columns)
  return math.max(1, (Screen.width_of((line:gsub("\27%[[%d;]*m", ""))) + columns - 1) // columns)
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

--- What a key asks for; any other character is for the prompt.
local function wish_of(key)
  if key.key == "character" then return further[key.text] or "prompt" end
  return further_by_key[key.key]
end

--- Asks below the text how it should go on: "page", "line", "all" or "end"; and the keys that are for the prompt.
local function ask(shown, total, colours)
  local columns, typed = terminal.size(), {}
  local text = ("-- %d of %d lines; space, Enter, G: a page, a line, all; q: no more"):format(shown, total)
  if #text >= columns then text = ("-- %d/%d: space, q"):format(shown, total) end
  local reader = keys.reader()
  terminal.write((colours and "\27[7m" .. text .. "\27[0m" or text))
  local wish
  repeat
    local bytes, why = terminal.read()
    if not bytes and why == "end" then wish = "end" end
    for _, key in ipairs(bytes and reader(bytes, true) or {}) do
      wish = wish or wish_of(key)
      if wish == "prompt" then typed[#typed + 1] = key end
    end
  until wish
  terminal.write(CLEAR_LINE)
  return wish == "prompt" and "end" or wish, typed
end

--- The line up to which a page goes that begins with a line: as many as fit above the question, one at least.
local function end_of_page(lines, first)
  local columns, rows = terminal.size()
  local last, free = first, rows - 1 - rows_of(lines[first], columns)
  while lines[last + 1] and free >= rows_of(lines[last + 1], columns) do
    last = last + 1
    free = free - rows_of(lines[last], columns)
  end
  return last
end

--- Whether a text is longer than the screen.
function pager.is_long(text)
  local lines = lines_of(text)
  return end_of_page(lines, 1) < #lines
end

local function show_pages(lines, colours)
  local shown, wish, typed = 0, "page", {}
  while shown < #lines and wish ~= "end" do
    local last = wish == "all" and #lines or wish == "line" and shown + 1 or end_of_page(lines, shown + 1)
    terminal.write(table.concat(lines, "\r\n", shown + 1, last) .. "\r\n")
    shown = last
    if shown < #lines then wish, typed = ask(shown, #lines, colours) end
  end
  return typed
end

--- Shows a text that is longer than the screen; the keys that were typed for the prompt.
function pager.show(text, colours)
  terminal.raw(true)
  local ok, typed = pcall(show_pages, lines_of(text), colours)
  terminal.raw(false)
  return ok and typed or error(typed, 0)
end

return pager
