-- nl.checkpoint: all that a run goes on with, in one file. (nl.utils.checkpoint is another thing: it computes again
-- what a backward needs, to save memory.)

local args = require "nnlua.args"
local core = require "nnlua.nn.core"
local deepcopy = require "nnlua.nn.copy"
local nl = require "nnlua"

local checkpoint = {}

local raise = core.raise

-- Where a file has what is not the user's.
local HEAD = "nnlua.checkpoint"

-- ------------------------------------------------------------------- things

--- What a value is to a checkpoint: "object" (it has state_dict and load_state_dict), "generator", "table" (of others)
--- or "plain".
local function kind_of(value)
  if core.is_module(value) then return "object" end
  local meta = getmetatable(value)
  if type(value) == "userdata" then
    return type(meta) == "table" and meta.__name == "nnlua.Generator" and "generator" or "plain"
  elseif type(value) ~= "table" then
    return "plain"
  elseif args.is_callable(value.state_dict) and args.is_callable(value.load_state_dict) then
    return "object"
  end
  return meta == nil and "table" or "plain"
end

checkpoint._kind_of = kind_of

local function state_of(value, kind)
  if kind == "object" then return value:state_dict() end
  return value:get_state()
end

local function set_state(value, kind, state)
  if kind == "object" then value:load_state_dict(state) else value:set_state(state) end
end

--- What a thing in a table is called in errors: "schedulers[2]", "optimizers.a".
local function name_under(prefix, key)
  if type(key) ~= "string" then return ("%s[%s]"):format(prefix, tostring(key)) end
  return prefix == "" and key or prefix .. "." .. key
end

--- A table with the states of objects in their place. `around` are the tables that it is in.
local function packed(things, prefix, around)
  local copy = {}
  around[things] = true
  for key, value in pairs(things) do
    local kind = kind_of(value)
    if kind == "table" then
      local name = name_under(prefix, key)
      if around[value] then raise(("nl.checkpoint.save: %s is a table that it is in itself"):format(name)) end
      copy[key] = packed(value, name, around)
    elseif kind == "plain" then copy[key] = value
    else copy[key] = state_of(value, kind) end
  end
  around[things] = nil
  return copy
end

--- The objects among things, with what was saved for each, in the order of their names; and the names of those that
--- nothing was saved for. `rest` loses what they take.
local function matched(things, rest, prefix, found, missing)
  local keys = {}
  for key in pairs(things) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    local value, name = things[key], name_under(prefix, key)
    local kind, saved = kind_of(value), rest[key]
    if kind == "table" then
      if type(saved) == "table" then
        matched(value, saved, name, found, missing)
        if next(saved) == nil then rest[key] = nil end
      elseif next(value) ~= nil then
        missing[#missing + 1] = name
      end
    elseif kind ~= "plain" then
      if saved == nil then missing[#missing + 1] = name else
        found[#found + 1] = {name = name, value = value, kind = kind, state = saved}
        rest[key] = nil
      end
    end
  end
  return found, missing
end

local function quoted(names)
  return "'" .. table.concat(names, "', '") .. "'"
end

local function names_in(content)
  local names = {}
  for key in pairs(content) do
    if key ~= HEAD then names[#names + 1] = tostring(key) end
  end
  table.sort(names)
  return #names > 0 and quoted(names) or "nothing"
end

-- ------------------------------------------------------------------ save, load

local parse_save = args.parser("nl.checkpoint.save", {
  {"path", "string"}, {"things", "table"}, {"random", "boolean", true},
})

--- Writes all that a run goes on with to one file: a table of models, optimizers, schedules, loaders, scalers, metrics
--- (whatever has state_dict and load_state_dict), generators, and plain values: numbers, texts, tensors, tables of
--- them. The state of the random numbers (nl.get_rng_state) is put beside them, unless random = false. The file is
--- there whole or, if anything fails, as it was before: it is written beside the old one, brought to the disk, and
--- renamed. nl.load reads it as a plain table. nl.utils.checkpoint is another thing: it saves memory in a backward.
---     > net, path = nn.Linear(2, 1), os.tmpname()
---     > optimizer = optim.SGD(net:parameters(), {lr = 0.1})
---     > nl.checkpoint.save(path, {model = net, optimizer = optimizer, epoch = 3})
---     > nl.checkpoint.load(path, {model = net, optimizer = optimizer}).epoch
---     3
---@param path string
---@param things table<string, any>
---@param random? boolean
function checkpoint.save(...)
  local path, things, random = parse_save(...)
  if kind_of(things) ~= "table" then
    raise(("nl.checkpoint.save: things must be a table such as {model = net}, not %s"):format(core.describe(things)))
  elseif things[HEAD] ~= nil then
    raise(("nl.checkpoint.save: the name '%s' is its own"):format(HEAD))
  end
  local content = packed(things, "", {})
  content[HEAD] = {version = 1, random = random and nl.get_rng_state() or nl.none}
  nl.save(path, content, {format = "safetensors"})
end

--- Loads states into their objects; if one doesn't take its state, those before it get back what they had.
local function load_all(path, found)
  local before = {}
  for i, one in ipairs(found) do
    before[i] = deepcopy(state_of(one.value, one.kind))
    local ok, problem = pcall(set_state, one.value, one.kind, one.state)
    if not ok then
      for j = i - 1, 1, -1 do set_state(found[j].value, found[j].kind, before[j]) end
      local text = type(problem) == "string" and problem:gsub("^[^\n:]*:%d+: ", "") or core.describe(problem)
      raise(("nl.checkpoint.load: %s: %s: %s"):format(path, one.name, text))
    end
  end
end

--- A value with what a checkpoint has for it beside the states of objects; tables stay the same ones; what the
--- checkpoint has nothing for stays, but for the ends of lists.
function checkpoint._put_back(value, saved)
  if saved == nil then return value end
  if type(saved) ~= "table" or kind_of(value) ~= "table" then return saved end
  for i = #saved + 1, #value do
    if kind_of(value[i]) == "plain" and saved[i] == nil then value[i] = nil end
  end
  for key, one in pairs(saved) do value[key] = checkpoint._put_back(value[key], one) end
  return value
end

local parse_load = args.parser("nl.checkpoint.load", {
  {"path", "string"}, {"things", "table?"}, {"strict", "boolean", true}, {"random", "boolean", true},
})

--- Reads what nl.checkpoint.save wrote: puts the states back into the objects of a table with the same names, and the
--- random numbers where they were (unless random = false), and gives a table of all else in the file. An object that
--- the file has nothing for is an error that lists all such; with strict = false they are left as they are, and their
--- names are the second result. If an object doesn't take its state, an error says why and nothing has changed.
---     > path = os.tmpname()
---     > nl.checkpoint.save(path, {model = nn.Linear(2, 1), epoch = 3})
---     > rest, missing = nl.checkpoint.load(path, {model = nn.Linear(2, 1), loader = nl.Generator()}, {strict = false})
---     > rest.epoch, missing[1]
---     3	loader
---@param path string
---@param things? table<string, any>
---@param strict? boolean
---@param random? boolean
---@return table
---@return string[]
function checkpoint.load(...)
  local path, things, strict, random = parse_load(...)
  if things ~= nil and kind_of(things) ~= "table" then
    raise(("nl.checkpoint.load: things must be a table such as {model = net}, not %s"):format(core.describe(things)))
  end
  local rest = nl.load(path)
  if type(rest) ~= "table" then raise(("nl.checkpoint.load: %s holds no table, so no checkpoint"):format(path)) end
  local names, head = names_in(rest), rest[HEAD]
  rest[HEAD] = nil
  local found, missing = matched(things or {}, rest, "", {}, {})
  if strict and #missing > 0 then
    raise(("nl.checkpoint.load: %s has nothing for %s; it has %s ({strict = false} loads what there is)"):format(path,
      quoted(missing), names))
  end
  load_all(path, found)
  if random and type(head) == "table" and type(head.random) == "string" then nl.set_rng_state(head.random) end
  return rest, missing
end

return checkpoint
