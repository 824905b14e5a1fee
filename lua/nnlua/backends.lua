-- nl.backends: the switches that PyTorch programs set for libraries that are not here.

local function no() return false end

--- Switches of PyTorch's for CUDA, cuDNN and Apple's GPUs. They may be set and change nothing; questions are answered
--- with no: `nl.backends.cudnn.benchmark = true`, `nl.backends.mps.is_available()`.
return {
  cudnn = {enabled = false, benchmark = false, deterministic = false, allow_tf32 = false, is_available = no},
  cuda = {is_built = no, matmul = {allow_tf32 = false}},
  mps = {is_available = no, is_built = no},
}
