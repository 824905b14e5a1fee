-- What arguments mean, wherever functions have one of a name, in the order of the alphabet. arguments_of.lua has what
-- they mean in some places alone.
return [[
_random_samples: The random numbers that decide where windows lie, instead of drawn ones.
_weight: The rows to begin with, instead of random ones.
A: A matrix, or a batch of matrices in its last two dimensions.
a: The first operand, or the lower end of a range.
accumulate: Whether values are added to what is there, instead of replacing it.
activation: The function between the two layers of the feed-forward part: "relu", "gelu" or a function.
actual, expected: What there is, and what there should be.
add_zero_attn: Whether a key and a value of zeros are put behind the others.
affine: Whether a layer that normalises learns a scale and a shift for each channel.
align_corners: Whether the middles of the outermost pixels are the ends of the grid, instead of their outer edges.
allow_empty: Whether a folder of a class may have no files.
alpha: A factor: of the second operand in a sum, of a slope in an activation.
amount: How much is pruned: a share between 0 and 1, or a number of elements.
amsgrad: Whether the greatest average of squared gradients so far is used, instead of the latest.
anchor: What both others are compared with.
angle: The angle.
anneal_strategy: How the rate goes down: "cos" or "linear".
annot: Whether numbers stand in the cells.
antialias: Whether a picture that is made smaller is smoothed first.
append: What is put behind.
apply_exif_orientation: Whether the picture is turned as the camera was held.
approximate: "none", or "tanh" for a formula that is nearly the same.
argnums: By which arguments is derived, counted from 1: a number or a list.
arguments: The row's arguments: in order, and by name.
as_table: Several results come as one table instead of several values, for ipairs and #.
async_op: Whether the call comes back at once, with a Work to wait for.
attn_mask: Where it is false no attention is paid; numbers are added to the scores.
average: How the classes' numbers become one: "micro", "macro", "weighted", or "none" for one a class.
axis: The dimension, counted from 1.
B: The right-hand sides: a matrix, or a batch of them.
b: The second operand, or the upper end of a range.
b_ih, b_hh: The biases for the input, and for the state.
base_constraint: The constraint on each element.
base_distribution: The distribution that is built on.
base_momentum, max_momentum: The ends of the range that the momentum moves in, against the rate.
base_transform: The transform of each element.
batch1, batch2: Two batches of matrices.
batch_first: Whether sequences come as (batch, time, features) instead of (time, batch, features).
batch_size: How many items a batch has.
batch_sizes: How many sequences of a packed batch take part in each step.
beta: A factor, or how sharp a curve bends.
betas: How much of the averages of gradients and of their squares is kept in a step: two numbers below 1.
bias: Whether the layer adds a learned bias; for a function the bias itself, or nothing.
bidirectional: Whether a second layer goes through the sequence backwards; both results are put side by side.
bins: How many bins there are, or a list of their edges.
blank: The class that stands for no letter, counted from 1.
bn: The batch norm.
bn_b: The norm's shift.
bn_eps: The norm's eps.
bn_rm, bn_rv: The norm's averages of the mean and of the variance.
bn_w: The norm's scale.
boxes: Boxes, a row (x1, y1, x2, y2) each.
cache_size: How many results a transform keeps for its inverse: 0 or 1.
capturable: Accepted for PyTorch's sake; it changes nothing on a CPU.
ceil_mode: Whether a last window that is not whole gives a result, too.
center: Whether windows lie around their times, with padding at the ends; of a picture the point that it turns about.
check_dtype: Whether dtypes must be the same.
check_errors: Whether a failure is an error, instead of a number in the result `info`.
check_stride: Whether strides must be the same.
chunk_size: How many rows are worked on at once; all without it.
chunks: Into how many parts.
class: A class.
closure: A function that computes the loss anew, and its gradients, and gives the loss.
cmap: The colours of numbers, by a name such as "viridis", "gray", "Blues", "coolwarm".
color: A colour by name or as "#rrggbb"; one for each series, or one for all.
compression_level: From 0, none, to 9, the smallest file.
concentration: How a distribution's numbers gather: a number or a tensor, greater than 0.
concentration0, concentration1: The two shape parameters: numbers or tensors, greater than 0.
condition: Where it is true the first is taken, elsewhere the second.
constraint: A constraint.
copy: Whether the result is a tensor of its own even if nothing is to be changed.
correction: What is taken from the number of elements before a sum of squares is divided by it: 1 by default.
count: How many.
count_include_pad: Whether padded zeros count in the mean.
covariance_matrix, precision_matrix, scale_tril: The covariance: as it is, as its inverse, or by its Cholesky factor;
  one of the three.
create_graph: Whether the gradients get a graph, so that they can be derived again.
cseq: The constraints of the parts, in order.
cudnn_enabled: Accepted for PyTorch's sake; it changes nothing on a CPU.
cycle_momentum: Whether the momentum moves, too, against the rate.
d: The distance between samples.
d_model: How many features an element of the sequence has.
data: What becomes a tensor: a number, a boolean, nested tables of them, or a tensor.
data_source: The dataset whose items are numbered.
dataset: What has a length and gives its items by number.
datasets: A list of datasets.
decay: How much of the average is kept at each update.
decoupled_weight_decay: Whether weights shrink by themselves, as in AdamW, instead of through the gradient.
default: What is taken where nothing is given.
default_mask: The mask so far: what it has taken out stays out.
defaults: The options that a group has where it says nothing.
degrees: The angles to draw from: a number d for -d to d, or {low, high}.
delta: From which distance on the loss is straight instead of squared.
density: Whether counts are divided so that the area is 1.
descending: Whether the largest comes first.
destination: Where dimensions go.
device: Where the result lives: "cpu", or "meta" for a shape without elements.
device_type: "cpu".
df: Degrees of freedom: a number or a tensor, greater than 0.
diag: Which diagonal the triangle begins at.
diagonal: Which diagonal: 0 the main one, above it positive, below it negative.
dict: A table of names and values, as state_dict() gives it.
differentiable: Only false: steps are not recorded for gradients.
dilation: The distance between the elements that a kernel looks at; 1: neighbours. A number, or one a dimension.
dim: The dimension that is worked along: 1 is the first, -1 the last. Some functions take a list of them.
dim0: The first of two dimensions.
dim1: The first of two dimensions; of a swap the second.
dim2: The second of two dimensions.
dim_feedforward: How many features there are between the two layers of the feed-forward part.
dimension: Which dimension, counted from 1.
dims: Which dimensions: a list, counted from 1.
distance_function: A function of two tensors that gives their distances.
distribution: A distribution.
divisor_override: What sums are divided by, instead of the number of elements in a window.
downscale_factor, upscale_factor: How many pixels become one, or one becomes, along each side.
dpi: How many dots an inch has.
drop_last: Whether a last batch that is not whole is left out.
dropout: The probability with which an element is set to 0 in training.
dropout_p: The probability with which an attention weight is set to 0.
dst: The rank that gets it.
dtype: The type of the result's elements: nl.float32, nl.int64 and so on.
dx: The distance between neighbours.
edge_order: Of which order the differences at the ends are: 1 or 2.
elementwise_affine: Whether a scale, and for layer norm a shift, is learned for each element.
embedding_dim: How many numbers a row has.
enabled: Whether it is on.
enforce_sorted: Whether the sequences must come longest first; else they are sorted.
epoch: Which epoch it is.
eps: A small number that keeps a division from being one by 0.
equal_nan: Whether two nan are taken for equal.
error_if_nonfinite: Whether a norm that is nan or infinite is an error.
eta_min: The lowest rate.
event_dim: How many of the last dimensions are one event.
expand: Whether the result is as large as it must be to hold all of the turned picture.
exponent: The exponent.
f: A function; what it is called with, and what becomes of its results, the functions tell.
f_min, f_max: The lowest and the highest frequency, in Hz.
factor: What something is multiplied by.
figsize: The width and height of a figure in inches of 100 pixels.
file: Where it is written: an open file.
filename: The path of the file.
fill: What pixels outside of the picture are: a number, or one a channel.
fill_value: The number that fills the result.
folder: Where files are kept.
foreach: Accepted for PyTorch's sake: all parameters of a group are stepped in one call anyway.
format: Which format: "safetensors", "pt", "npy", "npz"; without it the content, or the path's ending, tells.
from: Where it begins.
full: Whether constant terms are part of the loss, too.
func: The function.
fused: Accepted for PyTorch's sake: all parameters of a group are stepped in one call anyway.
gain: A factor; nn.init.calculate_gain tells the usual one.
gamma: The factor by which a rate shrinks each time; of a picture the exponent of its brightness.
gather_list: What each rank gave, on the rank that gets it.
generator: Where random numbers come from: of nl.Generator; without it the default one.
global_step: At which step of a training something was so: a number.
grad_outputs: The gradients of the outputs; ones, for outputs of one element, without it.
grid: Where a picture is sampled, from -1 to 1; of a figure whether lines go out from the marks of its axes.
group: The processes that take part: a ProcessGroup; all without it.
group_dst: The rank that gets it, as the group numbers it.
group_src: The rank that it comes from, as the group numbers it.
groups: Into how many parts the channels are split, each with kernels of its own.
h: The state before the first step; zeros without it.
has_aux: Whether the function gives a second result that isn't derived.
has_biases: Whether the weights are followed by biases.
height: How high, in pixels or lines.
hermitian: Whether the matrices are symmetric, or equal to their conjugate transposes.
hidden_size: How many numbers the hidden state has.
high: The upper end, which is not drawn itself.
history: A table of curves, or a list of what each epoch brought.
hook: A function that is called with what passes by; what it returns, if anything, takes its place.
hop_length: How many samples lie between the beginnings of two windows.
hx: The state before the first step; of an LSTM a table of two, h and c. Zeros without it.
ignore_index: A target of this value adds nothing to the loss.
image: A picture: a tensor (channels, height, width).
img: A picture: a tensor (…, channels, height, width), uint8 from 0 to 255 or floats from 0 to 1.
img_tensor: A picture, uint8 or from 0 to 1.
importance_scores: How important each element is, if not by its magnitude.
in_channels: How many channels the input has.
in_features: How many numbers a row of the input has.
in_shape, out_shape: The shape of an event before and behind the transform.
include_last_offset: Whether the offsets end with the number of indices.
include_self: Whether what was there takes part in the reduction.
index: Which position is meant, counted from 1, or a tensor of positions.
indices: Which positions are meant, counted from 1: a tensor or a list of integers.
inplace: Whether the result is written over the input, which saves memory.
input: What is worked on; as a method the tensor before the colon.
input1: The first of two inputs.
input2: The second of two inputs.
input_lengths, target_lengths: How long each input, and each target, is.
input_size: How many numbers an element of the sequence has.
inputs: What something is computed from, or derived by: a tensor or a list.
interpolation: How pixels between pixels are made: "nearest", "bilinear" and, in resizing, "box", "hamming", "bicubic"
  or "lanczos".
interpolation_mode: How what lies between is made: 0 bilinear, 1 nearest, 2 bicubic.
interval: How often, in seconds or steps.
is_binary: Whether there is one number for each event, instead of one a class.
is_causal: Whether no attention is paid to what comes later.
is_valid_file: A function of a path that tells whether the file counts.
items: How many items are shown; of a loader what becomes a batch.
k: How many, or which one in order, counted from 1.
keepdim: Whether a dimension that is worked along stays, with size 1, instead of being left out.
kernel_size: How many elements a window has along each dimension: a number, or one a dimension.
L: The Cholesky factor.
label: What a series is called in the legend.
label_smoothing: How much of each target is spread over all classes, from 0 to 1.
labels: What classes, or points, are called.
lambd: Where the function begins to let numbers through; of a distribution its rate.
largest: Whether the largest are wanted, instead of the smallest.
last_epoch: How many epochs have passed already; -1 for none.
layer_norm_eps: The small number in the norms, that keeps a division from being one by 0.
left: Whether the matrix stands on the left of what is sought; of a picture the first column, counted from 0.
legend: Whether a figure tells what its series are called.
length: How many elements; of a signal how many samples it had.
lengths: How long each part or sequence is.
linewidth: How many characters a line has; of a figure how thick lines are.
list: A list; of arguments those of the command line without it.
loader: What gives batches: a DataLoader, or anything that for can go over.
loc: Where a distribution's middle or beginning lies: a number or a tensor.
log_input: Whether the input is the logarithm of the rate.
log_probs: The logarithms of probabilities, (T, N, C).
log_target: Whether the target is a logarithm, too.
logits: Logarithms of odds, or of probabilities that need not add up to 1; instead of probs.
low: The lower end.
lower: The lower end of a range.
lower_bound, upper_bound: A border of the numbers that fulfil the constraint.
lowpass_filter_width: How many zero crossings the filter has.
lr: The learning rate: how far a step moves the parameters. A number, or a tensor of one element.
lr_lambda: A function of the epoch that gives the factor of the rate; one for each group, or one for all.
LU_data, LU: The factors in one matrix, as lu_factor gives them.
LU_pivots, pivots: Which rows were exchanged, counted from 1, as the factoring gives it.
M: How many numbers a window has.
m: How many rows, or the exponent of 2.
map_location: The device that tensors go to.
margin: By how much two scores must be apart for the loss to be 0.
mask: Which elements take part: those where it is true. It broadcasts to the shape of the others.
mat: A matrix.
mat1: The first matrix.
mat2: The second matrix.
max: The upper border; without it there is none.
max_lr: The highest rate; one for each group, or one for all.
max_norm: The largest norm that is left as it is; what is longer is scaled to it.
max_size: The longest that the longer side may become.
maximize: Whether a step goes up the gradient instead of down.
mean: The mean of the numbers.
mel_scale: The scale of pitches: "htk" or "slaney".
memory_format: How the result lies in memory: nl.contiguous_format, nl.preserve_format, nl.channels_last.
method: Which method.
milestones: At which epochs something changes: a list.
min: The lower border; without it there is none.
min_val, max_val: The two borders.
mmap: Whether the file's pages become the tensors' memory, instead of being read.
mode: Which of several ways of working is taken; the function's own text lists them.
model: The module.
module: The module that is worked on or registered.
modules: Modules, by name or in order.
momentum: How much of the last step goes into the next; for a norm, how much of a batch into the moments.
monitor: Which number is watched, "val_loss" say.
msg: What the error says, in place of the usual message.
N: How many columns, or samples.
n: How many there are, or a number by which something is made, such as the degree of a polynomial.
n_fft: How long the transformed windows are.
n_mels: How many bands there are.
n_mfcc: How many coefficients.
n_power_iterations: How many times the singular vectors are improved at each call.
name: What something is called: a string.
negative_slope: The slope below 0.
nesterov: Whether the gradient is taken as if the momentum had been applied already.
net: The module.
nhead, num_heads: Among how many heads attention is divided.
niter: How many times a subspace is improved.
non_blocking: Accepted for PyTorch's sake; it changes nothing on a CPU.
nondet_tol: How far results of two runs may be apart.
nonlinearity: The function behind the layer, by name: "tanh", "relu", "leaky_relu" and so on.
norm: What a transform is divided by: "backward" the inverse one by its length, "forward" the other, "ortho" both by
  its root.
norm_first: Whether norms stand before attention and feed-forward, instead of behind them.
norm_type: The exponent of a norm: 2 is the Euclidean one, math.huge the largest magnitude.
normalize: Whether numbers are made to lie between 0 and 1.
normalized: Whether the transform is divided by the root of its length.
normalized_shape: The sizes of the last dimensions, over which moments are taken: a number or a list.
nrow: How many pictures stand in a row.
num_classes: How many classes there are.
num_embeddings: How many rows there are.
num_features: How many channels the input has.
num_groups: Into how many groups the channels are split.
num_layers: How many layers are stacked, each taking the results of the one before.
num_output_channels: 1, or 3 equal channels.
num_samples: How many are drawn.
num_thresholds: At how many thresholds the curve is taken.
obj: Any value that can be saved.
object_list: A list of values that can be saved.
offset: Which diagonal: 0 the main one, above it positive, below it negative.
offsets: Where each bag, or segment, begins.
onesided: Whether only the half of the frequencies is given that tells the rest.
op: Which operation: "sum", "avg", "max", "min", "prod".
optimizer: The optimizer whose learning rate the schedule sets.
options: A table of what may be given by name; the function's own text lists it.
ord: Which norm: a number p, math.huge, "fro" or "nuc".
orig_freq, new_freq: How many samples a second has, before and afterwards.
other: The second operand; it broadcasts with the first.
out: Where it is written: an open file, or a function of a text.
out_channels: How many channels the result has.
out_features: How many numbers a row of the result has.
out_int32: Whether positions are int32 instead of int64.
outer: The builder that this one is a body of.
output: Where the result goes.
output_padding: Elements more at the end of a transposed convolution's result. A number, or one a dimension.
output_ratio: The size of the result as a share of the input's, one a spatial dimension.
output_size: The sizes that the result has in its spatial dimensions: one for all, or a list.
outputs: What is derived, or scaled: a tensor or a list.
p: The exponent of a norm or distance; for dropout, the probability with which an element is set to 0.
pad: How many elements are added at both ends.
pad_mode: What is put at the ends: "reflect", "constant" and so on.
padding: How many elements are added at both ends of each dimension: a number, or one a dimension.
padding_idx: The index whose row stays as it is in training.
padding_mode: What is added around the input: "zeros", "reflect", "replicate" or "circular".
padding_value: What fills up short sequences.
parameters: The parameters: net:parameters(), a tensor or a list of them.
params: What an optimizer steps: net:parameters(), a list of tensors, or one of groups with options of their own.
parent: The class that a new one inherits from.
parts: What it is made of, in order.
path: Where a file lies; of a module's parts, their names with dots between them.
patience: How many epochs without progress are waited.
periodic: Whether the window is meant to be repeated: one of a number more, without the last.
pin_memory: Accepted for PyTorch's sake; it changes nothing on a CPU.
pivot: Whether rows are exchanged, for precision.
places: The positions of the items, counted from 1.
points: Points: a tensor (n, 2), or a list of pairs.
polygon: Corners, in order: a tensor (n, 2), or a list of pairs.
pos_weight: What the positive examples of each class count.
position: Which one, counted from 1.
positive, negative: What should lie near the anchor, and what should lie far from it.
power: The exponent.
precision: How many digits, or how exact.
prefix: What is put before the names.
prepend: What is put before; of hooks, whether this one is called before those that are there.
probs: The probabilities: a number, or a tensor; instead of logits.
process_group: The processes that share the moments; all without it.
proj_size: To how many numbers an LSTM's hidden state is reduced; 0: not at all.
q: Which quantiles, from 0 to 1; of a factoring its rank.
quality: From 1, small, to 100, good.
quant_min, quant_max: The smallest and the largest whole number.
query, key: What asks, and what it is compared with, in attention.
raise_exception: Whether a difference is an error, instead of false.
random: Whether the states of the random generators are kept, too.
randomness: What random ops do in it: "error", "same" or "different".
range: The lowest and the highest edge: {low, high}.
rate: How often something happens on average: a number or a tensor, greater than 0.
ratio: A share, or a range of width over height.
rcond: What is smaller than this times the largest singular value is taken for 0.
recompute_scale_factor: Whether the factor is worked out anew from the sizes, which are whole.
recurse: Whether parts of parts count, too.
reduce: Deprecated in favour of reduction. false: a loss for each element.
reduction: What becomes of the losses of all elements: "mean", "sum" or "none".
reinterpreted_batch_ndims: How many dimensions of the batch become dimensions of the event.
remove_duplicate: Whether what stands in several places comes once.
repeats: How often: a number, or one for each dimension or element.
replacement: Whether one may be drawn again.
requires_grad: Whether gradients for the tensor are wanted: backward puts them into x.grad.
resampling_method: The window of the filter: "sinc_interp_hann" or "sinc_interp_kaiser".
retain_graph: Whether the graph is kept, so that backward can go through it again.
return_complex: Whether the result is complex.
return_counts: Whether it is told how often each comes.
return_indices: Whether the positions of what was chosen are given, too.
return_inverse: Whether it is told which one each element is, counted from 1.
right: Whether an equal element's place is behind it instead of before.
rolloff: Where the filter ends, as a share of the highest frequency.
root: The folder that the files are in.
row, col: How many rows, and columns, there are.
rtol, atol: How far numbers may be apart: by atol + rtol times the magnitude of the expected one.
running_mean, running_var: The averages of the moments so far, which training changes and evaluation uses.
s: The sizes along the dimensions that are transformed: the input is cut off there, or zeros follow it.
sample_rate: How many samples there are in a second.
sample_weight: What each sample counts.
sampler: What gives the order: an iterator of positions.
scale: How wide a distribution is, or what something is multiplied by: a number or a tensor.
scale_factor: By how much sizes are multiplied: a number, or one a dimension.
scale_grad_by_freq: Whether gradients of rows are divided by how often they were used in the batch.
schedulers: A list of schedulers.
sections: How many parts, or the positions at which parts begin.
seed: What the random numbers begin from.
sequence: A sequence: tensors one after the other.
sequences: A list of tensors, a sequence each.
set_to_none: Whether gradients go away, instead of becoming zeros.
settings: Options, by name.
shape: The sizes of the dimensions.
shear: The angles by which the picture is sheared.
shifts: By how many places elements move.
shuffle: Whether each epoch has a random order of its own.
sigma: How wide, as a standard deviation.
size: The sizes of the result's dimensions: numbers, or a list.
size_average: Deprecated in favour of reduction. false: a sum instead of a mean.
sizes: The sizes.
some: Whether the factors are of the smaller size.
sorted: Whether the results come in order.
source: Where elements, or dimensions, come from.
spacing: The distances between samples: a number, one a dimension, or coordinates.
sparse: Only false: gradients are dense.
split_size: How long each part is, or a list of lengths.
src: Where elements come from.
stable: Whether equal elements keep their order.
start: Where it begins.
start_dim, end_dim: The first and the last of the dimensions that become one.
state: What a call gave before.
state_dict: What state_dict() gave.
std: The standard deviation: how far numbers lie from their mean.
step: How far it is from one to the next.
steps: How many numbers there are.
stop: Where it ends.
storage_offset: Where the first element lies, counted from 1.
strict: Whether what is missing or too much is an error.
stride: How far a window moves: a number, or one a dimension.
swap: Whether the distance from the positive to the negative one is used where it is smaller.
sym: Whether a window is symmetric; else it is periodic: one of a number more, without the last.
t: The tensor.
tag: What a value is called in TensorBoard; a slash parts a group from a name.
target: What the result should be: class labels, which count from 1, or values.
target_transform: What an item's class goes through before it is given: a function.
targets: The classes to be told, which count from 1.
tau: How soft the choice is; of a Householder product the factors; of a window how fast it falls.
temperature: How soft the relaxed choice is: greater than 0.
tensor: The tensor that it is about.
tensor1, tensor2: Two operands.
tensor_name: The name of the parameter.
tensors: A list of tensors.
text: A text.
theme: "light", "dark" or "auto".
theta: The affine maps, (N, 2, 3) or (N, 3, 4).
things: A table of what is saved, or filled again: modules, optimizers, tables, numbers.
threshold: A border: what is greater is taken for one thing, the rest for another.
timeout: How many seconds are waited.
title: What stands above a figure.
to: Where it ends.
tol: What is smaller is taken for 0.
top: The first row, counted from 0.
top_db: By how much the quietest may lie below the loudest.
total_count: How many draws, or failures, there are.
total_iters: Over how many steps it changes.
track_running_stats: Whether the moments of all batches are averaged, for use in evaluation.
train: Whether it is for training; of a data set, whether the part for training is read, or the one for tests.
training: Whether it works as in training; else as in evaluation.
transform: What an item's first value goes through before it is given: a function, or one of nl.transforms.
transforms: A list of transforms.
translate: How far the picture is moved, at most, as shares of its sizes.
transpose: Whether the matrix is taken transposed.
tseq: The parts, in order.
type: What kind.
unbiased: Whether the sum of squares is divided by one less than the number of elements.
unitriangular: Whether the diagonal is taken for ones.
unsafe: Whether checks are left out.
UPLO: Which triangle is read: "L" or "U".
upper: Whether the upper triangle is meant, instead of the lower one; of a range its upper end.
use_input_stats: Whether moments are those of the input, instead of the averages.
v: What is put there.
validate_args: Whether parameters and values of a distribution are checked; true by default.
value: What is put there, or worked with.
values: What is put in, or looked for.
vec: A vector.
vec1: The first vector.
vec2: The second vector.
vectorize: Whether all rows are computed at once.
vmin, vmax: The numbers at the ends of the colours.
w_ih, w_hh: The weights for the input, and for the state.
walltime: When something was so, in seconds since 1970; now, if nothing is said.
waveform: Sound: a tensor (…, samples).
weight: Factors: of a layer what it multiplies its input by, of a loss one for each class or element.
weight_decay: A factor by which parameters are drawn towards 0 in each step (an L2 penalty).
weights: How often, or how likely, each is counted.
weights_only: Only true: nothing in a file is ever run.
what: A name, or a value.
width: How wide, in pixels or columns.
win_length: How long the window is; as long as the transform without it.
window: The window that each piece is multiplied by: a tensor; of an average how many values.
window_fn: A function that makes the window of a length.
window_length: How many numbers the window has.
x: What is worked on.
x1, x2: Two sets of vectors, or vectors pair by pair.
xlabel: What stands below the x axis of a figure.
xlim: The ends of the x axis, {low, high}; nl.none for one that isn't set.
xscale: The scale of the x axis: "linear" or "log".
y: The second operand; of points what stands over x.
ylabel: What stands beside the y axis of a figure.
ylim: The ends of the y axis, {low, high}; nl.none for one that isn't set.
yscale: The scale of the y axis: "linear" or "log".
zero_infinity: Whether infinite losses, and their gradients, become 0.
zero_point: The whole number that stands for 0.
]]
