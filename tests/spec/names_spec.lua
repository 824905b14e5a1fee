-- PyTorch's public names (tests/oracle/export/names.py writes them): each is there, or docs/differences.md names it
-- among those that have no meaning here.
local nl = require "nnlua"

local function contents(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

--- The names that the page lists, as patterns: * stands for anything.
local function listed()
  local patterns = {}
  local section = contents("docs/differences.md"):match "\n## Names of PyTorch's.*"
  for text in section:gmatch "`([^`\n]+)`" do
    patterns[#patterns + 1] = "^" .. text:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
  end
  return patterns
end

local function is_listed(patterns, module, name)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) or (module .. "." .. name):find(pattern) then return true end
  end
  return false
end

local matrix = nl.zeros(2, 2)
local complex = nl.zeros(2, 2, {dtype = nl.complex64})

-- What has the names of a module that isn't found by its own.
local holders = {
  torch = {nl}, Tensor = {matrix, complex}, Generator = {nl.default_generator}, ["nn.modules.module"] = {nl.nn},
}

local function holders_of(module)
  if holders[module] then return holders[module] end
  local value = nl
  for key in module:gmatch "[^.]+" do value = value[key] end
  return {value}
end

--- Whether one has the name. Fields of tensors may be nil, but one that isn't there is an error.
local function has(list, name)
  for _, holder in ipairs(list) do
    local ok, value = pcall(function() return holder[name] end)
    if ok and (value ~= nil or nl.is_tensor(holder)) then return true end
  end
  return false
end

describe("the names of PyTorch", function()
  local patterns, module = listed(), nil
  for line in contents("tests/oracle/names"):gmatch "[^\n]+" do
    if line:sub(1, 1) ~= " " then
      module = line:match "^(.*):$"
    else
      local of = module
      it(("are there, or listed: %s, %s…"):format(of, line:match "%S+"), function()
        local missing, list = {}, holders_of(of)
        for name in line:gmatch "%S+" do
          if not has(list, name) and not is_listed(patterns, of, name) then missing[#missing + 1] = name end
        end
        assert.same({}, missing)
      end)
    end
  end
end)
