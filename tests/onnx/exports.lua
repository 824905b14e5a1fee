-- Exports programs traced from every module that the oracle has cases of, or from every sample of the op table's rows,
-- with inputs and results, to a folder:
--   nnlua tests/onnx/exports.lua FOLDER [PATTERN]
--   nnlua tests/onnx/exports.lua FOLDER --rows [PATTERN]
-- and says which of them, read back, don't give the same. tests/onnx/exports.py runs them in ONNX Runtime.

local here = arg[0]:match "^(.-)[^/]*$"
package.path = here .. "../?.lua;" .. package.path

local nl = require "nnlua"

local exported = require "onnx.exported"
local lfs = require "lfs"
local runner = require "oracle.runner"
local types = require "nnlua.onnx.types"

local of_rows = arg[2] == "--rows"
local folder, pattern = arg[1], arg[of_rows and 3 or 2] or ""

local function write(path, message)
  local file <close> = assert(io.open(path, "wb"))
  for _, text in ipairs(message) do file:write(text) end
end

--- Exports a program with its data; nil, or what is wrong with what is read back.
local function export(program, inputs, path)
  local want = exported.results(program, inputs)
  lfs.mkdir(path)
  lfs.mkdir(path .. "/test_data_set_0")
  nl.onnx.export(program, path .. "/model.onnx")
  for i, x in ipairs(inputs) do
    write(("%s/test_data_set_0/input_%d.pb"):format(path, i - 1), types.tensor(program.inputs[i].name, x))
  end
  for i, y in ipairs(want) do
    write(("%s/test_data_set_0/output_%d.pb"):format(path, i - 1), types.tensor(program.outputs[i].name, y))
  end
  return exported.difference(exported.results(nl.onnx.load(path .. "/model.onnx"), inputs), want)
end

lfs.mkdir(folder)
local count, wrong = 0, 0

local function try(name, program, inputs, sample)
  count = count + 1
  nl.manual_seed(7)
  local well, problem = pcall(export, program, inputs, folder .. "/" .. name)
  if well and not (problem and (not sample or sample.values ~= false)) then return end
  wrong = wrong + 1
  print(name, (tostring(problem):gsub("\n.*", "")))
end

if of_rows then
  exported.each_row(pattern, try)
else
  for _, file in ipairs(runner.files(here .. "../oracle/cases", "modules")) do
    if file.name:find(pattern) then
      exported.each(file, function(number, program, inputs) try(file.name .. "_" .. number, program, inputs) end)
    end
  end
end
print(("%d exported, %d differ or fail"):format(count, wrong))
