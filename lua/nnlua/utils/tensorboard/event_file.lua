-- Event files: records of TensorFlow (a length, its checksum, bytes, their checksum), each an Event.

local message = require "nnlua.utils.tensorboard.message"
local nl = require "nnlua"
local raise = require "nnlua.nn.core".raise
local system = require "nnlua.system"

local EventFile = {}
EventFile.__index = EventFile

local count = 0

--- A checksum as records have it: turned and shifted, since checksums of what has checksums in it tell little.
local function masked(bytes)
  local crc = system.crc32c(bytes)
  return string.pack("<I4", ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff)
end

--- Begins a file in a folder, which is made if it isn't there.
function EventFile.new(folder, suffix, flush_secs)
  local host, process = system.host_and_process()
  local now = system.clock()
  local self = setmetatable({folder = folder, flush_secs = flush_secs, flushed = now}, EventFile)
  system.make_folder("SummaryWriter", folder)
  self.path = ("%s/events.out.tfevents.%010d.%s.%d.%d%s"):format(folder, os.time(), host, process, count, suffix)
  count = count + 1
  local file, problem = io.open(self.path, "wb")
  if not file then raise("SummaryWriter: " .. problem) end
  self.file = file
  self:write {file_version = "brain.Event:2", source_metadata = message("source_metadata", {writer = "nnlua"})}
  self:flush()
  return self
end

--- Appends an event: a table of its fields.
function EventFile:write(event, step, walltime)
  event.wall_time = walltime or nl.time()
  event.step = step
  local bytes = table.concat(message("event", event))
  local length = string.pack("<I8", #bytes)
  local ok, problem = self.file:write(length, masked(length), bytes, masked(bytes))
  if not ok then raise(("SummaryWriter: %s: %s"):format(self.path, problem)) end
  if system.clock() - self.flushed >= self.flush_secs then self:flush() end
end

function EventFile:flush()
  self.flushed = system.clock()
  local ok, problem = self.file:flush()
  if not ok then raise(("SummaryWriter: %s: %s"):format(self.path, problem)) end
end

--- Ends the file. Raises where its last bytes couldn't be written.
function EventFile:close()
  local ok, problem = self.file:close()
  if not ok then raise(("SummaryWriter: %s: %s"):format(self.path, problem)) end
end

return EventFile
