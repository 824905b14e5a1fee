-- safetensors files that are split: the index says which file of its folder has which tensor.

local core = require "nnlua.nn.core"
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
    raise(("load: %s: it is JSON, but no index of safetensors files: it has no object 'weight_map'"):format(name))
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

--- Reads the tensors of all files of an index into one state dict.
return function(source, options)
  local files, map = read_index(source, options.name)
  if not options.path then
    raise "load: an index of safetensors files stands beside them: give its path, not a buffer"
  end
  local folder, dict = options.path:match "^(.*/)[^/]*$" or "", state.StateDict.new()
  for _, name in ipairs(files) do
    local file, names = system.open_tensors(system.open_source(folder .. name, options.mmap))
    for i, tensor in ipairs(names) do
      if map[tensor] == name then dict[tensor] = options.place(system.read_tensor(file, i)) end
    end
  end
  for tensor, name in pairs(map) do
    if not dict[tensor] then
      raise(("load: %s: tensor '%s' is not in %s, where the index says that it is"):format(options.name, tensor, name))
    end
  end
  return dict
end
