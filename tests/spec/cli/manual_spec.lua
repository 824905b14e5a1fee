-- The man page, --help and the shells' completions name the same options; bash's completion offers what it should.
local nl = require "nnlua"
local process = require "support.process"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do table.insert(list, name) end
  table.sort(list)
  return list
end

--- The options that --help lists, each with the place of its argument.
local function options_of_help()
  local set = {}
  for option in process.run_nnlua({"--help"}).stdout:gmatch "\n  (%-[^\n]-)  " do set[option] = true end
  return set
end

local function without_arguments(set)
  local short = {}
  for option in pairs(set) do short[option:match "^[^ ]+"] = true end
  return short
end

describe("the man page", function()
  local page = read "docs/nnlua.1"

  it("names the options of --help, and the version", function()
    local set = {}
    for line in page:match "%.SH OPTIONS\n(.-)%.SH":gmatch "%.TP\n([^\n]+)\n" do
      local text = line:gsub("^%.%u+ ", ""):gsub('"', ""):gsub("\\%-", "-"):gsub(" = ", "="):gsub("  +", " ")
      set[text] = true
    end
    assert.same(sorted(options_of_help()), sorted(set))
    assert.matches('^%.TH NNLUA 1 "" "nnlua ' .. nl._VERSION:gsub("%p", "%%%0") .. '"', page)
  end)

  it("names the environment variables that the sources ask for", function()
    local sources = process.run {"sh", "-c", "grep -rhoE 'getenv ?\\(?\"[A-Z_]+' src lua"}
    for name in sources.stdout:gmatch '"([%u_]+)' do
      assert.is_true(name == "HOME" or page:find("%f[%u_]" .. name .. "%f[^%w_]") ~= nil, name)
    end
  end)

  if os.execute "command -v man >/dev/null" then
    it("is formatted without a warning", function()
      local result = process.run({"man", "--warnings=all", "-l", "docs/nnlua.1"}, {env = {LC_ALL = "C.UTF-8"}})
      assert.equal("", result.stderr)
      assert.matches("SYNOPSIS", result.stdout)
    end)
  end
end)

describe("bash's completion", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    os.execute(("mkdir -p '%s/lessons' && cd '%s' && touch train.lua test.lua data.csv"):format(folder, folder))
  end)

  teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

  --- What is offered for the last of some words.
  local function offered(...)
    local script = [[
      source docs/completion/nnlua.bash || exit 1
      cd "$1" && shift
      COMP_WORDS=(nnlua "$@")
      COMP_CWORD=$#
      _nnlua
      printf '%s\n' "${COMPREPLY[@]}"
    ]]
    local result = process.run {"bash", "-c", script, "bash", folder, ...}
    assert.equal("", result.stderr)
    local set = {}
    for line in result.stdout:gmatch "[^\n]+" do set[line] = true end
    return sorted(set)
  end

  it("offers all options of --help", function()
    local set = without_arguments(options_of_help())
    set["-"] = nil
    assert.same(sorted(set), offered "-")
    assert.same({"--threads"}, offered "--t")
    assert.same({"--version"}, offered("-W", "--v"))
  end)

  it("offers scripts, folders and the commands", function()
    assert.same({"build", "lessons", "run", "test", "test.lua", "train.lua"}, offered "")
    assert.same({"train.lua"}, offered "tr")
    assert.same({"build", "lessons", "run", "test", "test.lua", "train.lua"}, offered("-W", "-e", "x = 1", ""))
    assert.same({"lessons", "test.lua", "train.lua"}, offered("--", ""))
  end)

  it("offers any file to a script", function()
    assert.same({"data.csv"}, offered("train.lua", "da"))
    assert.same({"data.csv"}, offered("--threads", "2", "train.lua", "--data", "da"))
    assert.same({"data.csv"}, offered("--threads", "=", "2", "train.lua", "da"))
  end)

  it("offers any file for a trace", function()
    assert.same({"data.csv"}, offered("--profile", "=", "da"))
    assert.same({"train.lua"}, offered("--profile", "=", "trace.json", "tr"))
    assert.same({"train.lua"}, offered("--profile", "tr"))
  end)

  it("offers numbers of threads, and nothing for code", function()
    assert.equal("1", offered("--threads", "")[1])
    assert.equal("1", offered("--threads", "=")[1])
    assert.same({"1"}, offered("--threads", "=", "1"))
    assert.same({}, offered("-e", ""))
    assert.same({}, offered("-l", ""))
  end)

  it("offers busted's options and specs to test", function()
    assert.same({"lessons", "test.lua", "train.lua"}, offered("test", ""))
    assert.same({"--filter", "--filter-out"}, offered("--threads", "2", "test", "--filt"))
    local help = process.run_nnlua({"test", "--help"}).stdout
    for _, option in ipairs(offered("test", "--")) do
      if option ~= "--help" then
        local plain = option:gsub("^%-%-no%-", "--"):gsub("%p", "%%%0"):gsub("^%%%-%%%-", "%%-%%-[%%[no%%-%%]]*")
        assert.matches(plain .. "%f[^%w-]", help)
      end
    end
  end)
end)

describe("the completions of zsh and fish", function()
  it("name the options of --help", function()
    local zsh, fish = read "docs/completion/_nnlua", read "docs/completion/nnlua.fish"
    for _, option in ipairs(sorted(without_arguments(options_of_help()))) do
      local name = option:match "^%-%-?(%a+)$"
      if name then
        assert.matches(option:gsub("%-", "%%-") .. "[+=]?%[", zsh)
        assert.matches((#name == 1 and " -s " or " -l ") .. name .. " ", fish, 1, true)
      end
    end
  end)

  it("can be read by these shells where they are", function()
    for shell, path in pairs {zsh = "docs/completion/_nnlua", fish = "docs/completion/nnlua.fish"} do
      local check = ("command -v %s >/dev/null || exit 0; exec %s -n %s"):format(shell, shell, path)
      assert.same({stdout = "", stderr = "", code = 0}, process.run {"sh", "-c", check})
    end
  end)
end)
