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

local function fail(...)
  io.stderr:write("nnlua build: ", string.format(...), "\n")
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

--- Calls found(name) for each name that stands in a text behind `require`.
local function each_required(text, found)
  for _, name in text:gmatch "%f[%w_]require%s*%(?%s*([\"'])([^\"'\n]+)%1" do found(name) end
  for name in text:gmatch "%f[%w_]require%s*%(?%s*%[%[([^%]\n]+)%]%]" do found(name) end
end

local modules, order, missing = {}, {}, {}

local function add_module(name, wanted_by)
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
  each_required(modules[name], function(next_name) add_module(next_name, path) end)
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

return function(words)
  local options = parser:parse_args(words)
  local script = options.script
  local folder = (script:match "^(.*/)[^/]*$" or ""):gsub("^%./", "")
  local output = options.output or script:match "([^/]*)%.lua$" or fail("give the program's name with -o")
  package.path = ("%s?.lua;%s?/init.lua;%s"):format(folder, folder, package.path)
  local text = read(script)
  each_required(text, function(name) add_module(name, script) end)
  for _, name in ipairs(options.module or {}) do add_module(name, "--module") end
  local members = {{"main.lua", text}}
  for _, name in ipairs(order) do members[#members + 1] = {("modules/%s.lua"):format(name), modules[name]} end
  for _, given in ipairs(options.files) do
    each_file(given, function(path) members[#members + 1] = {"files/" .. inside(path, folder), false, path} end)
  end
  local written, problem = pcall(app.write, output, members)
  if not written then fail("%s", problem) end
  for name, wanted_by in pairs(missing) do
    io.stderr:write(("nnlua build: %s requires '%s', which isn't here: it is left out\n"):format(wanted_by, name))
  end
  print(("%s: %d modules, %d files"):format(output, #order, #members - 1 - #order))
end
