-- Every example that the help shows is run and prints what it says.
-- parts: 1
require "nnlua"
local catalogue = require "nnlua.help.catalogue"
local examples = require "support.examples"
local text = require "nnlua.help.text"

describe("the example of", function()
  for _, entry in ipairs(catalogue.all()) do
    local is_alone = entry.group ~= "Several processes" -- distributed_spec runs those
    for i, overload in ipairs(entry.overloads) do
      local lines = text.parts(overload.text).examples
      if #lines > 0 and is_alone then
        it(entry.name .. (i > 1 and " (form " .. i .. ")" or "") .. " prints what it says", function()
          assert.is_nil(examples.run(lines))
        end)
      end
    end
  end
end)
