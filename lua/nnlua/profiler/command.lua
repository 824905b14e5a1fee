-- nnlua --profile: a profile of all that the command line runs, told on stderr at the end.

local nl = require "nnlua"

local command = {}

local profile, trace, exit

--- Ends the profile, if it runs, and tells it; writes the trace where one was asked for.
function command.finish()
  if not profile then return end
  local done = profile
  profile, os.exit = nil, exit
  done:stop()
  io.stdout:flush()
  io.stderr:write("\n", tostring(done), "\n")
  if trace then
    done:export_chrome_trace(trace)
    io.stderr:write(("\nThe trace is in %s: open it in https://ui.perfetto.dev\n"):format(trace))
  end
end

--- Begins it. `path`: where the trace goes, or nil: none is kept.
function command.begin(path)
  trace, exit = path, os.exit
  profile = nl.profiler.profile {max_events = path and 1000000 or 0}
  function os.exit(...) -- luacheck: ignore 122
    command.finish()
    exit(...)
  end
end

return command
