-- nl.utils.tensorboard: event files for TensorBoard.

local EventFile = require "nnlua.utils.tensorboard.event_file"
local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local message = require "nnlua.utils.tensorboard.message"
local nl = require "nnlua"
local summary = require "nnlua.utils.tensorboard.summary"
local system = require "nnlua.system"

local raise = core.raise

--- Writes event files that TensorBoard shows (`pip install tensorboard`, `tensorboard --logdir runs`), with PyTorch's
--- methods: `SummaryWriter({log_dir = "runs/<time>_<host>", comment = "", purge_step = nil, flush_secs = 120,
--- filename_suffix = ""})`. Events from purge_step on, which a run that was killed wrote, are hidden. What was written
--- is there after flush, close, flush_secs, or where `local writer <close> = SummaryWriter(…)` ends.
---     > folder = os.tmpname() .. ".runs"
---     > writer = nl.utils.tensorboard.SummaryWriter(folder)
---     > for step = 1, 3 do writer:add_scalar("loss", 1 / step, step) end
---     > writer:close()
---     > writer:get_logdir() == folder
---     true
---@class SummaryWriter
---@field log_dir string
local SummaryWriter = class.new "utils.tensorboard.SummaryWriter"

local parse = args.parser(SummaryWriter.__name, {
  {"log_dir", "string?"}, {"comment", "string", ""}, {"purge_step", "integer?"}, {"max_queue", "integer", 10},
  {"flush_secs", "number", 120}, {"filename_suffix", "string", ""},
})

function SummaryWriter:init(...)
  local log_dir, comment
  log_dir, comment, self.purge_step, self.max_queue, self.flush_secs, self.filename_suffix = parse(...)
  local host = system.host_and_process()
  self.log_dir = log_dir or ("runs/%s_%s%s"):format(os.date "%b%d_%H-%M-%S", host, comment)
  self._embeddings = {}
  self:_file()
end

--- The event file of a folder below, which is begun if it must be.
function SummaryWriter:_file(folder)
  self._files = self._files or {}
  local path = folder or self.log_dir
  if not self._files[path] then
    self._files[path] = EventFile.new(path, self.filename_suffix, self.flush_secs)
    if not folder and self.purge_step then
      self._files[path]:write({file_version = "brain.Event:2"}, self.purge_step)
      self._files[path]:write({session_log = message("session_log", {status = 1})}, self.purge_step)
      self.purge_step = nil
    end
  end
  return self._files[path]
end

--- Appends a value, or a list of them, to an event file.
function SummaryWriter:_add(value, step, walltime, folder)
  local values = value.size and {value} or value
  self:_file(folder):write({summary = message("summary", {value = values})}, step, walltime)
end

local function parser(name, specs)
  for _, one in ipairs {{"global_step", "integer?"}, {"walltime", "number?"}} do
    if not specs.plain then specs[#specs + 1] = one end
  end
  specs.plain = nil
  return args.parser(name, specs)
end

-- ------------------------------------------------------------------- scalars

local parse_scalar = args.parser("add_scalar", {
  {"tag", "string"}, {"scalar_value", "any"}, {"global_step", "integer?"}, {"walltime", "number?"},
  {"new_style", "boolean", false}, {"double_precision", "boolean", false},
})

--- Adds a number, or a tensor of one element: `add_scalar(tag, scalar_value, global_step, walltime)`. Tags with a slash
--- stand in a group.
---@param tag string
---@param scalar_value number|Tensor
---@param global_step? integer
function SummaryWriter:add_scalar(...)
  local tag, value, step, walltime, new_style, double = parse_scalar(...)
  self:_add(summary.scalar(tag, summary.number("add_scalar", value), new_style, double), step, walltime)
end

local parse_scalars = parser("add_scalars", {{"main_tag", "string"}, {"tag_scalar_dict", "table"}})

--- Adds several numbers to one chart: `add_scalars("loss", {train = 1, val = 2}, step)`; each is a run of its own.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_scalars("loss", {train = 1, val = 2}, 1)
---     > writer:close()
---@param main_tag string
---@param tag_scalar_dict table<string, number>
---@param global_step? integer
function SummaryWriter:add_scalars(...)
  local main_tag, values, step, walltime = parse_scalars(...)
  local numbers = summary.numbers("add_scalars", values)
  for _, tag in ipairs(summary.sorted_names("add_scalars", values)) do
    local folder = ("%s/%s_%s"):format(self.log_dir, main_tag:gsub("/", "_"), tag)
    self:_add(summary.scalar(main_tag, numbers[tag]), step, walltime, folder)
  end
end

local parse_tensor = parser("add_tensor", {{"tag", "string"}, {"tensor", "tensor"}})

--- Adds a tensor as it is, for who reads the file.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_tensor("weight", nl.eye(2), 1)
---     > writer:close()
---@param tag string
---@param tensor Tensor
---@param global_step? integer
function SummaryWriter:add_tensor(...)
  local tag, tensor, step, walltime = parse_tensor(...)
  self:_add(summary.tensor(tag, tensor), step, walltime)
end

-- ---------------------------------------------------------------- histograms

local parse_histogram = args.parser("add_histogram", {
  {"tag", "string"}, {"values", "any"}, {"global_step", "integer?"}, {"bins", "any?"}, {"walltime", "number?"},
  {"max_bins", "integer?"},
})

--- Adds how a tensor's elements are spread: `add_histogram(tag, values, global_step, bins = "tensorflow", walltime,
--- max_bins)`; bins may be a number of them, or a list of borders.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_histogram("weight", nl.randn(100), 1)
---     > writer:close()
---@param tag string
---@param values Tensor
---@param global_step? integer
function SummaryWriter:add_histogram(...)
  local tag, values, step, bins, walltime, max_bins = parse_histogram(...)
  if type(values) == "table" or type(values) == "number" then values = nl.tensor(values, {dtype = nl.float64}) end
  if not core.is_tensor(values) then
    raise("add_histogram: values must be a tensor, not " .. core.describe(values))
  end
  if max_bins and max_bins < 1 then raise(("add_histogram: max_bins must be from 1 on, not %d"):format(max_bins)) end
  self:_add(summary.histogram(tag, values, bins, max_bins), step, walltime)
end

local parse_raw = parser("add_histogram_raw", {
  {"tag", "string"}, {"min", "number"}, {"max", "number"}, {"num", "number"}, {"sum", "number"},
  {"sum_squares", "number"}, {"bucket_limits", "list"}, {"bucket_counts", "list"},
})

--- Adds a histogram that was counted elsewhere: `add_histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits,
--- bucket_counts, global_step)`; limits are the bins' upper ends.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_histogram_raw("x", 0, 2, 3, 3, 5, {1, 2}, {1, 2}, 1)
---     > writer:close()
function SummaryWriter:add_histogram_raw(...)
  local tag, min, max, num, sum, squares, limits, counts, step, walltime = parse_raw(...)
  if #limits ~= #counts then
    raise(("add_histogram_raw: there are %d bucket_limits, but %d bucket_counts"):format(#limits, #counts))
  end
  summary.check_list("add_histogram_raw", "bucket_limits", limits, "number")
  summary.check_list("add_histogram_raw", "bucket_counts", counts, "number")
  self:_add(summary.histogram_raw(tag, {min = min, max = max, num = num, sum = sum, sum_squares = squares,
    bucket_limits = limits, bucket_counts = counts}), step, walltime)
end

-- ------------------------------------------------------- pictures, sound, text

--- Adds a picture: `add_image(tag, img_tensor, global_step, walltime, dataformats = "CHW")`: floats from 0 to 1, or
--- bytes. "HWC", "HW" and others are taken too.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_image("noise", nl.rand(3, 8, 8), 1)
---     > writer:close()
---@param tag string
---@param img_tensor Tensor
---@param global_step? integer
function SummaryWriter:add_image(...)
  self:_add_image("add_image", ...)
end

--- Adds pictures (N, C, H, W) side by side: `add_images(tag, img_tensor, global_step, walltime, dataformats = "NCHW")`.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_images("noise", nl.rand(4, 3, 8, 8), 1)
---     > writer:close()
---@param tag string
---@param img_tensor Tensor
---@param global_step? integer
function SummaryWriter:add_images(...)
  self:_add_image("add_images", ...)
end

local parse_image = {}
for name, dataformats in pairs {add_image = "CHW", add_images = "NCHW"} do
  parse_image[name] = args.parser(name, {
    {"tag", "string"}, {"img_tensor", "tensor"}, {"global_step", "integer?"}, {"walltime", "number?"},
    {"dataformats", "string", dataformats},
  })
end

function SummaryWriter:_add_image(name, ...)
  local tag, image, step, walltime, dataformats = parse_image[name](...)
  self:_add(summary.image(name, tag, image, dataformats), step, walltime)
end

local parse_figure = args.parser("add_figure", {
  {"tag", "string"}, {"figure", "any"}, {"global_step", "integer?"}, {"close", "boolean", true},
  {"walltime", "number?"},
})

--- Adds a figure of nl.plot as a picture, or a list of figures of one size: `add_figure(tag, figure, global_step)`.
--- Needs cairo, as all figures as PNG.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_figure("curve", nl.plot.line({1, 2, 4}), 1)
---     > writer:close()
---@param tag string
---@param figure Figure
---@param global_step? integer
function SummaryWriter:add_figure(...)
  local tag, figure, step, _, walltime = parse_figure(...)
  local is_one = class.is_a(figure, nl.plot.Figure)
  local pictures = {}
  for i, one in ipairs(is_one and {figure} or type(figure) == "table" and figure or {}) do
    if not class.is_a(one, nl.plot.Figure) then raise("add_figure: a figure is wanted, not " .. core.describe(one)) end
    pictures[i] = nl.io.decode_image(nl.frombuffer(one:png(), nl.uint8), "RGB")
  end
  if #pictures == 0 then raise("add_figure: figure must be one of nl.plot, not " .. core.describe(figure)) end
  self:_add_image("add_images", tag, nl.stack(pictures, 1), step, walltime)
end

local parse_boxes = args.parser("add_image_with_boxes", {
  {"tag", "string"}, {"img_tensor", "tensor"}, {"box_tensor", "tensor"}, {"global_step", "integer?"},
  {"walltime", "number?"}, {"rescale", "number", 1}, {"dataformats", "string", "CHW"}, {"labels", "table?"},
})

--- Adds a picture with boxes: `add_image_with_boxes(tag, img_tensor, box_tensor, global_step, walltime, rescale = 1,
--- dataformats = "CHW", labels)`: boxes (n, 4) of left, top, right and bottom in pixels, with a text each, if there are
--- labels. `rescale` makes all of it so much larger. Needs cairo, as figures as PNG.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_image_with_boxes("found", nl.rand(3, 16, 16), nl.tensor({{2, 2, 9, 9}}), 1)
---     > writer:close()
---@param tag string
---@param img_tensor Tensor
---@param box_tensor Tensor
---@param global_step? integer
---@param labels? string[]
function SummaryWriter:add_image_with_boxes(...)
  local tag, image, boxes, step, walltime, rescale, dataformats, labels = parse_boxes(...)
  if not (rescale > 0 and rescale < math.huge) then
    raise("add_image_with_boxes: rescale must be above 0 and finite, not " .. core.format("%g", rescale))
  end
  local planes = summary.planes("add_image_with_boxes", image, dataformats)
  if rescale ~= 1 then
    local height, width = planes:size(2), planes:size(3)
    planes = nl.io.resize(planes, {math.max(1, height * rescale // 1 | 0), math.max(1, width * rescale // 1 | 0)})
  end
  local drawn = require "nnlua.utils.tensorboard.media".boxes(planes, boxes * rescale, labels)
  self:_add_image("add_image", tag, drawn, step, walltime)
end

local parse_video = args.parser("add_video", {
  {"tag", "string"}, {"vid_tensor", "tensor"}, {"global_step", "integer?"}, {"fps", "number", 4},
  {"walltime", "number?"},
})

--- Adds moving pictures (videos, pictures, channels, height, width), side by side, as a GIF: `add_video(tag,
--- vid_tensor, global_step, fps = 4)`: floats from 0 to 1, or bytes, of one channel or three; a GIF has 252 colours.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_video("noise", nl.rand(1, 5, 3, 8, 8), 1)
---     > writer:close()
---@param tag string
---@param vid_tensor Tensor
---@param global_step? integer
---@param fps? number
function SummaryWriter:add_video(...)
  local tag, video, step, fps, walltime = parse_video(...)
  self:_add(require "nnlua.utils.tensorboard.media".video(tag, video, fps), step, walltime)
end

local parse_mesh = args.parser("add_mesh", {
  {"tag", "string"}, {"vertices", "tensor"}, {"colors", "tensor?"}, {"faces", "tensor?"}, {"config_dict", "table?"},
  {"global_step", "integer?"}, {"walltime", "number?"},
})

--- Adds meshes, or clouds of points: `add_mesh(tag, vertices, colors, faces, config_dict, global_step)`: tensors
--- (meshes, n, 3) of coordinates, of colours from 0 to 255, and of the places of each triangle's vertices, from 1 on.
--- `config_dict` has names of three.js and their options: `{camera = {cls = "PerspectiveCamera", fov = 75}}`.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_mesh("cloud", nl.randn(1, 10, 3))
---     > writer:close()
---@param tag string
---@param vertices Tensor
---@param colors? Tensor
---@param faces? Tensor
---@param config_dict? table
---@param global_step? integer
function SummaryWriter:add_mesh(...)
  local tag, vertices, colors, faces, config, step, walltime = parse_mesh(...)
  local values = require "nnlua.utils.tensorboard.media".mesh(tag, {vertices = vertices, colors = colors,
    faces = faces}, config)
  self:_add(values, step, walltime)
end

local parse_audio = args.parser("add_audio", {
  {"tag", "string"}, {"snd_tensor", "tensor"}, {"global_step", "integer?"}, {"sample_rate", "integer", 44100},
  {"walltime", "number?"},
})

--- Adds sound of one channel, samples from -1 to 1: `add_audio(tag, snd_tensor, global_step, sample_rate = 44100)`.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_audio("tone", nl.sin(nl.arange(0, 4410) * 0.06), 1)
---     > writer:close()
---@param tag string
---@param snd_tensor Tensor
---@param global_step? integer
function SummaryWriter:add_audio(...)
  local tag, sound, step, rate, walltime = parse_audio(...)
  if rate < 1 or rate > 0x7fffffff then
    raise(("add_audio: sample_rate must be from 1 to 2147483647, not %d"):format(rate))
  end
  self:_add(summary.audio(tag, sound, rate), step, walltime)
end

local parse_text = parser("add_text", {{"tag", "string"}, {"text_string", "string"}})

--- Adds a text, in Markdown: `add_text(tag, text_string, global_step)`.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_text("note", "**well**", 1)
---     > writer:close()
---@param tag string
---@param text_string string
---@param global_step? integer
function SummaryWriter:add_text(...)
  local tag, text, step, walltime = parse_text(...)
  self:_add(summary.text(tag, text), step, walltime)
end

-- ------------------------------------------------------------------- curves

local parse_curve = args.parser("add_pr_curve", {
  {"tag", "string"}, {"labels", "any"}, {"predictions", "any"}, {"global_step", "integer?"},
  {"num_thresholds", "integer", 127}, {"weights", "any?"}, {"walltime", "number?"},
})

--- How many thresholds are written: 127 at most, as in PyTorch.
local function thresholds_of(name, n)
  if n < 1 then raise(("%s: num_thresholds must be from 1 on, not %d"):format(name, n)) end
  return math.min(n, 127)
end

local function tensor_of(name, what, value, default)
  if value == nil then value = default end
  if type(value) == "table" or type(value) == "number" then return nl.tensor(value) end
  if core.is_tensor(value) then return value:detach() end
  raise(("%s: %s must be a tensor, not %s"):format(name, what, core.describe(value)))
end

--- Adds a curve of precision over recall: `add_pr_curve(tag, labels, predictions, global_step, num_thresholds = 127,
--- weights)`; labels are 0 and 1 or booleans, predictions probabilities.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_pr_curve("digits", nl.tensor({0, 1, 1}), nl.tensor({0.2, 0.4, 0.9}), 1)
---     > writer:close()
---@param tag string
---@param labels Tensor
---@param predictions Tensor
---@param global_step? integer
function SummaryWriter:add_pr_curve(...)
  local tag, labels, predictions, step, thresholds, weights, walltime = parse_curve(...)
  labels = tensor_of("add_pr_curve", "labels", labels):flatten()
  predictions = tensor_of("add_pr_curve", "predictions", predictions):flatten()
  if not core.same_shape(labels, predictions) then
    raise(("add_pr_curve: there are %d labels, but %d predictions"):format(#labels, #predictions))
  end
  weights = tensor_of("add_pr_curve", "weights", weights, 1):double()
  thresholds = thresholds_of("add_pr_curve", thresholds)
  self:_add(summary.pr_curve(tag, labels, predictions, thresholds, weights), step, walltime)
end

local parse_curve_raw = args.parser("add_pr_curve_raw", {
  {"tag", "string"}, {"true_positive_counts", "any"}, {"false_positive_counts", "any"},
  {"true_negative_counts", "any"}, {"false_negative_counts", "any"}, {"precision", "any"}, {"recall", "any"},
  {"global_step", "integer?"}, {"num_thresholds", "integer", 127}, {"weights", "any?"}, {"walltime", "number?"},
})

--- Adds a curve that was counted elsewhere: true and false positives, true and false negatives, precision and recall,
--- a number of each for each threshold.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_pr_curve_raw("x", {2, 1}, {2, 0}, {0, 2}, {0, 1}, {0.5, 1.0}, {1.0, 0.5}, 1, {num_thresholds = 2})
---     > writer:close()
function SummaryWriter:add_pr_curve_raw(...)
  local values = table.pack(parse_curve_raw(...))
  local rows = {}
  for i = 1, 6 do rows[i] = tensor_of("add_pr_curve_raw", "each count", values[i + 1]):double() end
  local thresholds = thresholds_of("add_pr_curve_raw", values[9])
  self:_add(summary.pr_curve_raw(values[1], nl.stack(rows, 1), thresholds), values[8], values[11])
end

-- ------------------------------------------------------------------- layouts

--- Adds a layout of charts: `add_custom_scalars {category = {title = {"Multiline", {"loss/train", "loss/val"}}}}`, or
--- {"Margin", {value, lower, upper}}.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_custom_scalars {losses = {both = {"Multiline", {"loss/train", "loss/val"}}}}
---     > writer:close()
---@param layout table
function SummaryWriter:add_custom_scalars(layout)
  if type(layout) ~= "table" then raise("add_custom_scalars: layout must be a table, not " .. core.describe(layout)) end
  self:_add(summary.custom_scalars("add_custom_scalars", layout))
end

local function chart(kind, name)
  local parse_chart = args.parser(name, {
    {"tags", "list"}, {"category", "string", "default"}, {"title", "string", "untitled"},
  })
  return function(self, ...)
    local tags, category, title = parse_chart(...)
    self:_add(summary.custom_scalars(name, {[category] = {[title] = {kind, tags}}}))
  end
end

--- Adds a chart of several tags: `add_custom_scalars_multilinechart(tags, category, title)`.
SummaryWriter.add_custom_scalars_multilinechart = chart("Multiline", "add_custom_scalars_multilinechart")

--- Adds a chart of a value between two others: `add_custom_scalars_marginchart({value, lower, upper}, category,
--- title)`.
SummaryWriter.add_custom_scalars_marginchart = chart("Margin", "add_custom_scalars_marginchart")

-- -------------------------------------------------- graphs, runs, embeddings

--- Adds a model's graph, as nl.program.trace finds it: `add_graph(model, input)`; several inputs are a list.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_graph(nn.Linear(2, 1), nl.ones(1, 2))
---     > writer:close()
---@param model Module
---@param input_to_model Tensor|Tensor[]
function SummaryWriter:add_graph(model, input_to_model)
  if not core.is_module(model) then raise("add_graph: model must be a module, not " .. core.describe(model)) end
  local inputs = core.is_tensor(input_to_model) and {input_to_model} or input_to_model
  if type(inputs) ~= "table" then
    raise("add_graph: input_to_model must be a tensor or a list of tensors, not " .. core.describe(inputs))
  end
  self:_file():write {graph_def = require "nnlua.utils.tensorboard.graph"(model, table.unpack(inputs))}
end

local parse_hparams = args.parser("add_hparams", {
  {"hparam_dict", "table"}, {"metric_dict", "table"}, {"hparam_domain_discrete", "any?"}, {"run_name", "string?"},
  {"global_step", "integer?"},
})

--- Adds what a run was made with and what came of it, to compare runs: `add_hparams({lr = 0.1}, {["hparam/loss"] =
--- 2})`; it is a run of its own, below this one's folder.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_hparams({lr = 0.1}, {["hparam/loss"] = 2})
---     > writer:close()
---@param hparam_dict table<string, any>
---@param metric_dict table<string, number>
function SummaryWriter:add_hparams(...)
  local hparams, metrics, domains, run_name, step = parse_hparams(...)
  local numbers = summary.numbers("add_hparams", metrics)
  local folder = self.log_dir .. "/" .. (run_name or core.format("%.7f", nl.time()))
  for _, value in ipairs {require "nnlua.utils.tensorboard.hparams"(hparams, metrics, domains)} do
    self:_add(value, step, nil, folder)
  end
  for _, name in ipairs(summary.sorted_names("add_hparams", metrics)) do
    self:_add(summary.scalar(name, numbers[name]), step, nil, folder)
  end
end

local parse_embedding = args.parser("add_embedding", {
  {"mat", "tensor"}, {"metadata", "any?"}, {"label_img", "any?"}, {"global_step", "integer?"},
  {"tag", "string", "default"}, {"metadata_header", "any?"},
})

--- Adds points for the projector: `add_embedding(mat, metadata, label_img, global_step, tag = "default",
--- metadata_header)`: a tensor (points, features), a text for each, a picture for each (N, C, H, W).
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_embedding(nl.randn(3, 4), {"a", "b", "c"}, nil, 1)
---     > writer:close()
---@param mat Tensor
---@param metadata? any[]
---@param label_img? Tensor
---@param global_step? integer
function SummaryWriter:add_embedding(...)
  local mat, metadata, images, step, tag, header = parse_embedding(...)
  local number = ("%05d"):format(step or 0)
  local escaped = tag:gsub("[%%/\\]", function(c) return ("%%%02x"):format(c:byte()) end)
  local projector = require "nnlua.utils.tensorboard.projector"
  table.insert(self._embeddings, projector.add(self.log_dir, number .. "/" .. escaped, tag .. ":" .. number, mat,
    metadata, images, header))
  projector.write_config(self.log_dir, self._embeddings)
end

-- ------------------------------------------------------------------- the end

--- The folder that is written to.
function SummaryWriter:get_logdir()
  return self.log_dir
end

--- Brings what was added to the files.
---     > writer = nl.utils.tensorboard.SummaryWriter(os.tmpname() .. ".runs")
---     > writer:add_scalar("loss", 0.5, 1)
---     > writer:flush()
---     > writer:close()
function SummaryWriter:flush()
  for _, file in pairs(self._files or {}) do file:flush() end
end

--- Ends the files; what is added afterwards begins new ones.
function SummaryWriter:close()
  local files, first_problem = self._files or {}, nil
  self._files = nil
  for _, file in pairs(files) do
    local ok, problem = pcall(file.close, file)
    if not ok then first_problem = first_problem or problem end
  end
  if first_problem then error(first_problem, 0) end
end

function SummaryWriter:__close()
  self:close()
end

local tensorboard = {SummaryWriter = SummaryWriter}

guard.classes(tensorboard)

return tensorboard
