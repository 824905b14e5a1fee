-- Programs traced from every row of the op table, written to files of ONNX and read back; and which of them have nodes
-- that ONNX hasn't: the rows in tests/onnx/own_rows.txt.
-- parts: 4
local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
package.path = here .. "/../../?.lua;" .. package.path

local nl = require "nnlua"

local cases = require "onnx.cases"
local exported = require "onnx.exported"
local samples = require "support.samples"

--- The rows that no sample of is written as operators of ONNX alone.
local function own_rows()
  local own = {}
  for line in io.lines(here .. "/../../onnx/own_rows.txt") do
    for row in line:gsub("^#.*", ""):gmatch "%S+" do own[row] = true end
  end
  return own
end

local own = own_rows()

describe("a program exported from", function()
  for _, row in ipairs(samples.rows()) do
    it(row.row .. " gives what it gave when it is read back", function()
      local count, standard = 0, 0
      exported.each_row("^" .. row.row .. "$", function(name, program, inputs, sample)
        count = count + 1
        if pcall(nl.onnx.export, program, nl.io.BytesIO(), {strict = true}) then standard = standard + 1 end
        nl.manual_seed(7)
        local want = exported.results(program, inputs)
        nl.manual_seed(7)
        local wrong = exported.difference(exported.results(cases.again(program), inputs), want)
        assert(not wrong or sample.values == false, ("%s: %s"):format(name, wrong))
      end)
      assert.equal(own[row.row] ~= nil, count > 0 and standard == 0)
    end)
  end
end)
