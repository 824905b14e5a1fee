-- One random program: actions upon a pool of tensors, layers and optimizers, under the rules of rules.lua.
local Draw = require "fuzz.draw"
local nl = require "nnlua"
local rules = require "fuzz.rules"
local samples = require "support.samples"
local values = require "fuzz.values"

local actions = {}
for _, family in ipairs {"ops", "tensors", "layers", "files"} do
  for _, action in ipairs(require("fuzz." .. family)) do table.insert(actions, action) end
end

local pool_size, program_length = 6, 14

-- ---------------------------------------------------------------------- words

local function describe(value, depth)
  if nl.is_tensor(value) then
    local grad = value.requires_grad and ", grad" or ""
    return ("%s(%s)%s"):format(value.dtype, table.concat(value.shape, "x"), grad)
  end
  if type(value) == "string" then return ("%q"):format(value:sub(1, 30)) end
  if type(value) ~= "table" or depth > 2 or getmetatable(value) then return tostring(value) end
  local words = {}
  for i, v in ipairs(value) do words[i] = describe(v, depth + 1) end
  for k, v in pairs(value) do
    if math.type(k) ~= "integer" then table.insert(words, ("%s = %s"):format(k, describe(v, depth + 1))) end
  end
  return "{" .. table.concat(words, ", ") .. "}"
end

local function description(name, list)
  local words = {}
  for i = 1, list.n do words[i] = describe(list[i], 0) end
  return ("%s(%s)"):format(name, table.concat(words, ", "))
end

-- -------------------------------------------------------------------- program

local Program = {}
Program.__index = Program

local function new(seed)
  local program = setmetatable({draw = Draw.new(seed), tensors = {}, nets = {}, optimizers = {}, told = {}}, Program)
  nl.manual_seed(seed)
  for i = 1, 3 do program.tensors[i] = values.tensor(program.draw) end
  return program
end

--- Notes what breaks a rule.
function Program:complain(what)
  table.insert(self.told, what)
end

--- A tensor of the pool.
function Program:tensor()
  return self.draw:pick(self.tensors)
end

--- Takes tensors among some values into the pool, in the place of others when it is full.
function Program:keep(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if nl.is_tensor(value) and value:numel() < 4096 then
      local full = #self.tensors >= pool_size
      self.tensors[full and self.draw:integer(1, pool_size) or #self.tensors + 1] = value
    end
  end
end

--- Calls f with arguments, which are told under a name. An error must be as users should see it, and leave all
--- tensors of the arguments and the pool as they were unless `options.may_change`.
--- Returns whether it succeeded, and the results, packed.
function Program:call(name, f, arguments, options)
  arguments.n = arguments.n or #arguments
  local text = description(name, arguments)
  if Program.show then print("  " .. text) end
  local watched = samples.tensors {arguments, self.tensors}
  local states = rules.states(watched)
  local results = table.pack(pcall(f, table.unpack(arguments, 1, arguments.n)))
  if not results[1] then
    if Program.show then print("    -> " .. tostring(results[2])) end
    local fault = rules.fault_of(results[2])
    if fault then self:complain(("%s: the error %s: %s"):format(text, fault, results[2])) end
    local place, was, is = rules.changed(watched, states)
    if place and not (options and options.may_change) then
      self:complain(("%s: fails and changes an operand\n  from %s\n  to   %s"):format(text, was, is))
    end
  end
  return results[1], table.pack(table.unpack(results, 2, results.n))
end

local function reset()
  nl._reset_modes()
  nl.set_default_dtype(nl.float32)
end

--- Runs the actions of a seed; returns what broke the rules.
local function run_actions(seed)
  local program = new(seed)
  for _ = 1, program.draw:integer(1, program_length) do
    program.draw:weighted(actions)(program)
  end
  reset()
  return program.told
end

local run = {}

--- Whether a program leaves more behind each time; what is made at first use and kept is there after some times.
local function leak_of(seed)
  local before, after = rules.living(4), nil
  for _ = 1, 4 do
    run_actions(seed)
    before, after = after or before, rules.living(4)
    if before == after then return end
  end
  return ("%s live before, %s after"):format(before, after)
end

local living -- after the program before

--- Runs the program of a seed; returns what broke the rules, a list of texts. `show` prints each call.
function run.run(seed, show)
  Program.show = show
  reset()
  local before, told = living, run_actions(seed)
  living = rules.living(2)
  if before and before ~= living then
    Program.show = false
    told[#told + 1] = leak_of(seed)
    living = rules.living(2)
  end
  return told
end

return run
