-- Classes whose instances are plain tables: optimizers, schedulers, datasets. Modules have their own kind: nn.class.

local raise = require "nnlua.nn.core".raise

local class = {}

local function construct(self_class, ...)
  local self = setmetatable({}, self_class)
  self:init(...)
  return self
end

--- A new class: calling it makes an instance and calls `init` with the arguments. Lua's events (`__len`, `__tostring`
--- and so on) are those of the parent unless the class defines its own.
---@param name string
---@param parent? table
function class.new(name, parent)
  if type(name) ~= "string" then
    raise("class: a name was expected, not a " .. type(name))
  elseif parent ~= nil and (type(parent) ~= "table" or type(rawget(parent, "__name")) ~= "string") then
    raise("class: the second argument is a class to start from, not a " .. type(parent))
  end
  local new = {}
  for key, value in pairs(parent or {}) do
    if type(key) == "string" and key:match "^__" then new[key] = value end
  end
  new.__name, new.super, new.__index = name, parent, new
  return setmetatable(new, {__index = parent, __call = construct, __tostring = function() return name end})
end

--- Whether a value is an instance of a class or of one made from it.
function class.is_a(value, wanted)
  local own = type(value) == "table" and getmetatable(value)
  while own do
    if own == wanted then return true end
    own = type(own) == "table" and rawget(own, "super")
  end
  return false
end

--- Raises unless `self` is an instance of a class, as where a method is called with a dot.
function class.check_self(self, wanted, method)
  if class.is_a(self, wanted) then return end
  raise(("%s: the first argument must be %s, not a %s: call it with a colon, as object:%s()"):format(
    method, wanted.__name, type(self), method))
end

return class
