-- The rules that every program must keep, whatever it does: a call that fails leaves its operands as they were and says
-- so in words a user understands, and in the end all memory is back.
local nl = require "nnlua"
local public_names = require "support.public_names"
local samples = require "support.samples"

local rules = {}

-- ------------------------------------------------------------------- operands

local most_elements = 2000

local function text_of(list)
  local words = {}
  for i, v in ipairs(list) do words[i] = type(v) == "number" and ("%a"):format(v) or tostring(v) end
  return table.concat(words, " ")
end

local function elements_of(t)
  if t.is_meta or t:numel() > most_elements then return "" end
  t = t:detach()
  if t:is_complex() then t = nl.view_as_real(t) end
  if t.dtype == nl.float16 or t.dtype == nl.bfloat16 then t = t:to(nl.float32) end
  return text_of(t:reshape(-1):tolist())
end

local function state_of(t)
  return table.concat({tostring(t.dtype), tostring(t.device), tostring(t.shape), text_of(t:stride()),
    tostring(t.requires_grad), elements_of(t)}, "|")
end

--- What is to be seen of tensors, for rules.changed.
function rules.states(tensors)
  return nl.no_grad(function()
    local states = {}
    for i, t in ipairs(tensors) do states[i] = state_of(t) end
    return states
  end)
end

--- The place of the first tensor that is not as it was, and what it was and is.
function rules.changed(tensors, states)
  for i, state in ipairs(rules.states(tensors)) do
    if state ~= states[i] then return i, states[i], state end
  end
end

-- --------------------------------------------------------------------- errors

local public, private = {}, {}
for _, row in ipairs(nl.ops()) do
  if samples.is_public(row) then
    public[row.name] = true
    for _, alias in ipairs(row.aliases) do public[alias] = true end
  end
end
for _, row in ipairs(nl.ops()) do
  for _, name in ipairs {row.row, row.name} do
    if not public[name] and name:find "_" then private[name] = true end
  end
end

--- What is wrong with an error; nil if it is as users should see it.
function rules.fault_of(message)
  if type(message) ~= "string" then return end -- a value that the program itself raised
  local first = message:match "^[^\n]*"
  local file = first:match "([%w_/]*%.lua):%d+:"
  if file and not file:find "tests/" then return "names a line of ours" end
  for word in first:gsub("backward of [%w_]+", ""):gmatch "[%w_]+" do -- that names a node, as grad_fn does
    if private[word] then return ("names '%s', which can't be called"):format(word) end
  end
  local unknown = public_names.unknown_in(first)
  if unknown then return ("names '%s', which is no public name"):format(unknown) end
  if first:find "attempt to" or first:find "bad argument" then return "is Lua's own error, from inside of nnlua" end
end

-- --------------------------------------------------------------------- memory

--- What lives in the core after some collections of garbage: bytes, nodes, tensors, entries of the registry.
function rules.living(collections)
  for _ = 1, collections do
    collectgarbage()
    nl.is_grad_enabled() -- an entry into the core: lets go of what it has released
  end
  local stats, entries = nl.memory_stats(), 0
  for key, value in pairs(debug.getregistry()) do
    if not (math.type(key) and math.type(value)) then entries = entries + 1 end -- numbers: the list of free places
  end
  return ("%d bytes, %d nodes, %d tensors, %d entries"):format(nl.memory_allocated(), stats.nodes, stats.tensors,
    entries)
end

return rules
