-- How modules are printed: as PyTorch prints them.

local core = require "nnlua.nn.core"

local repr = {}

--- Indents all lines of a text but the first, and empty ones.
local function indented(text, indent)
  return (text:gsub("\n([^\n])", "\n" .. indent .. "%1"))
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function to_string(module)
  return module:_render("")
end

--- The text of a child at an indent. Deep models print: this is recursion of Lua alone, through no C function.
local function text_of(child, indent)
  if child == nil then
    return "None"
  end
  local own = child.__tostring
  if own == to_string then
    return child:_render(indent)
  end
  return indented(own(child), indent)
end

--- A module's text from its name and the lines in its parentheses, which are indented as they should be.
local function block(name, lines, indent)
  if #lines == 0 then
    return name .. "()"
  end
  local inner = "\n" .. indent .. "  "
  return name .. "(" .. inner .. table.concat(lines, inner) .. "\n" .. indent .. ")"
end

--- Adds `(key): text` lines of the children.
local function add_children(module, indent, lines)
  local attributes = core.attributes(module)
  for _, name in ipairs(core.slot_names(module, core.MODULE)) do
    lines[#lines + 1] = ("(%s): %s"):format(name, text_of(attributes[name], indent .. "  "))
  end
end

--- The text of a list: equal neighbours are one line, `(0-3): 4 x text`.
function repr.render_list(module, indent)
  local lines, last, first = {}, nil, 0
  local attributes = core.attributes(module)
  for i, name in ipairs(core.slot_names(module, core.MODULE)) do
    local text = text_of(attributes[name], indent .. "  ")
    if text == last then
      lines[#lines] = ("(%d-%d): %d x %s"):format(first, i - 1, i - first, text)
    else
      last, first = text, i - 1
      lines[#lines + 1] = ("(%s): %s"):format(name, text)
    end
  end
  return block(module:_get_name(), lines, indent)
end

function repr.install(Module)
  --- What is printed in the parentheses: "in_features=3, out_features=4". A class overrides it.
  function Module:extra_repr()
    return ""
  end

  --- The text of the module where its lines after the first start with an indent.
  function Module:_render(indent)
    local extra = self:extra_repr()
    local lines = extra ~= "" and lines_of(extra) or {}
    local only_extra = #lines == 1
    add_children(self, indent, lines)
    if only_extra and #lines == 1 then
      return self:_get_name() .. "(" .. lines[1] .. ")"
    end
    return block(self:_get_name(), lines, indent)
  end

  Module.__tostring = to_string
end

local words = {[true] = "True", [false] = "False"}

--- A value as PyTorch prints it in such texts.
function repr.value(v)
  if type(v) == "boolean" then
    return words[v]
  elseif v == nil then
    return "None"
  elseif math.type(v) == "float" then
    local text = ("%.15g"):format(v)
    text = tonumber(text) == v and text or ("%.17g"):format(v)
    return text:find "[.eni]" and text or text .. ".0"
  end
  return tostring(v)
end

return repr
