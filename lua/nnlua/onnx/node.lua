-- A node of a graph, as the operators see it: values that it takes, and attributes.

local class = require "nnlua.class"
local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

--- What an operator's entry gets besides the builder and the values of its inputs: `name`, `op`, `version` (of the
--- operator set of its domain), `inputs` (a list with holes, of n), `noutputs`, `wanted` (whether the i-th output has
--- a name), and the attributes by the methods below, which give nil, or what is given as default, where there is none.
local Node = class.new "OnnxNode"

function Node:init(fields)
  for key, value in pairs(fields) do self[key] = value end
end

--- Raises an error that names the node.
function Node:fail(format, ...)
  local name = self.name ~= "" and ("node '%s' (%s)"):format(self.name, self.op) or "a node " .. self.op
  raise(("onnx.load: %s: %s: "):format(self.file.name, name) .. format:format(...))
end

--- What a field of an attribute has, the last of a list.
local function field(node, name, key)
  local fields = node.attributes[name]
  return fields and fields[key] and fields[key][#fields[key]]
end

local function either(value, default)
  if value == nil then return default end
  return value
end

--- A number of an attribute; one that stands alone where it should be a list is taken as such by `ints`.
function Node:int(name, default) return either(field(self, name, "i"), default) end
function Node:float(name, default) return either(field(self, name, "f"), default) end
function Node:text(name, default) return either(field(self, name, "s"), default) end
function Node:flag(name, default)
  local i = field(self, name, "i")
  if i == nil then return default or false end
  return i ~= 0
end

--- Whether the node has an attribute.
function Node:has(name) return self.attributes[name] ~= nil end

local function list(node, name, key)
  local fields = node.attributes[name]
  return fields and (fields[key] or {})
end
function Node:ints(name) return list(self, name, "ints") end
function Node:floats(name) return list(self, name, "floats") end
function Node:texts(name) return list(self, name, "strings") end

--- A tensor of an attribute, or nil.
function Node:tensor(name)
  local fields = self.attributes[name]
  if fields and fields.t then return (self.file:one_tensor(fields.t)) end
  if fields and fields.sparse_tensor then
    local place = fields.sparse_tensor
    return (self.file:sparse(place[#place - 1], place[#place]))
  end
end

--- The message of a graph of an attribute.
function Node:graph(name)
  local fields = self.attributes[name]
  if not fields or not fields.g then self:fail("it has no graph '%s'", name) end
  return self.file:one("graph", fields.g)
end

--- Our dtype for an attribute that is the number of a data type; nil where there is no such attribute.
function Node:dtype(name)
  local number = self:int(name)
  if not number or number == 0 then return nil end
  local type_name, dtype = system.wire_type(number)
  if not dtype then self:fail("elements of type %s are not taken", type_name or number) end
  return dtype
end

--- Raises if an input that the operator can't do without is absent.
function Node:want(count)
  for i = 1, count do
    if not self.inputs[i] then self:fail("its input %d is absent", i) end
  end
end

return Node
