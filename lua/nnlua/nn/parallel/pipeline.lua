-- A net in stages, one a process, through which parts of a batch go one behind the other.

local args = require "nnlua.args"
local collectives = require "nnlua.distributed.collectives"
local core = require "nnlua.nn.core"
local membership = require "nnlua.distributed.membership"
local Module = require "nnlua.nn.module"
local nl = require "nnlua"

local pipeline = {}

local raise = core.raise

local MOST_DIMS, HEADER_TAG, DATA_TAG, GRADIENT_TAG = 16, 1, 2, 3
local dtypes = {nl.float32, nl.float64, nl.bfloat16, nl.float16}

--- One stage of a net that is spread over the processes of a group: rank 0's gets the input, each gives its result to
--- the next. A batch goes through in `chunks` parts, so that the stages work at the same time (GPipe).
--- `nn.parallel.Pipeline(stage, {chunks = 4, process_group = nil})`.
---
---     > stages, x, y = {nn.Linear(2, 3), nn.ReLU()}, nl.randn(4, 2), nl.tensor({1, 2, 3, 1})
---     > pipe = nn.parallel.Pipeline(stages[dist.get_rank() + 1], {chunks = 2})
---     > loss = pipe:train_step(x, y, F.cross_entropy)
---     > (loss == nil) == (dist.get_rank() == 0) -- the last rank has it
---     true
---
---@class Pipeline: Module
---@field stage Module
local Pipeline = core.class("nn.parallel.Pipeline", Module)
pipeline.Pipeline = Pipeline

local parse = args.parser("nn.parallel.Pipeline", {
  {"stage", "module"}, {"chunks", "integer", 4}, {"process_group", "any?"},
})

function Pipeline:init(...)
  local stage, chunks, given = parse(...)
  local group = membership.group("Pipeline", given) or raise "Pipeline: this process is not in the group"
  if chunks < 1 then raise "Pipeline: chunks must be 1 or more" end
  self.stage, self.chunks, self.process_group = stage, chunks, group
  self.is_first, self.is_last = group:rank() == 0, group:rank() == group:size() - 1
end

--- Sends a tensor to the next stage (1) or the one before (-1); what is to be waited for goes to `works`.
local function send(self, tensor, step, tag, works)
  local work = collectives.isend(tensor:detach():contiguous(), {
    group = self.process_group, group_dst = self.process_group:rank() + step, tag = tag})
  table.insert(works, work)
end

local function receive(self, tensor, step, tag)
  collectives.recv(tensor, {group = self.process_group, group_src = self.process_group:rank() + step, tag = tag})
  return tensor
end

--- A result for the next stage, which doesn't know its shape: that goes ahead.
local function send_result(self, y, works)
  local header = {y.ndim}
  for i, dtype in ipairs(dtypes) do
    if y.dtype == dtype then header[2] = i end
  end
  if not header[2] then raise("Pipeline: a stage gives floats to the next, not " .. tostring(y.dtype)) end
  for i = 1, MOST_DIMS do header[2 + i] = i <= y.ndim and y:size(i) or 0 end
  send(self, nl.tensor(header), 1, HEADER_TAG, works)
  send(self, y, 1, DATA_TAG, works)
end

local function receive_input(self)
  local header = receive(self, nl.zeros({2 + MOST_DIMS}, {dtype = nl.int64}), -1, HEADER_TAG):tolist()
  local shape = table.move(header, 3, 2 + header[1], 1, {})
  return receive(self, nl.empty(shape, {dtype = dtypes[header[2]]}), -1, DATA_TAG)
end

local function chunks_of(value, n, what)
  if not core.is_tensor(value) or value:size(1) < n then
    raise(("Pipeline: the %s must be a tensor of at least %d rows, one for each chunk"):format(what, n))
  end
  return value:tensor_split(n, 1, {as_table = true})
end

--- A batch through all stages; the last rank has the result, the others nil. Only rank 0 gives an input.
---     > pipe = nn.parallel.Pipeline(nn.ReLU())
---     > y = pipe:forward(dist.get_rank() == 0 and nl.tensor({{-1.0}, {2.0}, {3.0}, {-4.0}}) or nil)
---     > not y or nl.equal(y, nl.tensor({{0.0}, {2.0}, {3.0}, {0.0}}))
---     true
---@param x? Tensor
---@return Tensor?
function Pipeline:forward(x)
  local works, results = {}, {}
  local parts = self.is_first and chunks_of(x, self.chunks, "input")
  for i = 1, self.chunks do
    local y = self.stage(parts and parts[i] or receive_input(self))
    if self.is_last then results[i] = y else send_result(self, y, works) end
  end
  for _, work in ipairs(works) do work:wait() end
  return self.is_last and nl.cat(results, 1) or nil
end

--- Forward and backward of a batch: rank 0 gives the input, the last rank the target; gradients are added up in the
--- parameters. The last rank gets the loss, the mean over the batch as `loss_fn(result, target)` has it.
---@param x? Tensor
---@param target? Tensor
---@param loss_fn function
---@return Tensor?
function Pipeline:train_step(x, target, loss_fn)
  local works, inputs, results, total = {}, {}, {}, nil
  local parts = self.is_first and chunks_of(x, self.chunks, "input")
  local targets = self.is_last and chunks_of(target, self.chunks, "target")
  for i = 1, self.chunks do
    inputs[i] = parts and parts[i] or receive_input(self):requires_grad_()
    local y = self.stage(inputs[i])
    if self.is_last then
      results[i] = loss_fn(y, targets[i]) * (targets[i]:size(1) / target:size(1))
      total = (total or 0) + results[i]:detach()
    else
      results[i] = y
      send_result(self, y, works)
    end
  end
  for i = self.chunks, 1, -1 do
    if self.is_last then
      results[i]:backward()
    else
      results[i]:backward(receive(self, nl.empty(results[i].shape, {dtype = results[i].dtype}), 1, GRADIENT_TAG))
    end
    if not self.is_first then send(self, inputs[i].grad, -1, GRADIENT_TAG, works) end
  end
  for _, work in ipairs(works) do work:wait() end
  return total
end

function Pipeline:extra_repr()
  return ("stage=%d of %d, chunks=%d"):format(self.process_group:rank() + 1, self.process_group:size(), self.chunks)
end

return pipeline
