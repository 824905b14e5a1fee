-- Puts guards (src/nn/guard.c) around the methods of nnlua's own classes.

local core = require "nnlua.nn.core"

local guard = {}

local function set_of(names)
  local set = {}
  for _, name in ipairs(names or {}) do set[name] = true end
  return set
end

local function guard_class(class, except, levelled)
  for key, f in next, class do
    local is_public = type(key) == "string" and key:sub(1, 1) ~= "_"
    if is_public and not except[key] or levelled[key] then
      class[key] = core.guard(f, class, key, levelled[key] == true)
    end
  end
end

--- Guards the public methods of all classes among the values of a table, and of those that they come from.
---@param classes table
---@param options? table two lists of names of methods. `except`: those that look at self by themselves, since they are
--- called for each step of a training; `levelled`: those whose guards level, since they run no code of the user's,
--- public or not
function guard.classes(classes, options)
  options = options or {}
  local except, levelled, done = set_of(options.except), set_of(options.levelled), {}
  for _, class in next, classes do
    while type(class) == "table" and rawget(class, "__index") or core.is_class(class) do
      if done[class] then break end
      done[class] = true
      guard_class(class, except, levelled)
      class = class.super
    end
  end
end

return guard
