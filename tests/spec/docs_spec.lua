-- The pages of docs/: the tutorial and the page for Torch7's users run and print what they say, links lead
-- somewhere, and the site has all pages.
local process = require "support.process"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function list(command)
  local pipe <close> = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do table.insert(lines, line) end
  return lines
end

--- Runs the blocks of Lua of a page as one script, in a folder of its own; gives the script and the result.
local function run(path)
  local blocks, folder = {}, os.tmpname()
  for block in read(path):gmatch "\n```lua\n(.-\n)```" do table.insert(blocks, block) end
  local script = table.concat(blocks)
  os.remove(folder)
  assert(os.execute("mkdir '" .. folder .. "'"))
  do
    local file <close> = assert(io.open(folder .. "/page.lua", "w"))
    file:write(script)
  end
  local result = process.run {"sh", "-c", 'cd "$1" && exec "$0" page.lua', process.nnlua, folder}
  os.execute("rm -rf '" .. folder .. "'")
  return script, result
end

local function check(path, prints_more)
  local script, result = run(path)
  assert.equal("", result.stderr)
  assert.equal(0, result.code)
  if prints_more then return end
  local said = {}
  for text in script:gmatch "%-%-> ([^\n]*)" do table.insert(said, text .. "\n") end
  assert.equal(table.concat(said), result.stdout)
end

describe("docs/tutorial", function()
  local chapters = list "ls docs/tutorial/*.md"

  it("has ten chapters, each of which leads to the next", function()
    assert.equal(10, #chapters)
    for i = 1, 9 do
      assert.truthy(read(chapters[i]):find("](" .. chapters[i + 1]:match "[^/]*$" .. ")", 1, true), chapters[i])
    end
  end)

  for _, path in ipairs(chapters) do
    -- The seventh draws and measures.
    it("runs, and prints what it says: " .. path, function() check(path, path:find "looking") end)
  end
end)

describe("docs/torch7.md", function()
  it("has an example that runs", function() check "docs/torch7.md" end)
end)

describe("The pages", function()
  local pages = list "find README.md docs -name '*.md' ! -path docs/reference.md"

  it("have links that lead somewhere", function()
    local missing = {}
    for _, page in ipairs(pages) do
      local text = read(page):gsub("\n```.-\n```", ""):gsub("`[^`\n]*`", "")
      for link in text:gmatch "%]%(([^()%s]+)%)" do
        local path = link:gsub("#.*", "")
        local target = page:gsub("[^/]*$", "") .. path
        local is_ours = path ~= "" and not path:find "^%a+:"
        if is_ours and not io.open(target) then table.insert(missing, page .. ": " .. link) end
      end
    end
    assert.same({}, missing)
  end)

  it("are all in the site", function()
    local nav, missing = read "docs/mkdocs.yml", {}
    for _, page in ipairs(pages) do
      local place = page == "README.md" and "index.md" or page:sub(#"docs/" + 1)
      if not nav:find(": " .. place .. "\n", 1, true) then table.insert(missing, place) end
    end
    assert.same({}, missing)
  end)
end)
