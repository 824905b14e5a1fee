-- Arguments of constructors and functions written in Lua: positional ones in order, named ones in a last table.

local core = require "nnlua.nn.core"

--- `specs`: what each parser was made from, by its name, for help. Of a class the first is its constructor's, which
--- stands above its methods. `by_parser` has the same by the parser itself.
local args = {specs = {}, by_parser = setmetatable({}, {__mode = "k"})}

local raise, none = core.raise, core.none

-- ------------------------------------------------------------------ types

--- Whether a value can be called.
local function is_callable(value)
  if type(value) == "function" or core.is_module(value) or core.is_class(value) then return true end
  local meta = getmetatable(value)
  return type(meta) == "table" and meta.__call ~= nil
end

--- A number as an integer, if it is whole: Lua's `/` gives floats, so 4/2 is as good as 2. Else nil.
---@param value any
---@return integer?
function args.whole(value)
  return type(value) == "number" and math.tointeger(value) or nil
end

local tests = {
  any = function() return true end,
  boolean = function(v) return type(v) == "boolean" end,
  number = function(v) return type(v) == "number" end,
  string = function(v) return type(v) == "string" end,
  table = function(v) return type(v) == "table" end,
  list = function(v) return type(v) == "table" and getmetatable(v) == nil and (#v > 0 or next(v) == nil) end,
  ["function"] = is_callable,
  integer = function(v) return args.whole(v) ~= nil end,
  rate = function(v) return type(v) == "number" or core.is_tensor(v) and v:numel() == 1 end,
  tensor = core.is_tensor,
  numeric = function(v) return type(v) == "number" or core.is_tensor(v) end,
  module = core.is_module,
}

local articles = {integer = "an integer", any = "a value", rate = "a number", numeric = "a number or a tensor"}

--- What an argument of a type is called in errors.
local function noun(kind)
  return articles[kind] or "a " .. kind
end

--- Checks one value; a whole float becomes an integer where one is wanted.
local function checked(name, parameter, value)
  if not tests[parameter.kind](value) then
    raise(("%s: %s must be %s, not %s"):format(name, parameter.name, noun(parameter.kind), core.describe(value)))
  end
  return parameter.kind == "integer" and math.tointeger(value) or value
end

-- ------------------------------------------------------------------ named

--- Whether a value is a table of named arguments; one with both parts is an error.
local function is_named(name, value)
  if type(value) ~= "table" or next(value) == nil or getmetatable(value) then
    return false
  end
  local strings, others = 0, 0
  for key in next, value do
    if type(key) == "string" then strings = strings + 1 else others = others + 1 end
  end
  if strings > 0 and others > 0 then
    raise(("%s: one table has positional and named values: write %s(a, b, {name = value})"):format(name, name))
  end
  return strings > 0
end

local function names_of(parameters)
  local names = {}
  for i, parameter in ipairs(parameters) do
    names[i] = parameter.name
  end
  return names
end

local function known_names(names)
  return #names > 0 and table.concat(names, ", ") or "none"
end

--- Raises for a named argument that a function doesn't have. `names` are those that it has.
function args.refuse(name, key, names)
  local set = {}
  for _, known in ipairs(names) do set[known] = true end
  local nearest = require "nnlua.prompt.similar".nearest(tostring(key), set)
  raise(("%s: no argument is called '%s'; %sthere are: %s"):format(
    name, tostring(key), nearest and ("did you mean '%s'? "):format(nearest) or "", known_names(names)))
end

--- Raises for a name in a table of options that is none of `names`.
function args.check_names(name, options, names)
  local known = {}
  for _, one in ipairs(names) do known[one] = true end
  for key in next, options do
    if not known[key] then args.refuse(name, key, names) end
  end
end

--- The value of a function's one option, which may come as it is or in a table: `f(true)`, `f({option = true})`.
function args.only(name, option, value)
  if type(value) ~= "table" then return value end
  args.check_names(name, value, {option})
  return value[option]
end

local function take_named(name, parameters, values, named, positional)
  for key, value in next, named do
    local i = parameters[key]
    if not i then
      args.refuse(name, key, names_of(parameters))
    elseif i <= positional and values[i] ~= nil then
      raise(("%s: %s is given twice, by position and by name"):format(name, key))
    end
    values[i] = value
  end
end

-- ---------------------------------------------------------------- parsers

local function parse_spec(spec)
  local parameters = {}
  for i, entry in ipairs(spec) do
    local kind, optional = entry[2]:match "^(%a+)(%??)$"
    parameters[i] = {
      name = entry[1], kind = kind, default = entry[3],
      required = optional == "" and entry[3] == nil, takes_none = optional == "?" or kind == "boolean",
    }
    parameters[entry[1]] = i
  end
  return parameters
end

local function fill(name, parameters, values)
  for i, parameter in ipairs(parameters) do
    local value = values[i]
    if value == none then
      if not parameter.takes_none then
        raise(("%s: %s must be %s, not nl.none"):format(name, parameter.name, noun(parameter.kind)))
      end
      values[i] = nil
    elseif value ~= nil then
      values[i] = checked(name, parameter, value)
    elseif parameter.required then
      raise(("%s: %s is missing"):format(name, parameter.name))
    else
      values[i] = parameter.default
    end
  end
end

--- A function that gives the arguments of a call in order, checked, defaults filled in.
--- An entry of the spec is `{name, type, default}`; a type ending in "?" may be left out without a default. Only
--- there, and for a boolean, nl.none is taken, which gives nil.
---@param name string what the function is called in errors
---@param spec table[]
---@return fun(...): ...
function args.parser(name, spec)
  args.specs[name] = args.specs[name] or spec
  local parameters = parse_spec(spec)
  local most = #parameters
  local function parse(...)
    local n = select("#", ...)
    local values = {...}
    local positional = n
    local last = parameters[n]
    if n > 0 and not (last and last.kind == "table") and is_named(name, values[n]) then
      local named = values[n]
      values[n] = nil
      positional = n - 1
      take_named(name, parameters, values, named, positional)
    end
    for i = most + 1, positional do
      if values[i] ~= nil then
        raise(("%s: at most %d arguments are taken (%s), got %d"):format(
          name, most, known_names(names_of(parameters)), positional))
      end
    end
    fill(name, parameters, values)
    return table.unpack(values, 1, most)
  end
  args.by_parser[parse] = spec
  return parse
end

--- Takes a trailing table of named options off a list of values: `list, options`.
--- For functions that take any number of values; the list has `n`.
---@param name string
---@param known table<string, any> names to defaults
function args.options(name, known, ...)
  local values = table.pack(...)
  local options = {}
  for key, default in next, known do
    options[key] = default
  end
  if values.n > 0 and is_named(name, values[values.n]) then
    for key, value in next, values[values.n] do
      if known[key] == nil then
        local names = {}
        for one in next, known do names[#names + 1] = one end
        table.sort(names)
        args.refuse(name, key, names)
      end
      options[key] = value
    end
    values[values.n] = nil
    values.n = values.n - 1
  end
  return values, options
end

args.is_named, args.is_callable = is_named, is_callable

--- Raises unless a number of layers to make is from `least` to 65536: each takes memory.
function args.check_layers(name, what, count, least)
  if count < least or count > 1 << 16 then
    raise(("%s: %s must be from %d to %d, not %d"):format(name, what, least, 1 << 16, count))
  end
end

return args
