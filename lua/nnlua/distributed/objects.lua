-- Lua values between processes: what nl.save takes, as bytes.

local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local nl = require "nnlua"

local objects = {}

local raise = core.raise

local function check_list(what, list)
  if type(list) ~= "table" or getmetatable(list) then
    raise(("%s: a list was expected, not %s"):format(what, core.describe(list)))
  end
  return list
end

local function to_bytes(value)
  local buffer = nl.io.BytesIO()
  nl.save(buffer, {value == nil and nl.none or value})
  return nl.frombuffer(buffer:getvalue(), nl.uint8)
end

local function from_bytes(bytes)
  local value = nl.load(nl.io.BytesIO(bytes:tobytes()))[1]
  if value == nl.none then return nil end
  return value
end

--- How many entries a list has, nils among them: up to the last that isn't nil.
local function last_place(list)
  local n = 0
  for place in pairs(list) do
    if math.type(place) == "integer" and place > n then n = place end
  end
  return n
end

--- A list as one value.
local function to_bytes_of_list(list)
  return to_bytes {n = last_place(list), values = list}
end

--- Sets the entries of a list to those that were sent, nils among them.
local function fill(list, bytes)
  local sent = from_bytes(bytes)
  for i = 1, sent.n do list[i] = sent.values[i] end
end

local function length_of(bytes)
  return nl.tensor({bytes:numel()}, {dtype = nl.int64})
end

--- Lengths of all ranks, and the longest.
local function all_lengths(bytes, group)
  local lengths = nl.zeros({#group.ranks}, {dtype = nl.int64})
  collectives.all_gather_into_tensor(lengths, length_of(bytes), group)
  return lengths:tolist(), lengths:max():item()
end

local function padded(bytes, length)
  local whole = nl.zeros({length}, {dtype = nl.uint8})
  if bytes:numel() > 0 then whole:narrow(1, 1, bytes:numel()):copy_(bytes) end
  return whole
end

local function unpack_rows(rows, lengths, list)
  for i, length in ipairs(lengths) do list[i] = from_bytes(rows[i]:narrow(1, 1, length)) end
end

--- Fills a list with the values of rank `src`'s list: tables, numbers, strings, truth values, tensors; nils among them
--- too.
---     > list = dist.get_rank() == 0 and {"a", {2, 3}} or {}
---     > dist.broadcast_object_list(list, 0)
---     > list[1], list[2][2]
---     a	3
---@param object_list table
---@param src? integer
---@param group? ProcessGroup
function objects.broadcast_object_list(object_list, src, group)
  local list = check_list("broadcast_object_list", object_list)
  src, group = src or 0, membership.group("broadcast_object_list", group)
  if not group then return end
  local is_source = membership.joined "broadcast_object_list".rank == src
  local bytes = is_source and to_bytes_of_list(list) or nl.zeros({0}, {dtype = nl.uint8})
  local length = length_of(bytes)
  collectives.broadcast(length, src, group)
  bytes = is_source and bytes or nl.empty({length:item()}, {dtype = nl.uint8})
  collectives.broadcast(bytes, src, group)
  if not is_source then fill(list, bytes) end
end

--- Fills a list with a value of each rank: rank r's is the entry r + 1.
---     > list = {}
---     > dist.all_gather_object(list, {rank = dist.get_rank()})
---     > list[2].rank
---     1
---@param object_list table
---@param obj any
---@param group? ProcessGroup
function objects.all_gather_object(object_list, obj, group)
  local list = check_list("all_gather_object", object_list)
  group = membership.group("all_gather_object", group)
  if not group then return end
  local bytes = to_bytes(obj)
  local lengths, longest = all_lengths(bytes, group)
  local rows = nl.empty({#lengths, longest}, {dtype = nl.uint8})
  collectives.all_gather_into_tensor(rows, padded(bytes, longest), group)
  unpack_rows(rows, lengths, list)
end

--- Fills the list of rank `dst` with a value of each rank.
---     > list = dist.get_rank() == 0 and {} or nil
---     > dist.gather_object("mine", list, 0)
---     > not list or table.concat(list, " ") == "mine mine"
---     true
---@param obj any
---@param object_gather_list? table
---@param dst? integer
---@param group? ProcessGroup
function objects.gather_object(obj, object_gather_list, dst, group)
  dst, group = dst or 0, membership.group("gather_object", group)
  if not group then return end
  local is_root = membership.joined "gather_object".rank == dst
  local list = is_root and check_list("gather_object", object_gather_list)
  local bytes = to_bytes(obj)
  local lengths, longest = all_lengths(bytes, group)
  local rows
  if is_root then
    rows = {}
    for i = 1, #lengths do rows[i] = nl.empty({longest}, {dtype = nl.uint8}) end
  end
  collectives.gather(padded(bytes, longest), rows, dst, group)
  if is_root then unpack_rows(rows, lengths, list) end
end

--- Sets the first entry of a list to this rank's value of rank `src`'s list.
---     > list = {}
---     > dist.scatter_object_list(list, dist.get_rank() == 0 and {"yours", "yours"} or nil, 0)
---     > list[1]
---     yours
---@param scatter_object_output_list table
---@param scatter_object_input_list? table
---@param src? integer
---@param group? ProcessGroup
function objects.scatter_object_list(scatter_object_output_list, scatter_object_input_list, src, group)
  local output, input = check_list("scatter_object_list", scatter_object_output_list), scatter_object_input_list
  src, group = src or 0, membership.group("scatter_object_list", group)
  if not group then return end
  local is_source = membership.joined "scatter_object_list".rank == src
  if is_source and last_place(check_list("scatter_object_list", input)) > group:size() then
    raise(("scatter_object_list: rank src gives a list of %d values, not more"):format(group:size()))
  end
  local all = {is_source and input or false}
  objects.broadcast_object_list(all, src, group)
  output[1] = all[1][group:rank() + 1]
end

--- Sends a list of values to rank `dst`, which calls recv_object_list.
---     > list = {dist.get_rank() == 0 and {loss = 0.5}}
---     > if dist.get_rank() == 0 then dist.send_object_list(list, 1) else dist.recv_object_list(list, 0) end
---     > list[1].loss
---     0.5
---@param object_list table
---@param dst? integer
---@param group? ProcessGroup
function objects.send_object_list(object_list, dst, group)
  local bytes = to_bytes_of_list(check_list("send_object_list", object_list))
  collectives.send(length_of(bytes), dst, group)
  collectives.send(bytes, dst, group)
end

--- Fills a list with the values that rank `src` (or any) sends; gives the rank that sent them.
---     > list = {dist.get_rank() == 0 and "a"}
---     > if dist.get_rank() == 0 then dist.send_object_list(list, 1) else dist.recv_object_list(list, 0) end
---     > list[1]
---     a
---@param object_list table
---@param src? integer
---@param group? ProcessGroup
---@return integer
function objects.recv_object_list(object_list, src, group)
  check_list("recv_object_list", object_list)
  local length = nl.zeros({1}, {dtype = nl.int64})
  src = collectives.recv(length, src, group)
  local bytes = nl.empty({length:item()}, {dtype = nl.uint8})
  collectives.recv(bytes, src, group)
  fill(object_list, bytes)
  return src
end

return objects
