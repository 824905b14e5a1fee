-- Entries of the help as text.

local system = require "nnlua.system"
local terminal_text = require "nnlua.utils.terminal_text"

local text = {}

local MOST_COLUMNS = 100 -- longer lines are hard to read

--- The columns of a line: as many as the terminal has, 80 elsewhere.
local function columns()
  return math.min(system.terminal_width(1), MOST_COLUMNS)
end

local function length(line)
  return utf8.len(line) or #line
end

--- A paragraph in lines that fit, behind an indent that may be a text; those after the first may have another one.
local function wrapped(paragraph, indent, further)
  local lines, line, is_empty = {}, indent, true
  for word in paragraph:gmatch "%S+" do
    if not is_empty and length(line) + 1 + length(word) > columns() then
      lines[#lines + 1] = line
      line, is_empty = further or indent, true
    end
    line, is_empty = line .. (is_empty and "" or " ") .. word, false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- A line that fits: where it is too long, its beginning.
function text.cut(line)
  return terminal_text.cut(line, columns())
end

--- The parts of a description: paragraphs, lines of shapes, examples as they stand.
function text.parts(description)
  local parts = {paragraphs = {}, shapes = {}, examples = {}}
  local paragraph, list -- the place of the text that a line may go on with, and what it is in
  local function begin(in_list, line)
    table.insert(in_list, line)
    list, paragraph = in_list, #in_list
  end
  for line in (description .. "\n"):gmatch "(.-)\n" do
    local shape = line:match "^Shapes:%s*(.*)$"
    if line:find "^    " then
      table.insert(parts.examples, line:sub(5))
      paragraph = nil
    elseif shape then
      begin(parts.shapes, shape)
    elseif line == "" then
      if #parts.examples > 0 then table.insert(parts.examples, "") end
      paragraph = nil
    elseif paragraph then
      list[paragraph] = list[paragraph] .. " " .. line
    else
      begin(parts.paragraphs, line)
    end
  end
  while parts.examples[#parts.examples] == "" do table.remove(parts.examples) end
  return parts
end

--- A signature in lines, none of which breaks between an argument and its default.
local function wrapped_signature(signature)
  return (wrapped((signature:gsub(" = ", "\0=\0")), "", "    "):gsub("\0", " "))
end

local function add_overload(lines, overload)
  for _, signature in ipairs(overload.signatures) do lines[#lines + 1] = wrapped_signature(signature) end
  local parts = text.parts(overload.text)
  for _, paragraph in ipairs(parts.paragraphs) do lines[#lines + 1] = wrapped(paragraph, "  ") end
  for i, shape in ipairs(parts.shapes) do lines[#lines + 1] = wrapped((i == 1 and "Shapes: " or "") .. shape, "  ") end
  if #parts.examples > 0 then lines[#lines + 1] = "" end
  for _, line in ipairs(parts.examples) do lines[#lines + 1] = line == "" and "" or "    " .. line end
end

--- An argument in a line: its name, type and meaning.
local function argument_line(one)
  local name, meaning, kind = table.unpack(one, 1, 3)
  return name .. (kind and " (" .. kind .. ")" or "") .. (meaning and ": " .. meaning or "")
end

--- An entry as help prints it. `arguments` is a list of their names, meanings and types.
function text.entry(entry, arguments)
  local lines = {}
  for i, overload in ipairs(entry.overloads) do
    if i > 1 then lines[#lines + 1] = "" end
    add_overload(lines, overload)
  end
  local fields = entry.doc and entry.doc.fields or {}
  if #arguments + #fields > 0 then lines[#lines + 1] = "" end
  for _, one in ipairs(arguments) do lines[#lines + 1] = wrapped(argument_line(one), "  ", "    ") end
  for _, one in ipairs(fields) do
    lines[#lines + 1] = wrapped((".%s: %s %s"):format(one.name:gsub("%?$", ""), one.kind, one.text or ""), "  ", "    ")
  end
  if entry.aliases and #entry.aliases > 0 then
    lines[#lines + 1] = wrapped("Also: " .. table.concat(entry.aliases, ", "), "  ")
  end
  if entry.methods and #entry.methods > 0 then
    lines[#lines + 1] = wrapped("Methods: " .. table.concat(entry.methods, ", "), "  ")
  end
  if entry.shown_by then lines[#lines + 1] = wrapped("Example: that of " .. entry.shown_by, "  ") end
  return table.concat(lines, "\n")
end

text.wrapped = wrapped

return text
