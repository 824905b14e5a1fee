-- Transforms one after the other, or some of them.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local containers = {}

local raise = core.raise

--- A base for transforms: a subclass defines `forward(picture)`, and `init`. Calling it calls that.
---     > Half = nl.transforms.ImageTransform.class "Half"
---     > function Half:forward(x) return x / 2 end
---     > Half()(nl.ones(1, 1, 1))
---     tensor([[[0.5000]]])
---@class ImageTransform
local ImageTransform = class.new "transforms.ImageTransform"

function ImageTransform:init() end

function ImageTransform:forward()
  raise(self.__name .. " has no method forward(picture), which transforms one")
end

function ImageTransform:__call(...)
  return self:forward(...)
end

--- As "Name(setting = value, …)", by the names that the class lists.
function ImageTransform:__tostring()
  local texts = {}
  for _, name in ipairs(self.shown or {}) do
    if self[name] ~= nil then texts[#texts + 1] = name .. "=" .. nl.repr(self[name]) end
  end
  return ("%s(%s)"):format(self.__name:match "[^.]+$", table.concat(texts, ", "))
end

--- A new class of transforms.
---     > nl.transforms.ImageTransform.class "Twice"
---     Twice
---@param name string
---@return table
function ImageTransform.class(name)
  return class.new(name, ImageTransform)
end

containers.ImageTransform = ImageTransform

--- What makes transforms' classes and puts them into a list: their names, and what is shown of one.
function containers.class_maker(list)
  return function(name, ...)
    local made = class.new("transforms." .. name, ImageTransform)
    made.shown = {...}
    list[name] = made
    return made
  end
end

--- Raises unless a value is a list of what can be called.
local function check_list(name, list)
  if type(list) ~= "table" or getmetatable(list) or #list == 0 then
    raise(name .. ": a list of transforms is wanted")
  end
  for i, one in ipairs(list) do
    if not args.is_callable(one) then
      raise(("%s: transform %d can't be called: it is %s"):format(name, i, core.describe(one)))
    end
  end
  return table.move(list, 1, #list, 1, {})
end

local function lines(self, first)
  local texts = {self.__name:match "[^.]+$" .. "(" .. first}
  for _, one in ipairs(self.transforms) do texts[#texts + 1] = "    " .. tostring(one):gsub("\n", "\n    ") end
  texts[#texts + 1] = ")"
  return table.concat(texts, "\n")
end

--- Transforms one after the other.
---     > T = nl.transforms
---     > T.Compose {T.CenterCrop(2), T.ToTensor()}
---     Compose(
---         CenterCrop(size={2, 2})
---         ToTensor()
---     )
---@class Compose: ImageTransform
local Compose = class.new("transforms.Compose", ImageTransform)

function Compose:init(transforms)
  self.transforms = check_list("transforms.Compose", transforms)
end

function Compose:forward(x)
  for _, one in ipairs(self.transforms) do x = one(x) end
  return x
end

function Compose:__tostring()
  return lines(self, "")
end

containers.Compose = Compose

--- A function as a transform.
---     > nl.transforms.Lambda(function(x) return -x end)(nl.ones(1))
---     tensor([-1.])
---@class Lambda: ImageTransform
local Lambda = class.new("transforms.Lambda", ImageTransform)

function Lambda:init(lambd)
  if not args.is_callable(lambd) then raise "transforms.Lambda: a function is wanted" end
  self.lambd = lambd
end

function Lambda:forward(...)
  return self.lambd(...)
end

containers.Lambda = Lambda

local parse_apply = args.parser("transforms.RandomApply", {{"transforms", "list"}, {"p", "number", 0.5}})

--- Transforms that are all done, or, with probability 1 - p, none.
---     > nl.transforms.RandomApply({function(x) return -x end}, 1)(nl.ones(1))
---     tensor([-1.])
---@class RandomApply: ImageTransform
local RandomApply = class.new("transforms.RandomApply", ImageTransform)

function RandomApply:init(...)
  local transforms, p = parse_apply(...)
  self.transforms, self.p = check_list("transforms.RandomApply", transforms), p
end

function RandomApply:forward(x)
  if self.p < nl.rand(1):item() then return x end
  for _, one in ipairs(self.transforms) do x = one(x) end
  return x
end

function RandomApply:__tostring()
  return lines(self, "p=" .. nl.repr(self.p))
end

containers.RandomApply = RandomApply

local parse_choice = args.parser("transforms.RandomChoice", {{"transforms", "list"}, {"p", "list?"}})

--- One of several transforms, drawn by their weights p (all alike).
---     > nl.transforms.RandomChoice({function(x) return -x end, function(x) return x end}, {1, 0})(nl.ones(1))
---     tensor([-1.])
---@class RandomChoice: ImageTransform
local RandomChoice = class.new("transforms.RandomChoice", ImageTransform)

function RandomChoice:init(...)
  local transforms, p = parse_choice(...)
  self.transforms = check_list("transforms.RandomChoice", transforms)
  if p and #p ~= #self.transforms then
    raise(("transforms.RandomChoice: p has %d numbers for %d transforms"):format(#p, #self.transforms))
  end
  local weights, total = {}, 0
  for i = 1, #self.transforms do
    weights[i] = p and p[i] or 1
    if type(weights[i]) ~= "number" or weights[i] < 0 then
      raise "transforms.RandomChoice: p must be numbers from 0 on"
    end
    total = total + weights[i]
  end
  if total <= 0 then raise "transforms.RandomChoice: p must have a number above 0" end
  for i, weight in ipairs(weights) do weights[i] = weight / total end
  self.p = weights
end

function RandomChoice:forward(x)
  return self.transforms[nl.multinomial(nl.tensor(self.p), 1):item()](x)
end

function RandomChoice:__tostring()
  return lines(self, "")
end

containers.RandomChoice = RandomChoice

--- Transforms one after the other, in an order that is drawn.
---     > nl.transforms.RandomOrder({function(x) return x + 1 end, function(x) return x + 2 end})(nl.ones(1))
---     tensor([4.])
---@class RandomOrder: ImageTransform
local RandomOrder = class.new("transforms.RandomOrder", ImageTransform)

function RandomOrder:init(transforms)
  self.transforms = check_list("transforms.RandomOrder", transforms)
end

function RandomOrder:forward(x)
  for _, i in ipairs(nl.randperm(#self.transforms):tolist()) do x = self.transforms[i](x) end
  return x
end

function RandomOrder:__tostring()
  return lines(self, "")
end

containers.RandomOrder = RandomOrder

return containers
