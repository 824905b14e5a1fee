-- Exports programs traced from every module that the oracle has cases of, from every sample of the op table's rows, or
-- from the networks of the examples, with inputs and results, to a folder:
--   nnlua tests/onnx/exports.lua FOLDER [PATTERN]
--   nnlua tests/onnx/exports.lua FOLDER --rows [PATTERN]
--   nnlua tests/onnx/exports.lua FOLDER --examples [PATTERN]
-- and says which of them, read back, don't give the same. tests/onnx/exports.py runs them in ONNX Runtime.

local here = arg[0]:match "^(.-)[^/]*$"
package.path = here .. "../?.lua;" .. package.path

local nl = require "nnlua"

local exported = require "onnx.exported"
local lfs = require "lfs"
local process = require "support.process"
local runner = require "oracle.runner"

local kind = arg[2] and arg[2]:match "^%-%-(.*)"
local folder, pattern = arg[1], arg[kind and 3 or 2] or ""

lfs.mkdir(folder)
local count, wrong = 0, 0

local function try(name, program, inputs, sample)
  count = count + 1
  local well, problem = pcall(exported.save, program, inputs, folder .. "/" .. name)
  if well and not (problem and (not sample or sample.values ~= false)) then return end
  wrong = wrong + 1
  print(name, (tostring(problem):gsub("\n.*", "")))
end

--- The network that an example calls first.
local function try_example(path)
  count = count + 1
  local name = path:match "([^/]*)%.lua$"
  local prelude = ([[
    package.path = %q .. package.path
    require "support.first_call"(function(net, inputs)
      local exported = require "onnx.exported"
      local program, leaves = exported.of_network(net, inputs)
      io.stdout:write("\nexported: ", exported.save(program, leaves, %q) or "well", "\n")
    end)
  ]]):format(here .. "../?.lua;", folder .. "/" .. name)
  local told = process.run({process.nnlua, "-e", prelude, path}).stdout:match "\nexported: ([^\n]*)\n$"
  if told == "well" then return end
  wrong = wrong + 1
  print(name, told or "can't be traced or exported")
end

if kind == "rows" then
  exported.each_row(pattern, try)
elseif kind == "examples" then
  local names <close> = assert(io.popen "ls examples/*.lua")
  for path in names:lines() do
    if path:find(pattern) then try_example(path) end
  end
else
  for _, file in ipairs(runner.files(here .. "../oracle/cases", "modules")) do
    if file.name:find(pattern) then
      exported.each(file, function(number, program, inputs) try(file.name .. "_" .. number, program, inputs) end)
    end
  end
end
print(("%d exported, %d differ or fail"):format(count, wrong))
