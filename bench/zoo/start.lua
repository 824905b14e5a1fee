-- Times whole processes that load a model of the zoo and run it once on one thread, beside ONNX Runtime's or PyTorch's,
-- in turns, and prints the smallest wall and processor times:
--   nnlua bench/zoo/start.lua [--python P] [--rounds N] [--only PATTERN]
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local nl = require "nnlua"
local side, models = dofile(here .. "/../side.lua"), dofile(here .. "/models.lua")

local parser = nl.argparse.ArgumentParser {prog = "start.lua", description = "Times starts to the first result."}
parser:add_argument("--python", {type = "string", help = "the python whose onnxruntime and torch are timed as well"})
parser:add_argument("--rounds", {default = 5, help = "how often each side is run"})
parser:add_argument("--only", {default = ".", help = "a Lua pattern of the names of the models to time"})
local options = parser:parse_args()

local function command(program, script, ...)
  local words = {side.quoted(program), side.quoted(here .. "/" .. script)}
  for _, word in ipairs {...} do words[#words + 1] = side.quoted(word) end
  return "OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 " .. table.concat(words, " ")
end

local function faster(times, other)
  return {wall = math.min(times.wall, other.wall), processor = math.min(times.processor, other.processor)}
end

local function print_row(name, ours, theirs)
  local line = ("%-36s %9.1f %9.1f"):format(name, ours.wall * 1e3, ours.processor * 1e3)
  if theirs then
    line = ("%s %9.1f %9.1f %8.1f %9.1f"):format(line, theirs.wall * 1e3, theirs.processor * 1e3,
      theirs.wall / ours.wall, theirs.processor / ours.processor)
  end
  print(line)
end

print(("%-36s %9s %9s %9s %9s %8s %9s"):format("ms to the first result", "nnlua", "processor", "other", "processor",
  "ratio", "processor"))
for _, name in ipairs(models.names()) do
  if name:find(options.only) then
    local ours, theirs = {wall = math.huge, processor = math.huge}, {wall = math.huge, processor = math.huge}
    for _ = 1, options.rounds do
      ours = faster(ours, side.start_of(command(arg[-1], "once.lua", name), 1))
      if options.python then
        theirs = faster(theirs, side.start_of(command(options.python, "once.py", name, models.files(name)), 1))
      end
    end
    print_row(name, ours, options.python and theirs or nil)
  end
end
