-- nn.utils.rnn: sequences of different lengths, padded to one tensor or packed into the rows of each step.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local nl = require "nnlua"

local rnn = {}

local raise = core.raise

-- ------------------------------------------------------------- PackedSequence

--- Sequences as recurrent layers take them: `data` has the rows of the first step, of the second and so on, the longest
--- sequence first; `batch_sizes` says how many each step has. `sorted_indices` and `unsorted_indices` are positions, or
--- nil where the sequences came in that order.
---     > nn.utils.rnn.pack_sequence({nl.tensor({1, 2}), nl.tensor({3})}).data
---     tensor([1, 3, 2])
---@class PackedSequence
---@field data Tensor
---@field batch_sizes Tensor
---@field sorted_indices? Tensor
---@field unsorted_indices? Tensor
local PackedSequence = class.new("nn.utils.rnn.PackedSequence")
rnn.PackedSequence = PackedSequence

function PackedSequence:init(data, batch_sizes, sorted_indices, unsorted_indices)
  if not core.is_tensor(data) or not core.is_tensor(batch_sizes)
    or batch_sizes.ndim ~= 1 or batch_sizes:numel() == 0 then
    raise("PackedSequence: data is a tensor, and batch_sizes one of 1 dimension that is not empty")
  end
  self.data, self.batch_sizes, self.sorted_indices = data, batch_sizes, sorted_indices
  self.unsorted_indices = unsorted_indices or sorted_indices and rnn.invert_permutation(sorted_indices)
end

--- The same with the data converted.
---     > nn.utils.rnn.pack_sequence({nl.tensor({1, 2}), nl.tensor({3})}):to(nl.float32).data
---     tensor([1., 3., 2.])
function PackedSequence:to(...)
  return PackedSequence(self.data:to(...), self.batch_sizes, self.sorted_indices, self.unsorted_indices)
end

--- Whether a value is a PackedSequence.
---     > nn.utils.rnn.is_packed(nn.utils.rnn.pack_sequence {nl.tensor({1, 2})})
---     true
function rnn.is_packed(value)
  return class.is_a(value, PackedSequence)
end

--- The permutation that undoes one; both hold positions. nil gives nil.
---     > nn.utils.rnn.invert_permutation(nl.tensor({3, 1, 2}))
---     tensor([2, 3, 1])
function rnn.invert_permutation(permutation)
  if permutation == nil then return nil end
  if not core.is_tensor(permutation) or permutation.ndim ~= 1 then
    raise(("invert_permutation: a tensor of one dimension was expected, got %s"):format(core.describe(permutation)))
  end
  local places = nl.arange(1, #permutation + 1, {dtype = permutation.dtype})
  return nl.zeros_like(permutation):scatter(1, permutation, places)
end

-- -------------------------------------------------------------------- packing

local function list_of_lengths(name, lengths)
  if core.is_tensor(lengths) then lengths = lengths:tolist() end
  if type(lengths) ~= "table" or getmetatable(lengths) or #lengths == 0 then
    raise(("%s: lengths are a table or a tensor of integers, not %s"):format(name, core.describe(lengths)))
  end
  local list = {}
  for i, n in ipairs(lengths) do
    list[i] = args.whole(n)
    if not list[i] or n < 1 then
      raise(("%s: each length is a positive integer; number %d is %s"):format(name, i, tostring(n)))
    end
  end
  return list
end

--- Lengths in falling order, and a tensor of where each was; equal ones stay in order.
local function by_length(lengths)
  local order, ordered = {}, {}
  for i = 1, #lengths do order[i] = i end
  table.sort(order, function(a, b)
    if lengths[a] ~= lengths[b] then return lengths[a] > lengths[b] end
    return a < b
  end)
  for i, place in ipairs(order) do ordered[i] = lengths[place] end
  return ordered, nl.tensor(order)
end

local parse_pack = args.parser("pack_padded_sequence", {
  {"input", "tensor"}, {"lengths", "any"}, {"batch_first", "boolean", false}, {"enforce_sorted", "boolean", true},
})

--- Packs sequences padded to [T, N, ...] (or [N, T, ...] with batch_first): `pack_padded_sequence(input, lengths,
--- batch_first = false, enforce_sorted = true)`. Unless they are sorted by length already,
--- enforce_sorted must be false.
---     > nn.utils.rnn.pack_padded_sequence(nl.tensor({{1, 2}, {3, 0}}), nl.tensor({2, 1}), {batch_first = true}).data
---     tensor([1, 3, 2])
function rnn.pack_padded_sequence(...)
  local input, given, batch_first, enforce_sorted = parse_pack(...)
  local lengths = list_of_lengths("pack_padded_sequence", given)
  if input.ndim < 2 then
    raise(("pack_padded_sequence: the input must have at least 2 dimensions, not %d"):format(input.ndim))
  end
  if batch_first then input = input:transpose(1, 2) end
  if #lengths ~= input:size(2) or math.max(table.unpack(lengths)) > input:size(1) then
    raise(("pack_padded_sequence: %d lengths of up to %d don't fit an input of %d sequences of %d steps"):format(
      #lengths, math.max(table.unpack(lengths)), input:size(2), input:size(1)))
  end
  local sorted
  if not enforce_sorted then
    lengths, sorted = by_length(lengths)
    input = input:index_select(2, sorted)
  end
  local sizes, pieces, n = {}, {}, #lengths
  for t = 1, lengths[1] do
    while lengths[n] < t do n = n - 1 end
    sizes[t], pieces[t] = n, input[t]:narrow(1, 1, n)
  end
  for i = 2, #lengths do
    if lengths[i] > lengths[i - 1] then
      raise "pack_padded_sequence: the lengths must not grow; give {enforce_sorted = false} to have them sorted"
    end
  end
  return PackedSequence(nl.cat(pieces), nl.tensor(sizes), sorted)
end

local function check_packed(name, sequence)
  if not rnn.is_packed(sequence) then
    raise(("%s: a PackedSequence was expected, got %s"):format(name, core.describe(sequence)))
  end
end

--- How long each sequence is, the longest first.
local function lengths_of(sizes)
  local lengths, n = {}, sizes[1]
  for t = #sizes, 1, -1 do
    for i = #lengths + 1, sizes[t] do lengths[i] = t end
  end
  return lengths, n
end

local parse_pad = args.parser("pad_packed_sequence", {
  {"sequence", "any"}, {"batch_first", "boolean", false}, {"padding_value", "number", 0.0},
  {"total_length", "integer?"},
})

--- The sequences padded to [T, N, ...] (or [N, T, ...]), in the order they were packed from, and a tensor of their
--- lengths: `pad_packed_sequence(sequence, batch_first = false, padding_value = 0, total_length = nil)`.
---     > packed = nn.utils.rnn.pack_sequence {nl.tensor({1, 2}), nl.tensor({3})}
---     > nn.utils.rnn.pad_packed_sequence(packed, {batch_first = true})
---     tensor([[1, 2],
---             [3, 0]])	tensor([2, 1])
function rnn.pad_packed_sequence(...)
  local sequence, batch_first, padding, total = parse_pad(...)
  check_packed("pad_packed_sequence", sequence)
  local sizes = sequence.batch_sizes:tolist()
  local lengths, batch = lengths_of(sizes)
  if total and total < #sizes then
    raise(("pad_packed_sequence: total_length is %d, and the longest sequence has %d steps"):format(total, #sizes))
  end
  local data, steps, first = sequence.data, {}, 1
  local rest = {table.unpack(data.shape)}
  for t = 1, total or #sizes do
    local n = sizes[t] or 0
    rest[1] = batch - n
    local padded = data:new_full(rest, padding)
    steps[t] = n == 0 and padded or n == batch and data:narrow(1, first, n) or nl.cat {data:narrow(1, first, n), padded}
    first = first + n
  end
  local output, long = nl.stack(steps), nl.tensor(lengths)
  if sequence.unsorted_indices then
    output, long = output:index_select(2, sequence.unsorted_indices), long[sequence.unsorted_indices]
  end
  if batch_first then output = output:transpose(1, 2) end
  return output, long
end

-- -------------------------------------------------------------------- padding

local function check_sequences(name, sequences)
  if type(sequences) ~= "table" or #sequences == 0 then
    raise(("%s: a list of tensors was expected, got %s"):format(name, core.describe(sequences)))
  end
  for i, t in ipairs(sequences) do
    if not core.is_tensor(t) or t.ndim == 0 then
      raise(("%s: sequence %d must be a tensor of at least 1 dimension"):format(name, i))
    end
  end
end

local parse_sequences = args.parser("pad_sequence", {
  {"sequences", "table"}, {"batch_first", "boolean", false}, {"padding_value", "number", 0.0},
  {"padding_side", "string", "right"},
})

--- Stacks sequences [T_i, ...] padded to the longest: [T, N, ...], or [N, T, ...] with batch_first. `pad_sequence(list,
--- batch_first = false, padding_value = 0, padding_side = "right")`.
---     > nn.utils.rnn.pad_sequence({nl.tensor({1, 2}), nl.tensor({3})}, {batch_first = true})
---     tensor([[1, 2],
---             [3, 0]])
function rnn.pad_sequence(...)
  local sequences, batch_first, padding, side = parse_sequences(...)
  check_sequences("pad_sequence", sequences)
  if side ~= "right" and side ~= "left" then
    raise(("pad_sequence: padding_side is 'right' or 'left', not '%s'"):format(side))
  end
  local longest, padded = 0, {}
  for _, t in ipairs(sequences) do longest = math.max(longest, t:size(1)) end
  for i, t in ipairs(sequences) do
    local rest = {table.unpack(t.shape)}
    rest[1] = longest - rest[1]
    local filling = t:new_full(rest, padding)
    padded[i] = rest[1] == 0 and t or nl.cat(side == "right" and {t, filling} or {filling, t})
  end
  return nl.stack(padded, batch_first and 1 or 2)
end

--- Takes the padding off again: a list of sequences. `unpad_sequence(padded, lengths, batch_first = false)`.
---     > nn.utils.rnn.unpad_sequence(nl.tensor({{1, 2}, {3, 0}}), nl.tensor({2, 1}), {batch_first = true})[2]
---     tensor([3])
function rnn.unpad_sequence(padded, lengths, batch_first)
  if type(batch_first) == "table" then batch_first = batch_first.batch_first end
  if not core.is_tensor(padded) or padded.ndim < 2 then
    raise(("unpad_sequence: a tensor of at least 2 dimensions was expected, got %s"):format(core.describe(padded)))
  end
  if not batch_first then padded = padded:transpose(1, 2) end
  local sequences = {}
  for i, n in ipairs(list_of_lengths("unpad_sequence", lengths)) do sequences[i] = padded[i]:narrow(1, 1, n) end
  return sequences
end

--- Packs a list of sequences [T_i, ...]: `pack_sequence(list, enforce_sorted = true)`.
---     > nn.utils.rnn.pack_sequence({nl.tensor({1, 2}), nl.tensor({3})}).batch_sizes
---     tensor([2, 1])
function rnn.pack_sequence(sequences, enforce_sorted)
  enforce_sorted = args.only("pack_sequence", "enforce_sorted", enforce_sorted)
  check_sequences("pack_sequence", sequences)
  local lengths = {}
  for i, t in ipairs(sequences) do lengths[i] = t:size(1) end
  return rnn.pack_padded_sequence(rnn.pad_sequence(sequences), lengths, {enforce_sorted = enforce_sorted ~= false})
end

--- The sequences of a PackedSequence as a list.
---     > nn.utils.rnn.unpack_sequence(nn.utils.rnn.pack_sequence {nl.tensor({1, 2}), nl.tensor({3})})[1]
---     tensor([1, 2])
function rnn.unpack_sequence(sequence)
  local padded, lengths = rnn.pad_packed_sequence(sequence, true)
  return rnn.unpad_sequence(padded, lengths, true)
end

return rnn
