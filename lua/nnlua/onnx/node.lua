-- A node of a graph, as the operators see it: values that it takes, and attributes.

local system = require "nnlua.system"

local raise = require "nnlua.nn.core".raise

--- What an operator's entry gets besides the builder and the values of its inputs: the fields of its NodeProto, which
--- has become the node (`name`, `op_type`, `domain`; `input` and `output`, names), `version` (of the operator set of
--- its domain), `inputs` (values, a list with holes, of n), and the attributes by the methods below, which give nil, or
--- what is given as default, where there is none.
local Node = {}
Node.__index = Node

local nothing <const> = {} -- is read only

--- How many fields a NodeProto gets when it becomes a node.
Node.room = 9

--- The attributes of a NodeProto by name; those that refer to one of the function they stand in are that.
local function attributes_of(fields, scope)
  if not fields.attribute then return nothing end
  local attributes, given = {}, scope.attributes
  for attribute in scope.file:each("attribute", fields.attribute) do
    local name, refers = attribute.name or "", attribute.ref_attr_name
    if refers and refers ~= "" then
      attributes[name] = given and given[refers]
    else
      attributes[name] = attribute
    end
  end
  return attributes
end

--- Makes the message of a NodeProto a node of a scope, without values yet.
function Node.of(fields, scope)
  local input, output, domain = fields.input or nothing, fields.output or nothing, fields.domain or ""
  if domain == "ai.onnx" then domain = "" end
  if not fields.name or fields.name == "" then fields.name = output[1] or "" end -- for messages
  fields.op_type, fields.domain, fields.input, fields.output = fields.op_type or "", domain, input, output
  fields.scope, fields.file, fields.version = scope, scope.file, scope.opsets[domain] or 1
  fields.attributes, fields.n, fields.inputs = attributes_of(fields, scope), #input, {}
  return setmetatable(fields, Node)
end

--- Whether the i-th output has a name.
function Node:wants(i)
  return (self.output[i] or "") ~= ""
end

--- The number of the data type of the i-th input, nil if it isn't known.
function Node:data_type(i)
  return self.scope.types[self.input[i]]
end

--- The name and tensor of the i-th input where that is an initializer of the outermost graph; else nil.
function Node:initializer(i)
  return self.scope.model.initializers[self.inputs[i] or false]
end

--- Raises an error that names the node.
function Node:fail(format, ...)
  local name = self.name ~= "" and ("node '%s' (%s)"):format(self.name, self.op_type) or "a node " .. self.op_type
  raise(("onnx.load: %s: %s: "):format(self.file.name, name) .. format:format(...))
end

--- What a field of an attribute has.
local function field(node, name, key)
  local fields = node.attributes[name]
  return fields and fields[key]
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
