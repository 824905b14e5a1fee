-- Runs the examples of the documentation, as someone at the prompt would.
local nl = require "nnlua"

local examples = {}

--- The steps of an example: `{code, expected}`.
local function steps_of(lines)
  local steps = {}
  for _, line in ipairs(lines) do
    local first, more = line:match "^> (.*)$", line:match "^>> (.*)$"
    local step = steps[#steps]
    if first then table.insert(steps, {code = first, expected = {}})
    elseif more then step.code = step.code .. "\n" .. more
    elseif step and line ~= "" then table.insert(step.expected, line) end
  end
  return steps
end

--- What the prompt predefines; an example's globals go no further.
local function environment(output)
  local names = {nl = nl, nn = nl.nn, F = nl.F, optim = nl.optim, help = nl.help}
  function names.print(...)
    local texts = table.pack(...)
    for i = 1, texts.n do texts[i] = tostring(texts[i]) end
    table.insert(output, table.concat(texts, "\t"))
  end
  return setmetatable(names, {__index = _G})
end

local function run_step(code, env, output)
  local func = load("return " .. code, "=example", "t", env)
  local message
  if not func then func, message = load(code, "=example", "t", env) end
  if not func then return message end
  local results = table.pack(pcall(func))
  if not results[1] then return tostring(results[2]) end
  if results.n > 1 and not code:find ";%s*$" then
    local texts = {}
    for i = 2, results.n do texts[i - 1] = tostring(results[i]) end
    table.insert(output, table.concat(texts, "\t"))
  end
end

--- Runs the lines of an example, and returns a text that tells what differs, or nil.
function examples.run(lines)
  nl.testing.reset()
  local terminal <close> = setmetatable({out = io.output()}, {__close = function(self) io.output(self.out) end})
  io.output(io.tmpfile()) -- what an example draws there is nobody's to see
  local output = {}
  local env = environment(output)
  for _, step in ipairs(steps_of(lines)) do
    while output[1] do table.remove(output) end
    local problem = run_step(step.code, env, output)
    local got, expected = table.concat(output, "\n"), table.concat(step.expected, "\n")
    if problem or got ~= expected then
      nl.testing.reset()
      return ("> %s\nprints\n%s\nand is said to print\n%s"):format(step.code, problem or got, expected)
    end
  end
  nl.testing.reset()
end

return examples
