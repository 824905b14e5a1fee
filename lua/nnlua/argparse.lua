-- nl.argparse: the options of a script, after Python's argparse.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local texts = require "nnlua.argparse.texts"

local format, raise = core.format, core.raise

local argparse = {}

-- ------------------------------------------------------------------ namespace

-- What parse_args gives: a table of the values by name, which print shows.
local Namespace = {__name = "nnlua.Namespace"}

function Namespace:__tostring()
  local repr, names, parts = require "nnlua.repr", {}, {}
  for name in pairs(self) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = ("%s=%s"):format(name, repr(self[name])) end
  return "Namespace(" .. table.concat(parts, ", ") .. ")"
end

-- ---------------------------------------------------------------------- types

local booleans = {["true"] = true, yes = true, ["1"] = true, ["false"] = false, no = false, ["0"] = false}
local infinite = {inf = math.huge, ["-inf"] = -math.huge, nan = 0.0 / 0.0}

-- What a text stands for, or nil.
local types = {
  string = function(text) return text end,
  integer = function(text) return text:find "^[+-]?%d+$" and math.tointeger(core.number(text)) or nil end,
  number = function(text)
    local value = not text:find "[xX]" and core.number(text)
    return value and value + 0.0 or infinite[text:lower()]
  end,
  boolean = function(text) return booleans[text:lower()] end,
}

--- The value of a text by a type, which is a name or a function; or nil and why there is none.
local function converted(kind, text)
  if type(kind) == "string" then
    local value = types[kind](text)
    if value == nil then return nil, ("invalid %s value: '%s'"):format(kind, text) end
    return value
  end
  local ok, value, why = pcall(kind, text)
  if ok and value ~= nil then return value end
  why = ok and why or value
  return nil, type(why) == "string" and why:gsub("^[^\n]-:%d+: ", "") or ("invalid value: '%s'"):format(text)
end

-- ------------------------------------------------------------------ arguments

-- An argument: dest (the field of the result), flags (none: it is positional), kind (of values), nargs (how many: nil
-- is one that stands alone, 0 none, a number, "?", "*", "+"), and what add_argument was given.

local parse_settings = args.parser("add_argument", {
  {"action", "string?"}, {"nargs", "any?"}, {"const", "any?"}, {"default", "any?"}, {"type", "any?"},
  {"choices", "list?"}, {"required", "boolean?"}, {"help", "string?"}, {"metavar", "string?"}, {"dest", "string?"},
})

-- How the value changes when the option is seen: store(values, dest, value, argument).
local function store(values, dest, value) values[dest] = value end

local actions = {
  store = store,
  store_true = function(values, dest) values[dest] = true end,
  store_false = function(values, dest) values[dest] = false end,
  store_const = function(values, dest, _, argument) values[dest] = argument.const end,
  boolean = function(values, dest, _, _, flag) values[dest] = not flag:find "^%-%-no%-" end,
  count = function(values, dest) values[dest] = (values[dest] or 0) + 1 end,
  append = function(values, dest, value)
    values[dest] = table.move(values[dest] or {}, 1, #(values[dest] or {}), 1, {}) -- a default stays as it is
    table.insert(values[dest], value)
  end,
}
local takes_values = {store = true, append = true}

local function list_of_names(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local function check_names(names)
  if #names == 0 then
    raise "add_argument: a name is missing: \"--lr\", or \"file\" for one that is told by its place"
  end
  for _, name in ipairs(names) do
    if type(name) ~= "string" or not name:find "^%-*[%w_]" or name:find "[%s=]" then
      raise(("add_argument: a name such as \"--lr\" or \"file\" was expected, not %s"):format(
        type(name) == "string" and ("'%s'"):format(name) or core.describe(name)))
    elseif #names > 1 and not name:find "^%-" then
      raise(("add_argument: '%s' is told by its place, so it has no other name"):format(name))
    end
  end
end

--- The field of the result: of the first long name, or else of the first.
local function dest_of(names)
  local chosen = names[1]
  for _, name in ipairs(names) do
    if name:find "^%-%-" then
      chosen = name
      break
    end
  end
  return (chosen:gsub("^%-+", ""):gsub("%-", "_"))
end

local function check_kind(kind)
  if kind ~= nil and not types[kind] and type(kind) ~= "function" then
    raise(("add_argument: type is a function of a text or one of %s, not %s"):format(list_of_names(types),
      type(kind) == "string" and "'" .. kind .. "'" or core.describe(kind)))
  end
end

local function check_nargs(nargs, action)
  if nargs ~= nil and not takes_values[action] then
    raise(("add_argument: nothing follows an option of action '%s': leave nargs out"):format(action))
  elseif nargs ~= nil and nargs ~= "?" and nargs ~= "*" and nargs ~= "+" and
      (math.type(nargs) ~= "integer" or nargs < 1) then
    raise("add_argument: nargs is a number from 1 on, \"?\", \"*\" or \"+\", not " .. format("%s", nargs))
  end
end

--- The type that a default stands for; texts where there is none.
local function kind_of_default(default)
  if type(default) == "table" then default = default[1] end
  local kind = math.type(default) == "integer" and "integer" or type(default)
  return types[kind] and kind or "string"
end

local function new_argument(names, settings)
  local action, nargs, const, default, kind, choices, required, help, metavar, dest = parse_settings(settings)
  local is_flag = names[1]:find "^%-" ~= nil
  if not action then
    action = is_flag and type(default) == "boolean" and kind == nil and nargs == nil and "boolean" or "store"
  elseif not actions[action] then
    raise(("add_argument: there is no action '%s'; there are: %s"):format(action, list_of_names(actions)))
  elseif not is_flag and action ~= "store" then
    raise(("add_argument: '%s' is told by its place: action '%s' is for options"):format(names[1], action))
  end
  check_kind(kind)
  check_nargs(nargs, action)
  if default == nil and action == "store_true" then default = false end
  if default == nil and action == "store_false" then default = true end
  if required ~= nil and not is_flag then
    raise(("add_argument: '%s' is told by its place: nargs = \"?\" or \"*\" says that it may be left out, not required")
      :format(names[1]))
  end
  if required == nil then required = not is_flag and nargs ~= "?" and nargs ~= "*" end
  return {
    dest = dest or dest_of(names), flags = is_flag and names or nil, action = action, const = const,
    nargs = takes_values[action] and nargs or not takes_values[action] and 0 or nil, default = default,
    kind = kind or kind_of_default(default), choices = choices, required = required, help = help, metavar = metavar,
  }
end

--- What an argument is called in messages.
local function title(argument)
  return argument.flags and table.concat(argument.flags, "/") or argument.metavar or argument.dest
end

-- --------------------------------------------------------------------- parser

--- The options of a script: `parser:add_argument` names them, `parser:parse_args()` reads the command line.
--- prog is the script's name in messages, description and epilog stand in the help around the options, usage in place
--- of the first line. -h and --help are there unless add_help is false. A command line that doesn't fit ends the script
--- with status 2, a usage line and what was perhaps meant; `parser:error(message)` does that, and may be replaced.
---     > parser = nl.argparse.ArgumentParser {description = "Trains a net."}
---     > parser:add_argument("--lr", {default = 0.1, help = "learning rate"})
---     > parser:add_argument("--net", {choices = {"mlp", "cnn"}, default = "mlp"})
---     > parser:add_argument("--losses", {action = "store_true", help = "print the loss of each step"})
---     > options = parser:parse_args({"--lr", "0.01", "--losses"}) -- without a list those of the command line
---     > options.lr, options.net, options.losses
---     0.01	mlp	true
---@class ArgumentParser
local ArgumentParser = class.new("argparse.ArgumentParser")
argparse.ArgumentParser = ArgumentParser

local function check_self(self, method) class.check_self(self, ArgumentParser, method) end

local parse_new = args.parser(ArgumentParser.__name, {
  {"prog", "string?"}, {"usage", "string?"}, {"description", "string?"}, {"epilog", "string?"},
  {"add_help", "boolean", true},
})

local function script_name()
  local name = type(arg) == "table" and type(arg[0]) == "string" and arg[0]:match "[^/]+$"
  return name or "script"
end

function ArgumentParser:init(...)
  local prog, usage, description, epilog, add_help = parse_new(...)
  self.prog, self.usage, self.description, self.epilog = prog or script_name(), usage, description, epilog
  self._options, self._positionals, self._by_flag, self._defaults = {}, {}, {}, {}
  if add_help then
    local help = {dest = "help", flags = {"-h", "--help"}, action = "help", nargs = 0,
      help = "show this help message and exit"}
    self._options[1], self._by_flag["-h"], self._by_flag["--help"] = help, help, help
  end
end

--- Adds an option by its names ("--lr", or "-l", "--lr"), or by a name without dashes what is told by its place.
---
--- default: the value if it isn't given (nil). type: "string", "number", "integer", "boolean" or a function of the
--- text; else that of the default. A default of true or false makes a pair of switches, `--name` and `--no-name`.
--- action: "store_true", "store_false", "store_const" (of const), "count", "append" (each time to a list). nargs: how
--- many values follow, as a list (a number, "*", "+"), or perhaps one ("?", else const). choices: a list of what is
--- allowed.
--- required: whether it must be given. help, metavar: the text about it, and what stands for its value there. dest: the
--- field of the result, else its first long name with "_" for "-".
---     > parser = nl.argparse.ArgumentParser()
---     > parser:add_argument("--batch-size", {default = 64, help = "rows of a batch"})
---     > parser:add_argument("--net", {choices = {"mlp", "cnn"}, default = "mlp"})
---     > parser:add_argument("--bias", {default = true})
---     > parser:add_argument("files", {nargs = "*"})
---     > parser:parse_args {"a.csv", "--batch-size=8", "--no-bias", "b.csv"}
---     Namespace(batch_size=8, bias=false, files={"a.csv", "b.csv"}, net="mlp")
---@param ... any names, and a table of what is known of it
function ArgumentParser:add_argument(...)
  check_self(self, "add_argument")
  local names = table.pack(...)
  local settings = type(names[names.n]) == "table" and table.remove(names) or nil
  check_names(names)
  names.n = nil
  local argument = new_argument(names, settings ~= nil and next(settings) and settings or nil)
  local flags = argument.flags and texts.flags_of(argument) or {}
  for _, flag in ipairs(flags) do
    if self._by_flag[flag] then raise(("add_argument: there is an option '%s' already"):format(flag)) end
  end
  for _, flag in ipairs(flags) do self._by_flag[flag] = argument end
  table.insert(argument.flags and self._options or self._positionals, argument)
end

--- Sets defaults by the names of fields; of fields that no option has, too.
---     > parser = nl.argparse.ArgumentParser()
---     > parser:set_defaults {lr = 0.1}
---     > parser:parse_args({}).lr
---     0.1
---@param defaults table
function ArgumentParser:set_defaults(defaults)
  check_self(self, "set_defaults")
  if type(defaults) ~= "table" then
    raise("set_defaults: a table of values by name was expected, not " .. core.describe(defaults))
  end
  for name, value in pairs(defaults) do self._defaults[name] = value end
end

-- -------------------------------------------------------------------- reading

-- A run over a command line: parser, texts, i (the place), values, given (the arguments that were), places (texts told
-- by their place, with where they stood), extras (texts that nothing takes).

--- Whether a text is an option rather than a value: a negative number is a value.
local function looks_like_option(text)
  return #text > 1 and text:sub(1, 1) == "-" and not core.number(text) and not text:find "%s"
end

local function fail(argument, why)
  error({argument = argument, why = why}, 0)
end

local function check_choice(argument, value)
  if not argument.choices then return end
  local shown, set = {}, {}
  for i, choice in ipairs(argument.choices) do
    if choice == value then return end
    shown[i] = format("%s", choice)
    set[shown[i]] = true
  end
  local given = format("%s", value)
  fail(argument, ("invalid choice: '%s' (choose from %s)%s"):format(given, table.concat(shown, ", "),
    texts.perhaps(given, set)))
end

local function value_of(argument, text)
  local value, why = converted(argument.kind, text)
  if value == nil then fail(argument, why) end
  check_choice(argument, value)
  return value
end

--- The value of an argument that these texts follow.
local function value_of_all(argument, list)
  local nargs = argument.nargs
  if nargs == nil and #list == 0 then fail(argument, "expected one argument") end
  if nargs == "+" and #list == 0 then fail(argument, "expected at least one argument") end
  if math.type(nargs) == "integer" and nargs > 0 and #list < nargs then
    fail(argument, ("expected %d argument%s"):format(nargs, nargs == 1 and "" or "s"))
  end
  if nargs == 0 then return nil end
  if nargs == nil then return value_of(argument, list[1]) end
  if nargs == "?" then
    if #list == 0 then return argument.const end
    return value_of(argument, list[1])
  end
  local values = {}
  for i, text in ipairs(list) do values[i] = value_of(argument, text) end
  return values
end

--- The texts from the place on that may be values, as many as an argument takes.
local function following(run, argument)
  local nargs = argument.nargs
  local most = (nargs == nil or nargs == "?") and 1 or math.type(nargs) == "integer" and nargs or math.huge
  local list = {}
  while #list < most and run.texts[run.i] and not looks_like_option(run.texts[run.i]) do
    list[#list + 1] = run.texts[run.i]
    run.i = run.i + 1
  end
  return list
end

local function take(run, argument, flag, list)
  if argument.action == "help" then
    run.parser:print_help()
    os.exit(0, true)
  end
  local value = value_of_all(argument, list)
  actions[argument.action](run.values, argument.dest, value, argument, flag)
  run.given[argument] = true
end

--- Reads "-vb64": switches of a letter each, the last of which may have a value. False if it is none.
local function read_letters(run, text)
  local flag = text:sub(1, 2)
  local argument = run.parser._by_flag[flag]
  if not argument or text:sub(2, 2) == "-" then return false end
  local rest = text:sub(3)
  if argument.nargs ~= 0 then
    take(run, argument, flag, {(rest:gsub("^=", ""))})
    return true
  end
  take(run, argument, flag, {})
  return rest == "" or read_letters(run, "-" .. rest)
end

local function read_option(run, text)
  run.i = run.i + 1
  local by_flag = run.parser._by_flag
  if by_flag[text] then return take(run, by_flag[text], text, following(run, by_flag[text])) end
  local flag, value = text:match "^(%-[^=]*)=(.*)$"
  local argument = flag and by_flag[flag]
  if argument and argument.nargs == 0 then fail(argument, ("ignored explicit argument '%s'"):format(value)) end
  if argument then return take(run, argument, flag, {value}) end
  if not read_letters(run, text) then table.insert(run.extras, {run.i - 1, text}) end
end

local function read_texts(run)
  local only_places = false
  while run.texts[run.i] do
    local text = run.texts[run.i]
    if text == "--" and not only_places then
      only_places = true
      run.i = run.i + 1
    elseif not only_places and looks_like_option(text) then
      read_option(run, text)
    else
      table.insert(run.places, {run.i, text})
      run.i = run.i + 1
    end
  end
end

--- How many texts an argument needs at least, and takes at most.
local function least_and_most(argument)
  local nargs = argument.nargs
  if nargs == nil then return 1, 1 end
  if nargs == "?" then return 0, 1 end
  if nargs == "*" then return 0, math.huge end
  if nargs == "+" then return 1, math.huge end
  return nargs, nargs
end

--- Gives the texts told by their places to the arguments, each as many as it takes and the later ones leave.
local function give_places(run)
  local later = 0
  for _, argument in ipairs(run.parser._positionals) do later = later + least_and_most(argument) end
  local next_place = 1
  for _, argument in ipairs(run.parser._positionals) do
    local least, most = least_and_most(argument)
    later = later - least
    local left = #run.places - next_place + 1
    local n = math.min(most, math.max(left - later, math.min(least, left)))
    local list = {}
    for k = 1, n do list[k] = run.places[next_place + k - 1][2] end
    next_place = next_place + n
    if n > 0 and n >= least then take(run, argument, nil, list) end
  end
  table.move(run.places, next_place, #run.places, #run.extras + 1, run.extras)
  table.sort(run.extras, function(a, b) return a[1] < b[1] end)
end

local function each_argument(parser)
  local all = table.move(parser._options, 1, #parser._options, 1, {})
  return ipairs(table.move(parser._positionals, 1, #parser._positionals, #all + 1, all))
end

local function set_defaults(run)
  local parser, values = run.parser, run.values
  for _, argument in each_argument(parser) do
    local default = parser._defaults[argument.dest]
    if default == nil then default = argument.default end
    if default == nil and not argument.flags and argument.nargs == "*" then default = {} end
    if argument.action ~= "help" and values[argument.dest] == nil then values[argument.dest] = default end
  end
  for name, value in pairs(parser._defaults) do
    if values[name] == nil then values[name] = value end
  end
end

--- Defaults that are texts are read as those of the command line, where a type was given.
local function read_defaults(run)
  for _, argument in each_argument(run.parser) do
    local value = run.values[argument.dest]
    if type(value) == "string" and argument.action == "store" and not run.given[argument] and
        argument.kind ~= "string" then
      run.values[argument.dest] = value_of(argument, value)
    end
  end
end

local function check_required(run)
  local missing = {}
  for _, argument in each_argument(run.parser) do
    if argument.required and not run.given[argument] then missing[#missing + 1] = title(argument) end
  end
  if #missing > 0 then fail(nil, "the following arguments are required: " .. table.concat(missing, ", ")) end
end

local function read_all(run)
  set_defaults(run)
  read_texts(run)
  give_places(run)
  read_defaults(run)
  check_required(run)
end

local function command_line(list, method)
  if list == nil then list = type(arg) == "table" and arg or {} end
  if type(list) ~= "table" then
    raise(("%s: a list of texts was expected, not %s"):format(method, core.describe(list)))
  end
  local copy = {}
  for i, text in ipairs(list) do copy[i] = format("%s", text) end
  return copy
end

--- The values, and the texts that nothing takes; nothing where an `error` of the user's own has returned.
local function parsed(parser, list, method)
  check_self(parser, method)
  local run = {parser = parser, texts = command_line(list, method), i = 1, given = {}, places = {}, extras = {},
    values = setmetatable({}, Namespace)}
  local ok, problem = pcall(read_all, run)
  if not ok then
    if type(problem) ~= "table" or not problem.why then error(problem, 0) end
    local who = problem.argument and ("argument %s: "):format(title(problem.argument)) or ""
    return parser:error(who .. problem.why)
  end
  local rest = {}
  for i, extra in ipairs(run.extras) do rest[i] = extra[2] end
  return run.values, rest
end

--- As parse_args, but what no option takes is given back as a list, second, instead of being refused.
---     > parser = nl.argparse.ArgumentParser()
---     > parser:add_argument("--lr", {default = 0.1})
---     > options, rest = parser:parse_known_args {"--lr", "0.5", "--wd", "1"}
---     > options.lr, table.concat(rest, " ")
---     0.5	--wd 1
---@param list? string[]
function ArgumentParser:parse_known_args(list) return parsed(self, list, "parse_known_args") end

--- Reads the command line, or a list of texts, and gives the values by name: a table that print shows. What doesn't fit
--- ends the script.
---     > parser = nl.argparse.ArgumentParser()
---     > parser:add_argument("-n", "--steps", {default = 100})
---     > parser:parse_args({"-n", "5"}).steps, parser:parse_args({}).steps
---     5	100
---@param list? string[]
function ArgumentParser:parse_args(list)
  local values, rest = parsed(self, list, "parse_args")
  if rest and #rest > 0 then
    local perhaps = ""
    for _, text in ipairs(rest) do
      if looks_like_option(text) then
        perhaps = texts.perhaps(text:match "^[^=]+", self._by_flag)
        break
      end
    end
    return self:error("unrecognized arguments: " .. table.concat(rest, " ") .. perhaps)
  end
  return values
end

-- --------------------------------------------------------------------- output

local function output(file, method)
  if file == nil then return io.stdout end
  if io.type(file) == "file" then return file end
  raise(("%s: an open file was expected, not %s"):format(method, core.describe(file)))
end

--- The usage line as a text.
---     > parser = nl.argparse.ArgumentParser {prog = "train.lua"}
---     > parser:add_argument("--lr", {default = 0.1})
---     > print((parser:format_usage():gsub("\n", "")))
---     usage: train.lua [-h] [--lr LR]
---@return string
function ArgumentParser:format_usage()
  check_self(self, "format_usage")
  return texts.usage(self)
end

--- What --help prints, as a text.
---     > nl.argparse.ArgumentParser({prog = "train.lua", add_help = false}):format_help():match "[^\n]+"
---     usage: train.lua
---@return string
function ArgumentParser:format_help()
  check_self(self, "format_help")
  return texts.help(self)
end

--- Prints the usage line, to a file if one is given.
---     > file = io.tmpfile()
---     > nl.argparse.ArgumentParser({prog = "train.lua"}):print_usage(file)
---     > file:seek "set";
---     > file:read()
---     usage: train.lua [-h]
---@param file? file
function ArgumentParser:print_usage(file)
  check_self(self, "print_usage")
  output(file, "print_usage"):write(texts.usage(self))
end

--- Prints what --help prints, to a file if one is given.
---     > file = io.tmpfile()
---     > nl.argparse.ArgumentParser({prog = "train.lua"}):print_help(file)
---     > file:seek "set";
---     > file:read()
---     usage: train.lua [-h]
---@param file? file
function ArgumentParser:print_help(file)
  check_self(self, "print_help")
  output(file, "print_help"):write(texts.help(self))
end

--- Ends the script with status 2 after a usage line and a message on stderr.
---     > parser = nl.argparse.ArgumentParser()
---     > function parser:error(message) error(message, 0) end -- in the place of an end of the script
---     > pcall(parser.parse_args, parser, {"--lr"})
---     false	unrecognized arguments: --lr
---@param message string
function ArgumentParser:error(message)
  check_self(self, "error")
  self:print_usage(io.stderr)
  io.stderr:write(self.prog, ": error: ", message, "\n")
  os.exit(2, true)
end

return argparse
