-- The fields of tensors, which C provides: declarations as those of core.lua, never run.

--- The sizes of all dimensions, an nl.Size.
---     > nl.ones(2, 3).shape
---     [2, 3]
---@type Size
Tensor.shape = nil

--- The type of the elements: nl.float32 and so on.
---     > nl.ones(2).dtype
---     nnlua.float32
---@type dtype
Tensor.dtype = nil

--- Where the elements are: nl.device "cpu", or nl.device "meta" for a tensor that has none.
---     > nl.ones(2).device, nl.ones(2).device == nl.device "cpu", nl.ones(2).device.type == "cpu"
---     cpu	true	true
---@type device
Tensor.device = nil

--- Whether the elements are in the CPU's memory.
---     > nl.ones(2).is_cpu
---     true
---@type boolean
Tensor.is_cpu = nil

--- Whether the tensor has a shape and a dtype, but no elements.
---     > nl.ones(2, {device = "meta"}).is_meta
---     true
---@type boolean
Tensor.is_meta = nil

--- False: all computing is done on the CPU.
---     > nl.ones(2).is_cuda
---     false
---@type boolean
Tensor.is_cuda = nil

--- "strided", as nl.strided: the elements of all tensors lie at multiples of strides.
---     > nl.ones(2).layout == nl.strided
---     true
---@type string
Tensor.layout = nil

--- False: no tensor leaves zeros out.
---     > nl.ones(2).is_sparse
---     false
---@type boolean
Tensor.is_sparse = nil

--- False: no tensor leaves zeros out.
---     > nl.ones(2).is_sparse_csr
---     false
---@type boolean
Tensor.is_sparse_csr = nil

--- False: all rows of a tensor are of one length.
---     > nl.ones(2).is_nested
---     false
---@type boolean
Tensor.is_nested = nil

--- False: no dtype has a scale of its own.
---     > nl.ones(2).is_quantized
---     false
---@type boolean
Tensor.is_quantized = nil

--- False: no tensor is in a library's own format.
---     > nl.ones(2).is_mkldnn
---     false
---@type boolean
Tensor.is_mkldnn = nil

--- The gradient that backward has added up so far, or nil. It can be set.
---     > nl.ones(2, {requires_grad = true}).grad
---     nil
---@type Tensor?
Tensor.grad = nil

--- The node of the graph that the tensor comes from, or nil.
---     > (nl.ones(2, {requires_grad = true}) * 2).grad_fn ~= nil
---     true
---@type any
Tensor.grad_fn = nil

--- Whether operations on the tensor are recorded for gradients. It can be set on leaves.
---     > nl.ones(2).requires_grad
---     false
---@type boolean
Tensor.requires_grad = nil

--- Whether the tensor is no result of recorded operations.
---     > nl.ones(2).is_leaf
---     true
---@type boolean
Tensor.is_leaf = nil

--- Whether the tensor keeps its gradient though it is no leaf.
---     > nl.ones(2).retains_grad
---     false
---@type boolean
Tensor.retains_grad = nil

--- Which of the results of its grad_fn the tensor is, from 1 on.
---     > nl.ones(2).output_nr
---     1
---@type integer
Tensor.output_nr = nil

--- The number of dimensions.
---     > nl.ones(2, 3).ndim
---     2
---@type integer
Tensor.ndim = nil

--- The bytes of an element.
---     > nl.ones(2, {dtype = nl.float64}).itemsize
---     8
---@type integer
Tensor.itemsize = nil

--- The bytes of all elements.
---     > nl.ones(2, 3).nbytes
---     24
---@type integer
Tensor.nbytes = nil

--- The tensor with its dimensions in the opposite order.
---     > nl.ones(2, 3).T.shape
---     [3, 2]
---@type Tensor
Tensor.T = nil

--- The tensor with its last two dimensions swapped.
---     > nl.ones(4, 2, 3).mT.shape
---     [4, 3, 2]
---@type Tensor
Tensor.mT = nil

--- The conjugate of a matrix, transposed.
---     > nl.ones(2, 3).H.shape
---     [3, 2]
---@type Tensor
Tensor.H = nil

--- The conjugate with its last two dimensions swapped.
---     > nl.ones(4, 2, 3).mH.shape
---     [4, 3, 2]
---@type Tensor
Tensor.mH = nil

--- The real parts: a view of a complex tensor, a real one itself.
---     > nl.ones(2).real
---     tensor([1., 1.])
---@type Tensor
Tensor.real = nil

--- The imaginary parts of a complex tensor, a view.
---     > nl.complex(1.0, 2.0).imag
---     tensor(2., dtype=nnlua.float64)
---@type Tensor
Tensor.imag = nil

--- The same elements without history: changes of it are not recorded, and are seen by the tensor.
---     > nl.ones(2, {requires_grad = true}).data.requires_grad
---     false
---@type Tensor
Tensor.data = nil
