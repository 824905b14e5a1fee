-- libFuzzer's harnesses of the readers of files (tests/fuzz/readers), two seconds each from the corpora. Ten minutes:
-- tests/fuzz/readers/run.sh 600
local lfs = require "lfs"
local process = require "support.process"

describe("the readers of files", function()
  it("neither crash nor leak, nor take what a file only says", function()
    local result = process.run {"tests/fuzz/readers/run.sh", "2"}
    assert.equal(0, result.code, result.stdout .. result.stderr)
    for name in lfs.dir "tests/fuzz/readers" do
      local reader = name:match "^(%w+)%.c$"
      if reader then assert.matches(reader .. ": Done %d+ runs", result.stdout) end
    end
  end)
end)
