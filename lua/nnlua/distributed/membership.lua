-- Joining other processes: which MPI, the own rank, groups of ranks.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local messenger = require "nnlua.distributed.core"

local membership = {}

local raise = core.raise

--- Some of the processes, as `new_group` gives them: ranks of the world by their place in the group.
---     > group = dist.new_group({1})
---     > group:size(), group:rank() == dist.get_rank() - 1
---     1	true
---@class ProcessGroup
local ProcessGroup = class.new "distributed.ProcessGroup"
membership.ProcessGroup = ProcessGroup

--- How many processes the group has.
function ProcessGroup:size() return #self.ranks end

--- The own rank in the group; -1 if this process is not in it.
function ProcessGroup:rank() return self.own end

function ProcessGroup:__tostring()
  return ("ProcessGroup(ranks=[%s])"):format(table.concat(self.ranks, ", "))
end

local state = nil -- while it has joined: the group of all, the own rank

-- ---------------------------------------------------------------- the MPIs

local names = {"openmpi", "mpich"}

--- What the launcher of each leaves in the environment of what it starts.
local marks = {openmpi = {"OMPI_COMM_WORLD_SIZE"}, mpich = {"PMI_SIZE", "MPI_LOCALNRANKS"}}

--- The file of an MPI's module, or nil: beside the interpreter or nnlua.so, or where they are installed.
function membership.module_of(name)
  local folder = messenger.folder()
  for _, place in ipairs {".", "../lib/nnlua", "../../nnlua"} do
    local path = ("%s/%s/nnlua_%s.so"):format(folder or ".", place, name)
    local file <close> = io.open(path, "rb")
    if file then return path end
  end
end

--- The MPI whose launcher started this process, not one that started it, or nil.
local function launcher()
  for _, name in ipairs(names) do
    for _, mark in ipairs(marks[name]) do
      if os.getenv(mark) then return name end
    end
  end
end

--- Whether this nnlua was built with an MPI, so that processes can join.
---     > nl.distributed.is_available() == nl.distributed.is_mpi_available()
---     true
function membership.is_available()
  return (membership.module_of "openmpi" or membership.module_of "mpich") ~= nil
end

membership.is_mpi_available = membership.is_available

local NO_MPI <const> = ": this nnlua was built without MPI: install Debian's libopenmpi-dev or libmpich-dev and "
  .. "build it again"

--- The name of the MPI that is to be used, and the file of its module.
local function choose(backend)
  messenger.claim()
  local name = backend ~= "mpi" and backend or launcher()
  if name then
    if not marks[name] then
      raise(("init_process_group: the backend is 'mpi', 'openmpi' or 'mpich', not '%s'"):format(name))
    end
    local path = membership.module_of(name)
    if not path then
      raise(("init_process_group: this nnlua was built without %s: install Debian's lib%s-dev and build it again")
        :format(name, name))
    end
    return name, path
  end
  for _, one in ipairs(names) do
    local path = membership.module_of(one)
    if path then return one, path end
  end
  raise("init_process_group" .. NO_MPI)
end

local function check_group(what, group)
  if group ~= nil and not class.is_a(group, ProcessGroup) then
    raise(("%s: group must be a ProcessGroup, not %s"):format(what, core.describe(group)))
  end
end

-- ----------------------------------------------------------------- joining

--- Signs of life come twice a second, so less than one to wait for them would name the living.
local function check_seconds(what, seconds, least)
  if not (seconds > least or seconds == least and least > 0) then
    raise(core.format("%s must be a number of seconds %s, not %g", what,
      least > 0 and core.format("from %g on", least) or "above 0", seconds))
  end
end

--- os.exit without a failure waits for the others, which would else be taken for lost or ended by the launcher; with
--- one it tells nnlua run.
local function leave_at_exit()
  local exit = os.exit
  local is_there, launcher = pcall(require, "nnlua.launcher") -- in the interpreter
  function os.exit(code, close) -- luacheck: ignore 122
    local is_good = code == nil or code == true or code == 0
    local status = code == false and 1 or math.tointeger(code)
    if is_there and not is_good and status then launcher.tell_status(status) end
    if state and is_good and not close then membership.destroy_process_group() end
    exit(code, close)
  end
end

local parse_init = args.parser("init_process_group", {
  {"backend", "string", "mpi"}, {"timeout", "number", 1800}, {"sign_of_life", "number", 10},
})

--- Joins the other processes that the launcher (`nnlua run -n 4 script.lua`, mpirun, srun) has started; without a
--- launcher the process is alone, a world of one. `timeout`: how many seconds a wait may take before it raises.
--- `sign_of_life`: after how many seconds without a sign a process is taken for lost. It can be called once.
--- The examples of all that works between processes go on from this one, in a world of two that print the same.
---     > dist = nl.distributed
---     > dist.init_process_group()
---     > dist.get_world_size()
---     2
---@param backend? string
---@param timeout? number
---@param sign_of_life? number
function membership.init_process_group(...)
  local backend, timeout, sign_of_life = parse_init(...)
  check_seconds("init_process_group: timeout", timeout, 0)
  check_seconds("init_process_group: sign_of_life", sign_of_life, 1)
  if state then raise "init_process_group: this process has joined already" end
  local name, path = choose(backend)
  messenger.set_patience(sign_of_life)
  local rank, size = messenger.join(name, path, timeout)
  local ranks = {}
  for i = 1, size do ranks[i] = i - 1 end
  local world = setmetatable({ranks = ranks, own = rank, number = 0, timeout = timeout}, ProcessGroup)
  state = {world = world, rank = rank}
  leave_at_exit()
end

--- Whether init_process_group has been called, and destroy_process_group not since.
---     > dist.is_initialized()
---     true
function membership.is_initialized()
  return state ~= nil
end

--- What runs, or an error of a function that needs it.
function membership.joined(what)
  return state or raise(what .. (membership.is_available() and ": call init_process_group first" or NO_MPI))
end

--- Leaves, once all others do; the end of the script and `os.exit(0)` do the same. Of a group, it only is no longer to
--- be used.
---     > group = dist.new_group()
---     > dist.destroy_process_group(group)
---     > (pcall(dist.barrier, group))
---     false
---@param group? ProcessGroup
function membership.destroy_process_group(group)
  local joined = membership.joined "destroy_process_group"
  check_group("destroy_process_group", group)
  if group and group ~= joined.world then
    group.number = nil
    return
  end
  state = nil
  messenger.leave(joined.world.timeout)
end

-- ------------------------------------------------------------------ groups

--- The group that a function is to work on, of which this process is a member; nil where it isn't one.
function membership.group(what, group)
  local joined = membership.joined(what)
  check_group(what, group)
  if group == nil then return joined.world end
  if group.own < 0 then
    return nil
  elseif not group.number then
    raise(what .. ": this group was destroyed")
  end
  return group
end

--- The place in a group of a rank of the world.
function membership.rank_in(what, group, rank)
  local found = args.whole(rank)
  for i, one in ipairs(group.ranks) do
    if one == found then return i - 1 end
  end
  raise(("%s: rank %s is not in the group; ranks count from 0"):format(what, tostring(rank)))
end

local function checked_ranks(ranks, size)
  local seen, list = {}, {}
  for i, rank in ipairs(ranks) do
    rank = args.whole(rank)
    if not rank or rank < 0 or rank >= size or seen[rank] then
      raise(("new_group: ranks are different whole numbers from 0 to %d, not %s"):format(size - 1, tostring(ranks[i])))
    end
    list[i], seen[rank] = rank, true
  end
  if #list == 0 then raise "new_group: a group has at least one rank" end
  table.sort(list)
  return list
end

local parse_new_group = args.parser("new_group", {{"ranks", "list?"}, {"timeout", "number?"}})

--- A group of some ranks (of all, without a list), in their order in the world. All processes call it, in the same
--- order, those too that are not in the group.
---     > dist.new_group({1}):size()
---     1
---@param ranks? table
---@param timeout? number
---@return ProcessGroup
function membership.new_group(...)
  local ranks, timeout = parse_new_group(...)
  local world = membership.joined "new_group".world
  ranks = checked_ranks(ranks or world.ranks, #world.ranks)
  local own = -1
  for i, rank in ipairs(ranks) do
    if rank == world.own then own = i - 1 end
  end
  messenger.wait(messenger.begin("new_group", "barrier", 0), world.timeout) -- MPI itself would wait for ever
  local number = own >= 0 and messenger.wait(messenger.begin_group("new_group", ranks), world.timeout) or nil
  return setmetatable({ranks = ranks, own = own, number = number, timeout = timeout or world.timeout}, ProcessGroup)
end

--- The own rank, from 0; in a group the rank in it, -1 without being in it.
---     > dist.get_rank() == 0 or dist.get_rank() == 1
---     true
---@param group? ProcessGroup
---@return integer
function membership.get_rank(group)
  local world = membership.joined "get_rank".world
  check_group("get_rank", group)
  return (group or world).own
end

--- How many processes there are; in a group, -1 without being in it.
---     > dist.get_world_size()
---     2
---@param group? ProcessGroup
---@return integer
function membership.get_world_size(group)
  local world = membership.joined "get_world_size".world
  check_group("get_world_size", group)
  return group and (group.own < 0 and -1 or #group.ranks) or #world.ranks
end

--- The name of what carries the bytes: "mpi".
---     > dist.get_backend()
---     mpi
---@return string
function membership.get_backend()
  membership.joined "get_backend"
  return "mpi"
end

--- The MPI in use and its version.
---     > type(dist.get_mpi_version())
---     string
---@return string
function membership.get_mpi_version()
  membership.joined "get_mpi_version"
  return messenger.describe()
end

--- The ranks of the world that are in a group, by their places in it.
---     > table.concat(dist.get_process_group_ranks(), " ")
---     0 1
---@param group? ProcessGroup
---@return table
function membership.get_process_group_ranks(group)
  local world = membership.joined "get_process_group_ranks".world
  check_group("get_process_group_ranks", group)
  return table.move((group or world).ranks, 1, #(group or world).ranks, 1, {})
end

--- The rank in a group of a rank of the world.
---     > dist.get_group_rank(dist.new_group({1}), 1)
---     0
---@param group ProcessGroup
---@param global_rank integer
---@return integer
function membership.get_group_rank(group, global_rank)
  local world = membership.joined "get_group_rank".world
  check_group("get_group_rank", group)
  return membership.rank_in("get_group_rank", group or world, global_rank)
end

--- The rank of the world of a rank in a group.
---     > dist.get_global_rank(dist.new_group({1}), 0)
---     1
---@param group ProcessGroup
---@param group_rank integer
---@return integer
function membership.get_global_rank(group, group_rank)
  local world = membership.joined "get_global_rank".world
  check_group("get_global_rank", group)
  local rank = args.whole(group_rank)
  return rank and (group or world).ranks[rank + 1]
    or raise(("get_global_rank: the group has no rank %s"):format(tostring(group_rank)))
end

return membership
