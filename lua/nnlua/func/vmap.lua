-- vmap: a function of single examples, for all examples of a batch at once.

local args = require "nnlua.args"
local batch = require "nnlua.func.core"
local core = require "nnlua.nn.core"
local nl = require "nnlua"
local tree = require "nnlua.func.tree"

local is_tensor, raise = core.is_tensor, core.raise

--- What stands for "the same for all rows" among dimensions.
local function is_shared(dim)
  return dim == nl.none or dim == false
end

local function checked_dim(dim, x, what)
  local whole = args.whole(dim)
  if not whole then
    raise(("vmap: %s must be a dimension, or nl.none for what all rows share, not %s"):format(what, core.describe(dim)))
  end
  local n = x.ndim
  if whole == 0 or whole > n or whole < -n then
    raise(("vmap: %s is %d, but the tensor has shape %s: dimensions go from 1 to %d"):format(what, whole,
      tostring(x.shape), n))
  end
  return whole < 0 and whole + n + 1 or whole
end

--- visit(x, dim) for each tensor of an argument that has rows; the argument with what that gives.
local function over_rows(value, dim, what, visit)
  if is_shared(dim) then return value end
  if is_tensor(value) then return visit(value, checked_dim(dim, value, what)) end
  if type(value) ~= "table" then
    raise(("vmap: %s is %s for %s, which has no rows: give nl.none for it"):format(what, core.format("%s", dim),
      core.describe(value)))
  end
  local changed = {}
  for _, key in ipairs(tree.keys(value)) do
    local inner = dim
    if type(dim) == "table" then inner = dim[key] == nil and nl.none or dim[key] end
    changed[key] = over_rows(value[key], inner, what, visit)
  end
  return changed
end

local function dims_of_arguments(in_dims, n)
  if type(in_dims) ~= "table" then
    local all = {}
    for i = 1, n do all[i] = in_dims end
    return all
  end
  if #in_dims ~= n then
    raise(("vmap: in_dims has %d dimensions for %d arguments"):format(#in_dims, n))
  end
  return in_dims
end

--- How many rows the arguments have.
local function count_rows(given, dims)
  local rows
  for i = 1, given.n do
    over_rows(given[i], dims[i], "in_dims of argument " .. i, function(x, dim)
      local size = x:size(dim)
      if rows and size ~= rows then
        raise(("vmap: argument %d has %d rows, those before %d"):format(i, size, rows))
      end
      rows = size
      return x
    end)
  end
  if not rows then raise("vmap: no argument has rows: in_dims says that all rows share all of them") end
  return rows
end

local function with_rows(given, dims, change)
  local changed = {n = given.n}
  for i = 1, given.n do changed[i] = over_rows(given[i], dims[i], "in_dims of argument " .. i, change) end
  return changed
end

local function result_with_rows(transform, result, dim)
  return tree.map(result, function(leaf)
    if not is_tensor(leaf) then
      raise("vmap: the function must give tensors, or tables of them, not " .. core.describe(leaf))
    end
    if is_shared(dim) then
      if batch.is_stand_in(leaf) then raise("vmap: out_dims has nl.none for a result that differs from row to row") end
      return leaf
    end
    return batch.unbatch(transform, leaf, args.whole(dim) or 1)
  end)
end

--- Calls the function once with stand-ins for all rows.
local function run(call, given, dims, rows)
  local transform <close> = batch.open_batch(rows, call.randomness)
  local stand_ins = with_rows(given, dims, function(x, dim) return batch.batch(transform, x, dim) end)
  local results = table.pack(call.f(table.unpack(stand_ins, 1, given.n)))
  for i = 1, results.n do
    local dim = call.out_dims
    if type(dim) == "table" then dim = dim[i] == nil and 1 or dim[i] end
    results[i] = result_with_rows(transform, results[i], dim)
  end
  return results
end

--- Joins what parts of the rows gave.
local function joined(parts, place, dim)
  local first = parts[1][place]
  if is_tensor(first) then
    if is_shared(dim) then return first end
    local list = {}
    for i, part in ipairs(parts) do list[i] = part[place] end
    return nl.cat(list, args.whole(dim) or 1)
  end
  local whole = {}
  for _, key in ipairs(tree.keys(first)) do
    local inner = {}
    for i, part in ipairs(parts) do inner[i] = part[place] end
    whole[key] = joined(inner, key, dim)
  end
  return whole
end

local function run_in_chunks(call, given, dims, rows)
  local parts, size = {}, call.chunk_size
  for first = 1, rows, size do
    local n = math.min(size, rows - first + 1)
    local some = with_rows(given, dims, function(x, dim) return x:narrow(dim, first, n) end)
    parts[#parts + 1] = run(call, some, dims, n)
  end
  local results = {n = parts[1].n}
  for i = 1, results.n do
    local dim = call.out_dims
    if type(dim) == "table" then dim = dim[i] == nil and 1 or dim[i] end
    results[i] = joined(parts, i, dim)
  end
  return results
end

local parse = args.parser("func.vmap", {
  {"func", "function"}, {"in_dims", "any", 1}, {"out_dims", "any", 1}, {"randomness", "string", "error"},
  {"chunk_size", "integer?"},
})

local ways = {error = true, different = true, same = true}

--- A function that does for all rows of its arguments what `func` does for one, at once.
---
--- Inside of func tensors look like single rows; ops work on all of them together, by a rule of each op's, or row by
--- row where an op has none, of which a warning tells (set_vmap_fallback_warning_enabled). `in_dims` says along which
--- dimension each argument has its rows: a number for all, or a table with one for each argument; nl.none is for what
--- all rows share. `out_dims` says the same of the results.
--- `randomness` is what random numbers within do: "error", "different" (for each row) or "same". With `chunk_size` at
--- most so many rows go at once.
---
---     > dot = nl.func.vmap(function(a, b) return (a * b):sum() end)
---     > dot(nl.tensor({{1, 2}, {3, 4}}), nl.tensor({{1, 1}, {2, 2}}))
---     tensor([ 3, 14])
local function vmap(...)
  local f, in_dims, out_dims, randomness, chunk_size = parse(...)
  if chunk_size and chunk_size < 1 then raise("vmap: chunk_size must be at least 1") end
  if not ways[randomness] then raise('vmap: randomness must be "error", "different" or "same"') end
  local call = {f = f, out_dims = out_dims, randomness = randomness, chunk_size = chunk_size}
  return function(...)
    local given = table.pack(...)
    local dims = dims_of_arguments(in_dims, given.n)
    local rows = count_rows(given, dims)
    local whole = not call.chunk_size or rows <= call.chunk_size
    local results = (whole and run or run_in_chunks)(call, given, dims, rows)
    return table.unpack(results, 1, results.n)
  end
end

local parse_enabled = args.parser("func.set_vmap_fallback_warning_enabled", {{"enabled", "boolean"}})

--- Whether vmap warns of ops that go row by row, each once: it does unless it is told not to. (Lua shows warnings after
--- `warn "@on"`, and nnlua with its option -W.)
---
---     > nl.func.set_vmap_fallback_warning_enabled(false);
---     > nl.func.is_vmap_fallback_warning_enabled()
---     false
local function set_vmap_fallback_warning_enabled(...)
  batch.tell_of_rows((parse_enabled(...)))
end

--- Whether vmap warns of ops that go row by row.
---
---     > nl.func.is_vmap_fallback_warning_enabled()
---     true
local function is_vmap_fallback_warning_enabled()
  return batch.tells_of_rows()
end

return {
  vmap = vmap, set_vmap_fallback_warning_enabled = set_vmap_fallback_warning_enabled,
  is_vmap_fallback_warning_enabled = is_vmap_fallback_warning_enabled,
}
