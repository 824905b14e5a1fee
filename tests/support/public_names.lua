-- The names that users can call or read, as help has them: what errors may name.
local catalogue = require "nnlua.help.catalogue"
local nl = require "nnlua"

local names = {index = true} -- what x[i] is called

local function add(name)
  for part in name:gmatch "[%w_]+" do names[part] = true end
end

for _, entry in ipairs(catalogue.all()) do
  add(entry.name)
  for _, alias in ipairs(entry.aliases or {}) do add(alias) end
end
local function add_keys(t, depth)
  for key, value in pairs(t) do
    if type(key) == "string" and key:sub(1, 1) ~= "_" then
      names[key] = true
      if type(value) == "table" and depth < 4 then add_keys(value, depth + 1) end
    end
  end
end
for key in pairs(nl.nn.init) do names[key] = true end
for _, part in ipairs {nl, nl.nn, nl.optim, nl.utils, nl.testing} do add_keys(part, 0) end

local members = select(2, debug.getupvalue(debug.getmetatable(nl.empty(0)).__index, 1))

--- Whether a name is that of a tensor's method that changes it, as "add_".
local function is_in_place(name) return name:find "_$" ~= nil and members[name] ~= nil end

local public_names = {}

--- The name that an error's text begins with, behind the place, if users don't know it: "nn.init.xavier: …" gives
--- "nn.init.xavier".
function public_names.unknown_in(message)
  local text = message:gsub("^[^\n:]*:%d+: ", "", 1)
  local head = text:match "^([%a_][%w_.:]*[%w_]): "
  local last = head and head:match "[%w_]+$"
  if last and not names[last] and not is_in_place(last) then return head end
end

return public_names
