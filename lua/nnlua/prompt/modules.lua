-- Modules whose files have changed since they were loaded: they are run again, and what has them sees what is new.

local _ENV = require "nnlua.prompt.environment"()

local core = require "nnlua.nn.core"
local module_files = require "nnlua.prompt.module_files"
local state_file = require "nnlua.state_file"

local modules = {}

local LONGEST = 1 << 24 -- bytes of a module
local getupvalue, setupvalue = debug.getupvalue, debug.setupvalue

--- The text of a module's file, and its path; nil if it is no file of Lua.
local function text_of(name)
  local path = package.searchpath(name, module_files.path())
  local text = path and state_file.read(path, LONGEST)
  return text, path
end

--- Whether a loaded module may be a file of the user's.
local function is_users(name, module)
  return type(name) == "string" and not name:find "^nnlua%f[.\0]" and rawget(_G, name) ~= module
end

--- Takes note of the modules that have been loaded: `known` has their texts, false for what is no file.
function modules.note(known)
  for name, module in next, package.loaded do
    if known[name] == nil then known[name] = is_users(name, module) and text_of(name) or false end
  end
end

-- ------------------------------------------------------------------ merging

local merge

--- What stands in the place of an old value: tables stay the same ones, with what is new in them; tensors, networks and
--- other userdata stay; all else is the new value.
local function merged(old, new, seen)
  if type(old) == "table" and type(new) == "table" then
    merge(old, new, seen)
    return old
  end
  if type(old) == "userdata" and type(new) == "userdata" then return old end
  if type(old) == "function" and type(new) == "function" then merge(old, new, seen) end
  return new
end

--- The upvalues of a function: by name, `{index, value}`.
local function upvalues_of(f)
  local found = {}
  for index = 1, math.huge do
    local name, value = getupvalue(f, index)
    if not name then return found end
    if name ~= "" and name ~= "_ENV" then found[name] = {index, value} end
  end
end

--- Gives a new function what the old one has from outside, where that stays.
local function merge_functions(old, new, seen)
  local before = upvalues_of(core.unguarded(old))
  for name, one in pairs(upvalues_of(core.unguarded(new))) do
    if before[name] then setupvalue(core.unguarded(new), one[1], merged(before[name][2], one[2], seen)) end
  end
end

local function merge_tables(old, new, seen)
  for key, value in next, new do rawset(old, key, merged(rawget(old, key), value, seen)) end
  for key, value in next, old do
    if type(value) == "function" and rawget(new, key) == nil then rawset(old, key, nil) end
  end
  local before, after = debug.getmetatable(old), debug.getmetatable(new)
  if type(before) == "table" and type(after) == "table" then merged(before, after, seen)
  elseif before == nil then debug.setmetatable(old, after) end
end

function merge(old, new, seen)
  if old == new or seen[new] then return end
  seen[new] = true
  if type(new) == "table" then merge_tables(old, new, seen)
  elseif debug.getinfo(core.unguarded(new), "S").what ~= "C" then merge_functions(old, new, seen) end
end

-- ---------------------------------------------------------------- reloading

--- Runs a module's text again; what it gives is put into what it gave before.
local function reload(name, text, path)
  local func, problem = load(text:gsub("^#[^\n]*", "", 1), "@" .. path)
  if not func then error(problem, 0) end
  local old, new = package.loaded[name], func(name, path)
  if new == nil then new = true end
  package.loaded[name] = merged(old, new, {})
end

--- Runs the modules whose files have changed again. `call` is how: true, or false and an error. The names of those that
--- ran, and the first error.
function modules.reload(known, call)
  local names, changed = {}, {}
  for name, text in pairs(known) do
    local now, path = nil, nil
    if text then now, path = text_of(name) end
    if now and now ~= text then changed[#changed + 1] = {name, now, path} end
  end
  table.sort(changed, function(a, b) return a[1] < b[1] end)
  for _, one in ipairs(changed) do
    local ok, problem = call(reload, one[1], one[2], one[3])
    if not ok then return names, problem end
    known[one[1]] = one[2]
    names[#names + 1] = one[1]
  end
  return names
end

return modules
