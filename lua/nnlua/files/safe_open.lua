-- safetensors files that are looked at before they are read.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local system = require "nnlua.system"

local parse = args.parser("safe_open", {{"path", "string"}, {"mmap", "boolean", true}})

--- A safetensors file whose header alone was read, as Python's safetensors has it: its names and metadata, and its
--- tensors one by one. With mmap = true, the default, their elements are pages of the file, see nl.load.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2), b = nl.zeros(3)}, {metadata = {author = "me"}})
---     > file = nl.io.safe_open(path)
---     > file:metadata().author
---     me
---     > file:get_tensor("w")
---     tensor([1., 1.])
---@class safe_open
local SafeOpen = class.new "io.safe_open"

function SafeOpen:init(...)
  local path, mmap = parse(...)
  local texts
  self._file, self._names, texts = system.open_tensors(system.open_source(path, mmap))
  self._path, self._places, self._metadata = path, {}, {}
  for i, name in ipairs(self._names) do self._places[name] = i end
  for i = 1, #texts, 2 do self._metadata[texts[i]] = texts[i + 1] end
end

--- The names of the tensors, in the file's order.
---     > path = os.tmpname()
---     > nl.save(path, {w = nl.ones(2)})
---     > nl.io.safe_open(path):keys()[1]
---     w
---@return string[]
function SafeOpen:keys()
  return table.move(self._names, 1, #self._names, 1, {})
end

--- The texts of the metadata, by their names.
---@return table<string, string>
function SafeOpen:metadata()
  local copy = {}
  for name, text in pairs(self._metadata) do copy[name] = text end
  return copy
end

--- One tensor; only its elements are read.
---@param name string
---@return Tensor
function SafeOpen:get_tensor(name)
  local place = self._places[name]
  if not place then
    core.raise(("safe_open: %s: there is no tensor '%s'"):format(self._path, tostring(name)))
  end
  return system.read_tensor(self._file, place)
end

return SafeOpen
