-- The shell's blocks of the README and docs/: each runs in a folder that has what it names, or is in a list of those
-- that don't, with the reason. And what is in languages that docs_spec.lua doesn't run.
require "nnlua"
local membership = require "nnlua.distributed.membership"
local process = require "support.process"
local system = require "nnlua.system"

local nnlua = io.popen("realpath '" .. process.nnlua .. "'"):read "l"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- All blocks in a language: a list of `{page, text}`.
local function blocks(language)
  local list = {}
  for path in io.popen("find README.md docs -name '*.md' ! -path docs/reference.md | sort"):lines() do
    for indent, text in ("\n" .. read(path)):gmatch("\n( *)```" .. language .. "\n(.-)\n *```") do
      table.insert(list, {page = path, text = text:gsub("^" .. indent, ""):gsub("\n" .. indent, "\n")})
    end
  end
  return list
end

--- The first block of Lua on a page.
local function lua_of(page)
  return read(page):match "\n```lua\n(.-)\n```"
end

-- What each block that runs needs in its folder, and what it prints, by its page and what it begins with.
local run_here = {
  ["docs/tutorial/10-deploying.md nnlua app.lua"] = {
    prepare = function(folder) write(folder .. "/app.lua", lua_of "docs/tutorial/10-deploying.md") end,
    prints = "^5.0\n.*5.0\n$",
  },
  ["docs/deploying.md nnlua examples/digits.lua"] = {
    prepare = function(folder)
      assert(os.execute(("mkdir -p '%s/examples/data' && cp examples/digits.lua '%s/examples/' && "
        .. "cp examples/data/digits.csv.gz '%s/examples/data/'"):format(folder, folder, folder)))
    end,
    prints = "held%-out digits right.*held%-out digits right",
  },
  ["docs/profiling.md nnlua --profile train.lua"] = {
    prepare = function(folder) write(folder .. "/train.lua", "print(require 'nnlua'.ones(3):sum())") end,
    prints = "^tensor%(3%.%)\ntensor%(3%.%)\n$", complains = "sum.*sum", makes = "trace.json",
  },
  ["docs/distributed.md nnlua run -n 4 train.lua"] = {
    prepare = function(folder)
      write(folder .. "/train.lua", "local nl = require 'nnlua'\nnl.distributed.init_process_group()\n"
        .. "print('rank ' .. nl.distributed.get_rank() .. ' ' .. table.concat(arg, ' '))")
      write(folder .. "/hosts", "localhost slots=8\n")
    end,
    prints = "rank 3 %-%-epochs 3\n.*rank 7 %-%-epochs 3\n",
    runs = membership.module_of "openmpi" ~= nil,
  },
}

local run_elsewhere = { -- by specs that read these lines on the page
  ["docs/embedding.md cmake --install"] = "tests/spec/install_spec.lua",
  ["docs/embedding.md cc -o host host.c -I"] = "tests/spec/install_spec.lua",
  ["docs/embedding.md cc -o host host.c $(pkg-config"] = "tests/spec/install_spec.lua",
}

local not_run = {
  ["README.md ./bootstrap run examples/simple_net.lua"] = "it installs packages, builds, and runs these specs",
  ["README.md sudo apt-get install -y luarocks"] = "it installs packages and a rock, as root",
  ["docs/deploying.md sudo apt-get install"] = "it installs a package as root; install_spec unpacks and tries that",
  ["docs/adding-an-instruction-set.md sudo apt-get install gcc"] = "it installs a compiler",
  ["docs/accuracy.md tests/accuracy/run.sh"] = "it measures for minutes",
  ["docs/performance.md nnlua -e"] = "it reads what bench/zoo/prepare.py makes, which needs PyTorch",
  ["docs/performance.md python3 -m venv torch"] = "it fetches PyTorch, and measures for an hour",
}

--- What a table has for a block, whose key begins with its page and goes on as the block does.
local function found_in(list, block)
  for key, value in pairs(list) do
    local page, beginning = key:match "^(%S+) (.*)$"
    if page == block.page and block.text:sub(1, #beginning) == beginning then return value, key end
  end
end

describe("The shell's blocks of the pages", function()
  local seen = {}

  for _, block in ipairs(blocks "sh") do
    local how, key = found_in(run_here, block)
    if how and how.runs ~= false then
      it(("run: %s"):format(key), function()
        local folder = os.tmpname()
        os.remove(folder)
        assert(os.execute(("mkdir -p '%s/bin' && ln -s '%s' '%s/bin/nnlua'"):format(folder, nnlua, folder)))
        finally(function() os.execute("rm -rf '" .. folder .. "'") end)
        how.prepare(folder)
        local env = how.env or {}
        env.ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":detect_leaks=0" -- those of an MPI
        local result = process.run({"sh", "-ec", 'cd "$0" && PATH="$0/bin:$PATH"\n' .. block.text, folder}, {env = env})
        assert.equal(0, result.code, result.stdout .. result.stderr)
        assert.matches(how.prints, result.stdout)
        if how.complains then assert.matches(how.complains, result.stderr) else assert.equal("", result.stderr) end
        if how.makes then assert.truthy(io.open(folder .. "/" .. how.makes)) end
      end)
    end
    for _, list in ipairs {run_here, run_elsewhere, not_run} do
      local value, known = found_in(list, block)
      if value then seen[known], block.is_known = true, true end
    end
    it(("are all known: %s: %s"):format(block.page, block.text:match "[^\n]*"), function()
      assert.truthy(block.is_known)
    end)
  end

  it("are what the lists have, which other specs run", function()
    for _, list in ipairs {run_here, run_elsewhere, not_run} do
      for key, value in pairs(list) do
        assert.truthy(seen[key], key)
        if list == run_elsewhere then assert.truthy(read(value):find(key:match "^%S+", 1, true), key) end
      end
    end
  end)
end)

describe("The pages' blocks in other languages", function()
  it("are JSON that can be read", function()
    for _, block in ipairs(blocks "json") do
      assert.is_table(system.read_json(block.text))
    end
  end)

  it("are Python in one place, which wants safetensors of PyPI", function()
    local found = blocks "python"
    assert.equal(1, #found)
    assert.equal('net.load_state_dict(safetensors.torch.load_file("net.safetensors"))', found[1].text)
  end)

  it("are of no other language", function()
    local known = {sh = true, json = true, python = true, lua = true, c = true} -- docs_spec has the last two
    for path in io.popen("find README.md docs -name '*.md' ! -path docs/reference.md"):lines() do
      for language in read(path):gmatch "\n *```(%w+)\n" do assert.truthy(known[language], path .. ": " .. language) end
    end
  end)
end)
