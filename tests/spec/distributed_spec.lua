-- parts: 4
-- nl.distributed: several processes of this machine, over each MPI that nnlua was built for.
local process = require "tests.support.process"
local nl = require "nnlua"
local membership = require "nnlua.distributed.membership"

local dist = nl.distributed

local mpis = {}
for _, name in ipairs {"openmpi", "mpich"} do
  if membership.module_of(name) then table.insert(mpis, name) end
end

--- The MPIs leave memory behind at their end, which isn't ours to tell.
local environment = {ASAN_OPTIONS = (os.getenv "ASAN_OPTIONS" or "") .. ":detect_leaks=0"}

--- What `nnlua run` prints, on both outputs, and its status.
local function run(mpi, n, script, ...)
  local words = {process.nnlua, "run", "--mpi", mpi, "-n", tostring(n), "tests/distributed/" .. script, ...}
  local result = process.run(words, {env = environment})
  return result.stdout .. result.stderr, result.code
end

describe("several processes", function()
  it("join where there is an MPI", function()
    assert.equal(#mpis > 0, dist.is_available())
    assert.is_false(dist.is_initialized())
    for _, name in ipairs {"get_rank", "get_world_size", "barrier", "new_group", "destroy_process_group"} do
      local good, why = pcall(dist[name])
      assert.is_false(good)
      assert.truthy(why:find(#mpis > 0 and "call init_process_group first" or "libopenmpi%-dev"), why)
    end
    local good, why = pcall(dist.init_process_group, "gloo")
    assert.is_false(good)
    assert.truthy(why:find("'mpi'", 1, true), why)
  end)

  it("are told from the command line what is wrong with it", function()
    for words, expected in pairs {
      ["run"] = "which script?",
      ["run -n x a.lua"] = "-n wants a number",
      ["run --hostfile a.lua"] = "stand before '--'",
      ["run -n"] = "not nothing",
      ["run --hostfile no.such.file -- a.lua"] = "no.such.file can't be opened",
      ["run --mpi lam a.lua"] = "openmpi or mpich",
    } do
      local list = {process.nnlua}
      for word in words:gmatch "%S+" do table.insert(list, word) end
      local result = process.run(list)
      assert.truthy(result.stderr:find(expected, 1, true), result.stderr)
      assert.equal(2, result.code)
    end
  end)

  for _, mpi in ipairs(mpis) do
    for n = 1, 4 do
      it(("send and combine tensors and values: %d of %s"):format(n, mpi), function()
        local text, status = run(mpi, n, "collectives.lua")
        assert.equal(n > 1 and "[0] all is well\n" or "all is well\n", text)
        assert.equal(0, status)
      end)
    end

    it("print what the help's examples say: " .. mpi, function()
      local text, status = run(mpi, 2, "examples.lua")
      assert.equal("[0] all is well\n", text)
      assert.equal(0, status)
    end)

    it("show in profiles what they send: " .. mpi, function()
      local text, status = run(mpi, 2, "profile.lua")
      assert.equal("[0] all is well\n", text)
      assert.equal(0, status)
    end)

    it("start others that are none of them, and end by os.exit: " .. mpi, function()
      local text, status = run(mpi, 2, "children.lua", mpi)
      assert.equal("[0] all is well\n", text)
      assert.equal(0, status)
    end)

    for n = 2, 3 do
      it(("train as one does: %d of %s"):format(n, mpi), function()
        local text, status = run(mpi, n, "training.lua")
        assert.equal("[0] all is well\n", text)
        assert.equal(0, status)
      end)
    end

    for how, expected in pairs {
      error = "this rank fails",
      killed = "was ended by signal 9 (Killed); the others were ended",
      stopped = "barrier: rank 1 %(process %d+ on %S+%) gives no sign of life",
      late = "barrier: not done within 2",
      ["late for a barrier"] = "monitored_barrier: not there within 1 s: rank 1",
      unlike = "DistributedDataParallel: parameter 1 is weight",
    } do
      it(("end together: %s, %s"):format(how, mpi), function()
        local text, status = run(mpi, 3, "failure.lua", how)
        local is_pattern = expected:find("%", 1, true) ~= nil
        assert.truthy(text:find(expected, 1, not is_pattern), text)
        assert.truthy(text:find "nnlua run: rank %d", text)
        assert.equal(1, status)
      end)
    end

    it("end with the status that one ended with: " .. mpi, function()
      local text, status = run(mpi, 2, "failure.lua", "status")
      assert.matches("^nnlua run: rank 1 %(process %d+ on %S+%) ended with status 3; the others were ended\n$", text)
      assert.equal(3, status)
    end)

    it("do what the page about them says: " .. mpi, function()
      local file <close> = assert(io.open "docs/distributed.md")
      local blocks = {}
      for block in file:read("a"):gmatch "\n```lua\n(.-)```" do table.insert(blocks, block) end
      local script = process.file(table.concat(blocks, "\n"))
      local result = process.run({process.nnlua, "run", "--mpi", mpi, "-n", "2", script}, {env = environment})
      os.remove(script)
      assert.equal("", result.stderr)
      assert.equal("[0] epoch 1 is done\n[0] epoch 2 is done\n", result.stdout)
    end)

    it("end when the user wants to: " .. mpi, function()
      local words = "exec 2>&1; echo $$; exec env ASAN_OPTIONS='%s' '%s' run --mpi %s -n 2 %s endless"
      local command = words:format(environment.ASAN_OPTIONS, process.nnlua, mpi, "tests/distributed/failure.lua")
      local pipe = assert(io.popen(command))
      local id = pipe:read "l"
      assert.equal("[1] begun", pipe:read "l")
      os.execute("kill -INT " .. id)
      pipe:read "a"
      local _, _, status = pipe:close()
      assert.equal(130, status)
    end)
  end
end)
