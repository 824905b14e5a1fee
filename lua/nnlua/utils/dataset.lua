-- Datasets: anything with a length and items, counted from 1.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local iterator = require "nnlua.utils.iterator"
local nl = require "nnlua"

local dataset = {}

local format, raise = core.format, core.raise

-- ---------------------------------------------------------------- classes

--- What get returned as one item: a value, or a list of several.
local function as_item(...)
  if select("#", ...) > 1 then return {...} end
  return (...)
end

local function check_index(self, i, n)
  if not args.whole(i) or i < -n or i == 0 or i > n then
    raise(format("%s: index %s is out of range: there are %d items, counted from 1", self.__name, i, n))
  end
end

local function item_at(self, i)
  local n = #self
  i = args.whole(i) or i
  if i == n + 1 then return nil end -- ipairs ends here
  check_index(self, i, n)
  local place = i < 0 and n + 1 + i or i
  return as_item(self:get(place))
end

--- A base for datasets: a subclass defines `len()`, and `get(i)`, which returns the values of an item.
--- `dataset[i]` and `#dataset` are the same; an item of several values is a list there.
---     > Squares = nl.utils.data.class("Squares")
---     > function Squares:init(n) self.n = n end
---     > function Squares:len() return self.n end
---     > function Squares:get(i) return i, i * i end
---     > #Squares(5), Squares(5)[3][2]
---     5	9
---@class Dataset
local Dataset = class.new("utils.data.Dataset")

--- A new class of datasets: see utils.data.Dataset.
---     > Squares = nl.utils.data.class("Squares")
---     > function Squares:len() return 3 end
---     > #Squares()
---     3
function dataset.class(name, parent)
  local new = class.new(name, parent or Dataset)
  new.__index = function(self, key)
    local value = new[key]
    local i = args.whole(key)
    if value ~= nil or not i then return value end
    return item_at(self, i)
  end
  return new
end

function Dataset:init() end

function Dataset:get()
  raise(self.__name .. " has no method get(i), which gives an item")
end

function Dataset:len()
  raise(self.__name .. " has no method len(), which gives the number of items")
end

function Dataset:__len()
  return self:len()
end

--- One dataset after the other.
function Dataset.__add(a, b)
  return dataset.ConcatDataset {a, b}
end

dataset.Dataset = Dataset

--- A dataset without places: a subclass defines `iter()`, which returns what a generic `for` takes. In a loader with
--- workers each goes over a copy: `get_worker_info()` tells `iter` which one it is, for a part of its own.
---     > Squares = nl.utils.data.class("Squares", nl.utils.data.IterableDataset)
---     > function Squares:iter()
---     >>   local i = 0
---     >>   return function() i = i + 1; return i <= 4 and i * i or nil end
---     >> end
---     > for batch in nl.utils.data.DataLoader(Squares(), {batch_size = 2}) do print(batch) end
---     tensor([1, 4])
---     tensor([ 9, 16])
---@class IterableDataset: Dataset
local IterableDataset = class.new("utils.data.IterableDataset", Dataset)

function IterableDataset:iter()
  raise(self.__name .. " has no method iter(), which gives an iterator")
end

--- One dataset after the other.
function IterableDataset.__add(a, b)
  return dataset.ChainDataset {a, b}
end

dataset.IterableDataset = IterableDataset

--- Checks that a value has a length and items: a Dataset, a list or a tensor.
local function check(name, value)
  local meta = getmetatable(value)
  if type(value) == "table" and not meta and #value == 0 and next(value) ~= nil then
    raise(("%s: a table of names is no dataset: list its items, or make a class with utils.data.class and give it %s")
      :format(name, value.iter and "iter()" or "len() and get(i)"))
  end
  if core.is_tensor(value) or type(value) == "table" and (not meta or type(meta) == "table" and meta.__len) then
    return value
  end
  raise(("%s: a dataset was expected (a Dataset, a list or a tensor), not %s"):format(name, core.describe(value)))
end
dataset._check = check

--- An item for a batch: of several values none is nil, which a list could not hold.
local function whole_item(name, i, ...)
  local n = select("#", ...)
  if n <= 1 then return (...) end
  local item = {...}
  for k = 1, n do
    if item[k] == nil then raise(("%s: item %d has nil for its value %d of %d"):format(name, i, k, n)) end
  end
  return item
end
dataset._whole_item = whole_item

--- The item of any dataset at a place within it, for a batch of what is named.
function dataset._item(name, from, i)
  local item
  if class.is_a(from, Dataset) then
    item = whole_item(name, i, from:get(i))
  else
    item = from[i]
  end
  if item == nil then raise(("%s: the dataset gave nothing for item %d"):format(name, i)) end
  return item
end

--- How many items a dataset has.
function dataset._length(name, from)
  local n = #check(name, from)
  if not args.whole(n) or n < 0 then
    raise(("%s: the dataset's length must be an integer from 0 on, not %s"):format(name,
      core.describe(n)))
  end
  return args.whole(n)
end

--- The values of an item of any dataset.
local function values(from, i)
  if class.is_a(from, Dataset) then return from:get(i) end
  return from[i]
end

-- ---------------------------------------------------------------- tensors

--- Tensors whose first dimension counts items: `TensorDataset(images, labels)`.
---     > dataset = nl.utils.data.TensorDataset(nl.tensor({10, 20}), nl.tensor({1, 2}))
---     > #dataset, dataset:get(2)
---     2	tensor(20)	tensor(2)
---@class TensorDataset: Dataset
local TensorDataset = dataset.class("utils.data.TensorDataset")

function TensorDataset:init(...)
  local tensors, n = {...}, select("#", ...)
  if n == 0 then raise(self.__name .. ": there are no tensors") end
  for i = 1, n do
    local t = tensors[i]
    if not core.is_tensor(t) then
      raise(("%s: argument %d must be a tensor, not %s"):format(self.__name, i, core.describe(t)))
    elseif t.ndim == 0 then
      raise(("%s: argument %d has no dimension of items"):format(self.__name, i))
    elseif #t ~= #tensors[1] then
      raise(("%s: the tensors differ in their first dimension: shapes %s and %s"):format(
        self.__name, tensors[1].shape, t.shape))
    end
  end
  self.tensors = tensors
end

function TensorDataset:len()
  return #self.tensors[1]
end

local function entries(tensors, i, k)
  if tensors[k + 1] then return tensors[k]:select(1, i), entries(tensors, i, k + 1) end
  return tensors[k]:select(1, i)
end

function TensorDataset:get(i)
  return entries(self.tensors, i, 1)
end

--- The items at the places in a tensor as one batch, collated: a value, or a list of several.
---     > nl.utils.data.TensorDataset(nl.tensor({10, 20, 30})):gather(nl.tensor({3, 1}))
---     tensor([30, 10])
function TensorDataset:gather(places)
  local fields = {}
  for k, t in ipairs(self.tensors) do fields[k] = t:index_select(1, places) end
  return #fields > 1 and fields or fields[1]
end

dataset.TensorDataset = TensorDataset

-- ------------------------------------------------------- parts and unions

--- The items of datasets one after another: `ConcatDataset {first, second}`.
---     > #nl.utils.data.ConcatDataset {{1, 2}, {3}}
---     3
---@class ConcatDataset: Dataset
---@field cumulative_sizes integer[]
local ConcatDataset = dataset.class("utils.data.ConcatDataset")

--- A copy of a list of datasets.
local function list_of(self, datasets)
  if type(datasets) ~= "table" or getmetatable(datasets) or #datasets == 0 then
    raise(("%s: a list of datasets was expected, not %s"):format(self.__name, core.describe(datasets)))
  end
  return table.move(datasets, 1, #datasets, 1, {})
end

function ConcatDataset:init(datasets)
  self.datasets, self.cumulative_sizes = list_of(self, datasets), {}
  local total = 0
  for i, part in ipairs(self.datasets) do
    if class.is_a(part, IterableDataset) then
      raise(("%s: dataset %d is an IterableDataset: chain those with ChainDataset"):format(self.__name, i))
    end
    total = total + #check(self.__name, part)
    self.cumulative_sizes[i] = total
  end
end

function ConcatDataset:len()
  return self.cumulative_sizes[#self.cumulative_sizes]
end

--- The dataset that an item is of, and its place there.
function ConcatDataset:_part(i)
  check_index(self, i, #self)
  local sizes, low, high = self.cumulative_sizes, 1, #self.cumulative_sizes
  while low < high do
    local middle = (low + high) // 2
    if sizes[middle] >= i then high = middle else low = middle + 1 end
  end
  return check(self.__name, self.datasets[low]), i - (sizes[low - 1] or 0)
end

function ConcatDataset:get(i)
  return values(self:_part(i))
end

dataset.ConcatDataset = ConcatDataset

--- The items of IterableDatasets, one dataset after another: `ChainDataset {first, second}`, or `first + second`.
---     > Up = nl.utils.data.class("Up", nl.utils.data.IterableDataset)
---     > function Up:init(n) self.n = n end
---     > function Up:iter() local i = 0 return function() i = i + 1 if i <= self.n then return i end end end
---     > for x in nl.utils.data.ChainDataset({Up(2), Up(1)}):iter() do print(x) end
---     1
---     2
---     1
---@class ChainDataset: IterableDataset
local ChainDataset = class.new("utils.data.ChainDataset", IterableDataset)

function ChainDataset:init(datasets)
  self.datasets = list_of(self, datasets)
  self:_check()
end

--- Raises unless all parts are IterableDatasets.
function ChainDataset:_check()
  for i, part in ipairs(self.datasets) do
    if not class.is_a(part, IterableDataset) then
      raise(("%s: dataset %d must be an IterableDataset, not %s"):format(self.__name, i, core.describe(part)))
    end
  end
end

function ChainDataset:len()
  self:_check()
  local total = 0
  for _, part in ipairs(self.datasets) do total = total + #part end
  return total
end

function ChainDataset:iter()
  self:_check()
  local i, closing, step, state, control = 0, nil, nil, nil, nil
  local function close(_, err)
    local value = closing
    closing = nil
    iterator.close(value, err)
  end
  local advance
  local function pass(first, ...)
    control = first
    if first ~= nil then return first, ... end
    close()
    step = nil
    return advance()
  end
  function advance()
    if not step then
      i = i + 1
      local part = self.datasets[i]
      if part == nil then return nil end
      step, state, control, closing = iterator.start(self.__name, "dataset", part)
    end
    return pass(step(state, control))
  end
  return advance, nil, nil, setmetatable({}, {__close = close})
end

dataset.ChainDataset = ChainDataset

--- The items of several datasets side by side, as values of one: `StackDataset(images, labels)`, or with names, as a
--- table: `StackDataset {image = images, label = labels}`.
---     > nl.utils.data.StackDataset({10, 20}, {"a", "b"}):get(2)
---     20	b
---@class StackDataset: Dataset
local StackDataset = dataset.class("utils.data.StackDataset")

function StackDataset:init(...)
  local first = ...
  local is_named = select("#", ...) == 1 and args.is_named(self.__name, first)
  self.datasets = is_named and first or {...}
  self._is_named = is_named
  if next(self.datasets) == nil then raise(self.__name .. ": there are no datasets") end
  local n
  for key, part in pairs(self.datasets) do
    local length = dataset._length(self.__name, part)
    n = n or length
    if length ~= n then
      raise(format("%s: the datasets differ in length: one has %d items, dataset %s %d", self.__name, n, key, length))
    end
  end
  self._count = n
end

function StackDataset:len()
  return self._count
end

--- The item of one of the datasets at a place.
local function item_of(self, key, i)
  return dataset._item(self.__name, check(self.__name, self.datasets[key]), i)
end

--- The items of a list of datasets at a place, one after another.
local function side_by_side(self, i, k)
  if self.datasets[k + 1] == nil then return item_of(self, k, i) end
  return item_of(self, k, i), side_by_side(self, i, k + 1)
end

function StackDataset:get(i)
  if type(self.datasets) ~= "table" then
    raise(("%s: its field datasets must be a table, not %s"):format(self.__name, core.describe(self.datasets)))
  elseif not self._is_named then
    return side_by_side(self, i, 1)
  end
  local item = {}
  for key in pairs(self.datasets) do item[key] = item_of(self, key, i) end
  return item
end

dataset.StackDataset = StackDataset

--- Some items of a dataset, by a list or tensor of their places: `Subset(dataset, {3, 1, 4})`.
---     > nl.utils.data.Subset({10, 20, 30}, {3, 1}):get(1)
---     30
---@class Subset: Dataset
local Subset = dataset.class("utils.data.Subset")

function Subset:init(from, indices)
  self.dataset = check(self.__name, from)
  local list = core.is_tensor(indices) and indices:tolist() or indices
  if type(list) ~= "table" then
    raise(("%s: indices must be a list or a tensor, not %s"):format(self.__name, core.describe(indices)))
  end
  local n, positions = #from, {}
  for k, i in ipairs(list) do
    positions[k] = args.whole(i)
    if not positions[k] or i < 1 or i > n then
      raise(format("%s: indices[%d] is %s, but there are %d items, counted from 1", self.__name, k, i, n))
    end
  end
  self.indices = positions
end

function Subset:len()
  return #self.indices
end

--- The dataset that an item is of, and its place there.
function Subset:_part(i)
  return check(self.__name, self.dataset), self.indices[i]
end

function Subset:get(i)
  return values(self:_part(i))
end

--- As of TensorDataset, if that is what this is a part of.
---     > data = nl.utils.data.TensorDataset(nl.tensor({10, 20, 30}))
---     > nl.utils.data.Subset(data, {3, 1}):gather(nl.tensor({1}))
---     tensor([30])
function Subset:gather(places)
  self._places = self._places or nl.tensor(self.indices, {dtype = nl.int64})
  return self.dataset:gather(self._places:index_select(1, places))
end

dataset.Subset = Subset

--- Whether a dataset gives whole batches: `gather`, through Subsets too.
function dataset._gathers(from)
  while class.is_a(from, Subset) do from = from.dataset end
  return class.is_a(from, Dataset) and from.gather ~= nil
end

-- ------------------------------------------------------------------ split

--- How many items each of some fractions gets; what is left over goes to the first ones, one each.
local function sizes_of(name, fractions, n)
  local sizes, rest = {}, n
  for i, fraction in ipairs(fractions) do
    if fraction < 0 or fraction > 1 then
      raise(format("%s: lengths[%d] is %s, no fraction from 0 to 1", name, i, fraction))
    end
    sizes[i] = math.floor(n * fraction)
    rest = rest - sizes[i]
  end
  for i = 1, rest do
    local place = (i - 1) % #sizes + 1
    sizes[place] = sizes[place] + 1
  end
  for i, size in ipairs(sizes) do
    if size == 0 then warn(("nnlua: %s: part %d is empty"):format(name, i)) end
  end
  return sizes
end

local function lengths_of(name, lengths, n)
  local total = 0
  for i, length in ipairs(lengths) do
    if type(length) ~= "number" then
      raise(("%s: lengths[%d] must be a number, not %s"):format(name, i, core.describe(length)))
    end
    total = total + length
  end
  if math.abs(total - 1) < 1e-9 then
    return sizes_of(name, lengths, n)
  elseif total ~= n then
    raise(format("%s: the lengths add up to %s, but there are %d items; fractions add up to 1", name, total, n))
  end
  return lengths
end

local parse_split = args.parser("utils.data.random_split", {
  {"dataset", "any"}, {"lengths", "list"}, {"generator", "any?"}, {"as_table", "boolean", false},
})

--- Parts of a dataset at random, by lengths or fractions: `local train, test = random_split(dataset, {0.8, 0.2})`, or
--- one table of them with {as_table = true}.
---     > a, b = nl.utils.data.random_split({1, 2, 3, 4, 5}, {3, 2})
---     > #a, #b
---     3	2
---@param dataset any
---@param lengths number[]
---@param generator? Generator
---@param as_table? boolean
function dataset.random_split(...)
  local from, lengths, generator, as_table = parse_split(...)
  local name = "utils.data.random_split"
  local n = #check(name, from)
  local sizes = lengths_of(name, lengths, n)
  local order = nl.randperm(n, generator and {generator = generator}):tolist()
  local parts, first = {}, 1
  for i, size in ipairs(sizes) do
    size = math.tointeger(size) or raise(format("%s: lengths[%d] is %s, no whole number", name, i, size))
    parts[i] = Subset(from, table.move(order, first, first + size - 1, 1, {}))
    first = first + size
  end
  if as_table then return parts end
  return table.unpack(parts)
end

return dataset
