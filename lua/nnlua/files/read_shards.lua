-- Models in several files, of safetensors or PyTorch's: the index says which file of its folder has which tensor.

local core = require "nnlua.nn.core"
local read_torch = require "nnlua.files.read_torch"
local state = require "nnlua.nn.state_dict"
local system = require "nnlua.system"

local raise = core.raise

--- The names of the files that an index lists, in order, and which file each tensor is in.
local function read_index(source, name)
  local index, problem, byte = system.read_json(system.source_text(source))
  if index == nil then
    raise(("load: %s: byte %d: %s"):format(name, byte, problem))
  end
  local map = type(index) == "table" and index.weight_map
  if type(map) ~= "table" then
    raise(("load: %s: it is JSON, but no index of a model's files: it has no object 'weight_map'"):format(name))
  end
  local seen, files = {}, {}
  for tensor, file in pairs(map) do
    local is_name = type(file) == "string" and file ~= "" and not file:find "[/\\%z]" and not file:find "^%.%.?$"
    if type(tensor) ~= "string" or not is_name then
      raise(("load: %s: tensor '%s': weight_map gives names to names of files in the index's folder"):format(
        name, tostring(tensor)))
    end
    if not seen[file] then table.insert(files, file) end
    seen[file] = true
  end
  table.sort(files)
  return files, map
end

--- Adds those tensors of a file to a dict that the index has there.
local function add_file(dict, path, options, is_wanted)
  local source = system.open_source(path, options.mmap)
  if system.source_text(source, 0, 2) == "PK" then
    local part = read_torch(source, {name = path, place = options.place})
    for name, t in pairs(type(part) == "table" and part or {}) do
      if is_wanted(name) and core.is_tensor(t) then dict[name] = t end
    end
    return
  end
  local file, names = system.open_tensors(source)
  for i, name in ipairs(names) do
    if is_wanted(name) then dict[name] = options.place(system.read_tensor(file, i)) end
  end
end

--- Reads the tensors of all files of an index into one state dict.
return function(source, options)
  local files, map = read_index(source, options.name)
  if not options.path then
    raise "load: an index stands beside the files that it names: give its path, not a buffer"
  end
  local folder, dict = options.path:match "^(.*/)[^/]*$" or "", state.StateDict.new()
  for _, name in ipairs(files) do
    add_file(dict, folder .. name, options, function(tensor) return map[tensor] == name end)
  end
  for tensor, name in pairs(map) do
    if not dict[tensor] then
      raise(("load: %s: tensor '%s' is not in %s, where the index says that it is"):format(options.name, tensor, name))
    end
  end
  return dict
end
