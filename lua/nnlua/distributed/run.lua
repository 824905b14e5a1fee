-- nnlua run: a script in several processes, by the launcher of an MPI.

local membership = require "nnlua.distributed.membership"
local launcher = require "nnlua.launcher"

local usage = [[
usage: nnlua run [-n N] [--mpi openmpi|mpich] [--threads N] [launcher's options --] script [args]

Runs a script in N processes (2), each with one thread, on this machine or, with the launcher's
options, on others:  nnlua run -n 8 --hostfile hosts -- train.lua --epochs 3
In the script:       local dist = require "nnlua".distributed    dist.init_process_group()
Each line of output begins with the rank that it comes from. Where one process fails, all end.
More: man nnlua
]]

local function fail(...)
  io.stderr:write("nnlua run: ", string.format(...), "\n", usage:match "[^\n]*\n")
  os.exit(2, true)
end

local MOST <const> = 65536

--- Whole numbers from 1 on.
local function count(option, text)
  local n = math.tointeger(tonumber(text))
  if not n or n < 1 or n > MOST then
    fail("%s wants a number from 1 to %d, not %s", option, MOST, text and "'" .. text .. "'" or "nothing")
  end
  return n
end

local hostfiles = {hostfile = true, machinefile = true, ["default-hostfile"] = true, f = true}

--- The launchers themselves say little of a file of machines that isn't there.
local function check_hostfile(words)
  for i, word in ipairs(words) do
    local path = hostfiles[word:match "^%-%-?(.*)$"] and words[i + 1]
    local file <close> = path and io.open(path, "rb")
    if path and not file then fail("the file of machines %s can't be opened", path) end
  end
end

--- What the command line says: options of ours, words for the launcher, the script and its arguments.
local function parse(words)
  local options = {n = 2, threads = 1, launcher = {}, script = {}}
  local i, dashes = 1, nil
  for k, word in ipairs(words) do dashes = dashes or word == "--" and k end
  while i <= #words do
    local word = words[i]
    local name, value = word:match "^(%-%-[^=]+)=(.*)$"
    name = name or word
    local function argument()
      if value then return value end
      i = i + 1
      return words[i]
    end
    if word == "--" then
      table.move(words, i + 1, #words, 1, options.script)
      break
    elseif name == "-n" or name == "-np" or name == "--np" then
      options.n = count(name, argument())
    elseif name == "--threads" then
      options.threads = count(name, argument())
    elseif name == "--mpi" then
      options.mpi = argument()
    elseif name == "-h" or name == "--help" then
      io.write(usage)
      os.exit(0, true)
    elseif word:sub(1, 1) == "-" and dashes then -- from here on the launcher's
      table.move(words, i, dashes - 1, #options.launcher + 1, options.launcher)
      i = dashes - 1
    elseif word:sub(1, 1) == "-" then
      fail("there is no option '%s'; options for MPI's launcher stand before '--', and the script behind it", word)
    else
      table.move(words, i, #words, 1, options.script)
      break
    end
    i = i + 1
  end
  if #options.script == 0 then fail "which script?" end
  check_hostfile(options.launcher)
  return options
end

--- The path of a program, or nil.
local function find_program(name)
  for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
    local file <close> = io.open(folder .. "/" .. name, "rb")
    if file then return folder .. "/" .. name end
  end
end

local packages = {openmpi = "openmpi-bin", mpich = "mpich"}

--- The MPI that is built for and whose launcher is here.
local function choose(wanted)
  if wanted and not packages[wanted] then fail("--mpi takes openmpi or mpich, not '%s'", wanted) end
  local missing
  for _, name in ipairs {"openmpi", "mpich"} do
    if (not wanted or name == wanted) and membership.module_of(name) then
      local path = find_program("mpirun." .. name)
      if path then return name, path end
      missing = missing or name
    end
  end
  if missing then
    fail("there is no mpirun.%s: install Debian's package %s", missing, packages[missing])
  end
  fail("this nnlua was built without %s: install Debian's lib%s-dev and build it again", wanted or "MPI",
       wanted or "openmpi")
end

--- Whether this is root, which OpenMPI wants to be told.
local function is_root()
  local file <close> = io.open("/proc/self/status", "rb")
  return file and file:read "a":match "\nUid:%s+%d+%s+(%d+)" == "0"
end

local options_of = {
  openmpi = function()
    -- two processes would be bound to a core each, where one's messenger and its Lua had to share that
    local words = {"--oversubscribe", "--bind-to", "none", "--tag-output", "-x", "NNLUA_RUN"}
    if is_root() then table.insert(words, "--allow-run-as-root") end
    return words
  end,
  mpich = function() return {"-prepend-rank"} end,
}

--- The command: the launcher, its options, this interpreter, the script.
local function command(options)
  local name, path = choose(options.mpi)
  local words = {path, "-n", tostring(options.n)}
  for _, list in ipairs {options_of[name](), options.launcher, {launcher.interpreter()},
                         {"--threads", tostring(options.threads)}, options.script} do
    table.move(list, 1, #list, #words + 1, words)
  end
  return words
end

return function(words)
  local options = parse(words)
  os.exit(launcher.run(command(options), options.n > 1), true)
end
