-- nnlua build: one executable of a script, the Lua modules that it requires, and files.
local nl = require "nnlua"
local app = require "nnlua.app"
local system = require "nnlua.system"

local parser = nl.argparse.ArgumentParser {
  prog = "nnlua build",
  description = "Makes a program of one file, which runs without nnlua and Lua: the script, the modules that it and "
    .. "they require by a name in the text, and files. The program finds those by the paths that they have here, from "
    .. "the script's folder on.",
}
parser:add_argument("script", {help = "the Lua script"})
parser:add_argument("files", {nargs = "*", help = "files and folders that go with it: weights, data, pictures"})
parser:add_argument("-o", "--output", {metavar = "PROGRAM", help = "the program to write (the script's name)"})
parser:add_argument("--module", {action = "append", metavar = "NAME",
  help = "a module that the script requires by a name that isn't in its text"})

local function warn(...)
  io.stderr:write("nnlua build: ", string.format(...), "\n")
end

local function fail(...)
  warn(...)
  os.exit(1, true)
end

local function read(path)
  local file, problem = io.open(path, "rb")
  if not file then fail("%s", problem) end
  local text = file:read "a"
  file:close()
  return text
end

-- ------------------------------------------------------------------- modules

--- A text without the lines that are comments. Those with long brackets stay: code may stand beside or between them.
local function without_comments(text)
  return (("\n" .. text):gsub("\n%s*%-%-([^\n]*)", function(rest)
    if not rest:find "[%[%]]=*[%[%]]" then return "\n" end
  end))
end

--- Calls found(name, is_begin) for each name that stands in a text behind `require`; is_begin: the name goes on, as
--- `require("lib." .. name)` has it.
local function each_required(text, found)
  text = without_comments(text)
  for bracket, _, name, dots in text:gmatch "%f[%w_]require%s*(%(?)%s*([\"'])([^\"'\n]+)%2%s*(%.?%.?)" do
    found(name, bracket .. dots == "(..")
  end
  for bracket, name, dots in text:gmatch "%f[%w_]require%s*(%(?)%s*%[%[([^%]\n]+)%]%]%s*(%.?%.?)" do
    found(name, bracket .. dots == "(..")
  end
end

local modules, order, missing = {}, {}, {}
local begins = {} -- of names that are put together

local add_module

local function add_required(text, path)
  each_required(text, function(name, is_begin)
    if not is_begin then add_module(name, path)
    elseif name:sub(1, 6) ~= "nnlua." then begins[name] = path end -- nnlua's own are all in the program
  end)
end

function add_module(name, wanted_by)
  if modules[name] or missing[name] or package.loaded[name] or package.preload[name] then return end
  local path = package.searchpath(name, package.path)
  if not path then
    local library = package.searchpath(name, package.cpath)
    if library then
      fail("%s requires '%s', a C library (%s), which can't go into the program", wanted_by, name, library)
    end
    missing[name] = wanted_by
    return
  end
  modules[name] = read(path)
  order[#order + 1] = name
  add_required(modules[name], path)
end

--- Tells what is left out.
local function warn_of_modules(given)
  for name, wanted_by in pairs(missing) do
    warn("%s requires '%s', which isn't here: it is left out", wanted_by, name)
  end
  for begin, wanted_by in pairs(begins) do
    local is_given = false
    for _, name in ipairs(given) do is_given = is_given or name:sub(1, #begin) == begin end
    if not is_given then
      warn("%s requires a module whose name begins with '%s': name it by --module", wanted_by, begin)
    end
  end
end

-- --------------------------------------------------------------------- files

-- A path as the program will ask for it: from the script's folder on.
local function inside(path, folder)
  while path:sub(1, 2) == "./" do path = path:sub(3) end
  if folder ~= "" and path:sub(1, #folder) == folder then path = path:sub(#folder + 1) end
  return path
end

--- Calls found(path) for a file, or for those in a folder, in the order of their names.
local function each_file(path, found)
  local is_folder, names = pcall(system.list_folder, "build", path)
  if not is_folder then return found(path) end
  table.sort(names)
  for _, name in ipairs(names) do each_file(path:gsub("/$", "") .. "/" .. name, found) end
end

local function count(n, what) return ("%d %s%s"):format(n, what, n == 1 and "" or "s") end

return function(words)
  local options = parser:parse_args(words)
  local script = options.script
  local folder = (script:match "^(.*/)[^/]*$" or ""):gsub("^%./", "")
  local output = options.output or script:match "([^/]*)%.lua$" or fail("give the program's name with -o")
  package.path = ("%s?.lua;%s?/init.lua;%s"):format(folder, folder, package.path)
  local text = read(script)
  add_required(text, script)
  local given = options.module or {}
  for _, name in ipairs(given) do
    add_module(name, "--module")
    if missing[name] then fail("there is no module '%s'", name) end
  end
  local members = {{"main.lua", text}}
  for _, name in ipairs(order) do members[#members + 1] = {("modules/%s.lua"):format(name), modules[name]} end
  for _, given in ipairs(options.files) do
    each_file(given, function(path) members[#members + 1] = {"files/" .. inside(path, folder), false, path} end)
  end
  local written, problem = pcall(app.write, output, members)
  if not written then fail("%s", problem) end
  warn_of_modules(given)
  print(("%s: %s, %s"):format(output, count(#order, "module"), count(#members - 1 - #order, "file")))
end
