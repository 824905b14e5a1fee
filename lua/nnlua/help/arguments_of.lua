-- What arguments mean in some places alone: below the beginnings of the names that it holds for, of which the longest
-- decides. One alone stands behind them.
return [[
[nl.nn.functional.embedding_bag] per_sample_weights: What each row counts in its bag's sum.
[nl.nn.functional.gaussian_nll_loss, nn.GaussianNLLLoss]
var: The variances of the targets.
eps: The least that a variance counts as.
[nl.nn.functional.poisson_nll_loss, nn.PoissonNLLLoss] eps: What is added to a rate before its logarithm is taken.
[nl.nn.functional.smooth_l1_loss, nn.SmoothL1Loss] beta: From which distance on the loss is straight instead of squared.
[nl.nn.functional.triplet_margin_loss, nn.TripletMarginLoss, nl.pairwise_distance, nn.PairwiseDistance]
eps: What is added to each difference, so that no distance is 0.
[nl.nn.functional.pad, nl.constant_pad_nd]
pad: How many elements are added before and behind the last dimension, then the one before it, and so on.
[nn.CircularPad, nn.ConstantPad, nn.ReflectionPad, nn.ReplicationPad, nn.ZeroPad]
padding: How many elements are added: a number for all sides, or a list: before and behind the last dimension, then the
  one before it, and so on.
[nl.nn.functional.softplus, nn.Softplus] threshold: From which beta * input on the result is the input.
[nl.nn.functional.gumbel_softmax]
eps: Accepted for PyTorch's sake; it changes nothing.
hard: Whether one class gets 1 and the others 0, while gradients are the soft ones.
[nl.nn.functional.linear_cross_entropy] linear_weight, linear_bias: The layer that makes the scores.
[F.multi_head_attention_forward]
embed_dim_to_check: How many features the query has.
in_proj_weight, in_proj_bias: What makes queries, keys and values, one below the other.
q_proj_weight, k_proj_weight, v_proj_weight: The same, each for itself.
use_separate_proj_weight: Whether these are taken.
out_proj_weight, out_proj_bias: The layer behind the heads.
bias_k, bias_v: A key and a value that are put behind the others.
static_k, static_v: Keys and values that take the place of the projected ones.
key_padding_mask: Which keys are left out: those where it is true.
need_weights: Whether the weights of attention are given, too.
average_attn_weights: Whether they are averaged over the heads.
value: What is summed by the weights.
[nl.nn.functional.scaled_dot_product_attention]
value: What is summed by the weights.
scale: What products are multiplied by; one over the root of the number of features without it.
enable_gqa: Whether several heads of the query may share one of the keys and values.
[Tensor:backward] gradient: The gradient of the tensor itself; 1 without it, where it has one element.
[Tensor:cauchy_]
median: The middle.
sigma: From the middle to where the density is half as high.
[Tensor:log_normal_] mean, std: The mean, and the standard deviation, of the logarithms.
[Tensor:view_as, Tensor:reshape_as, Tensor:expand_as, nl.resize_as_] other: The tensor whose shape it is.
[Tensor:type_as] other: The tensor whose dtype it is.
[Tensor:to] other: The tensor whose dtype and device they are.
[nl.equal, Tensor:equal, nl.is_same_size, Tensor:is_same_size] other: What it is compared with.
[Tensor:dim_order] ambiguity_check: Whether strides that tell no single order are an error.
[Tensor:fill_diagonal_] wrap: Whether the diagonal of a high matrix begins again below the first one's end.
[Tensor:resize_as_] the_template: The tensor whose shape it is.
[argparse.ArgumentParser]
prog: What the program is called; without it its file.
usage: The line that says how it is called, instead of one that is made.
description, epilog: What help says before, and behind, the arguments.
add_help: Whether -h and --help are there.
message: What was wrong.
[argparse.ArgumentParser:add_argument]
type: What the text becomes: "integer", "number", "string" or a function; the default's type without it.
[datasets.]
extensions: Which files count, by their endings.
loader: A function that reads a file.
[nl.distributed.P2POp]
op: nl.distributed.isend or irecv.
peer: The rank at the other end.
[nl.distributed.]
input_tensor, output_tensor: What this rank gives, and where the result goes.
tensor_list: Where the tensors of all ranks go, in their order.
input_tensor_list, output_tensor_list: What goes to each rank, and where what comes from each goes.
input_split_sizes, output_split_sizes: How many rows go to each rank, and come from each; alike without it.
p2p_op_list: A list of P2POp.
replicated: Parameters that all ranks have alike, which count once.
object_gather_list: Where the values of all ranks go, on the rank that gets them.
group_rank: A rank as the group numbers it, from 0.
global_rank: A rank as all number it, from 0.
sign_of_life: After how many seconds without a sign of life a process is taken for lost.
backend: "mpi", or one of its makes: "openmpi" or "mpich".
wait_all_ranks: Whether all that are missing are named, instead of the first.
ranks: Which ranks are in it, a list, from 0.
optimizer_class: The optimizer that is made of each rank's share.
input_list: What is added up, a part for each rank.
scatter_list: What goes to each rank, on the rank that it comes from.
scatter_object_input_list, scatter_object_output_list: The values for all ranks, and where this rank's goes.
src, dst: The rank that it comes from, or goes to, from 0.
tag: A number that both ends give, by which messages are told apart.
input, tensor: The tensor that is sent, filled or reduced.
dim: The dimension that is split or joined, counted from 1.
[nl.distributed.Work:wait] timeout: How many seconds are waited; as long as the group does without it.
[distributions.ConstraintRegistry:register] factory: A function that makes a transform of a constraint.
[distributions.LKJCholesky] dim: How many rows and columns the matrices have.
[distributions.Pareto]
scale: The least that is drawn: a number or a tensor, greater than 0.
alpha: How fast the tail falls: a number or a tensor, greater than 0.
[distributions.ContinuousBernoulli]
lims: Between which probabilities a series is used, where the formula loses its digits.
[distributions.]
sample_shape: The sizes that are put before the batch: how many are drawn.
batch_shape, event_shape: The shapes of the batch, and of one event.
df1, df2: The degrees of freedom of both.
cov_factor, cov_diag: A factor of low rank and a diagonal that the covariance is made of.
mixture_distribution: A Categorical that says how often each component is drawn.
component_distribution: The components, along the last dimension of its batch.
rule: A function of two distributions that gives the divergence.
type_p, type_q: The classes that it is for.
p, q: Two distributions.
x, y: Values before, and behind, the transform.
weight: How strongly the upper tail falls.
value: A value that might have been drawn.
dim: The dimension that parts lie along.
[distributions.Multinomial] total_count: How many draws there are.
[optim.lr_scheduler.]
T_max: After how many epochs the rate is lowest.
T_0: How many epochs the first round takes.
T_mult: How many times as long each round takes as the one before.
base_lr: The lowest rate; one for each group, or one for all.
step_size_up, step_size_down: How many steps the way up, and down, takes.
scale_fn: A function that gives the height of a cycle, in place of mode.
scale_mode: What it is a function of: "cycle" or "iterations".
start_factor, end_factor: The factors of the rate at first, and in the end.
total_steps: How many steps there are in all.
epochs, steps_per_epoch: Both together tell that, too.
pct_start: Which share of the steps the way up takes.
div_factor, final_div_factor: What the highest rate is divided by at first, and the first one in the end.
three_phase: Whether the way down stops at the first rate before it goes on.
metric: The number that should go down, or up.
cooldown: How many epochs are waited after a change.
min_lr: The lowest rate; one for each group, or one for all.
eps: A change of the rate that is smaller isn't made.
threshold: By how much a number must be better to count.
threshold_mode: Whether that is a share ("rel") or an amount ("abs").
step_size: After how many epochs the rate shrinks.
power: The exponent of the curve.
mode: Which way of working: "min" or "max" of what is watched, or the shape of a cycle.
[nl.Trainer:lr_find]
loader: What gives batches; it is gone through as often as there are steps for.
min_lr, max_lr: The rates of the first step and of the last one.
steps: How many rates are tried.
[nl.Trainer]
optimizer: The optimizer, which is stepped.
samples: Pictures, texts or tables to be shown.
summary: What `nn.summary` gave; by default that of the model on a batch, unless there is training_step.
training_step: A function of the network and a batch that gives the loss, instead of loss.
scheduler_interval: Whether it is stepped after each "epoch" or each "step".
scheduler: A schedule of the learning rate.
loss: A function of outputs and targets; without it the network gives its loss itself.
metrics: A table of nl.metrics, by name.
callbacks: A list of nl.callbacks, or of tables with the same functions.
schedule: A schedule of the rate, which is stepped.
max_epochs, max_steps: Where training ends.
gradient_clip_val: The largest norm of all gradients together.
accumulate_grad_batches: Over how many batches gradients are added up before a step.
autocast: The dtype that products are computed in.
scaler: An nl.amp.GradScaler.
early_stopping: How many epochs without progress are waited, or a table of nl.callbacks.EarlyStopping's options.
checkpoint_every: After how many steps a checkpoint is written, beside those at the ends of epochs.
extra: More that checkpoints keep, by name.
progress: Whether the table of the run is drawn in the terminal.
val_loader: What gives batches for validation.
resume: Whether a run goes on from its last checkpoint: true, false, or a path.
tensorboard: Whether events for TensorBoard are written.
mode: Whether what is watched should go down, "min", or up, "max".
path: The checkpoint.
[nl._weight_int8pack_mm] scales: The factor of each row of weights.
[nl.accelerator.] check_available: Whether it must be there.
[nl.amp.]
optimizer: The optimizer whose gradients are scaled.
init_scale: The factor to begin with.
growth_factor, backoff_factor: What the factor is multiplied by after many good steps, and after a bad one.
growth_interval: How many good steps that takes.
new_scale: The factor, set by hand.
fwd, bwd: A function's forward, or backward.
[nl.audio.create_dct, nl.audio.MFCC] norm: "ortho" for an orthonormal transform.
[nl.audio.MelS, nl.audio.melscale_fbanks] norm: "slaney" for triangles of the same area.
[nl.audio.]
stype: What the numbers are: "power" or "magnitude".
dct_type: Only 2.
log_mels: Whether the logarithm is a plain one, instead of decibels.
melkwargs: Options of the MelSpectrogram that it begins with.
n_stft, n_freqs: How many frequencies there are.
multiplier: 10 for power, 20 for magnitudes.
amin: What is less counts as this.
db_multiplier: The decibels of the reference.
pad: How many zeros are put at both ends.
power: The exponent of magnitudes: 2 for power, 1 for magnitudes, none for complex numbers.
normalized: What it is divided by: false, "window" or "frame_length".
beta: How narrow the Kaiser window is.
[nl.autograd.set_detect_anomaly] mode: Whether it is on.
[nl.autograd.functional.]
v: What is multiplied with: a tensor, or a list, of the shapes of the inputs, or of the results in vjp.
[nl.autograd.]
fn: A function of the gradients.
grad_tensors: The gradients of the tensors; 1 without it, for those of one element.
tangent: How the value changes.
outer_jacobian_strategy, strategy: "reverse-mode" or "forward-mode".
allow_unused: Whether inputs that nothing depends on give nil, instead of an error.
is_grads_batched: Whether the gradients of outputs have a dimension more, for many at once.
materialize_grads: Whether there are zeros in place of nil.
only_inputs: Only true.
error_message: What the error says.
callback: A function of nothing.
pack_hook, unpack_hook: What is called with a tensor that is saved, and with what that gave.
backward: The function that it wraps.
check_nan: Whether gradients are looked through for nan.
eps: How far inputs are moved for differences.
[nl.bincount] minlength: How many counts there are at the least.
[nl.binomial] count, prob: How many tries, and the probability of each.
[nl.bucketize] boundaries: The borders, in order.
[nl.can_cast] from, to: The two dtypes.
[nl.cdist] compute_mode: Accepted for PyTorch's sake; it changes nothing.
[nl.chain_matmul] matrices: The matrices, in order.
[nl.callbacks.EarlyStopping]
min_delta: By how much a number must be better to count.
mode: Whether what is watched should go down, "min", or up, "max".
[nl.combinations]
r: How many are taken at a time.
with_replacement: Whether one may be taken again.
[nl.compile_report] compiled: What nl.compile gave.
[nl.compile]
net: The network, or a function of tensors.
settings: `without`: a list of passes to leave out, of constants, dead, common, kept, batch_norm, activations, packed,
  chains, tails.
[nl.complex] real, imag: The parts.
[nl.convolution] transposed: Whether it is a transposed one.
[nl.cov] fweights, aweights: How often, and how much, each column counts.
[nl.div] rounding_mode: "floor", "trunc", or nothing for the true quotient.
[nl.scatter]
reduce: What becomes of what is there and what comes: "add" or "multiply"; without it what comes takes the place.
[nl.scatter_reduce] reduce: What becomes of what is there and what comes: "sum", "prod", "mean", "amax" or "amin".
[nl.index_reduce] reduce: What becomes of what is there and what comes: "prod", "mean", "amax" or "amin".
[nl.grid_sampler] padding_mode: What is outside of the input: 0 zeros, 1 what is at the border, 2 the reflection.
[nl.nn.functional.grid_sample] padding_mode: What is outside of the input: "zeros", "border" or "reflection".
[nl.lstm, nl.gru, nl.rnn_] params: The weights and biases of all layers, in order.
[nl.mvlgamma] p: The dimension.
[nl.bernoulli] p: The probability of a one.
[nl.scalar_tensor] s: The number.
[Tensor:unfold]
size: How long a window is.
step: How far it is from one window to the next.
[nl.nn.functional.local_response_norm, nn.LocalResponseNorm, nn.CrossMapLRN2d]
size: Over how many neighbouring channels squares are taken.
alpha: The factor of the mean of squares.
beta: The exponent.
k: What is added to that mean, times alpha, before the power is taken.
[nl.nonzero_static] size: How many rows the result has.
[nl.rot90] k: How many times it is turned by 90 degrees.
[nl.quantile, nl.nanquantile]
interpolation: What is taken between two elements: "linear", "lower", "higher", "nearest" or "midpoint".
[nl.signal.windows.exponential] center: Where the middle is, counted from 0.
[nl.signal.windows.general_cosine] a: The factors of the cosines.
[nl.set_flush_denormal] mode: Whether numbers too small for full precision are taken for 0, which they never are.
[nl.set_warn_always] b: Whether warnings come every time.
[nl.func.replace_all_batch_norm_modules_] root: The module.
[utils.data.Subset] from: The dataset.
[nl.distributed.optim.ZeroRedundancyOptimizer:add_param_group] group: A table: `params`, and options of its own.
[nl.distributed.optim.ZeroRedundancyOptimizer:consolidate_state_dict] to: The rank that gets the state.
[distributions.Distribution:set_default_validate_args] value: Whether they are checked.
[nl.matrix_power, nl.linalg.matrix_power] n: The exponent.
[nl.polygamma] n: Which derivative of digamma.
[nl.diff] n: How many times over.
[nl.eye]
n: How many rows there are.
m: How many columns there are; as many without it.
[nl.fft.]
n: How many numbers are transformed: the input is cut off there, or zeros follow it; of irfft and hfft how long the
  result is.
[nl.fft.fftfreq, nl.fft.rfftfreq] n: How many numbers the transform has.
[nl.triangular_solve, nl.lu_solve] b: The right-hand sides: a matrix, or a batch of them.
[nl.hamming_window, nl.signal.windows.general_hamming] alpha, beta: The constant part, and the height of the cosine.
[nl.channel_shuffle, nn.ChannelShuffle] groups: Into how many groups the channels are split.
[nl.device]
type: "cpu" or "meta", or a device.
index: Which of that kind, counted from 0.
[nl.finfo, nl.iinfo] type: The dtype.
[nl.logit] eps: How near to 0 and 1 the input may be.
[nl.segment_reduce] indices: Not taken: lengths or offsets tell the segments.
[nl.histc] min, max: The ends of the range; the least and the greatest element if both are equal.
[nl.ormqr] other: What Q is multiplied with.
[nl.vdot] other: The second vector.
[nl.dot] tensor: The second vector.
[nl.inner, nl.kron] other: The second operand.
[nl.as_strided, nl.empty_strided, Tensor:new_empty_strided]
stride: How far neighbours along each dimension are apart in memory, in elements.
[nl.trapezoid, nl.trapz, nl.cumulative_trapezoid] x, y: The points, and the numbers over them.
[nl.norm_except_dim] v: The tensor.
[nl.backends.mha.set_fastpath_enabled] value: Whether it may.
[nl.linalg.cond] p: Which norm: 2, 1, math.huge, or the negative of one, "fro" or "nuc".
[nl.repeat_interleave]
output_size: How long the result is along the dimension, if it is known: it then need not be counted.
[nl.func.rearrange] lengths: The sizes of dimensions that don't follow, by name.
[nl.einsum]
equation: Letters for the dimensions of each operand, and behind "->" for those of the result.
operands: The tensors.
[nl.empty_permuted] physical_layout: In which order dimensions lie in memory, the outermost first.
[nl.frombuffer]
buffer: The bytes, a string.
offset: At which byte it begins, from 0.
[nl.func.]
args: The arguments, in a table.
parameters_and_buffers: What takes the place of the module's own, by name.
tie_weights: Whether what is tied in the module is tied in these, too.
primals: Where it is derived: a list of arguments.
tangents: In which direction, a list alike.
pattern: The axes before and behind "->", with brackets around those that are one.
models: A list of modules of one kind.
in_dims, out_dims: Which dimension of each argument, and result, is the batch's; nl.none for none.
[nl.gather] sparse_grad: Only false: gradients are dense.
[nl.io.read_wav] normalize: Whether samples are floats from -1 to 1, instead of what is stored.
[nl.io.BytesIO:read] n: How many bytes, or what a file's method read takes.
[nl.io.]
whence: "set", "cur" or "end".
offset: How many bytes from there.
bytes: What it begins with.
scale_each: Whether each picture is made to lie between 0 and 1 for itself.
pad_value: The colour between pictures.
padding: How many pixels lie between pictures.
value_range: The numbers that become 0 and 1: {low, high}.
frame_offset, num_frames: Where reading begins, and how many samples it takes.
bits_per_sample: 8, 16, 24 or 32.
encoding: "PCM_S" (integers), "PCM_U" (bytes) or "PCM_F" (floats); what the dtype says without it.
text: Bytes.
[nl.isin]
elements, test_elements: What is looked up, and among what.
assume_unique: Accepted for PyTorch's sake; it changes nothing.
invert: Whether those are wanted that are not there.
[nl.linalg.]
rtol: What is smaller than this times the largest singular value is taken for 0.
atol: What is smaller is taken for 0.
LD: The factors in one matrix, as ldl_factor gives them.
driver: LAPACK's way: "gels", "gelsy", "gelsd" or "gelss".
adjoint: Whether the conjugate transpose is meant.
full_matrices: Whether the factors are square.
ind: How many dimensions, from the first on, are the rows.
mode: Which form the factors have; the text tells.
[nl.load] weights_only: Only true: nothing in a file is ever run.
[nl.lobpcg]
X: Where the search begins.
iK: A preconditioner.
tracker: A function that is called at each step.
ortho_iparams, ortho_fparams, ortho_bparams: Options of the orthogonalization.
method: "basic" or "ortho".
[nl.logspace] base: What the numbers are powers of.
[nl.lu] get_infos: Whether it is told which matrices are singular.
[nl.lu_unpack] unpack_data, unpack_pivots: Whether the triangles, and the permutation, are wanted.
[nl.masked.] input_mask, other_mask: Which elements take part: those where it is true.
[nl.meshgrid] indexing: "ij" or "xy": whether the first list is the rows or the columns.
[nl.metrics.]
top_k: Among how many of the highest scores the class may be.
squared: Whether the mean is left as it is; false for its root.
threshold: From which score on it is taken for true.
normalize: What counts are divided by: "true", "pred", "all" or nothing.
[nl.nan_to_num] nan, posinf, neginf: What takes the place of nan, and of the infinities.
[nl.native_group_norm]
N: How many samples there are.
C, HxW: How many channels, and pixels, there are.
group: Into how many groups the channels are split.
[nl.nonzero] as_tuple: Whether there is a vector for each dimension, instead of a row for each element.
[nl.norm_except_dim] pow: The exponent.
[nl.onnx.] program: What nl.program.trace gave.
[nl.plot.]
net, input: A network, and what it is run with.
grid: Whether lines go out from the marks of the axes.
alpha: How opaque it is, from 0 to 1.
s: How large points are, in square pixels.
colors: How many colours the terminal has: 0, 16, 256 or 16777216.
nodes: What the graph is made of.
horizontal: Whether bars lie.
height: How long each bar is: numbers, or a table of series.
width: How wide bars are, as a share of their place.
prediction: What was found, classes from 1.
target: What is true, classes from 1.
smooth: How much of the average so far is kept, from 0 to 1.
cbar: Whether a bar of colours stands beside.
xticklabels, yticklabels: What columns, and rows, are called.
titles: What stands above each picture.
linestyle: "-", "--", ":" or "-.".
marker: Whether points are marked, and how: "o", "+", "x".
c: The class or the number of each point, which gives its colour.
texts: What stands beside the points, a text for each.
bins: How many bins there are, or a list of their edges.
x, y: Where points lie: lists or tensors of numbers, or a table of series by name.
values, data: The numbers: a tensor or lists.
loss: What was computed, whose graph it is.
path: The file; its ending says which kind: .svg or .png.
[nl.plot.Figure:text] width, height: How many columns, and lines, it has; as the terminal without it.
[nl.plot.confusion]
normalize: Of what shares are shown: false for counts, true or "true" of each row, "pred" of each column, "all" of all.
[nl.plot.graph]
x: The tensor that was computed.
params: What gives leaves their names: a module, or a table {name = tensor}.
[nl.plot.image] x: A picture, a batch of them or a list.
[nl.plot.box] x: The numbers: a matrix of a box for each column, a list of lists, or a table of them by name.
[nl.polar] abs: The magnitudes.
[nl.profiler.]
activities: Only {nl.profiler.ProfilerActivity.CPU}.
schedule: A function of the step's number, as nl.profiler.schedule gives it.
on_trace_ready: A function of the profile that is called when a cycle has ended.
record_shapes: Whether shapes are noted.
profile_memory: Whether memory is noted.
with_stack: Whether lines of Lua are noted.
with_flops: Whether multiply-adds are worked out.
max_events: How many calls are kept for a trace.
wait, warmup, active: For how many steps nothing is noted, nothing yet, and all.
repeat: How many times; 0: always.
skip_first: For how many steps at first nothing is noted.
[nl.program.]
position: Which one: a number from 1 on, or a value from 0 on.
condition: A value: which of both runs, or whether rounds go on.
yes, no: Functions that build the body where it is true, and where it is false.
known: The value of an input that is known.
carried: The values that go from round to round.
rounds: How many rounds, a value or a number.
network: A network, or a function of tensors.
row: The name of a row of the op table.
list: Values, in order.
[nl.progress]
iterable: What is gone through: a loader, a table, or a number of rounds.
desc: What stands before the bar.
total: How many there are, if it can't be told.
leave: Whether the bar stays when it has ended.
[nl.promote_types] type1, type2: Two dtypes.
[nl.quasirandom.SobolEngine:draw]
n: How many points are drawn.
out: A tensor that the points are written into.
[nl.quasirandom.SobolEngine]
dimension: How many numbers a point has.
scramble: Whether points are shifted at random, evenly spread all the same.
m: How many points, as an exponent of 2.
[nl.renorm] maxnorm: The largest norm.
[nl.report]
title: What stands above the page.
history: What each epoch brought: a list of tables.
samples: Pictures, texts or tables to be shown.
best: Which epoch was best, and its numbers.
summary: What `nn.summary` gave of the model.
[nl.repr] depth: How many tables deep it goes.
[nl.round] decimals: To how many digits behind the point.
[nl.searchsorted]
sorted_sequence: The numbers, in order.
side: "left" or "right".
sorter: Positions that bring the sequence in order.
[nl.segment_reduce]
initial: What each segment begins with.
reduce: What becomes of a segment: "sum", "mean", "max", "min" or "prod".
[nl.set_deterministic_debug_mode] debug_mode: "default", "warn" or "error", or 0, 1 or 2.
[nl.set_num_threads] threads: How many threads work.
[nl.set_printoptions]
threshold: From how many elements on only the edges are shown.
sci_mode: Whether numbers have exponents; nothing: as it suits.
edgeitems: How many elements are shown at each end of a long dimension.
profile: "default", "short" or "full".
[nl.split_with_sizes] split_sizes: How long each part is.
[nl.stft] align_to_window: Accepted for PyTorch's sake; only false.
[nl.svd] compute_uv: Whether the factors are wanted beside the values.
[nl.swapaxes] axis0, axis1: Two dimensions, counted from 1.
[nl.tensordot]
a, b: The two tensors.
dims: How many dimensions are summed over, or the lists of those of both.
[nl.tile] dims: How often along each dimension.
[nl.tensor_split] tensor_indices_or_sections: The same as a tensor.
[nl.use_deterministic_algorithms]
mode: Whether only deterministic algorithms are wanted.
warn_only: Whether a warning would be enough.
[nl.utils.checkpoint.]
functions: What runs one after the other: a Sequential or a list.
segments: In how many parts.
enable: Whether computing again ends once all is there that is needed.
[nl.utils.interrupts] wanted: Whether Ctrl-C is asked for, instead of raising an error.
[nl.vander] increasing: Whether powers go up from left to right.
[nl.vision.]
boxes1, boxes2: Two sets of boxes, a row (x1, y1, x2, y2) each.
rect: What min_area_rect gave.
connectivity: Whether corners connect (8) or sides alone (4).
corners: The four corners.
scores: How sure each box is.
iou_threshold: From which overlap on the less sure box goes.
stats: What connected_components told of the regions.
region, labels: The number of a region, and that of each pixel's.
arc_tolerance: How far corners are from true arcs.
distance: How far out.
ratio: How much of area over circumference that is, if the distance isn't given.
[nn.AdaptiveLogSoftmaxWithLoss]
n_classes: How many classes there are.
cutoffs: Behind which classes a cluster of rarer ones begins.
div_value: How many times smaller each next cluster's layer is.
head_bias: Whether the first layer has a bias.
[nn.Bilinear] in1_features, in2_features: How many numbers the rows of both inputs have.
[nn.Embedding:from_pretrained]
embeddings: The rows, a matrix.
freeze: Whether they stay as they are.
[nn.GroupNorm] num_channels: How many channels the input has.
[nn.Module:]
mode: Whether it is training; true without it, and false is evaluation.
only_trainable: Whether those count alone that want gradients.
persistent: Whether state_dict has it.
parameter: An nn.Parameter, or nil for a place that stays empty.
flag: Whether gradients are wanted.
[nn.MultiheadAttention]
embed_dim: How many features the query has.
kdim, vdim: How many features keys, and values, have; as many without it.
add_bias_kv: Whether a learned key and value are put behind the others.
[nn.PReLU]
num_parameters: How many slopes: 1, or one a channel.
init: What they begin with.
[nn.ParameterDict:] names: The names, a list.
[nn.ParameterList:slice] first, last: Its ends, counted from 1.
[nn.Transformer:generate_square_subsequent_mask] size: How many steps there are.
[nn.Transformer]
num_encoder_layers, num_decoder_layers: How many layers both have.
custom_encoder, custom_decoder: Modules in their place.
encoder_layer, decoder_layer: The layer that is repeated.
norm: A norm behind the last layer.
enable_nested_tensor: Whether padding may be left out in evaluation.
mask_check: Accepted for PyTorch's sake.
[nn.TransformerEncoderLayer] norm_first: Whether norms stand before attention and feed-forward, instead of behind them.
[nn.Unflatten] unflattened_size: The sizes that the dimension becomes.
[nn.init.dirac_] groups: Into how many groups the channels are split.
[nn.init.]
param: The slope of leaky_relu.
val: The number.
sparsity: Which share of each column is 0.
a, b: The ends of the range; for kaiming the slope of leaky_relu.
mode: "fan_in" or "fan_out": whether the forward or the backward keeps its variance.
tensor: The tensor that is filled.
[nn.parallel.] process_group: The processes that take part; all without it.
[nn.parallel.ColumnParallelLinear] gather_output: Whether all ranks get the whole result.
[nn.parallel.DistributedDataParallel]
broadcast_buffers: Whether the first rank's buffers go to all before each forward.
init_sync: Whether the first rank's parameters go to all at first.
bucket_cap_mb: How many megabytes of gradients go in one message.
find_unused_parameters: Whether parameters are looked for that a forward doesn't use.
gradient_as_bucket_view: Whether gradients lie in the memory that is sent.
static_graph: Whether all forwards use the same parameters.
[nn.parallel.Pipeline]
stage: This rank's part of the network.
loss_fn: A function of outputs and targets, on the last rank.
input, target: The batch, on the first rank, and what it should give, on the last.
[nn.parallel.RowParallelLinear] input_is_parallel: Whether the input is this rank's part already.
[nn.quantized.dynamic.Linear]
bias_: Whether there is a bias.
mod: The layer that is converted.
[nn.utils.clip_grad_value_] clip_value: The largest magnitude.
[nn.utils.clip_grads_with_norm_] total_norm: The norm of all together, as get_total_norm gives it.
[nn.utils.fuse_conv] transpose: Whether it is a transposed convolution.
[nn.utils.]
conv, linear: The layer.
conv_w, conv_b: The convolution's weight and bias.
linear_w, linear_b: The layer's weight and bias.
orthogonal_map: How the weight becomes orthogonal: "matrix_exp", "cayley" or "householder".
use_trivialization: Whether the map begins at the weight itself.
original: The parameter as it was.
parametrization: A module that makes the parameter of another one.
leave_parametrized: Whether the value stays as it is now, or goes back to the original.
from_module, to_module: Between which modules.
pruning_method: A class of nn.utils.prune.
sorted_indices, unsorted_indices: The order by length, and back, counted from 1.
permutation: An order, counted from 1.
total_length: How long the result is; as long as the longest without it.
padding_side: At which side: "right" or "left".
padded: Sequences filled up to one length.
vector: All parameters in one.
dim: The dimension that stays, or that norms are not taken over.
n: Which norm tells how important a channel is.
[optim.ASGD]
lambd: By how much weights shrink.
alpha: The power of the learning rate's fall.
t0: From which step on averages are taken.
[optim.Adadelta] rho: How much of the averages is kept in a step.
[optim.Adafactor]
eps: The least that squares of gradients, and that the magnitude of parameters, count as: two numbers.
beta2_decay: How fast the average of squares learns less.
d: The largest step, as a root of a mean of squares.
[optim.Adagrad]
lr_decay: How fast the rate falls.
initial_accumulator_value: What sums of squares begin with.
[optim.LBFGS]
max_iter: How many iterations a step has at most.
max_eval: How many times the loss is computed at most.
tolerance_grad, tolerance_change: Where it ends: gradients, or changes, as small as that.
history_size: How many past steps are kept.
line_search_fn: "strong_wolfe", or none.
[optim.Muon]
ns_steps: How many steps the orthogonalization has.
ns_coefficients: Its three numbers.
adjust_lr_fn: How the rate follows the shape: "original" or "match_rms_adamw".
[optim.NAdam] momentum_decay: How fast the momentum grows to its full.
[optim.RMSprop]
centered: Whether squares are taken about the mean.
alpha: How much of the average of squares is kept in a step.
[optim.Rprop]
etas: The factors for steps that overshoot, and that don't.
step_sizes: The smallest and the largest step.
[optim.SGD] dampening: Which share of the gradient is left out of the momentum.
[optim.Optimizer]
group: A table: `params`, and options of its own.
hook: A function that is called with the optimizer.
[optim.swa_utils.]
avg_fn: A function of the average, the parameter and the number of models so far.
multi_avg_fn: The same for lists.
use_buffers: Whether buffers are averaged, too.
swa_lr: The rate that it ends at.
anneal_epochs: How many epochs that takes.
[nl.utils.tensorboard.SummaryWriter:add_image_with_boxes] labels: What each box is called.
[nl.utils.tensorboard.SummaryWriter]
min, max: The least and the greatest number.
log_dir: The folder of the run.
comment: What is put behind the folder's name, if none is given.
purge_step: From which step on earlier events of the run are dropped.
max_queue, flush_secs: After how many events, and seconds, they are written.
filename_suffix: What is put behind the file's name.
snd_tensor: Sound from -1 to 1.
box_tensor: A row for each box: left, top, right, bottom, in pixels.
rescale: How many times larger the picture and its boxes are shown.
dataformats: What the dimensions are, as "CHW" or "HWC".
vid_tensor: Pictures (videos, pictures, channels, height, width), uint8 or from 0 to 1.
fps: How many pictures are shown in a second.
vertices: Where the points of each mesh are, (meshes, n, 3).
colors: Red, green and blue of each point, from 0 to 255.
faces: The places of the three points of each triangle, from 1 on.
config_dict: Names of three.js, as camera, with their options.
layout: Which curves share a chart: tables by name.
mat: A row for each point.
metadata, metadata_header: What each point is called, and what these names are.
label_img: A picture for each point.
figure: What nl.plot gave.
close: Accepted for PyTorch's sake.
input_to_model: What the network is run with.
max_bins: How many bins there are at most.
bucket_limits, bucket_counts: The upper edges of the bins, and how many there are in each.
num, sum, sum_squares: How many numbers there are, their sum, and that of their squares.
hparam_dict, metric_dict: What was set, and what came of it.
hparam_domain_discrete: Which values each may have.
run_name: What the run is called.
predictions: How sure the network is of each.
labels: Whether each is true.
weights: What each counts.
true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts: The counts at each threshold.
precision, recall: Both at each threshold.
scalar_value: The number.
new_style, double_precision: How it is written.
main_tag: What the curves have in common.
tag_scalar_dict: Numbers by name.
text_string: The text, Markdown.
[testing.check_module]
skip: Which checks are left out, a list.
unused: Which parameters need no gradient, a list of names.
[testing.install] assert: The assert that gets the functions.
[text.Tokenizer]
lowercase: Whether letters are made small first.
strip_accents: Whether accents are taken away first.
add_special_tokens: Whether marks stand at the ends.
skip_special_tokens: Whether these are left out.
ids: Numbers of tokens, counted from 1.
id: The number of a token, counted from 1.
token: A token.
pair: A second text.
max_length: How many tokens there are at most.
[nl.transforms.functional.]
center: The point that the picture turns about; its middle without it.
brightness_factor, contrast_factor, saturation_factor: 0: none, 1: as it is, 2: twice as much.
hue_factor: By how much colours turn, from -0.5 to 0.5.
i, j: The first row and column, counted from 1.
top, left: The first row and column, counted from 1.
translate: How far the picture is moved, in pixels: {x, y}.
mean, std: What is taken away, and divided by, one a channel.
padding_mode: What is around the picture: "constant" (fill), "edge", "reflect" or "symmetric".
padding: How many pixels are added: a number, {left and right, top and bottom}, or {left, top, right, bottom}.
h, w: How high and wide.
gain: What the result is multiplied by.
size: The size of the result: {height, width}, or a number for the shorter side.
[transforms.RandomChoice] p: How likely each is, a list of weights; all alike without it.
[transforms.CenterCrop, transforms.RandomCrop, transforms.RandomResizedCrop]
size: The size of the result: {height, width}, or a number for both.
[transforms.]
padding_mode: What is around the picture: "constant" (fill), "edge", "reflect" or "symmetric".
padding: How many pixels are added: a number, {left and right, top and bottom}, or {left, top, right, bottom}.
center: The point that a picture turns about; its middle without it.
brightness, contrast, saturation, hue: How much it changes at most: a number, or {low, high}.
pad_if_needed: Whether a picture that is too small is filled up first.
distortion_scale: How far corners move at most, from 0 to 1.
lambd: A function of an item.
p: The probability that it is done.
size: The size of the result: {height, width}, or a number for the shorter side.
mean, std: What is taken away, and divided by, one a channel.
scale: Which shares of the picture's area are drawn from: {low, high}.
[utils.data.DataLoader]
num_workers: How many processes read; 0: this one.
collate_fn: A function that makes a batch of a list of items.
batch_sampler: What gives lists of positions, a batch each.
worker_init_fn: A function that each worker calls with its number.
prefetch_factor: How many batches each worker is ahead.
persistent_workers: Whether workers stay for the next epoch.
in_order: Whether batches come in order, though some be ready earlier.
multiprocessing_context, pin_memory_device: Accepted for PyTorch's sake.
timeout: How many seconds a batch is waited for; 0: as long as it takes.
[utils.data.DistributedSampler]
num_replicas: How many processes there are.
rank: Which one this is, from 0.
[utils.data.read_csv]
delimiter: What stands between two numbers.
skip_rows: How many lines are left out at first.
header: Whether the next line holds the columns' names, which are a second result.
columns: Which columns, in which order: a list of names, or of numbers from 1 on.
missing: What is taken where a field has no number; without it that is an error.
[nl.nn.functional.cross_entropy, nl.nn.functional.nll_loss, nn.CrossEntropyLoss, nn.NLLLoss]
weight: What each class counts.
[nl.lerp] weight: How far it is from input to stop: 0 is the one, 1 the other.
[nl.histogram] weight: What each element counts.
[nl.prelu] weight: The slope below 0: one, or one a channel.
[nl.heaviside] values: What the result is where the input is 0.
[nl.pca_lowrank, nl.svd_lowrank]
center: Whether the mean of each column is taken away first.
q: How many of the largest singular values are wanted.
M: What is taken away from A first: a matrix that broadcasts with it.
[transforms.RandomAffine] scale: The factors to draw from: {low, high}.
[nn.Buffer] persistent: Whether state_dict has it.
[optim.swap_in_optimizer_params_and_state] self: The optimizer.
]]
