-- What is longer than the screen, a page at a time: it stays in the terminal's own memory of lines. "/" looks for text.

local _ENV = require "nnlua.prompt.environment"()

local Buffer = require "nnlua.prompt.buffer"
local Screen = require "nnlua.prompt.screen"
local keys = require "nnlua.prompt.keys"
local terminal = require "nnlua.terminal"

local pager = {}

local CLEAR_LINE = "\r\27[K"
local CODES = "\27%[[%d;]*m"

local further = {[" "] = "page", f = "page", j = "line", G = "all", q = "end", Q = "end", ["/"] = "search"}
local further_after_search = {n = "next", N = "previous"}
local further_by_key = {enter = "line", down = "line", ["page-down"] = "page", ["end"] = "all", escape = "end",
  ["ctrl-c"] = "end", ["ctrl-d"] = "end"}

local function plain(line)
  return (line:gsub(CODES, ""))
end

--- The rows that a line takes on the screen.
local function rows_of(line, columns)
  return math.max(1, (Screen.width_of(plain(line)) + columns - 1) // columns)
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

--- What a key asks for; any other character is for the prompt.
local function wish_of(key, is_after_search)
  if key.key ~= "character" then return further_by_key[key.key] end
  return further[key.text] or is_after_search and further_after_search[key.text] or "prompt"
end

--- A function that gives the next key, and the list of those that have come and not been given.
local function key_source()
  local reader, queue = keys.reader(), {}
  return function()
    while #queue == 0 do
      local bytes, why = terminal.read()
      if not bytes and why == "end" then return {key = "ctrl-d"} end
      for _, key in ipairs(bytes and reader(bytes, true) or {}) do queue[#queue + 1] = key end
    end
    return table.remove(queue, 1)
  end, queue
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

-- ------------------------------------------------------------------ search

--- A text in which another one is looked for as it is written: small letters stand for large ones too.
local function folded(text, wanted)
  return wanted:find "%u" and text or text:lower()
end

--- A line in which what is looked for is shown reversed, whatever codes stand in it.
local function marked(line, wanted)
  local text, pieces = folded(plain(line), wanted), {}
  local place, at = 1, 1 -- what comes next, in the line and in the text
  local first, last = text:find(wanted, 1, true)
  while first and place <= #line do
    local code = line:match("^" .. CODES, place)
    if code then
      pieces[#pieces + 1] = code .. (at > first and "\27[7m" or "")
    else
      pieces[#pieces + 1] = (at == first and "\27[7m" or "") .. line:sub(place, place)
        .. (at == last and "\27[27m" or "")
      at = at + 1
      if at > last then first, last = text:find(wanted, at, true) end
    end
    place = place + (code and #code or 1)
  end
  return table.concat(pieces) .. line:sub(place)
end

--- The next line from one on, or back from it, that has a text; nil if there is none.
local function line_with(lines, wanted, from, step)
  for i = from, step > 0 and #lines or 1, step do
    if folded(plain(lines[i]), wanted):find(wanted, 1, true) then return i end
  end
end

--- Adds the first line of what was typed or pasted, up to a number of columns. Gives how many are taken then.
local function add_letters(letters, width, typed, columns)
  local line, at = typed:match "^[^\n]*", 1
  while at <= #line do
    local own, after = Buffer.character(line, at)
    if width + own > columns then break end
    letters[#letters + 1] = line:sub(at, after - 1)
    width, at = width + own, after
  end
  return width
end

--- Reads what is to be looked for, below the text; nil if that is given up.
local function read_wanted(next_key)
  local letters, width = {}, 0
  while true do
    terminal.write(CLEAR_LINE .. "/" .. (table.concat(letters):gsub("\t", "    ")))
    local key = next_key()
    if key.key == "enter" then return table.concat(letters) end
    if key.key == "backspace" then
      if #letters == 0 then return nil end
      width = width - Buffer.character(table.remove(letters), 1)
    elseif key.text then
      width = add_letters(letters, width, key.text, terminal.size() - 2)
    elseif further_by_key[key.key] == "end" then
      return nil
    end
  end
end

-- ------------------------------------------------------------------- pages

--- What is asked below the text.
local function question(view)
  local total, remark = #view.lines, view.remark or ("%d of %d lines"):format(view.shown, #view.lines)
  local text = ("-- %s; space, Enter, G: page, line, all; /, n, N: search; q: end"):format(remark)
  if #text < terminal.size() then return text end
  return ("-- %s: space, /, q"):format(view.remark or ("%d/%d"):format(view.shown, total))
end

--- What is wished by the next key that says so; "end" and the key itself if it is for the prompt.
local function ask(view)
  local text = question(view)
  terminal.write(view.colours and "\27[7m" .. text .. "\27[0m" or text)
  local wish, key
  repeat
    key = view.next_key()
    wish = wish_of(key, view.wanted)
  until wish
  terminal.write(CLEAR_LINE)
  if wish == "prompt" then return "end", key end
  return wish
end

--- Shows the lines from one to another.
local function show_lines(view, from, to)
  for i = from, to do
    local line = view.lines[i]
    terminal.write((view.wanted and view.colours and marked(line, view.wanted) or line) .. "\r\n")
  end
  view.first, view.shown, view.remark = from, to, nil
end

--- Goes on at the next line, or at one before, that has what is looked for.
local function look(view, wish)
  if wish == "search" then
    local wanted = read_wanted(view.next_key)
    terminal.write(CLEAR_LINE)
    if wanted and wanted ~= "" then view.wanted = wanted end
    if not (wanted and view.wanted) then return end
  end
  local step = wish == "previous" and -1 or 1
  local at = line_with(view.lines, view.wanted, view.first + step, step)
  if at then show_lines(view, at, end_of_page(view.lines, at)) else view.remark = "not found: " .. view.wanted end
end

local function show_pages(lines, colours)
  local next_key, queue = key_source()
  local view = {lines = lines, colours = colours, next_key = next_key}
  show_lines(view, 1, end_of_page(lines, 1))
  while view.shown < #lines or view.wanted do -- who looks for something may go back from the end
    local wish, typed = ask(view)
    if wish == "end" or view.shown == #lines and (wish == "page" or wish == "line" or wish == "all") then
      if typed then table.insert(queue, 1, typed) end
      return queue
    elseif wish == "page" or wish == "line" or wish == "all" then
      local from = view.shown + 1
      show_lines(view, from, wish == "all" and #lines or wish == "line" and from or end_of_page(lines, from))
    else
      look(view, wish)
    end
  end
  return queue
end

--- Shows a text that is longer than the screen; the keys that were typed for the prompt.
function pager.show(text, colours)
  terminal.raw(true)
  local ok, typed = pcall(show_pages, lines_of(text), colours)
  terminal.raw(false)
  return ok and typed or error(typed, 0)
end

return pager
