-- What C provides and no row describes: declarations that help and the stubs read, never run.

-- ---------------------------------------------------------------- making

--- A tensor from a number, a boolean or nested tables of them. Lua integers give int64, floats the default dtype,
--- booleans bool; mixed and empty ones the default dtype.
---     > nl.tensor({{1, 2}, {3, 4}})
---     tensor([[1, 2],
---             [3, 4]])
---     > nl.tensor({1.5, 2}, {dtype = nl.float64, requires_grad = true})
---     tensor([1.5000, 2.0000], dtype=nnlua.float64, requires_grad=True)
---@param data number|boolean|table|Tensor
---@param dtype? dtype
---@param device? device|string
---@param requires_grad? boolean
---@return Tensor
function nl.tensor(data, dtype, device, requires_grad) end

--- A tensor from what nl.tensor takes; a tensor is given back as it is if it has that dtype and device.
---     > nl.as_tensor({1, 2})
---     tensor([1, 2])
---@param data number|boolean|table|Tensor
---@param dtype? dtype
---@param device? device|string
---@return Tensor
function nl.as_tensor(data, dtype, device) end

--- As as_tensor; also called asarray.
---     > nl.asarray({true, false})
---     tensor([ True, False])
---@param data number|boolean|table|Tensor
---@param dtype? dtype
---@param device? device|string
---@return Tensor
function nl.asarray(data, dtype, device) end

--- A vector of the numbers whose bytes a string holds, from `offset` bytes on, as many as `count` says or as there are.
---     > nl.frombuffer("\1\2\3", {dtype = nl.uint8})
---     tensor([1, 2, 3], dtype=nnlua.uint8)
---@param buffer string
---@param dtype dtype
---@param count? integer
---@param offset? integer
---@param requires_grad? boolean
---@return Tensor
function nl.frombuffer(buffer, dtype, count, offset, requires_grad) end

--- A tensor as PyTorch's older programs make it: of elements in a table, or of sizes, and then its elements are not
--- set; in the default dtype. nl.FloatTensor and its kin have a dtype of their own. See nl.tensor, nl.empty.
---     > nl.Tensor({1, 2}), nl.Tensor(2, 3).shape
---     tensor([1., 2.])	[2, 3]
---@param ... any elements in a table, or sizes
---@return Tensor
function nl.Tensor(...) end

--- As nl.Tensor, in float32.
---     > nl.FloatTensor {1, 0}
---     tensor([1., 0.])
---@param ... any
---@return Tensor
function nl.FloatTensor(...) end

--- As nl.Tensor, in float64.
---     > nl.DoubleTensor {1, 0}
---     tensor([1., 0.], dtype=nnlua.float64)
---@param ... any
---@return Tensor
function nl.DoubleTensor(...) end

--- As nl.Tensor, in float16.
---     > nl.HalfTensor {1, 0}
---     tensor([1., 0.], dtype=nnlua.float16)
---@param ... any
---@return Tensor
function nl.HalfTensor(...) end

--- As nl.Tensor, in bfloat16.
---     > nl.BFloat16Tensor {1, 0}
---     tensor([1., 0.], dtype=nnlua.bfloat16)
---@param ... any
---@return Tensor
function nl.BFloat16Tensor(...) end

--- As nl.Tensor, in uint8.
---     > nl.ByteTensor {1, 0}
---     tensor([1, 0], dtype=nnlua.uint8)
---@param ... any
---@return Tensor
function nl.ByteTensor(...) end

--- As nl.Tensor, in int8.
---     > nl.CharTensor {1, 0}
---     tensor([1, 0], dtype=nnlua.int8)
---@param ... any
---@return Tensor
function nl.CharTensor(...) end

--- As nl.Tensor, in int16.
---     > nl.ShortTensor {1, 0}
---     tensor([1, 0], dtype=nnlua.int16)
---@param ... any
---@return Tensor
function nl.ShortTensor(...) end

--- As nl.Tensor, in int32.
---     > nl.IntTensor {1, 0}
---     tensor([1, 0], dtype=nnlua.int32)
---@param ... any
---@return Tensor
function nl.IntTensor(...) end

--- As nl.Tensor, in int64.
---     > nl.LongTensor {1, 0}
---     tensor([1, 0])
---@param ... any
---@return Tensor
function nl.LongTensor(...) end

--- As nl.Tensor, in bool.
---     > nl.BoolTensor {1, 0}
---     tensor([ True, False])
---@param ... any
---@return Tensor
function nl.BoolTensor(...) end

--- A shape, an immutable list of integers: `==` compares its values, `#` counts them, `size[i]` and `size:unpack()`
--- give them, `size:numel()` multiplies them, `size:totable()` copies them. What x.shape gives.
---     > nl.Size {2, 3}
---     [2, 3]
---     > nl.ones(2, 3).shape:numel()
---     6
---@param sizes integer[]
---@return Size
function nl.Size(sizes) end

-- ------------------------------------------------------------------- devices

--- A place where tensors are and computing is done: nl.device "cpu", where all is, or nl.device "meta", whose tensors
--- have a shape and a dtype, but no elements. `device.type` is its name; the same device is the same value. Functions
--- that take a device take its name as well.
---     > device = nl.device(nl.cuda.is_available() and "cuda" or "cpu")
---     > print("computing on " .. device)
---     computing on cpu
---     > nl.ones(2):to(device).device == device
---     true
---@param type string|device
---@param index? integer
---@return device
function nl.device(type, index) end

-- ---------------------------------------------------------------------- time

--- The time of day as seconds since 1970, with fractions: a float. It is the clock on the wall, as Python's time.time:
--- a difference tells how long something took, as long as nobody sets the clock meanwhile.
---     > start = nl.time()
---     > nl.time() - start < 60, math.type(start)
---     true	float
---@return number
function nl.time() end

--- The time of day as nanoseconds since 1970, an integer: nl.time without its rounding.
---     > math.type(nl.time_ns())
---     integer
---@return integer
function nl.time_ns() end

-- --------------------------------------------------------------- questions

--- Whether a value is a tensor.
---     > nl.is_tensor(nl.ones(2)), nl.is_tensor(2)
---     true	false
---@param value any
---@return boolean
function nl.is_tensor(value) end

--- The number of elements.
---     > nl.numel(nl.ones(2, 3))
---     6
---@param x Tensor
---@return integer
function nl.numel(x) end

--- Whether two tensors have the same shape and equal elements.
---     > nl.equal(nl.tensor({1, 2}), nl.tensor({1, 2}))
---     true
---@param input Tensor
---@param other Tensor
---@return boolean
function nl.equal(input, other) end

--- Whether all elements fulfil |input - other| <= atol + rtol * |other|.
--- Shapes: input and other broadcast
---     > nl.allclose(nl.tensor({1.0}), nl.tensor({1.000001}))
---     true
---@param input Tensor
---@param other Tensor
---@param rtol? number
---@param atol? number
---@param equal_nan? boolean
---@return boolean
function nl.allclose(input, other, rtol, atol, equal_nan) end

--- The shape that tensors of these shapes broadcast to.
---     > nl.broadcast_shapes({3, 1}, {2})
---     [3, 2]
---@param ... integer[]
---@return Size
function nl.broadcast_shapes(...) end

--- A list of all rows of the op table, for tools: name, doc, arguments, where an op appears.
---     > #nl.ops() > 500
---     true
---@return table[]
function nl.ops() end

-- ------------------------------------------------------------------ modes

--- Runs a function without recording for gradients and passes its results on. Without one, the mode holds to the end of
--- the block that declares `local _ <close> = nl.no_grad()`.
---     > x = nl.ones(2, {requires_grad = true})
---     > nl.no_grad(function() return (x * 2).requires_grad end)
---     false
---@param f? function
---@param ... any arguments of f
---@return any ...
function nl.no_grad(f, ...) end

--- As no_grad, the other way around: records within a no_grad.
---     > x = nl.ones(2, {requires_grad = true})
---     > nl.no_grad(function() return nl.enable_grad(function() return (x * 2).requires_grad end) end)
---     true
---@param f? function
---@param ... any
---@return any ...
function nl.enable_grad(f, ...) end

--- As no_grad, and what is made inside can never take part in recording; so it is a little cheaper.
---     > nl.inference_mode(function() return nl.is_inference_mode_enabled() end)
---     true
---@param f? function
---@param ... any
---@return any ...
function nl.inference_mode(f, ...) end

--- Runs a function, or without one the rest of a block (`local _ <close> = nl.autocast("cpu")`), in mixed precision:
--- products and convolutions of float32 in half precision, losses, decompositions and the like of halves in float32,
--- the rest in the dtypes that come. Parameters stay as they are; backward belongs behind it. See nl.amp.GradScaler.
---     > nl.autocast("cpu", {dtype = nl.bfloat16}, function() return nl.ones(2, 2):mm(nl.ones(2, 2)).dtype end)
---     nnlua.bfloat16
---@param device_type? string
---@param options? table with dtype (nl.bfloat16, or nl.float16), enabled = true, cache_enabled (taken, without effect)
---@param f? function
---@param ... any
---@return any ...
function nl.autocast(device_type, options, f, ...) end

--- Runs a function and passes its results on; then releases what tensors were made in it, without waiting for the
--- collector of garbage, which is not made to run meanwhile. Without a function, the scope lasts to the end of the
--- block that declares `local _ <close> = nl.scope()`. It is for programs with a frame of their own: a step of
--- training, an answer of a net.
---
--- Not released are: what the function, or the block, returns, also in tables; what is given to `scope:keep(…)`, which
--- returns its arguments, where scope is the value of `nl.scope()`; parameters, attributes of modules, the state of
--- optimizers; and what the library itself still holds then, as a parameter holds its gradient, a loss that is
--- returned its graph, and a view its base. Any other tensor made inside is gone, whoever has it: using it raises an
--- error. Scopes nest: what an inner one keeps belongs to the outer one. A scope belongs to the coroutine that opened
--- it; `scope:close()` ends it early, and an error ends it with nothing returned.
---     > x = nl.ones(2)
---     > nl.scope(function() local y = x + 1 return y:sum() end)
---     tensor(4.)
---@param f? function
---@param ... any arguments of f
---@return any ...
function nl.scope(f, ...) end

--- Turns recording on or off, from here on, or to the end of a block as the value of a `<close>` variable.
---     > nl.set_grad_enabled(false) print(nl.is_grad_enabled()) nl.set_grad_enabled(true)
---     false
---@param enabled boolean
function nl.set_grad_enabled(enabled) end

--- Whether operations are recorded for gradients.
---     > nl.is_grad_enabled()
---     true
---@return boolean
function nl.is_grad_enabled() end

--- Whether inference mode is on.
---     > nl.is_inference_mode_enabled()
---     false
---@return boolean
function nl.is_inference_mode_enabled() end

--- Whether nl.autocast is on.
---     > nl.is_autocast_enabled()
---     false
---@return boolean
function nl.is_autocast_enabled() end

--- The half precision of nl.autocast, or the one that it would have.
---     > nl.get_autocast_dtype()
---     nnlua.bfloat16
---@return dtype
function nl.get_autocast_dtype() end

--- Whether anomaly detection is on.
---     > nl.is_anomaly_enabled()
---     false
---@return boolean
function nl.is_anomaly_enabled() end

-- ----------------------------------------------------------- random numbers

--- Starts the random numbers anew from a seed, as PyTorch does: the same seed gives the same numbers there and here.
---     > nl.manual_seed(0)
---     > nl.rand(2)
---     tensor([0.4963, 0.7682])
---@param seed integer
---@return Generator
function nl.manual_seed(seed) end

--- Starts the random numbers from a seed that differs each time, and returns it.
---     > math.type(nl.seed())
---     integer
---@return integer
function nl.seed() end

--- The seed that the random numbers started from last.
---     > nl.manual_seed(5)
---     > nl.initial_seed()
---     5
---@return integer
function nl.initial_seed() end

--- The state of the random numbers, as a tensor of bytes.
---     > state, first = nl.get_rng_state(), nl.rand(2)
---     > nl.set_rng_state(state)
---     > nl.equal(nl.rand(2), first)
---     true
---@return Tensor
function nl.get_rng_state() end

--- Puts the random numbers back to a state that get_rng_state gave.
---     > state, first = nl.get_rng_state(), nl.rand(2)
---     > nl.set_rng_state(state)
---     > nl.equal(nl.rand(2), first)
---     true
---@param state Tensor
function nl.set_rng_state(state) end

--- A source of random numbers of its own, for the argument `generator` of functions that draw: `g:manual_seed(1)`,
--- `g:seed()`, `g:initial_seed()`, `g:get_state()`, `g:set_state(state)`, `g:clone_state()`, `g.device`.
---     > g = nl.Generator()
---     > g:manual_seed(0);
---     > nl.rand(2, {generator = g})
---     tensor([0.4963, 0.7682])
---@return Generator
function nl.Generator() end

--- The generator that functions draw from which get none: the one of nl.manual_seed.
---     > nl.manual_seed(3)
---     > nl.default_generator:initial_seed()
---     3
---@type Generator
nl.default_generator = nil

--- Cuts a tensor off from the graph that it was computed in, and returns it: from then on it is a leaf.
---     > nl.detach_(nl.ones(1, {requires_grad = true}) * 2).requires_grad
---     false
---@param input Tensor
---@return Tensor
function nl.detach_(input) end

-- ---------------------------------------------------------------- settings

--- The dtype that floats get where none is given.
---     > nl.get_default_dtype()
---     nnlua.float32
---@return dtype
function nl.get_default_dtype() end

--- Sets the dtype that floats get where none is given: a floating one.
---     > nl.set_default_dtype(nl.float64)
---     > nl.ones(1).dtype
---     nnlua.float64
---@param dtype dtype
function nl.set_default_dtype(dtype) end

--- How many threads kernels use.
---     > nl.get_num_threads() >= 1
---     true
---@return integer
function nl.get_num_threads() end

--- Sets how many threads kernels use; results do not depend on it.
---     > nl.set_num_threads(1)
---     > nl.get_num_threads()
---     1
---@param threads integer
function nl.set_num_threads(threads) end

--- How tensors are printed: digits behind the point (4), the number of elements from which only edges are shown (1000),
--- how many at each edge (3), columns of a line (80), "default", "short" or "full", scientific notation or not.
---     > nl.set_printoptions {precision = 2}
---     > nl.tensor({1.23456})
---     tensor([1.23])
---@param precision? integer
---@param threshold? number
---@param edgeitems? integer
---@param linewidth? integer
---@param profile? string
---@param sci_mode? boolean
function nl.set_printoptions(precision, threshold, edgeitems, linewidth, profile, sci_mode) end

-- ------------------------------------------------------------------ memory

--- The bytes that tensors take now.
---     > x = nl.empty(1024)
---     > nl.memory_allocated() >= 4096
---     true
---@return integer
function nl.memory_allocated() end

--- The most bytes that tensors took at a time, since the start or reset_peak_memory_stats.
---     > nl.max_memory_allocated() >= nl.memory_allocated()
---     true
---@return integer
function nl.max_memory_allocated() end

--- Lets max_memory_allocated start anew from what is taken now.
---     > nl.reset_peak_memory_stats()
---     > nl.max_memory_allocated() == nl.memory_allocated()
---     true
function nl.reset_peak_memory_stats() end

--- The bytes of free blocks that are kept for reuse.
---     > nl.memory_cached() >= 0
---     true
---@return integer
function nl.memory_cached() end

--- Gives free blocks back to the system.
---     > nl.empty_cache()
---     > nl.memory_cached()
---     0
function nl.empty_cache() end

--- What lives in the core: bytes allocated and cached, numbers of blocks, tensors, storages, nodes and allocations.
---     > nl.memory_stats().tensors >= 0
---     true
---@return table<string, integer>
function nl.memory_stats() end

-- ---------------------------------------------------------------- autograd

--- The gradients of outputs with respect to inputs, as several values ({as_table = true}: as one table of them);
--- nothing is accumulated.
---     > x = nl.tensor({3.0}, {requires_grad = true})
---     > nl.autograd.grad(x * x, x)
---     tensor([6.])
---@param outputs Tensor|Tensor[]
---@param inputs Tensor|Tensor[]
---@param grad_outputs? Tensor|Tensor[]
---@param retain_graph? boolean
---@param create_graph? boolean
---@param only_inputs? boolean
---@param allow_unused? boolean
---@param is_grads_batched? boolean
---@param materialize_grads? boolean
---@param as_table? boolean
---@return Tensor ...
function nl.autograd.grad(outputs, inputs, grad_outputs, retain_graph, create_graph,
  only_inputs, allow_unused, is_grads_batched, materialize_grads, as_table) end

--- Adds the gradients of tensors to the `grad` of all leaves, or of the inputs given.
---     > x = nl.tensor({3.0}, {requires_grad = true})
---     > nl.autograd.backward({x * x, 2 * x})
---     > x.grad
---     tensor([8.])
---@param tensors Tensor|Tensor[]
---@param grad_tensors? Tensor|Tensor[]
---@param retain_graph? boolean
---@param create_graph? boolean
---@param inputs? Tensor|Tensor[]
function nl.autograd.backward(tensors, grad_tensors, retain_graph, create_graph, inputs) end

--- A function with a gradient of one's own: a class whose `forward(ctx, …)` computes and whose `backward(ctx, …)` gives
--- the gradients of its arguments. `apply` calls it.
---     > Square = nl.autograd.Function "Square"
---     > function Square.forward(ctx, x) ctx:save_for_backward(x) return x * x end
---     > function Square.backward(ctx, dy) return 2 * ctx.saved_tensors[1] * dy end
---     > x = nl.tensor({3.0}, {requires_grad = true})
---     > nl.autograd.grad(Square.apply(x), x)
---     tensor([6.])
---@param name string
---@return table
function nl.autograd.Function(name) end

--- Wraps a custom function's backward that can be differentiated only once: a second time raises.
---     > type(nl.autograd.once_differentiable(function(ctx, dy) return dy end))
---     function
---@param backward function
---@return function
function nl.autograd.once_differentiable(backward) end

--- Runs a function with anomaly detection: an error in a backward tells where the forward ran, and a backward that
--- gives nan raises. Without a function, to the end of the block as the value of a `<close>` variable.
---     > nl.autograd.detect_anomaly(function() return nl.is_anomaly_enabled() end)
---     true
---@param f? function
---@param ... any
---@return any ...
function nl.autograd.detect_anomaly(f, ...) end

--- Turns anomaly detection on or off.
---     > nl.autograd.set_detect_anomaly(true);
---     > nl.is_anomaly_enabled()
---     true
---@param mode boolean
---@param check_nan? boolean
function nl.autograd.set_detect_anomaly(mode, check_nan) end

-- ------------------------------------------------------------ tensor methods

--- The number in a tensor of one element: an integer, a float or a boolean; of a complex one two numbers.
--- Shapes: input of one element, of any number of dimensions
---     > nl.tensor({{2.5}}):item()
---     2.5
---@return number|boolean
function Tensor:item() end

--- The elements as nested Lua tables; of a 0-dim tensor its number.
---     > nl.tensor({{1, 2}, {3, 4}}):tolist()[2][1]
---     3
---@return table|number|boolean
function Tensor:tolist() end

--- The bytes of the elements in row-major order, as they are in memory: what nl.frombuffer reads.
---     > nl.tensor({72, 105}, {dtype = nl.uint8}):tobytes()
---     Hi
---@return string
function Tensor:tobytes() end

--- The shape, or the size of one dimension.
---     > nl.ones(2, 3):size(), nl.ones(2, 3):size(-1)
---     [2, 3]	3
---@param dim? integer
---@return Size|integer
function Tensor:size(dim) end

--- The strides, or that of one dimension: how many elements further in memory the next one is.
---     > nl.ones(2, 3):stride()
---     [3, 1]
---@param dim? integer
---@return Size|integer
function Tensor:stride(dim) end

--- The number of dimensions; also x.ndim and x:ndimension().
---     > nl.ones(2, 3):dim()
---     2
---@return integer
function Tensor:dim() end

--- The number of dimensions.
---     > nl.ones(2, 3):ndimension()
---     2
---@return integer
function Tensor:ndimension() end

--- The number of elements.
---     > nl.ones(2, 3):numel()
---     6
---@return integer
function Tensor:numel() end

--- The number of elements.
---     > nl.ones(2, 3):nelement()
---     6
---@return integer
function Tensor:nelement() end

--- The bytes of an element.
---     > nl.ones(2):element_size()
---     4
---@return integer
function Tensor:element_size() end

--- How many elements into its memory the tensor begins.
---     > nl.arange(0, 4)[{{3}}]:storage_offset()
---     2
---@return integer
function Tensor:storage_offset() end

--- The address of the first element.
---     > x = nl.ones(2)
---     > x:data_ptr() == x:view(2, 1):data_ptr()
---     true
---@return integer
function Tensor:data_ptr() end

--- Whether the elements lie one after the other in memory, in order; in that of a memory format if one is given.
---     > nl.ones(2, 3):is_contiguous(), nl.ones(2, 3):t():is_contiguous()
---     true	false
---     > nl.ones(1, 2, 3, 4):contiguous(nl.channels_last):is_contiguous(nl.channels_last)
---     true
---@param memory_format? string
---@return boolean
function Tensor:is_contiguous(memory_format) end

--- A new tensor of what nl.tensor takes, in this tensor's dtype and on its device unless others are given.
---     > nl.ones(2, {dtype = nl.float64}):new_tensor({1, 2})
---     tensor([1., 2.], dtype=nnlua.float64)
---@param data number|boolean|table|Tensor
---@param dtype? dtype
---@param device? device
---@param requires_grad? boolean
---@return Tensor
function Tensor:new_tensor(data, dtype, device, requires_grad) end

--- As nl.Tensor, in this tensor's dtype and on its device: sizes, or elements in a table. See new_empty, new_tensor.
---     > nl.ones(2, {dtype = nl.int32}):new(2, 3).shape
---     [2, 3]
---@param ... any
---@return Tensor
function Tensor:new(...) end

--- Which one of several devices of a kind the tensor is on: -1, as PyTorch says of the CPU.
---     > nl.ones(2):get_device()
---     -1
---@return integer
function Tensor:get_device() end

--- Whether another tensor has the same shape and equal elements.
---     > nl.tensor({1, 2}):equal(nl.tensor({1, 2}))
---     true
---@param other Tensor
---@return boolean
function Tensor:equal(other) end

--- Whether all elements are near another tensor's: see nl.allclose.
---     > nl.tensor({1.0}):allclose(nl.tensor({1.1}), {atol = 0.2})
---     true
---@param other Tensor
---@param rtol? number
---@param atol? number
---@param equal_nan? boolean
---@return boolean
function Tensor:allclose(other, rtol, atol, equal_nan) end

--- Adds the gradients of this tensor to the `grad` of all leaves it was computed from. A tensor of more than one
--- element needs its own gradient.
---     > w = nl.tensor({2.0, 3.0}, {requires_grad = true})
---     > (w * w):sum():backward()
---     > w.grad
---     tensor([4., 6.])
---@param gradient? Tensor
---@param retain_graph? boolean
---@param create_graph? boolean
---@param inputs? Tensor|Tensor[]
function Tensor:backward(gradient, retain_graph, create_graph, inputs) end

--- Says whether gradients are wanted for a leaf; returns the tensor.
---     > nl.ones(2):requires_grad_().requires_grad
---     true
---@param requires_grad? boolean
---@return Tensor
function Tensor:requires_grad_(requires_grad) end

--- Lets a tensor that is no leaf keep its gradient in `grad`, too.
---     > w = nl.tensor({2.0}, {requires_grad = true})
---     > y = w * 3
---     > y:retain_grad()
---     > (y * y):sum():backward()
---     > y.grad
---     tensor([12.])
function Tensor:retain_grad() end

--- Calls a function with the tensor's gradient each time it has been computed; what it returns takes its place. The
--- handle has `remove()`.
---     > w = nl.tensor({2.0}, {requires_grad = true})
---     > handle = w:register_hook(function(grad) return grad * 10 end)
---     > w:sum():backward()
---     > w.grad
---     tensor([10.])
---@param hook fun(grad: Tensor): Tensor?
---@return table
function Tensor:register_hook(hook) end

--- Calls a function with a leaf each time a gradient has been added to its `grad`.
---     > w = nl.tensor({2.0}, {requires_grad = true})
---     > handle = w:register_post_accumulate_grad_hook(function(p) print(p.grad) end)
---     > w:sum():backward()
---     tensor([1.])
---@param hook fun(parameter: Tensor)
---@return table
function Tensor:register_post_accumulate_grad_hook(hook) end

-- --------------------------------------------------------------------- data

--- The numbers of a text file (or a pipe) with lines of as many each, gzipped or not, as a matrix. Integers are read to
--- the bit where the dtype is one of integers, and what doesn't fit into it is an error. A field in quotes may hold
--- delimiters, ends of lines and doubled quotes; lines end as those of any system.
---
--- header: the first line holds the columns' names, a list of which is a second result. columns: which columns, by name
--- (then there is a header) or number; others may hold anything. missing: a number for fields without one: those that
--- are empty, NA, N/A, nan, null, none or ?.
--- Shapes: result (lines, numbers a line)
---     > path = os.tmpname()
---     > file = io.open(path, "w") file:write("1,2\n3,4\n") file:close()
---     > nl.utils.data.read_csv(path)
---     tensor([[1., 2.],
---             [3., 4.]])
---     > file = io.open(path, "w") file:write('name,age,"height, m"\n"Doe, J.",31,1.8\nMax,,1.75\n') file:close()
---     > x, names = nl.utils.data.read_csv(path, {columns = {"height, m", "age"}, missing = nl.nan})
---     > x
---     tensor([[ 1.8000, 31.0000],
---             [ 1.7500,     nan]])
---     > names[1]
---     height, m
---@param path string
---@param delimiter? string
---@param skip_rows? integer
---@param dtype? dtype
---@param header? boolean
---@param columns? string[]|integer[]
---@param missing? number
---@return Tensor
---@return string[]
function utils.data.read_csv(path, delimiter, skip_rows, dtype, header, columns, missing) end
