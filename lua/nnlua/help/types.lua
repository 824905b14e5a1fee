-- What arguments may be that neither a row, nor a parser, nor a comment gives one type: as arguments_of.lua, what holds
-- everywhere first, then what holds below the beginnings of names.
return [[
activation: function or string
activities, names, nodes, metadata_header: list
actual, expected: tensor, number or table
argnums, dims: integer or list of integers
arguments, state, state_dict, dict, group, hparam_domain_discrete, known, options, defaults, extra: table
args: table or value
autocast: boolean or dtype
base_distribution, component_distribution, mixture_distribution, distribution: distribution
base_constraint: constraint
base_lr, max_lr, min_lr, swa_lr, base_momentum, max_momentum: number or list of numbers
base_transform: transform
batch_first, enforce_sorted, persistent, set_to_none, prepend, strict, flag, mode: boolean
batch_sampler, sampler: sampler
batch_shape, event_shape, in_shape, out_shape: list of integers
batch_sizes, lengths: tensor or list of integers
bins: integer, string or list
brightness, contrast, saturation, hue, degrees, sigma, shear: number or two numbers
bytes, device_type, name, path: string
c: tensor or list
callbacks, datasets, models, modules, transforms, functions, sequences: list
carried: list of values
class, optimizer_class, parent, pruning_method: class
condition, f, hook, lambd, lr_lambda, distance_function, scale_fn, yes, no, method: function
data_source, dataset: dataset
default, obj, value, what: any value
default_mask, permutation, prediction, target, t, v, vector, tensor, padded: tensor
dilation, kernel_size, output_padding, output_size, padding, size, stride: integer or list of integers
device: device or string
dtype: dtype
early_stopping: integer or table
epoch, interval, last_epoch, m, n, rounds, segments: integer
factor, new_scale, metric: number
false_negative_counts, false_positive_counts, true_negative_counts, true_positive_counts: tensor or list
fill: number or list of numbers
from: integer
generator: generator
h: tensor
height: tensor, list or table
history: list or table
in_dims, out_dims: integer or list
indices, places: list of integers, or tensor
input: tensor
inputs, outputs: tensor or list of tensors
items: list
iterable: integer, list, loader or iterator
loader: loader
mean, std: list of numbers
memory_format: memory format
module, root: module
msg: string or function
normalized: boolean or string
normalized_shape, unflattened_size: integer or list of integers
optimizer: optimizer
out: file
out_features: integer
outer: builder
output_ratio: number or list of numbers
parameter: parameter
parameters, params, tensors: iterator, list or tensor
parts: table
position: program's value or integer
precision, recall, weights: tensor or list
process_group: process group
replicated: list of tensors
row: string
scale_factor: number or list of numbers
scaler: nl.amp.GradScaler
scheduler: schedule
sequence, list: list
sorted_indices, unsorted_indices: tensor
values: table
x, y: tensor
[nl.plot.] x, y: tensor, list or table
[nl.plot.image, nl.show] x: tensor or list of tensors
[nl.plot.heatmap] data: tensor or list of lists
[nl.plot.confusion] target, prediction: tensor or list
[nl.program.Builder]
value, sequence, condition, rounds, list, tensor: program's value
name: string
f, yes, no: function
[nl.program.Builder:loop] rounds: program's value, or integer
[nl.program.Builder:sequence] list: list of program's values
[nl.program.Builder:constant, nl.program.Builder:buffer, nl.program.Builder:parameter] tensor: tensor
[nl.distributed.optim.ZeroRedundancyOptimizer] options: table
[nl.utils.checkpoint.checkpoint_sequential]
functions: module or list
input: any value
[nl.utils.tensorboard.SummaryWriter:add_histogram] bins: string or list of numbers
[nl.autograd.functional.] v: tensor or list of tensors
[nl.autograd.functional.] inputs: tensor or list of tensors
[nl.transforms.functional.erase] v: tensor or number
[nn.ModuleDict] modules: list or table of modules
[nn.ModuleList] modules: list of modules
[nn.ParameterDict] value, default: tensor
[nn.ParameterDict:get] default: any value
[nn.ParameterDict] values: list or table of tensors
[nn.ParameterList] value: tensor
[nn.ParameterList] values: list of tensors
[nn.RNNBase:forward]
x: tensor or packed sequence
h: tensor, or list of two for an LSTM
[nn.RNNCellBase:forward] h: tensor, or list of two for an LSTM
[nn.utils.parametrize.] value: tensor
[nn.utils.prune.]
name: string
method: pruning method
n: number
[nn.utils.prune.BasePruningMethod:apply] module: module
[nn.utils.rnn.] sequence, data: tensor
[nn.utils.rnn.pad_packed_sequence, nn.utils.rnn.unpack_sequence, nn.utils.rnn.is_packed] sequence: packed sequence
[nn.utils.rnn.PackedSequence] batch_sizes: tensor
[nn.Module:train] mode: boolean
[optim.lr_scheduler.CyclicLR:scale_fn] x: number
[nl.quasirandom.SobolEngine:draw] out: tensor
[nl.metrics.Metric] state_dict: table
[utils.data.default_convert] data: any value
[utils.data.default_collate] items: list
[distributions.TransformedDistribution] transforms: transform or list
[transforms.RandomErasing] value: number, list or string
[transforms.RandomRotation] degrees: number or two numbers
[transforms.Lambda] lambd: function
[testing.check_module] inputs: list
]]
