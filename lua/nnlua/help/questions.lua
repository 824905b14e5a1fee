-- What is asked of tensors and dtypes, which C answers, and resize_: declarations as those of core.lua, never run.

--- Whether a tensor's dtype is complex.
---     > nl.is_complex(nl.ones(2))
---     false
---@param x Tensor
---@return boolean
function nl.is_complex(x) end

--- Whether a tensor's dtype is a floating one.
---     > nl.is_floating_point(nl.ones(2))
---     true
---@param x Tensor
---@return boolean
function nl.is_floating_point(x) end

--- Whether a tensor is a conjugate that has not been worked out: never, conj() works it out at once.
---     > nl.is_conj(nl.ones(2))
---     false
---@param x Tensor
---@return boolean
function nl.is_conj(x) end

--- Whether a tensor is a negative that has not been worked out: never.
---     > nl.is_neg(nl.ones(2))
---     false
---@param x Tensor
---@return boolean
function nl.is_neg(x) end

--- Whether a tensor's dtype has negative numbers: all but bool and uint8.
---     > nl.is_signed(nl.ones(2))
---     true
---@param x Tensor
---@return boolean
function nl.is_signed(x) end

--- Whether two tensors have the same shape.
---     > nl.is_same_size(nl.ones(2), nl.ones(3))
---     false
---@param x Tensor
---@param other Tensor
---@return boolean
function nl.is_same_size(x, other) end

--- Whether the one element of a tensor is not 0; an error if it has more, or none.
---     > nl.is_nonzero(nl.tensor(3))
---     true
---@param x Tensor
---@return boolean
function nl.is_nonzero(x) end

--- Which one of several devices of a kind a tensor is on: -1, as the CPU is one only.
---     > nl.get_device(nl.ones(2))
---     -1
---@param x Tensor
---@return integer
function nl.get_device(x) end

--- The dtype that tensors of two dtypes give together.
---     > nl.promote_types(nl.int32, nl.float16)
---     nnlua.float16
---@param type1 dtype
---@param type2 dtype
---@return dtype
function nl.promote_types(type1, type2) end

--- The dtype that an operation gives for two operands, each a tensor or a number.
---     > nl.result_type(nl.tensor({1, 2}), 1.5)
---     nnlua.float32
---@param tensor1 Tensor
---@param tensor2 Tensor
---@return dtype
function nl.result_type(tensor1, tensor2) end

--- Whether numbers of a dtype can be had in another one without losing their kind: from bool to integers to floating to
--- complex ones.
---     > nl.can_cast(nl.float64, nl.int32)
---     false
---@param from dtype
---@param to dtype
---@return boolean
function nl.can_cast(from, to) end

--- Whether the dtype is complex.
---     > nl.ones(2):is_complex()
---     false
---@return boolean
function Tensor:is_complex() end

--- Whether the dtype is a floating one.
---     > nl.ones(2):is_floating_point()
---     true
---@return boolean
function Tensor:is_floating_point() end

--- Whether the tensor is a conjugate that has not been worked out: never.
---     > nl.ones(2):is_conj()
---     false
---@return boolean
function Tensor:is_conj() end

--- Whether the tensor is a negative that has not been worked out: never.
---     > nl.ones(2):is_neg()
---     false
---@return boolean
function Tensor:is_neg() end

--- Whether the dtype has negative numbers: all but bool and uint8.
---     > nl.ones(2):is_signed()
---     true
---@return boolean
function Tensor:is_signed() end

--- Whether another tensor has the same shape.
---     > nl.ones(2):is_same_size(nl.ones(3))
---     false
---@param other Tensor
---@return boolean
function Tensor:is_same_size(other) end

--- Whether the one element is not 0; an error if there are more, or none.
---     > nl.tensor(3):is_nonzero()
---     true
---@return boolean
function Tensor:is_nonzero() end

--- Whether a tensor was made in inference mode.
---     > nl.is_inference(nl.ones(2)), nl.is_inference(nl.inference_mode(nl.ones, 2))
---     false	true
---@param x Tensor
---@return boolean
function nl.is_inference(x) end

--- Whether the tensor was made in inference mode.
---     > nl.ones(2):is_inference()
---     false
---@return boolean
function Tensor:is_inference() end

--- Whether a tensor is spread over processes: never.
---     > nl.is_distributed(nl.ones(2))
---     false
---@param x Tensor
---@return boolean
function nl.is_distributed(x) end

--- Whether the tensor is spread over processes: never.
---     > nl.ones(2):is_distributed()
---     false
---@return boolean
function Tensor:is_distributed() end

--- Whether the tensor is in memory that a GPU reads: never.
---     > nl.ones(2):is_pinned()
---     false
---@return boolean
function Tensor:is_pinned() end

--- Whether the tensor is in memory that processes share by share_memory_: never.
---     > nl.ones(2):is_shared()
---     false
---@return boolean
function Tensor:is_shared() end

--- Whether two tensors are the same elements of one memory, in one shape and order.
---     > x = nl.ones(2, 2)
---     > x:is_set_to(x:detach()), x:is_set_to(x:t())
---     true	false
---@param tensor Tensor
---@return boolean
function Tensor:is_set_to(tensor) end

--- The dimensions as they lie in memory, the outermost one first; with ambiguity_check an error where strides tell no
--- single order.
---     > nl.ones(2, 3, 4):permute(1, 3, 2):dim_order()
---     [1, 3, 2]
---@param ambiguity_check? boolean
---@return Size
function Tensor:dim_order(ambiguity_check) end

--- Sets each element to what a function makes of it, one by one: slow, and without gradients.
---     > nl.tensor({1, 2, 3}):apply_(function(x) return x * x end)
---     tensor([1, 4, 9])
---@param f fun(x: number): number
---@return Tensor
function Tensor:apply_(f) end

--- Sets each element to what a function makes of it and of the other tensor's, which broadcasts.
---     > nl.tensor({1, 2}):map_(nl.tensor({10, 20}), function(x, y) return x + y end)
---     tensor([11, 22])
---@param tensor Tensor
---@param f fun(x: number, y: number): number
---@return Tensor
function Tensor:map_(tensor, f) end

--- Sets each element to what a function makes of it and of two other tensors', which broadcast.
---     > nl.ones(2):map2_(nl.tensor({1, 2}), nl.tensor({3, 4}), function(x, a, b) return x + a * b end)
---     tensor([4., 9.])
---@param tensor1 Tensor
---@param tensor2 Tensor
---@param f fun(x: number, a: number, b: number): number
---@return Tensor
function Tensor:map2_(tensor1, tensor2, f) end

--- Gives the tensor another shape in place: in the memory that it has, whose elements stay where they are; in new
--- memory where that is too small, with zeros behind them. Other tensors that shared the memory keep the old one.
---     > nl.tensor({1, 2, 3}):resize_(2)
---     tensor([1, 2])
---     > nl.tensor({1, 2}):resize_({2, 2})
---     tensor([[1, 2],
---             [0, 0]])
---     > nl.ones(3):resize_(1, 2, 3, 4, {memory_format = nl.channels_last}):stride()
---     [24, 1, 8, 2]
---@param ... integer|integer[]
---@return Tensor
function Tensor:resize_(...) end

--- resize_ to the shape of another tensor.
---     > nl.tensor({1, 2, 3}):resize_as_(nl.ones(2))
---     tensor([1, 2])
---@param the_template Tensor
---@param memory_format? string
---@return Tensor
function Tensor:resize_as_(the_template, memory_format) end

--- The name of a tensor's kind; with a dtype, or such a name, the tensor in that dtype, as x:to gives it.
---     > nl.ones(2):type(), nl.ones(2):type(nl.int64):type(), nl.ones(2):type("nnlua.HalfTensor").dtype
---     nnlua.FloatTensor	nnlua.LongTensor	nnlua.float16
---@param dtype? dtype|string
---@param non_blocking? boolean
---@param memory_format? string
---@return string|Tensor
function Tensor:type(dtype, non_blocking, memory_format) end

--- x:resize_(…) as a function.
---     > nl.resize_(nl.tensor({1, 2, 3}), 2)
---     tensor([1, 2])
---@param x Tensor
---@param ... integer|integer[]
---@return Tensor
function nl.resize_(x, ...) end

--- x:resize_as_(other) as a function.
---     > nl.resize_as_(nl.tensor({1, 2, 3}), nl.ones(2))
---     tensor([1, 2])
---@param x Tensor
---@param other Tensor
---@return Tensor
function nl.resize_as_(x, other) end
