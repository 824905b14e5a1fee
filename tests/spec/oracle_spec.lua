-- The committed cases of PyTorch's behaviour, a spec for each file of them.
-- parts: 4

local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
package.path = here .. "/../?.lua;" .. package.path

local json = require "oracle.json"
local lfs = require "lfs"
local runner = require "oracle.runner"
local warnings = require "support.warnings"

local SHOWN = 5  -- failures of a file

--- What the committed cases may lack: layers in whose place another one would do. A function that is missing is a
--- failure.
local function may_lack(reason)
  return reason:find("^no nl%.nn%.%u")
end

--- What is wrong with a file's cases, as lines of text.
local function complaints(summary)
  local lines = {}
  for reason in pairs(summary.reasons) do
    if not may_lack(reason) then
      table.insert(lines, reason)
    end
  end
  for i = 1, math.min(SHOWN, #summary.failures) do
    local failure = summary.failures[i]
    table.insert(lines, ("%s: %s"):format(failure.id, table.concat(failure.wrong, "; ")))
  end
  if #lines > 0 then
    table.insert(lines, 1, ("%d of its cases fail"):format(summary.failed))
  end
  return lines
end

describe("the reader of the cases", function()
  it("keeps integers and floats apart", function()
    assert.equal("integer", math.type(json.decode("2")))
    assert.equal("float", math.type(json.decode("2.0")))
    assert.same({"float", "integer", "float"}, {
      math.type(json.decode("[1e2, 3]")[1]), math.type(json.decode("[1e2, 3]")[2]),
      math.type(json.decode("[-0.0]")[1])})
    assert.equal(math.mininteger, json.decode("-9223372036854775808"))
    assert.equal(-math.huge, 1 / json.decode("-0.0"))
  end)

  it("reads doubles exactly", function()
    for i = -300, 300 do
      local number = math.pi * 10.0 ^ i
      assert.equal(number, json.decode(("[%.17g]"):format(number))[1])
    end
  end)

  it("reads what else there is", function()
    assert.same({a = {}, b = {true, false, {c = "d"}}},
                json.decode(' {"a": [ ], "b":[true,false , {"c": "d"}]} '))
    assert.equal(json.null, json.decode("[1, null]")[2])
    assert.equal('é\n\\n"😀/', json.decode([["\u00e9\n\\n\"\ud83d\ude00\/"]]))
  end)

  it("refuses what is no JSON", function()
    for _, text in ipairs({"", "[1,]", "[1 2]", '{"a"1}', '"abc', "nan", "[1]x", '"\\q"', '{"a":1,"a":1}', '{"a":1,}',
        "9223372036854775808", "-", "1.", "1e", "[", '["\xff"]', ("["):rep(1000000)}) do
      assert.error(function() json.decode(text) end)
    end
  end)
end)

--- The files in a folder's families that its manifest does not list.
local function unlisted(folder, files)
  local listed, found = {}, {}
  for _, file in ipairs(files) do
    listed[file.path] = true
  end
  for family in lfs.dir(folder) do
    local own = folder .. "/" .. family
    if family:sub(1, 1) ~= "." and lfs.attributes(own, "mode") == "directory" then
      for name in lfs.dir(own) do
        if name:sub(1, 1) ~= "." and not listed[own .. "/" .. name] then
          table.insert(found, own .. "/" .. name)
        end
      end
    end
  end
  return found
end

for _, name in ipairs({"cases", "cases_of_other_dtypes"}) do
  local folder = here .. "/../oracle/" .. name
  local files = runner.files(folder)
  describe("PyTorch's " .. name:gsub("_", " "), function()
    it("are all in the manifest", function()
      assert.same({}, unlisted(folder, files))
    end)

    for _, file in ipairs(files) do
      it(("%s: %s"):format(file.family, file.name), function()
        local wrong = complaints(select(2, warnings.of(runner.run_file, file)))
        if #wrong > 0 then
          error(table.concat(wrong, "\n  "), 0)
        end
      end)
    end
  end)
end
