-- The modules that require would find on package.path.

local _ENV = require "nnlua.prompt.environment"()

local module_files = {}

--- Adds the modules that a template of the path finds in a folder of it: `parent` is their names' first part, "a.b." or
--- nothing.
local function add(names, template, parent, list_folder)
  local before, after = template:match "^([^?]*)%?([^?]*)$"
  if not before then return end
  local folder = before .. parent:gsub("%.", "/")
  if folder == "" then folder = "." end
  for name, is_folder in pairs(list_folder(folder)) do
    local file = name:match "^(.+)%.lua$"
    if after == ".lua" and file and not is_folder and not file:find "[.]" then names[parent .. file] = true end
    if is_folder and after == "/init.lua" and list_folder(folder .. "/" .. name)["init.lua"] ~= nil then
      names[parent .. name] = true
    end
  end
end

--- Adds the folders that have modules in them: their names end with a dot.
local function add_folders(names, template, parent, list_folder)
  local before, after = template:match "^([^?]*)%?([^?]*)$"
  if after ~= ".lua" then return end
  local folder = before .. parent:gsub("%.", "/")
  for name, is_folder in pairs(list_folder(folder == "" and "." or folder)) do
    if is_folder and name:find "^[%w_-]+$" then
      for inner in pairs(list_folder((folder == "" and "./" or folder .. "/") .. name)) do
        if inner:find "%.lua$" then
          names[parent .. name .. "."] = true
          break
        end
      end
    end
  end
end

--- Where require looks for files of Lua: the program's own setting, not what it was when the prompt began.
function module_files.path()
  local own = package.loaded.package
  local path = type(own) == "table" and own.path
  return type(path) == "string" and path or package.path
end

--- The names of modules that begin so, and of others beside them, as a set. `list_folder` gives the names in a folder,
--- each with whether it is one itself.
function module_files.names(prefix, list_folder)
  local names, parent = {}, prefix:match "^(.*%.)[^.]*$" or ""
  for template in module_files.path():gmatch "[^;]+" do
    add(names, template, parent, list_folder)
    add_folders(names, template, parent, list_folder)
  end
  return names
end

return module_files
