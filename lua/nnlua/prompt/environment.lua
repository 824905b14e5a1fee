-- The globals that the prompt's own code works with: as they were when it started, for what someone types may give any
-- of them another meaning (`type = "relu"`). Their tables are copies too; `_G` is the program's own.

local environment = {}
for name, value in next, _G do
  if type(value) == "table" and value ~= _G then
    local copy = {}
    for key, held in next, value do copy[key] = held end
    value = copy
  end
  environment[name] = value
end
environment._G = _G

-- Not the table itself: tracebacks name functions by where they find them in package.loaded.
return function() return environment end
