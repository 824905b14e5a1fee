-- What nl.autograd.graph has, which C provides: declarations as those of core.lua, never run.

--- Runs a function in which what a graph saves of tensors for its backward goes through hooks: the graph keeps what
--- pack_hook makes of each, and the backward works with the tensor that unpack_hook makes of that, of the same shape.
--- So activations can be kept in half precision, on disk, or not at all. Without a function, to the end of the block as
--- the value of a `<close>` variable. Whole numbers (positions) must come back as they were; what pack_hook gives must
--- not hold the tensor that it got, `t:detach()` may.
---     > graph = nl.autograd.graph
---     > x = nl.tensor({1.0, 2.0}, {requires_grad = true})
---     > pack, unpack = function(t) return t:half() end, function(h) return h:float() end
---     > y = graph.saved_tensors_hooks(pack, unpack, function() return x:exp() end)
---     > y:sum():backward();
---     > x.grad
---     tensor([2.7188, 7.3906])
---@param pack_hook function
---@param unpack_hook function
---@param f? function
---@param ... any
---@return any ...
function nl.autograd.graph.saved_tensors_hooks(pack_hook, unpack_hook, f, ...) end

--- As saved_tensors_hooks, with hooks that keep saved tensors on the CPU: here, where they are anyway.
---     > x = nl.tensor({1.0, 2.0}, {requires_grad = true})
---     > nl.autograd.graph.save_on_cpu(function() return x * x end)
---     tensor([1., 4.], grad_fn=<MulBackward>)
---@param pin_memory? boolean
---@param device_type? string
---@param f? function
---@param ... any
---@return any ...
function nl.autograd.graph.save_on_cpu(pin_memory, device_type, f, ...) end

--- Runs a function, or the rest of a block, in which what graphs save of tensors is cloned at once, so that these may
--- be changed in place before the backward.
---     > x = nl.tensor({1.0, 2.0}, {requires_grad = true})
---     > guard = nl.autograd.graph.allow_mutation_on_saved_tensors
---     > y = guard(function() local a = x * 1; local b = a ^ 2; a:zero_(); return b end)
---     > y:sum():backward();
---     > x.grad
---     tensor([2., 4.])
---@param f? function
---@param ... any
---@return any ...
function nl.autograd.graph.allow_mutation_on_saved_tensors(f, ...) end

--- Where the gradient of a tensor is computed: a table with the `node` and the number of its result, `output_nr`, that
--- autograd.grad and backward take in the tensor's place, whatever becomes of the tensor itself.
---     > x = nl.tensor({1.0, 2.0}, {requires_grad = true})
---     > y = x * 2
---     > edge = nl.autograd.graph.get_gradient_edge(y)
---     > y:add_(1);
---     > nl.autograd.grad(y:sum(), edge)
---     tensor([1., 1.])
---@param tensor Tensor
---@return table
function nl.autograd.graph.get_gradient_edge(tensor) end

--- Calls a function when the backward that is running is done, and not at all if that fails. For hooks, and the
--- backward of a Function.
---     > x = nl.ones(1, {requires_grad = true})
---     > handle = x:register_hook(function() nl.autograd.graph.queue_callback(function() print(x.grad) end) end)
---     > (x * 3):sum():backward()
---     tensor([3.])
---@param callback function
function nl.autograd.graph.queue_callback(callback) end

--- Counts a change in place that nnlua doesn't know of, as by C code: a backward that needs the tensor as it was then
--- raises an error.
---     > x = nl.ones(2)
---     > nl.autograd.graph.increment_version(x)
---     > x._version
---     1
---@param tensor Tensor|Tensor[]
function nl.autograd.graph.increment_version(tensor) end

--- Runs a function, or the rest of a block, in which opening saved_tensors_hooks raises this message.
---     > graph = nl.autograd.graph
---     > graph.disable_saved_tensors_hooks("not here", function() return (pcall(graph.save_on_cpu)) end)
---     false
---@param error_message string
---@param f? function
---@param ... any
---@return any ...
function nl.autograd.graph.disable_saved_tensors_hooks(error_message, f, ...) end

--- Calls a function with the gradients of several tensors, a list, once a backward has all of them; with the mode "any"
--- with the first one alone, as soon as it is there. Returns a handle with `remove`.
---     > x, y = nl.ones(2, {requires_grad = true}), nl.ones(2, {requires_grad = true})
---     > seen = function(gradients) print(gradients[1], gradients[2]) end
---     > handle = nl.autograd.graph.register_multi_grad_hook({x, y}, seen)
---     > (x * 2 + y):sum():backward()
---     tensor([2., 2.])	tensor([1., 1.])
---@param tensors Tensor[]
---@param fn function
---@param mode? string
---@return table
function nl.autograd.graph.register_multi_grad_hook(tensors, fn, mode) end
