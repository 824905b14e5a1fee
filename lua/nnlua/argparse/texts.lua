-- What nl.argparse prints: usage, help, and what was perhaps meant.

local core = require "nnlua.nn.core"
local system = require "nnlua.system"

local texts = {}

local HELP_COLUMN = 24

--- "; did you mean --epochs?" where a name of a set is near, else "".
function texts.perhaps(name, set)
  local nearest = require "nnlua.prompt.similar".nearest(name, set)
  return nearest and ("; did you mean %s?"):format(nearest) or ""
end

local function width()
  return system.is_terminal(1) and math.max(system.terminal_width(1) - 2, 40) or 78
end

--- What stands for the values of an argument: "N", "[N ...]", "{mlp,cnn}".
local function values_text(argument)
  local one = argument.metavar
  if not one and argument.choices then
    local parts = {}
    for i, choice in ipairs(argument.choices) do parts[i] = core.format("%s", choice) end
    one = "{" .. table.concat(parts, ",") .. "}"
  end
  one = one or (argument.flags and argument.dest:upper() or argument.dest)
  local nargs = argument.nargs
  if nargs == nil then return one end
  if nargs == "?" then return "[" .. one .. "]" end
  if nargs == "*" then return "[" .. one .. " ...]" end
  if nargs == "+" then return one .. " [" .. one .. " ...]" end
  return ((one .. " "):rep(nargs):gsub(" $", ""))
end

local function with_values(name, argument)
  if argument.nargs == 0 then return name end
  return name .. " " .. values_text(argument)
end

--- All names of an option; a pair of switches has both.
function texts.flags_of(argument)
  local names = {}
  for _, flag in ipairs(argument.flags) do
    names[#names + 1] = flag
    if argument.action == "boolean" and flag:find "^%-%-" then names[#names + 1] = "--no-" .. flag:sub(3) end
  end
  return names
end

--- Words in lines of a width, those after the first with an indent.
local function wrapped(words, first, indent, columns)
  local lines, line = {}, first
  for _, word in ipairs(words) do
    local is_bare = not line:find "%S$"
    if not is_bare and (utf8.len(line) or #line) + 1 + (utf8.len(word) or #word) > columns then
      lines[#lines + 1] = line
      line, is_bare = (" "):rep(indent), true
    end
    line = line .. (is_bare and "" or " ") .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function words_of(text)
  local words = {}
  for word in text:gmatch "%S+" do words[#words + 1] = word end
  return words
end

function texts.usage(parser)
  if parser.usage then return "usage: " .. parser.usage .. "\n" end
  local parts = {}
  for _, argument in ipairs(parser._options) do
    local flag = argument.action == "boolean" and table.concat(texts.flags_of(argument), " | ") or argument.flags[1]
    local text = with_values(flag, argument)
    parts[#parts + 1] = argument.required and text or "[" .. text .. "]"
  end
  for _, argument in ipairs(parser._positionals) do parts[#parts + 1] = values_text(argument) end
  local first = "usage: " .. parser.prog
  return wrapped(parts, first, math.min(#first + 1, HELP_COLUMN), width()) .. "\n"
end

--- The text about an argument, with its default.
local function about(parser, argument)
  local default = parser._defaults[argument.dest]
  if default == nil then default = argument.default end
  local is_plain = type(default) == "string" or type(default) == "number"
  local shown = is_plain and core.format("%s", default) or default ~= nil and require "nnlua.repr"(default) or "nil"
  local help = argument.help or ""
  local tells_it = help:find "default"
  help = help:gsub("%%%((%w+)%)s", {default = shown, prog = parser.prog}):gsub("%%%%", "%%")
  local is_switch = argument.nargs == 0 and argument.action ~= "boolean"
  if tells_it or default == nil or default == "" or is_switch then return help end
  return help .. (help ~= "" and " " or "") .. "(default: " .. shown .. ")"
end

local function invocation(argument)
  if not argument.flags then return argument.metavar or argument.dest end
  return with_values(table.concat(texts.flags_of(argument), ", "), argument)
end

local function add_section(lines, parser, name, arguments, column)
  if #arguments == 0 then return end
  lines[#lines + 1] = "\n" .. name .. ":"
  for _, argument in ipairs(arguments) do
    local head, text = "  " .. invocation(argument), about(parser, argument)
    if text == "" then
      lines[#lines + 1] = head
    elseif #head + 2 <= column then
      lines[#lines + 1] = wrapped(words_of(text), head .. (" "):rep(column - #head), column, width())
    else
      lines[#lines + 1] = head
      lines[#lines + 1] = wrapped(words_of(text), (" "):rep(column), column, width())
    end
  end
end

local function add_paragraphs(lines, text)
  for paragraph in ((text or "") .. "\n\n"):gmatch "(.-)\n%s*\n" do
    if paragraph:find "%S" then lines[#lines + 1] = "\n" .. wrapped(words_of(paragraph), "", 0, width()) end
  end
end

--- Where the texts about arguments begin: behind the longest that is not too long.
local function column_of(parser)
  local column = 0
  for _, list in ipairs {parser._positionals, parser._options} do
    for _, argument in ipairs(list) do column = math.max(column, #invocation(argument) + 4) end
  end
  return math.min(column, HELP_COLUMN)
end

function texts.help(parser)
  local lines, column = {(texts.usage(parser):gsub("\n$", ""))}, column_of(parser)
  add_paragraphs(lines, parser.description)
  add_section(lines, parser, "positional arguments", parser._positionals, column)
  add_section(lines, parser, "options", parser._options, column)
  add_paragraphs(lines, parser.epilog)
  return table.concat(lines, "\n") .. "\n"
end

return texts
