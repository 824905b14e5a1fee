-- nl.func.rearrange: dimensions put in another order, joined and taken apart as a pattern says.

local core = require "nnlua.nn.core"
local nl = require "nnlua"

local raise = core.raise

local ELLIPSIS = "…"

local function wrong(pattern, what)
  raise(('rearrange: %s in the pattern "%s"'):format(what, pattern))
end

--- One side of a pattern as a list of dimensions, each a list of names; of an ellipsis, with `n` names for the
--- dimensions it stands for.
local function parsed(side, pattern, n)
  local dims, group, seen = {}, nil, {}
  local function add(name)
    if name ~= "1" then
      if seen[name] then wrong(pattern, ("'%s' stands twice on one side"):format(name)) end
      seen[name] = true
    end
    if not group then
      dims[#dims + 1] = name ~= "1" and {name} or {}
    elseif name ~= "1" then
      group[#group + 1] = name
    end
  end
  local rest = side:gsub("%.%.%.", " " .. ELLIPSIS .. " "):gsub("[()]", " %0 ")
  for word in rest:gmatch "%S+" do
    if word == "(" and not group then
      group = {}
    elseif word == ")" and group then
      dims[#dims + 1], group = group, nil
    elseif word == ELLIPSIS and n then
      for i = 1, n do add(ELLIPSIS .. i) end
    elseif word == "1" or word:match "^[%a_][%w_]*$" or word == ELLIPSIS then
      add(word)
    else
      wrong(pattern, ("'%s' is no name"):format(word))
    end
  end
  if group then wrong(pattern, "a parenthesis isn't closed") end
  return dims, seen
end

--- The sizes of a dimension's parts, of which one may follow from the others.
local function find_sizes(names, size, sizes, pattern)
  local known, unknown = 1, nil
  for _, name in ipairs(names) do
    if sizes[name] then
      known = known * sizes[name]
    elseif unknown then
      wrong(pattern, ("the sizes of '%s' and '%s' are both unknown"):format(unknown, name))
    else
      unknown = name
    end
  end
  if unknown and known ~= 0 and size % known == 0 then
    sizes[unknown] = size // known
  elseif unknown or known ~= size then
    wrong(pattern, ("a dimension of size %d doesn't fit (%s)"):format(size, table.concat(names, " ")))
  end
end

local function lengths_of(given, seen, pattern)
  local sizes = {}
  for name, size in pairs(given or {}) do
    if not seen[name] then wrong(pattern, ("there is no '%s'"):format(tostring(name))) end
    sizes[name] = math.tointeger(size)
    if not sizes[name] or sizes[name] < 0 then raise(("rearrange: the size of '%s' is no size"):format(name)) end
  end
  return sizes
end

local function check_within(names, others, side, pattern)
  for name in pairs(names) do
    if not others[name] then wrong(pattern, ("'%s' is on the %s only"):format(name, side)) end
  end
end

--- Both sides of a pattern for a tensor of so many dimensions, and the set of their names.
local function sides(pattern, ndim)
  local left, right = pattern:match "^(.-)%->(.*)$"
  if not left or right:find("->", 1, true) then wrong(pattern, "an arrow, ->, is wanted") end
  local _, plain = parsed(left, pattern)
  local n = plain[ELLIPSIS] and ndim - #parsed(left, pattern, 0)
  if n and n < 0 then wrong(pattern, ("there are more than %d dimensions"):format(ndim)) end
  local from, names = parsed(left, pattern, n)
  local to, wanted = parsed(right, pattern, n)
  check_within(wanted, names, "right", pattern)
  check_within(names, wanted, "left", pattern)
  if #from ~= ndim then wrong(pattern, ("there are %d dimensions, the tensor has %d"):format(#from, ndim)) end
  return from, to, names
end

--- Dimensions put in another order, joined and taken apart: names stand for them on both sides of an arrow, in
--- parentheses those that are one dimension, an ellipsis for all others. Sizes that don't follow are given by name. A
--- list of tensors is stacked first.
---     > images = nl.zeros(2, 4, 6, 3)
---     > nl.func.rearrange(images, "b h w c -> b c h w").shape
---     [2, 3, 4, 6]
---     > nl.func.rearrange(images, "b (h1 h) (w1 w) c -> (b h1 w1) h w c", {h1 = 2, w1 = 2}).shape
---     [8, 2, 3, 3]
---     > nl.func.rearrange(nl.tensor({{1, 2}, {3, 4}}), "a b -> (b a)")
---     tensor([1, 3, 2, 4])
---@param tensor Tensor|Tensor[]
---@param pattern string
---@param lengths? table
---@return Tensor
local function rearrange(tensor, pattern, lengths)
  if type(tensor) == "table" then tensor = nl.stack(tensor) end
  if not core.is_tensor(tensor) then raise("rearrange: a tensor is wanted, not " .. core.describe(tensor)) end
  if type(pattern) ~= "string" then raise("rearrange: the pattern is a text, not " .. core.describe(pattern)) end
  local from, to, names = sides(pattern, tensor.ndim)
  local sizes, single, places = lengths_of(lengths, names, pattern), {}, {}
  for i, dim in ipairs(from) do
    find_sizes(dim, tensor:size(i), sizes, pattern)
    for _, name in ipairs(dim) do
      single[#single + 1] = sizes[name]
      places[name] = #single
    end
  end
  local order, joined = {}, {}
  for i, dim in ipairs(to) do
    joined[i] = 1
    for _, name in ipairs(dim) do
      order[#order + 1] = places[name]
      joined[i] = joined[i] * sizes[name]
    end
  end
  local parts = tensor:reshape(single)
  return (#order > 0 and parts:permute(order) or parts):reshape(joined)
end

return {rearrange = rearrange}
